--[[ optin: apply one event of one subscription. The record that counts more stays, by the
order of its bytes; the evidence of the newest consent that had any stays, until an erasure.
KEYS[1]  hash  subscribers of a list, one of many hashes of them
KEYS[2]  hash  their evidence, sealed
ARGV[1]  now_us    time; '' is the server's
ARGV[2]  mode      'apply'; 'erase': whatever is there becomes the mark of an erasure, and
  nothing becomes nothing; 'remove': a consent goes, marks and withdrawals stay
ARGV[3]  field     keyed hash of the subscriber
ARGV[4]  old       the field under which layout 1 kept it; '' for none
ARGV[5]  record    packed, as in model/optin_order.py; '' unless applied
ARGV[6]  evidence  precedence (10 bytes) and what is sealed; '' for none
ARGV[7]  ahead_us  how far its time may be ahead of now
returns: 1 changed, 0 kept as it was, -1 refused: of the future; and the record that was
  there, '' for none
Twin: model/optin_order.py, later and erasure. ]]
local GRADES = {witnessed = '5', corroborated = '4', asserted = '3', paper = '2',
  import = '1', none = '0'}
local function packed_time(us)
  local bytes = {}
  for at = 7, 1, -1 do
    bytes[at] = string.char(us % 256)
    us = math.floor(us / 256)
  end
  return table.concat(bytes)
end
-- Not by Lua's comparison: that one follows the server's locale.
local function outranks(new, old)
  for at = 1, math.max(#new, #old) do
    local one, other = string.byte(new, at) or -1, string.byte(old, at) or -1
    if one ~= other then return one > other end
  end
  return false
end
-- A word of layout 1 as it is packed now; what nobody can read counts as nothing.
local function read(value)
  if not value then return '' end
  local grade = GRADES[value]
  if grade then
    return (grade > '1' and '1' or '0') .. string.rep('\0', 7) .. 'c' .. grade
      .. 'o\192\5\160'
  end
  return #value >= 10 and string.find(value, '^[01]') and value or ''
end
local field, old = ARGV[3], ARGV[4]
local now = tonumber(ARGV[1])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000000 + time[2]
end
local record, evidence = ARGV[5], ARGV[6]
local there = read(redis.call('HGET', KEYS[1], field))
local kept = redis.call('HGET', KEYS[2], field)
if ARGV[2] == 'apply'
  and outranks(string.sub(record, 2, 8), packed_time(now + ARGV[7])) then return {-1, there} end
local former = old ~= '' and old ~= field and read(redis.call('HGET', KEYS[1], old)) or ''
if outranks(former, there) then there = former end
if ARGV[2] == 'remove' then
  if string.sub(there, 9, 9) ~= 'c' then return {0, there} end
  redis.call('HDEL', KEYS[1], field, old)
  redis.call('HDEL', KEYS[2], field)
  return {1, there}
end
if ARGV[2] == 'erase' then
  if there == '' then return {0, there} end
  local time, last = packed_time(now), string.sub(there, 2, 8)
  record = '1' .. (outranks(last, time) and last or time) .. 'x0'
  if string.sub(there, 9, 9) == 'x' then record = there end
end
local changed = outranks(record, there)
local left = changed and record or there
if changed then redis.call('HSET', KEYS[1], field, left) end
if former ~= '' then
  redis.call('HSET', KEYS[1], field, left)
  redis.call('HDEL', KEYS[1], old)
end
if string.sub(left, 9, 9) == 'x' then
  redis.call('HDEL', KEYS[2], field)
elseif evidence ~= '' then
  if not kept or outranks(string.sub(evidence, 1, 10), string.sub(kept, 1, 10)) then
    redis.call('HSET', KEYS[2], field, evidence)
  end
end
return {changed and 1 or 0, there}
