--[[ distinct: how many different ones in a sliding window; exact up to 1,024.
A string: one byte of depth, the window in microseconds (a double), then records of six
bytes in the order of their last use: four of the keyed hash, two of the slice (a 256th
of the window) of the last use. A record ages out after 257 slices: late by at most one,
never early. Beyond 1,024 records only hashes with `depth` low zero bits are kept, and
each counts 2^depth (Wegman's adaptive sampling; Flajolet, On adaptive sampling,
Computing 43, 1990): the standard error is 1.2/sqrt(1024), or 4 %. ]]
local EXACT_MAX, DISTINCT_HEAD = 1024, 9
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
  local added, again = {}, {}
  for at = 1, #items, 4 do
    local one = string.sub(items, at, at + 3)
    if sampled(one, depth) then
      local found = place(text, one, 6, 1)
      if found then
        text = string.sub(text, 1, found - 1) .. string.sub(text, found + 6)
        again[#again + 1] = one .. mark
      else
        added[#added + 1] = one
      end
    end
  end
  local after, retry = before + #added, 0
  if after * weight > limit then
    -- So many of the oldest must age out; this message brings its own along.
    local last = 6 * math.ceil(after - limit / weight) - 5
    retry = -1
    if last < #text then
      retry = math.max(1, math.ceil((slice - age(last) + 257) * length - now))
    end
  end
  text = text .. table.concat(again)
  local more = {}
  for i = 1, #added do more[i] = added[i] .. mark end
  text = text .. table.concat(more)
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
  for at = 1, #items, 4 do
    local found = place(value, string.sub(items, at, at + 3), 6, DISTINCT_HEAD + 1)
    if found then value = string.sub(value, 1, found - 1) .. string.sub(value, found + 6) end
  end
  return #value > DISTINCT_HEAD and value or nil
end
