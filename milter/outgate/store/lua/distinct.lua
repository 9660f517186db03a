--[[ distinct: how many different ones in a sliding window; exact up to 1,024.
A string: one byte of depth, then records of six bytes in the order of their last use:
four of the keyed hash, two of the slice (a 256th of the window) of the last use. A
record ages out after 257 slices: late by at most one, never early. Beyond 1,024 records
only hashes with `depth` low zero bits are kept, and each counts 2^depth (Wegman's
adaptive sampling; Flajolet, On adaptive sampling, Computing 43, 1990): the standard
error is 1.2/sqrt(1024), or 4 %. Twin: model/distinct.py. ]]
local EXACT_MAX = 1024
local function sampled(one, depth)
  if depth == 0 then return true end
  local high, low = string.byte(one, 3, 4)
  return (high * 256 + low) % 2 ^ depth == 0
end
-- Gives number before and after, the new value, what is new in it, and when `limit`
-- would hold again: microseconds, -1 for never.
local function distinguish(value, items, now, window, limit)
  local length = window / 256
  local slice = math.floor(now / length)
  local mark = string.char(math.floor(slice / 256) % 256, slice % 256)
  local function age(text, at)
    local high, low = string.byte(text, at + 4, at + 5)
    return (slice - high * 256 - low) % 65536
  end
  local depth, from = 0, 2
  if value and #value > 0 then depth = string.byte(value) else value = '\0' end
  while from < #value and age(value, from) > 256 do from = from + 6 end
  local text = string.sub(value, from)
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
  local after = before + #added
  local retry = 0
  if after * weight > limit then
    -- So many of the oldest must age out; those of this message do not count.
    local over = math.ceil(after - limit / weight)
    local last = from + 6 * (over - 1)
    if #items / 4 > limit or last > #value then
      retry = -1
    else
      retry = math.max(1, math.ceil((slice - age(value, last) + 257) * length - now))
    end
  end
  text = text .. table.concat(again)
  for i = 1, #added do text = text .. added[i] .. mark end
  while #text > 6 * EXACT_MAX do
    depth = depth + 1
    local kept = {}
    for at = 1, #text, 6 do
      local record = string.sub(text, at, at + 5)
      if sampled(record, depth) then kept[#kept + 1] = record end
    end
    text = table.concat(kept)
  end
  if text == '' then depth = 0 end
  return before * weight, after * weight, string.char(depth) .. text,
    table.concat(added), retry
end
-- Takes out what one message added.
local function undistinguish(value, items)
  for at = 1, #items, 4 do
    local found = place(value, string.sub(items, at, at + 3), 6, 2)
    if found then value = string.sub(value, 1, found - 1) .. string.sub(value, found + 6) end
  end
  return value
end
