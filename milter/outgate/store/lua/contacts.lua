--[[ contacts: whom a customer has mailed in the last 57 weeks, about 400 days.
A hash. `recent`: records of five bytes, four of the recipient's keyed hash and one of
the week of the last message. When it is full it is spread over `pages`, by the last nine
bits of the hash; they have room for 131,072 contacts. With 100,000 of them a stranger is
taken for known with probability 195/65536, or 0.3 %. Weeks are counted modulo 256: what is
not swept for five years would be known again. ]]
local RECENT_MAX, CONTACTS_TTL_S = 512, 407 * 86400
local function write_contacts(key, recent, pages, changed)
  local values = {'recent', recent}
  for page in pairs(changed) do
    values[#values + 1] = page
    values[#values + 1] = pages[page]
  end
  redis.call('HSET', key, unpack(values))
end
-- Gives the strangers among `people` as one string, the number of those who were not
-- mailed this week, and a function that remembers all.
local function meet(key, people, week)
  local recent = redis.call('HGET', key, 'recent') or ''
  local places, pages = nil, {}
  if redis.call('HLEN', key) > 1 then places, pages = open_pages(key, people) end
  local mark, strangers, added, renewed = string.char(week), {}, {}, 0
  -- Where a week has to be written: in `recent`, and in each page.
  local late, late_pages = {}, {}
  local function is_known(last, at, marks)
    -- Two people may share a record: the second finds what the first will have written.
    if marks[at] then return true end
    local age = age_of(week, last, 256)
    if age > 0 then
      marks[at] = true
      renewed = renewed + 1
    end
    return age <= WEEKS_KEPT
  end
  local function known(one, page)
    local at = place(recent, one, 5, 1)
    if at then return is_known(string.byte(recent, at + 4), at + 4, late) end
    if page then
      local text = pages[page]
      at = place(text, string.sub(one, 1, 2), 3, 1)
      if at then
        local marks = late_pages[page]
        if not marks then
          marks = {}
          late_pages[page] = marks
        end
        return is_known(string.byte(text, at + 2), at + 2, marks)
      end
    end
    added[#added + 1] = one .. mark
    renewed = renewed + 1
    return false
  end
  for i = 1, #people / 4 do
    local one = string.sub(people, 4 * i - 3, 4 * i)
    if not known(one, places and places[i]) then strangers[#strangers + 1] = one end
  end
  return table.concat(strangers), renewed, function()
    if renewed == 0 then return end
    local changed = {}
    for page, marks in pairs(late_pages) do
      if next(marks) then
        pages[page], changed[page] = replaced(pages[page], marks, 1, mark), true
      end
    end
    local text = replaced(recent, late, 1, mark) .. table.concat(added)
    if #text > 5 * RECENT_MAX then
      spread(key, text, week, pages, changed)
      text = ''
    end
    write_contacts(key, text, pages, changed)
    redis.call('EXPIRE', key, CONTACTS_TTL_S)
  end
end
-- Forgets some, as if they had never been mailed.
local function forget(key, people)
  local recent = redis.call('HGET', key, 'recent') or ''
  local taken, taken_pages, gone = {}, {}, 0
  local function take(text, item, width, marks)
    local at = place(text, item, width, 1)
    while at and marks[at] do at = place(text, item, width, at + width) end
    if not at then return false end
    marks[at] = true
    gone = gone + 1
    return true
  end
  local paged = {}
  for at = 1, #people, 4 do
    local one = string.sub(people, at, at + 3)
    if not take(recent, one, 5, taken) then paged[#paged + 1] = one end
  end
  local places, pages = open_pages(key, table.concat(paged))
  for i, one in ipairs(paged) do
    local marks = taken_pages[places[i]] or {}
    if take(pages[places[i]], string.sub(one, 1, 2), 3, marks) then
      taken_pages[places[i]] = marks
    end
  end
  if gone == 0 then return 0 end
  recent = replaced(recent, taken, 5, '')
  for page, marks in pairs(taken_pages) do
    pages[page] = replaced(pages[page], marks, 3, '')
  end
  write_contacts(key, recent, pages, taken_pages)
  if recent == '' and redis.call('HLEN', key) == 1 then redis.call('DEL', key) end
  return gone
end
