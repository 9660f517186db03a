--[[ challenge: check one request to confirm a subscription against those that the same
person got within a day, and count it; or give it back.
KEYS[1]  string  challenges to one person: records of eight bytes, oldest first: two of
                 the keyed hash of the customer, two of that of the list, four of the
                 time, in seconds
ARGV[1]  now_us         time to use instead of the server's; '' outside tests
ARGV[2]  mode           'charge'; 'look': count nothing; 'return': take out a record
ARGV[3]  sender         keyed hashes of customer and list, two bytes each; of 'return' the record
ARGV[4]  per_list       so many of one list fit into a day
ARGV[5]  per_recipient  so many of one customer, and so many customers
ARGV[6]  binding        '1' if one that does not fit stays here, and so is not counted
returns: fits (1 or 0), earlier ones of this list, of this customer, other customers,
  seconds until it fits (0 if it does), the record that was added ('' for none)
Twin: model/challenge.py, challenge. ]]
local DAY_S, MAX_KEPT = 86400, 64
local now = tonumber(ARGV[1])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000000 + time[2]
end
now = math.floor(now / 1000000)
local value, sender = redis.call('GET', KEYS[1]) or '', ARGV[3]
-- What is no row of records is somebody else's.
if #value % 8 ~= 0 then value = '' end
if ARGV[2] == 'return' then
  local at = place(value, sender, 8, 1)
  if not at then return {1, 0, 0, 0, 0, ''} end
  value = string.sub(value, 1, at - 1) .. string.sub(value, at + 8)
  if value == '' then
    redis.call('DEL', KEYS[1])
  else
    redis.call('SET', KEYS[1], value, 'KEEPTTL')
  end
  return {1, 0, 0, 0, 0, ''}
end
local customer = string.sub(sender, 1, 2)
local same, own, last, kept = {}, {}, {}, {}
for at = 1, #value, 8 do
  local time = struct.unpack('>I4', value, at + 4)
  if now - time < DAY_S then
    kept[#kept + 1] = string.sub(value, at, at + 7)
    if string.sub(value, at, at + 3) == sender then same[#same + 1] = time end
    local whose = string.sub(value, at, at + 1)
    if whose == customer then
      own[#own + 1] = time
    else
      last[whose] = time
    end
  end
end
local others = {}
for _, time in pairs(last) do others[#others + 1] = time end
table.sort(others)
local retry = 0
local function check(times, most)
  if #times >= most then
    retry = math.max(retry, times[#times - most + 1] + DAY_S - now)
  end
end
check(same, tonumber(ARGV[4]))
check(own, tonumber(ARGV[5]))
check(others, tonumber(ARGV[5]))
local fits, added = retry == 0, ''
if ARGV[2] == 'charge' and (fits or ARGV[6] ~= '1') then
  added = sender .. struct.pack('>I4', now)
  kept[#kept + 1] = added
  redis.call('SET', KEYS[1], table.concat(kept, '', math.max(1, #kept - MAX_KEPT + 1)),
    'EX', DAY_S)
end
return {fits and 1 or 0, #same, #own, #others, retry, added}
