--[[ records: strings of records of fixed width, the smallest thing that Redis keeps.
place: position of the record whose bytes from `offset` on are `item`; nil for none.
age_of: how long ago, in units that are counted modulo `cycle`; 0 where the server's
clock went back a little, or another server has taken over.
sampled: whether a keyed hash has `depth` low zero bits, as one in 2^depth has.
tat_of: theoretical arrival time of a counter '<TAT> <interval>', at another interval. ]]
local function place(text, item, width, offset)
  local at = string.find(text, item, offset, true)
  while at and (at - offset) % width ~= 0 do
    at = string.find(text, item, at + 1, true)
  end
  return at
end
local function age_of(current, last, cycle)
  local age = (current - last) % cycle
  return age < cycle - cycle / 64 and age or 0
end
local function sampled(one, depth)
  return depth == 0 or struct.unpack('>I4', one) % 2 ^ depth == 0
end
local function tat_at(tat, counted, interval, now)
  if counted == 0 or counted == interval or tat <= now then return tat end
  return now + math.ceil((tat - now) / counted * interval)
end
local function tat_of(value, interval, now)
  local tat, counted = string.match(value or '', '^(%d+) ?(%d*)$')
  return tat_at(tonumber(tat) or 0, tonumber(counted) or interval, interval, now)
end
