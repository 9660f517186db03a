--[[ contacts: whom a customer has mailed in the last 57 weeks, about 400 days.
A hash. `recent`: records of five bytes, four of the recipient's keyed hash and one of
the week of the last message. When it is full it is spread over pages (fields 0..511, by
the last nine bits of the hash): records of three bytes, two of the hash and one of the
week. A page keeps the newest 256, so 131,072 contacts at most; with 100,000 of them a
stranger is taken for known with probability 195/65536, or 0.3 %. Weeks are counted modulo
256: of a table that is not spread for five years, some would be known again. ]]
local WEEKS_KEPT, RECENT_MAX, PAGE_MAX, CONTACTS_TTL_S = 57, 512, 256, 407 * 86400
local function page_of(one)
  local high, low = string.byte(one, 3, 4)
  return (high * 256 + low) % 512
end
local function spread(key, recent, week, keep)
  local added = {}
  for at = 1, #recent, 5 do
    if age_of(week, string.byte(recent, at + 4), 256) <= WEEKS_KEPT then
      local page = page_of(string.sub(recent, at, at + 3))
      added[page] = (added[page] or '') .. string.sub(recent, at, at + 1)
        .. string.sub(recent, at + 4, at + 4)
    end
  end
  for page, more in pairs(added) do
    local text, kept = (keep[page] or redis.call('HGET', key, page) or '') .. more, {}
    keep[page] = nil
    for at = 1, #text, 3 do
      if age_of(week, string.byte(text, at + 2), 256) <= WEEKS_KEPT then
        kept[#kept + 1] = string.sub(text, at, at + 2)
      end
    end
    local first = math.max(1, #kept - PAGE_MAX + 1)
    redis.call('HSET', key, page, table.concat(kept, '', first))
  end
end
-- Gives the strangers among `people` as one string, the number of those who were not
-- mailed this week, and a function that remembers all.
local function meet(key, people, week)
  local recent = redis.call('HGET', key, 'recent') or ''
  local paged = redis.call('HLEN', key) > 1
  local mark, strangers, added, pages, changed = string.char(week), {}, {}, {}, false
  local renewed = 0
  local function known(one)
    local at = place(recent, one, 5, 1)
    if at then
      local age = age_of(week, string.byte(recent, at + 4), 256)
      if age > 0 then
        recent = string.sub(recent, 1, at + 3) .. mark .. string.sub(recent, at + 5)
        changed = true
        renewed = renewed + 1
      end
      return age <= WEEKS_KEPT
    end
    if paged then
      local page = page_of(one)
      local text = pages[page] or redis.call('HGET', key, page) or ''
      at = place(text, string.sub(one, 1, 2), 3, 1)
      if at then
        local age = age_of(week, string.byte(text, at + 2), 256)
        if age > 0 then
          pages[page] = string.sub(text, 1, at + 1) .. mark .. string.sub(text, at + 3)
          changed = true
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
    if not changed and #added == 0 then return end
    recent = recent .. table.concat(added)
    if #recent > 5 * RECENT_MAX then
      spread(key, recent, week, pages)
      recent = ''
    end
    redis.call('HSET', key, 'recent', recent)
    for page, text in pairs(pages) do redis.call('HSET', key, page, text) end
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
