--[[ charge: check every limit of one message, then charge all of them or none.
KEYS[1]    string  attempts of this very message
KEYS[2]    hash    what is held for the customer
KEYS[3..]  string  counters, each '<TAT in microseconds> <interval it was counted at>'
ARGV[1]    now_us    time to use instead of the server's; '' outside tests
ARGV[2]    commit    '1' to charge, '0' only to look
ARGV[3]    ttl_s     life time of KEYS[1]
then four for each counter:
  interval_us   microseconds that one unit takes to drain
  burst         units that fit into an empty counter
  cost          units that this message takes
  binding       '1' if a refusal here refuses the message
returns integers: now_us, allowed (1 or 0), earlier attempts, held messages,
  held bytes, then three for each counter: fits (1 or 0), used units,
  retry_after_us (0 if it fits, -1 if it never will)
Twin: model/gcra.py. Source: ITU-T I.371 annex A (virtual scheduling). ]]
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
local commit = ARGV[2] == '1'
local start, new, fits, retry = {}, {}, {}, {}
local allowed = true
for i = 1, #KEYS - 2 do
  local interval, burst = tonumber(ARGV[4 * i]), tonumber(ARGV[4 * i + 1])
  local cost = tonumber(ARGV[4 * i + 2])
  start[i] = math.max(tat_of(redis.call('GET', KEYS[i + 2]), interval), now)
  new[i] = start[i] + cost * interval
  local over = new[i] - now - burst * interval
  fits[i] = over <= 0
  retry[i] = fits[i] and 0 or (cost > burst and -1 or over)
  if not fits[i] and ARGV[4 * i + 3] == '1' then allowed = false end
end
local held = redis.call('HMGET', KEYS[2], 'messages', 'bytes')
local result = {now, allowed and 1 or 0, tonumber(redis.call('GET', KEYS[1]) or 0) or 0,
  tonumber(held[1] or 0) or 0, tonumber(held[2] or 0) or 0}
for i = 1, #KEYS - 2 do
  local interval = tonumber(ARGV[4 * i])
  local charged = allowed and fits[i]
  local level = charged and new[i] or start[i]
  if commit and charged and new[i] > start[i] then
    redis.call('SET', KEYS[i + 2], string.format('%.0f %.0f', new[i], interval),
      'PX', math.floor((new[i] - now) / 1000) + 1000)
  end
  result[3 * i + 3] = fits[i] and 1 or 0
  result[3 * i + 4] = math.ceil((level - now) / interval)
  result[3 * i + 5] = retry[i]
end
if commit and not allowed then
  redis.call('INCR', KEYS[1])
  redis.call('EXPIRE', KEYS[1], ARGV[3])
elseif commit and result[3] > 0 then
  redis.call('DEL', KEYS[1])
end
return result
