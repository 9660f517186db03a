--[[ content: what a customer has mailed lately, and to how many; 30 days at most.
A hash. `index`: at most 64 records of 48 bytes, the least recently used first: twelve
bands of three bytes (keyed hashes), two bytes for the hour of the last use, one for the
field in which more is kept (0: nothing is), one for the number of strangers, and the
hashes of the first two recipients. A field 1..64 keeps what went to more: eight bytes of
TAT (strangers, as in the other counters), four for all strangers that it ever reached,
one of depth, and hashes of recipients, four bytes each, sampled as in `distinct` beyond 64: the standard error is 15 %.
Contents that went to two at most make room first: to flush a mailing out of the table
takes 64 other mailings. ]]
local PLACES, RECORD, PEOPLE_MAX, CONTENT_TTL_S = 64, 48, 64, 30 * 86400
local NOBODY = '\0\0\0\0'
local function find_content(index, bands, hour)
  for at = 1, #bands, 3 do
    local found = place(index, string.sub(bands, at, at + 2), RECORD, at)
    if found then
      found = found - at + 1
      local high, low = string.byte(index, found + 36, found + 37)
      if (hour - high * 256 - low) % 65536 <= 720 then return found end
    end
  end
  return nil
end
local function read_content(key, index, at, now, interval)
  if not at then return {field = 0, depth = 0, people = '', tat = now, ever = 0} end
  local field, strangers = string.byte(index, at + 38, at + 39)
  if field == 0 then
    local people = string.gsub(string.sub(index, at + 40, at + 47), NOBODY .. '$', '')
    if people == NOBODY then people = '' end
    return {field = 0, depth = 0, people = people, tat = now + strangers * interval,
      ever = strangers}
  end
  local text = redis.call('HGET', key, field)
  if not text then return {field = field, depth = 0, people = '', tat = now, ever = 0} end
  local tat, ever, depth = struct.unpack('>dI4B', text)
  return {field = field, depth = depth, people = string.sub(text, 14),
    tat = math.max(tat, now), ever = ever}
end
local function free_field(index)
  local used = {}
  for at = 39, #index, RECORD do used[string.byte(index, at)] = true end
  for field = 1, PLACES do
    if not used[field] then return field end
  end
end
local function make_room(key, index)
  if #index < RECORD * PLACES then return index end
  local victim = 1
  for at = 1, #index, RECORD do
    if string.byte(index, at + 38) == 0 then
      victim = at
      break
    end
  end
  local field = string.byte(index, victim + 38)
  if field > 0 then redis.call('HDEL', key, field) end
  return string.sub(index, 1, victim - 1) .. string.sub(index, victim + RECORD)
end
local function write_content(key, index, at, bands, hour, entry, now, interval)
  local field, strangers = entry.field, math.ceil((entry.tat - now) / interval)
  if at then
    index = string.sub(index, 1, at - 1) .. string.sub(index, at + RECORD)
  else
    index = make_room(key, index)
  end
  if field == 0 and (#entry.people > 8 or strangers > 2) then field = free_field(index) end
  local inline = NOBODY .. NOBODY
  if field == 0 then
    inline = entry.people .. string.sub(inline, #entry.people + 1)
  else
    redis.call('HSET', key, field, struct.pack('>dI4B', entry.tat, entry.ever, entry.depth) .. entry.people)
    strangers = 0
  end
  redis.call('HSET', key, 'index', index .. bands
    .. string.char(math.floor(hour / 256) % 256, hour % 256, field, strangers) .. inline)
  redis.call('EXPIRE', key, CONTENT_TTL_S)
end
-- Gives numbers before and after: recipients reached, strangers among them; the share of
-- those who were known, by experience with all of them; what is new; and a function that
-- remembers it.
local function spreading(key, bands, people, strangers, now, interval)
  local hour = math.floor(now / 3600e6) % 65536
  local index = redis.call('HGET', key, 'index') or ''
  local at = find_content(index, bands, hour)
  local entry = read_content(key, index, at, now, interval)
  local kept_bands = at and string.sub(index, at, at + 35) or bands
  local before = #entry.people / 4 * 2 ^ entry.depth
  local level = math.ceil((entry.tat - now) / interval)
  local added = {}
  for from = 1, #people, 4 do
    local one = string.sub(people, from, from + 3)
    if sampled(one, entry.depth) and not place(entry.people, one, 4, 1) then
      added[#added + 1] = one
    end
  end
  local after = before + #added * 2 ^ entry.depth
  local known = 1 - (entry.ever + strangers) / math.max(after, 1)
  return before, after, level, level + strangers, known, table.concat(added), function()
    local text = entry.people .. table.concat(added)
    while #text > 4 * PEOPLE_MAX do
      entry.depth = entry.depth + 1
      local kept = {}
      for from = 1, #text, 4 do
        local one = string.sub(text, from, from + 3)
        if sampled(one, entry.depth) then kept[#kept + 1] = one end
      end
      text = table.concat(kept)
    end
    entry.people = text
    entry.tat, entry.ever = entry.tat + strangers * interval, entry.ever + strangers
    write_content(key, index, at, kept_bands, hour, entry, now, interval)
  end
end
-- Takes out what one message added.
local function unspread(key, bands, people, strangers, now, interval)
  local hour = math.floor(now / 3600e6) % 65536
  local index = redis.call('HGET', key, 'index') or ''
  local at = find_content(index, bands, hour)
  if not at then return end
  local entry = read_content(key, index, at, now, interval)
  for from = 1, #people, 4 do
    local found = place(entry.people, string.sub(people, from, from + 3), 4, 1)
    if found then
      entry.people = string.sub(entry.people, 1, found - 1)
        .. string.sub(entry.people, found + 4)
    end
  end
  entry.tat = math.max(now, entry.tat - strangers * interval)
  entry.ever = math.max(0, entry.ever - strangers)
  write_content(key, index, at, string.sub(index, at, at + 35), hour, entry, now, interval)
end
