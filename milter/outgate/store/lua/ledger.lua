--[[ ledger: note that a request to confirm a subscription left, or was held.
KEYS[1]  hash  challenges of a list, one of many hashes of them: keyed hash of the
               subscriber to first, last and held time (seconds) and count, 14 bytes
ARGV[1]  now_us       time to use instead of the server's; '' outside tests
ARGV[2]  field        keyed hash of the subscriber
ARGV[3]  left         '1' if it left, '0' if it is held
ARGV[4]  retention_s  how long after the last challenge to a subscriber it is kept
returns: nothing
What is past its time goes when another one is noted.
Twin: model/challenge.py, Entry.noted. ]]
local now = tonumber(ARGV[1])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000000 + time[2]
end
now = math.floor(now / 1000000)
local retention = tonumber(ARGV[4])
local entries = redis.call('HGETALL', KEYS[1])
local first, last, held, count = 0, 0, 0, 0
for at = 1, #entries, 2 do
  local field, value = entries[at], entries[at + 1]
  local readable = #value == 14
  if readable and field == ARGV[2] then
    first, last, held, count = struct.unpack('>I4I4I4I2', value)
  elseif not readable or now - struct.unpack('>I4', value, 5) > retention then
    redis.call('HDEL', KEYS[1], field)
  end
end
if ARGV[3] == '1' then
  if first == 0 then first = now end
  count = math.min(65535, count + 1)
elseif held == 0 then
  held = now
end
redis.call('HSET', KEYS[1], ARGV[2], struct.pack('>I4I4I4I2', first, now, held, count))
redis.call('EXPIRE', KEYS[1], retention)
