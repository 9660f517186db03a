--[[ settle: a charged message was not let out. Give the charge back, remember the
attempt, count what is held. Nobody waits for the answer.
KEYS[1]    string  attempts of this very message
KEYS[2]    hash    what is held for the customer
KEYS[3..]  string  counters that were charged, each '<TAT in microseconds> <interval
                   it was counted at>'
ARGV[1]    now_us      time to use instead of the server's; '' outside tests
ARGV[2]    attempts    how often the message was tried by now; '0' leaves it alone
ARGV[3]    ttl_s       life time of KEYS[1]
ARGV[4]    held_bytes  size of the message if it is held now, else '0'
ARGV[5]    held_ttl_s  life time of KEYS[2], which is corrected long before
then two for each counter:
  interval_us   microseconds that one unit takes to drain
  cost          units to give back
returns integer: counters that were changed
Twin: model/gcra.py, refund. ]]
local now = tonumber(ARGV[1])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000000 + time[2]
end
local function tat_of(value, interval)
  local tat, counted = string.match(value or '', '^(%d+) ?(%d*)$')
  tat, counted = tonumber(tat) or 0, tonumber(counted) or interval
  if counted == 0 or counted == interval or tat <= now then return tat end
  return now + math.ceil((tat - now) / counted * interval)
end
local changed = 0
for i = 1, #KEYS - 2 do
  local interval, cost = tonumber(ARGV[2 * i + 4]), tonumber(ARGV[2 * i + 5])
  local tat = tat_of(redis.call('GET', KEYS[i + 2]), interval)
  if tat > 0 and cost > 0 then
    tat = tat - interval * cost
    changed = changed + 1
    if tat > now then
      redis.call('SET', KEYS[i + 2], string.format('%.0f %.0f', tat, interval),
        'PX', math.floor((tat - now) / 1000) + 1000)
    else
      redis.call('DEL', KEYS[i + 2])
    end
  end
end
if ARGV[2] ~= '0' then redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[3]) end
if ARGV[4] ~= '0' then
  redis.call('HINCRBY', KEYS[2], 'messages', 1)
  redis.call('HINCRBY', KEYS[2], 'bytes', ARGV[4])
  redis.call('EXPIRE', KEYS[2], ARGV[5])
end
return changed
