--[[ records: strings of records of fixed width, the smallest thing that Redis keeps.
place: position of the record whose bytes from `offset` on are `item`; nil for none.
tat_of: theoretical arrival time of a counter '<TAT> <interval>', at another interval. ]]
local function place(text, item, width, offset)
  local at = string.find(text, item, offset, true)
  while at and (at - offset) % width ~= 0 do
    at = string.find(text, item, at + 1, true)
  end
  return at
end
local function tat_of(value, interval, now)
  local tat, counted = string.match(value or '', '^(%d+) ?(%d*)$')
  tat, counted = tonumber(tat) or 0, tonumber(counted) or interval
  if counted == 0 or counted == interval or tat <= now then return tat end
  return now + math.ceil((tat - now) / counted * interval)
end
