--[[ optin: apply one event of one subscription. The record that counts more stays, by the
order of its bytes; the evidence of the newest consent that had any stays, until an erasure.
What nobody can read counts as nothing, but an erasure takes it, too.
KEYS[1]  hash  subscribers of a list, one of many hashes of them
KEYS[2]  hash  their evidence, sealed
ARGV[1]  now_us    time; '' is the server's
ARGV[2]  mode      'apply'; 'erase': whatever is there becomes the mark of an erasure, and
  nothing becomes nothing; 'remove': a consent goes, marks and withdrawals stay
ARGV[3]  field     keyed hash of the subscriber
ARGV[4]  record    packed, as in model/optin_order.py; '' unless applied
ARGV[5]  evidence  precedence (10 bytes) and what is sealed; '' for none
ARGV[6]  ahead_us  how far its time may be ahead of now
returns: 1 changed, 0 kept as it was, -1 refused: of the future; and the record that was
  there, '' for none
Twin: model/optin_order.py, is_record, later and erasure. ]]
local NEVER = string.rep('\0', 7)
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
-- Firmness, time, state and grade that go together; gives the state.
local function precedence(value)
  local firm, first, state, grade = string.match(value, '^([01])(.)......([cwx])([0-5])')
  if not firm or string.byte(first) > 31 then return nil end
  if state == 'c' then
    if (firm == '1') ~= (grade ~= '0' and grade ~= '1') then return nil end
  elseif firm == '0' or grade ~= '0' or string.sub(value, 2, 8) == NEVER then
    return nil
  end
  return state
end
local function is_record(value)
  local state = precedence(value)
  if state == 'x' then return #value == 10 end
  if not state or not string.find(value, '^[cmwpioCMWPIO]...', 11) then return false end
  local zone, length = math.floor(string.byte(value, 12) / 64), string.byte(value, 12) % 64
  local offset = string.byte(value, 13) * 256 + string.byte(value, 14)
  if length > 32 or offset < 1 or offset > 2879 then return false end
  if zone ~= 3 and string.sub(value, 2, 8) == NEVER then return false end
  local last = 14 + math.ceil(6 * length / 8)
  if string.byte(value, 11) < 97 then last = last + 16 end
  return #value >= last and #value <= last + 10
    and string.byte(value, last) % 4 ^ (length % 4) == 0
    and string.find(value, '^[a-z0-9.-]*$', last + 1) ~= nil
end
local field = ARGV[3]
local now = tonumber(ARGV[1])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000000 + time[2]
end
local record, evidence = ARGV[4], ARGV[5]
local raw = redis.call('HGET', KEYS[1], field)
local kept = redis.call('HGET', KEYS[2], field)
local there = raw and is_record(raw) and raw or ''
if ARGV[2] == 'apply'
  and outranks(string.sub(record, 2, 8), packed_time(now + ARGV[6])) then return {-1, there} end
if ARGV[2] == 'remove' then
  if string.sub(there, 9, 9) ~= 'c' then return {0, there} end
  redis.call('HDEL', KEYS[1], field)
  redis.call('HDEL', KEYS[2], field)
  return {1, there}
end
if ARGV[2] == 'erase' then
  if not raw and not kept then return {0, there} end
  local time, last = packed_time(now), string.sub(there, 2, 8)
  record = '1' .. (outranks(last, time) and last or time) .. 'x0'
  if string.sub(there, 9, 9) == 'x' then record = there end
end
local changed = outranks(record, there)
local left = changed and record or there
if changed then redis.call('HSET', KEYS[1], field, left) end
if string.sub(left, 9, 9) == 'x' then
  redis.call('HDEL', KEYS[2], field)
elseif evidence ~= '' then
  if not kept or precedence(kept) ~= 'c'
    or outranks(string.sub(evidence, 1, 10), string.sub(kept, 1, 10)) then
    redis.call('HSET', KEYS[2], field, evidence)
  end
end
return {changed and 1 or 0, there}
