--[[ content: what a customer has mailed lately, and to how many; 30 days at most.
A hash. `index`: at most 64 records of 60 bytes, the least recently used first: twelve
bands of three bytes (keyed hashes), two bytes for the hour of the last use, one for the
field in which more is kept (0: nothing is), one for the number of strangers (255 and more
are 255), and the hashes of the first five recipients. A field 1..64 keeps what went to more: TAT of the
strangers and the interval at which it was counted (doubles, as in the other counters),
four bytes for all strangers that it ever reached, one of depth, and hashes of recipients,
four bytes each, sampled as in `distinct` beyond 64: the standard error is 15 %.
Contents that reached fewest strangers make room first, by powers of two: to flush a mailing
out of the table takes 64 others that reach about as many strangers each. Of equal ones goes
the least recently used. Mailings to known people and letters are equal, or letters to one
stranger each would flush the newsletter to members. ]]
local PLACES, PEOPLE_MAX, CONTENT_TTL_S, CONTENT_HEAD = 64, 64, 30 * 86400, 21
-- A field costs Redis as much again as what is in it: letters have none.
local FEW, NOBODY = 5, '\0\0\0\0'
local RECORD = 40 + 4 * FEW
local function open_contents(key, now)
  local hour, index = math.floor(now / 3600e6), redis.call('HGET', key, 'index') or ''
  local dead, from = {}, 1
  while from < #index
    and age_of(hour, struct.unpack('>I2', index, from + 36), 65536) > 720 do
    dead[#dead + 1] = string.byte(index, from + 38)
    from = from + RECORD
  end
  return {hour = hour % 65536, index = string.sub(index, from), dead = dead}
end
local function find_content(index, bands)
  for at = 1, #bands, 3 do
    local found = place(index, string.sub(bands, at, at + 2), RECORD, at)
    if found then return found - at + 1 end
  end
  return nil
end
local function read_content(key, contents, bands, now, interval)
  local index, at = contents.index, find_content(contents.index, bands)
  local entry = {bands = bands, field = 0, depth = 0, people = '', tat = now, ever = 0}
  if not at then return entry end
  entry.at, entry.bands = at, string.sub(index, at, at + 35)
  local field, strangers = string.byte(index, at + 38, at + 39)
  entry.field = field
  local text = field > 0 and redis.call('HGET', key, field)
  if text then
    local tat, counted, ever, depth = struct.unpack('>ddI4B', text)
    entry.tat, entry.ever = math.max(now, tat_at(tat, counted, interval, now)), ever
    entry.depth, entry.people = depth, string.sub(text, CONTENT_HEAD + 1)
  elseif field == 0 then
    entry.tat, entry.ever = now + strangers * interval, strangers
    for from = at + 40, at + RECORD - 4, 4 do
      local one = string.sub(index, from, from + 3)
      if one ~= NOBODY then entry.people = entry.people .. one end
    end
  end
  return entry
end
local function free_field(index)
  local used = {}
  for at = 39, #index, RECORD do used[string.byte(index, at)] = true end
  for field = 1, PLACES do
    if not used[field] then return field end
  end
end
local function make_room(contents)
  local index, victim, least = contents.index, 1, nil
  if #index < RECORD * PLACES then return end
  for at = 1, #index, RECORD do
    local _, rank = math.frexp(math.floor(string.byte(index, at + 39) / (FEW + 1)))
    if not least or rank < least then victim, least = at, rank end
  end
  table.insert(contents.dead, (string.byte(index, victim + 38)))
  contents.index = string.sub(index, 1, victim - 1) .. string.sub(index, victim + RECORD)
end
local function write_content(key, contents, entry, interval)
  local at, people, ever, inline = entry.at, entry.people, entry.ever, ''
  local few = entry.depth == 0 and #people <= 4 * FEW and ever <= FEW
  if at then
    contents.index = string.sub(contents.index, 1, at - 1)
      .. string.sub(contents.index, at + RECORD)
  else
    make_room(contents)
  end
  if few then table.insert(contents.dead, entry.field) end
  for _, field in ipairs(contents.dead) do
    if field > 0 then redis.call('HDEL', key, field) end
  end
  local field, index = 0, contents.index
  if few then
    inline = people
  else
    field = entry.field > 0 and entry.field or free_field(index)
    redis.call('HSET', key, field,
      struct.pack('>ddI4B', entry.tat, interval, ever, entry.depth) .. people)
  end
  if people ~= '' or field > 0 then
    index = index .. entry.bands .. struct.pack('>I2BB', contents.hour, field,
      math.min(255, ever)) .. inline .. string.rep(NOBODY, FEW - #inline / 4)
  end
  if index == '' then
    redis.call('HDEL', key, 'index')
  else
    redis.call('HSET', key, 'index', index)
    redis.call('EXPIRE', key, CONTENT_TTL_S)
  end
end
-- Gives numbers before and after: recipients reached, strangers among them; all strangers
-- that it will ever have reached; what is new; and a function that remembers it.
local function spreading(key, bands, people, strangers, now, interval)
  local contents = open_contents(key, now)
  local entry = read_content(key, contents, bands, now, interval)
  local before = #entry.people / 4 * 2 ^ entry.depth
  local level, added = math.ceil((entry.tat - now) / interval), {}
  for from = 1, #people, 4 do
    local one = string.sub(people, from, from + 3)
    if sampled(one, entry.depth) and not place(entry.people, one, 4, 1) then
      added[#added + 1] = one
    end
  end
  local after, ever = before + #added * 2 ^ entry.depth, entry.ever + strangers
  return before, after, level, level + strangers, ever, table.concat(added), function()
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
    entry.people, entry.ever = text, ever
    entry.tat = entry.tat + strangers * interval
    write_content(key, contents, entry, interval)
  end
end
-- Takes out what one message added; what nobody is left of was never there.
local function unspread(key, bands, people, strangers, now, interval)
  local contents = open_contents(key, now)
  local entry = read_content(key, contents, bands, now, interval)
  if not entry.at then return end
  for from = 1, #people, 4 do
    local found = place(entry.people, string.sub(people, from, from + 3), 4, 1)
    if found then
      entry.people = string.sub(entry.people, 1, found - 1)
        .. string.sub(entry.people, found + 4)
    end
  end
  entry.tat = math.max(now, entry.tat - strangers * interval)
  entry.ever = math.max(0, entry.ever - strangers)
  write_content(key, contents, entry, interval)
end
