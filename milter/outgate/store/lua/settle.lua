--[[ settle: a charged message was not let out. Give the charge back, remember the
attempt, count what is held. Nobody waits for the answer.
KEYS[1]    string  attempts of this very message
KEYS[2]    hash    what is held for the customer
KEYS[3]    hash    contacts of the customer
KEYS[4]    hash    contents of the customer
KEYS[5]    string  what the principal usually sends
KEYS[6]    string  standing of the customer
KEYS[7..]  string  counters that were charged
ARGV[1]    now_us      time to use instead of the server's; '' outside tests
ARGV[2]    attempts    how often the message was tried by now; '0' leaves it alone
ARGV[3]    ttl_s       life time of KEYS[1], from the first attempt on
ARGV[4]    held_bytes  size of the message if it is held now, else '0'
ARGV[5]    held_ttl_s  life time of KEYS[2], which is corrected long before
ARGV[6]    strangers   keyed hashes that were remembered as contacts
ARGV[7]    recipients  that were counted as usual
ARGV[8]    bands       of the content; '' where it did not count
ARGV[9]    people      keyed hashes that were new to the content
ARGV[10]   interval_us microseconds that one stranger of the content takes to drain
ARGV[11]   stopped     '1' if that a rule stopped the message counts for the standing
then three for each counter:
  kind         'rate' or 'distinct', as in `charge`
  interval_us  microseconds that one unit takes to drain, by the limit in force
  cost         units to give back; of 'distinct', keyed hashes to take out
returns integer: counters that were changed
Twins: model/gcra.py, refund; model/standing.py. ]]
local now = tonumber(ARGV[1])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000000 + time[2]
end
local changed = 0
for i = 1, #KEYS - 6 do
  local at, key = 9 + 3 * i, KEYS[i + 6]
  local interval, value = tonumber(ARGV[at + 1]), redis.call('GET', key)
  if ARGV[at] == 'distinct' then
    if value then
      value = undistinguish(value, ARGV[at + 2])
      if value then redis.call('SET', key, value, 'KEEPTTL') else redis.call('DEL', key) end
      changed = changed + 1
    end
  else
    local cost, tat = tonumber(ARGV[at + 2]), tat_of(value, interval, now)
    if tat > 0 and cost > 0 then
      tat = tat - interval * cost
      changed = changed + 1
      if tat > now then
        redis.call('SET', key, string.format('%.0f %.0f', tat, interval),
          'PX', math.floor((tat - now) / 1000) + 1000)
      else
        redis.call('DEL', key)
      end
    end
  end
end
if ARGV[6] ~= '' then forget(KEYS[3], ARGV[6]) end
if ARGV[7] ~= '0' then
  local _, _, remember = usual_of(KEYS[5], now)
  remember(-tonumber(ARGV[7]))
end
if ARGV[8] ~= '' then
  unspread(KEYS[4], ARGV[8], ARGV[9], #ARGV[6] / 4, now, tonumber(ARGV[10]))
end
if ARGV[11] == '1' then
  write_standing(KEYS[6], read_standing(KEYS[6]) or now, now)
end
if ARGV[2] ~= '0' then
  if ARGV[2] ~= '1' and redis.call('EXISTS', KEYS[1]) == 1 then
    redis.call('SET', KEYS[1], ARGV[2], 'KEEPTTL')
  else
    redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[3])
  end
end
if ARGV[4] ~= '0' then
  redis.call('HINCRBY', KEYS[2], 'messages', 1)
  redis.call('HINCRBY', KEYS[2], 'bytes', ARGV[4])
  redis.call('EXPIRE', KEYS[2], ARGV[5])
end
return changed
