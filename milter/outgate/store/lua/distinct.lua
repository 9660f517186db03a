--[[ distinct: how many different ones in a sliding window; exact up to 1,024.
A string: one byte of depth, the window in microseconds (a double), then records of six
bytes in the order of their last use: four of the keyed hash, two of the slice (a 256th
of the window) of the last use. A record ages out after 257 slices: late by at most one,
never early. Beyond 1,024 records only hashes with `depth` low zero bits are kept, and
each counts 2^depth (Wegman's adaptive sampling; Flajolet, On adaptive sampling,
Computing 43, 1990): the standard error is 1.2/sqrt(1024), or 4 %. ]]
local EXACT_MAX, DISTINCT_HEAD, SEARCHED_MAX = 1024, 9, 8
local function read_distinct(value, window, now)
  if #(value or '') < DISTINCT_HEAD or (#value - DISTINCT_HEAD) % 6 ~= 0 then return 0, '' end
  local depth, counted = struct.unpack('>Bd', value)
  local text = string.sub(value, DISTINCT_HEAD + 1)
  if counted == window then return depth, text end
  -- The limit has another time now: what was used stays used, and is as old as it was.
  local length, old, kept = window / 256, counted / 256, {}
  local slice, before = math.floor(now / length), math.floor(now / old)
  for at = 1, #text, 6 do
    local age = age_of(before, struct.unpack('>I2', text, at + 4), 65536)
    local used = math.min(slice, math.floor((before - age + 1) * old / length))
    if slice - used <= 256 then
      kept[#kept + 1] = string.sub(text, at, at + 3) .. struct.pack('>I2', used % 65536)
    end
  end
  return depth, table.concat(kept)
end
-- The first moment of a slice: the product alone may be a microsecond early or late.
local function begin_of(number, length)
  local moment = math.floor(number * length) - 1
  while math.floor(moment / length) < number do moment = moment + 1 end
  return moment
end
-- A function that tells where a record is, from `first` on. For a message to many, all are
-- read once: to look through them for each of a thousand costs milliseconds.
local function finder(text, items, first)
  if #items <= 4 * SEARCHED_MAX then
    return function(one) return place(text, one, 6, first) end
  end
  local sub, places = string.sub, {}
  for at = first, #text, 6 do places[sub(text, at, at + 3)] = at end
  return function(one) return places[one] end
end
-- The text without the records at these places; to sort many places costs more than to
-- walk through all.
local function without(text, gone, first, count)
  if count <= SEARCHED_MAX then return replaced(text, gone, 6, '') end
  local parts, from = {}, 1
  for at = first, #text, 6 do
    if gone[at] then
      if from < at then parts[#parts + 1] = string.sub(text, from, at - 1) end
      from = at + 6
    end
  end
  parts[#parts + 1] = string.sub(text, from)
  return table.concat(parts)
end
-- Parts items into what is new and what is in `text` already, and gives it without these.
local function parted(text, items, depth)
  local sub, find = string.sub, finder(text, items, 1)
  local added, again, gone = {}, {}, {}
  for at = 1, #items, 4 do
    local one = sub(items, at, at + 3)
    if depth == 0 or sampled(one, depth) then
      local found = find(one)
      if found then
        again[#again + 1], gone[found] = one, true
      else
        added[#added + 1] = one
      end
    end
  end
  return added, again, without(text, gone, 1, #again)
end
-- Gives number before and after, the new value, what is new in it, and when `limit`
-- would hold again: microseconds, -1 for never.
local function distinguish(value, items, now, window, limit)
  local length = window / 256
  local slice = math.floor(now / length)
  local mark = struct.pack('>I2', slice % 65536)
  local depth, text = read_distinct(value, window, now)
  local function age(at) return age_of(slice, struct.unpack('>I2', text, at + 4), 65536) end
  local from = 1
  while from < #text and age(from) > 256 do from = from + 6 end
  text = string.sub(text, from)
  if text == '' then depth = 0 end
  local weight, before = 2 ^ depth, #text / 6
  local added, again
  added, again, text = parted(text, items, depth)
  local after, retry = before + #added, 0
  if after * weight > limit then
    -- So many of the oldest must age out; this message brings its own along.
    local last = 6 * math.ceil(after - limit / weight) - 5
    retry = -1
    if last < #text then
      retry = math.max(1, begin_of(slice - age(last) + 257, length) - now)
    end
  end
  for _, ones in ipairs({again, added}) do
    if #ones > 0 then text = text .. table.concat(ones, mark) .. mark end
  end
  while #text > 6 * EXACT_MAX do
    depth = depth + 1
    local kept = {}
    for at = 1, #text, 6 do
      local record = string.sub(text, at, at + 5)
      if sampled(record, depth) then kept[#kept + 1] = record end
    end
    text = table.concat(kept)
  end
  return before * weight, after * weight, struct.pack('>Bd', depth, window) .. text,
    table.concat(added), retry
end
-- Takes out what one message added; nil where nothing is left.
local function undistinguish(value, items)
  local find, gone = finder(value, items, DISTINCT_HEAD + 1), {}
  for at = 1, #items, 4 do
    local found = find(string.sub(items, at, at + 3))
    if found then gone[found] = true end
  end
  value = without(value, gone, DISTINCT_HEAD + 1, #items / 4)
  return #value > DISTINCT_HEAD and value or nil
end
