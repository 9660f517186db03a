--[[ contacts: whom a customer has mailed in the last 57 weeks, about 400 days.
A hash. `recent`: records of five bytes, four of the recipient's keyed hash and one of
the week of the last message. When it is full it is spread over pages (fields 0..511, by
the last nine bits of the hash): records of three bytes, two of the hash and one of the
week. A page has room for 256, so 131,072 contacts at most; one that is full keeps the newest
224. With 100,000 contacts a stranger is taken for known with probability 195/65536, or 0.3 %.
Pages are swept, a few at a time, where they are full or begin with an old record, and in
turn. Weeks are counted modulo 256: what is not swept for five years would be known again. ]]
local WEEKS_KEPT, RECENT_MAX, PAGE_MAX, CONTACTS_TTL_S = 57, 512, 256, 407 * 86400
-- Records that one message looks through at most, and weeks until it is a page's turn.
local PAGE_ROOM, SWEPT_MAX, TURNS = 224, 8192, 64
local function page_of(one)
  local high, low = string.byte(one, 3, 4)
  return (high * 256 + low) % 512
end
-- The pages of these people, by number. One call: each costs more than what it finds.
local function open_pages(key, people)
  local numbers, found = {}, {}
  for at = 1, #people, 4 do
    local page = page_of(string.sub(people, at, at + 3))
    if not found[page] then
      found[page], numbers[#numbers + 1] = '', page
    end
  end
  for i, text in ipairs(redis.call('HMGET', key, unpack(numbers))) do
    if text then found[numbers[i]] = text end
  end
  return found
end
local function swept(text, week)
  local kept = {}
  for at = 1, #text, 3 do
    if age_of(week, string.byte(text, at + 2), 256) <= WEEKS_KEPT then
      kept[#kept + 1] = string.sub(text, at, at + 2)
    end
  end
  local most = #text > 3 * PAGE_MAX and PAGE_ROOM or PAGE_MAX
  return table.concat(kept, '', math.max(1, #kept - most + 1))
end
local function spread(key, recent, week, renewed)
  local hashes, added, values, budget = {}, {}, {}, SWEPT_MAX
  for at = 1, #recent, 5 do
    if age_of(week, string.byte(recent, at + 4), 256) <= WEEKS_KEPT then
      local one = string.sub(recent, at, at + 3)
      local page = page_of(one)
      hashes[#hashes + 1] = one
      added[page] = (added[page] or '') .. string.sub(one, 1, 2)
        .. string.sub(recent, at + 4, at + 4)
    end
  end
  local pages = open_pages(key, table.concat(hashes))
  for page, more in pairs(added) do
    local text = (renewed[page] or pages[page]) .. more
    renewed[page] = nil
    -- To look through all of them would cost many times what it costs to write them.
    local due = page % TURNS == week % TURNS
      or age_of(week, string.byte(text, 3), 256) > WEEKS_KEPT
    if #text > 3 * PAGE_MAX or due and budget > 0 then
      budget = budget - #text / 3
      text = swept(text, week)
    end
    values[#values + 1] = page
    values[#values + 1] = text
  end
  redis.call('HSET', key, 'recent', '', unpack(values))
end
-- Gives the strangers among `people` as one string, the number of those who were not
-- mailed this week, and a function that remembers all.
local function meet(key, people, week)
  local recent = redis.call('HGET', key, 'recent') or ''
  local pages = redis.call('HLEN', key) > 1 and open_pages(key, people)
  local mark, strangers, added, again = string.char(week), {}, {}, {}
  local before, renewed = recent, 0
  local function known(one)
    local at = place(recent, one, 5, 1)
    if at then
      local age = age_of(week, string.byte(recent, at + 4), 256)
      if age > 0 then
        recent = string.sub(recent, 1, at + 3) .. mark .. string.sub(recent, at + 5)
        renewed = renewed + 1
      end
      return age <= WEEKS_KEPT
    end
    if pages then
      local page = page_of(one)
      local text = pages[page]
      at = place(text, string.sub(one, 1, 2), 3, 1)
      if at then
        local age = age_of(week, string.byte(text, at + 2), 256)
        if age > 0 then
          text = string.sub(text, 1, at + 1) .. mark .. string.sub(text, at + 3)
          pages[page], again[page] = text, text
          renewed = renewed + 1
        end
        return age <= WEEKS_KEPT
      end
    end
    added[#added + 1] = one .. mark
    renewed = renewed + 1
    return false
  end
  for at = 1, #people, 4 do
    local one = string.sub(people, at, at + 3)
    if not known(one) then strangers[#strangers + 1] = one end
  end
  return table.concat(strangers), renewed, function()
    if renewed == 0 then return end
    recent = recent .. table.concat(added)
    if #recent > 5 * RECENT_MAX then
      spread(key, recent, week, again)
    elseif recent ~= before then
      redis.call('HSET', key, 'recent', recent)
    end
    for page, text in pairs(again) do redis.call('HSET', key, page, text) end
    redis.call('EXPIRE', key, CONTACTS_TTL_S)
  end
end
-- Forgets some, as if they had never been mailed.
local function forget(key, people)
  local recent, gone = redis.call('HGET', key, 'recent') or '', 0
  for at = 1, #people, 4 do
    local one = string.sub(people, at, at + 3)
    local found = place(recent, one, 5, 1)
    if found then
      recent = string.sub(recent, 1, found - 1) .. string.sub(recent, found + 5)
      gone = gone + 1
    else
      local page = page_of(one)
      local text = redis.call('HGET', key, page) or ''
      found = place(text, string.sub(one, 1, 2), 3, 1)
      if found then
        redis.call('HSET', key, page,
          string.sub(text, 1, found - 1) .. string.sub(text, found + 3))
        gone = gone + 1
      end
    end
  end
  if gone > 0 then redis.call('HSET', key, 'recent', recent) end
  if recent == '' and redis.call('HLEN', key) == 1 then redis.call('DEL', key) end
  return gone
end
