--[[ coverage: note that a list's request to confirm a subscription left.
KEYS[1]  hash  of one customer's list: first, last (seconds), count, and since: the time
               from which on no challenge was forgotten
ARGV[1]  now_us       time to use instead of the server's; '' outside tests
ARGV[2]  retention_s  how long challenges are kept
returns: nothing
Twin: model/challenge.py, Coverage.noted. ]]
local now = tonumber(ARGV[1])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000000 + time[2]
end
now = math.floor(now / 1000000)
local kept = redis.call('HMGET', KEYS[1], 'first', 'since')
local first = tonumber(kept[1]) or now
local since = math.max(tonumber(kept[2]) or 0, first, now - tonumber(ARGV[2]))
redis.call('HINCRBY', KEYS[1], 'count', 1)
redis.call('HSET', KEYS[1], 'first', string.format('%.0f', first), 'last',
  string.format('%.0f', now), 'since', string.format('%.0f', since))
