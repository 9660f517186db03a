--[[ charge: check every limit of one message, then charge all of them or none.
KEYS[1]    string  attempts of this very message
KEYS[2]    hash    what is held for the customer
KEYS[3]    hash    contacts of the customer
KEYS[4]    hash    contents of the customer
KEYS[5]    string  what the principal usually sends
KEYS[6]    string  standing of the customer
KEYS[7..]  string  counters
ARGV[1]    now_us      time to use instead of the server's; '' outside tests
ARGV[2]    commit      '1' to charge, '0' only to look
ARGV[3]    ttl_s       life time of KEYS[1], from the first attempt on
ARGV[4]    people      keyed hashes of external recipients, four bytes each
ARGV[5]    greeting    '1': strangers are charged and remembered; '0': they are only told,
                       since a consent is looked up elsewhere at the same time
ARGV[6]    conduct     bounds of the standing, as in `standing`; '' where none is kept
ARGV[7]    bands       of the content, twelve of three bytes; '' where it does not count
then five for the content:
  interval_us  microseconds that one stranger takes to drain
  burst        strangers that one content may reach at once
  share        per cent of strangers, of all that it ever reached, up to which it may
               reach more
  binding      '1' if a refusal here refuses the message
  earned       '1' if the limit follows the standing
then five for each counter:
  kind       'rate': GCRA; 'strangers': GCRA, the cost is the number of strangers;
             'earned': the same, and the limit follows the standing; 'distinct':
             different ones in a sliding window
  interval   microseconds that one unit takes to drain; of 'distinct', the window
  burst      units that fit into an empty counter
  cost       units that this message takes; of 'distinct', keyed hashes, four bytes each
  binding    '1' if a refusal here refuses the message
returns: now_us, allowed (1 or 0), earlier attempts, held messages, held bytes,
  strangers (keyed hashes), recipients who were not mailed this week before, their number
  today before this message, its faded peak of other days, standing (per cent in force),
  then for the content: fits (1 or 0), strangers reached, retry_after_us, recipients
  reached, those that it had not reached before (keyed hashes),
  then four for each counter: fits (1 or 0), used units, retry_after_us (0 if it fits, -1
  if it never will), units charged (of 'distinct', keyed hashes that are new in it)
Twins: model/gcra.py, model/distinct.py, model/contacts.py, model/content.py,
model/standing.py.
Source of GCRA: ITU-T I.371 annex A (virtual scheduling). ]]
local now = tonumber(ARGV[1])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000000 + time[2]
end
local commit, people, greeting = ARGV[2] == '1', ARGV[4], ARGV[5] == '1'
local conduct, bands, writes, allowed = ARGV[6], ARGV[7], {}, true
local strangers, renewed, today, peak = '', 0, 0, 0
local standing, behave = 100, nil
if conduct ~= '' then
  standing, behave = standing_of(KEYS[6], conduct, redis.call('HLEN', KEYS[3]) > 0, now)
end
if people ~= '' then
  local remember
  strangers, renewed, remember = meet(KEYS[3], people, math.floor(now / 604800e6) % 256)
  if greeting then
    writes[1] = remember
    local again
    today, peak, again = usual_of(KEYS[5], now)
    writes[2] = function() again(renewed) end
  else
    renewed = 0
  end
end
local unknown = greeting and #strangers / 4 or 0
local reached = {1, 0, 0, 0, ''}
if bands ~= '' then
  local interval, burst = tonumber(ARGV[8]), tonumber(ARGV[9])
  if ARGV[12] == '1' then interval, burst = earned(interval, burst, standing) end
  local before, after, level, full, ever, added, remember =
    spreading(KEYS[4], bands, people, unknown, now, interval)
  local fits = unknown == 0 or full <= burst or 100 * ever <= tonumber(ARGV[10]) * after
  if not fits and ARGV[11] == '1' then allowed = false end
  local over = (full - burst) * interval
  reached = {fits and 1 or 0, {level, full}, fits and 0 or (unknown > burst and -1 or over),
    {before, after}, added}
  if fits then writes[#writes + 1] = remember end
end
local counters = {}
for i = 1, #KEYS - 6 do
  local at = 8 + 5 * i
  local kind, interval, burst = ARGV[at], tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2])
  local key, value = KEYS[i + 6], redis.call('GET', KEYS[i + 6])
  local one
  if kind == 'distinct' then
    local before, after, text, added, retry =
      distinguish(value, ARGV[at + 3], now, interval, burst)
    one = {fits = after <= burst, used = {before, after}, retry = retry, cost = added}
    one.write = function()
      redis.call('SET', key, text, 'PX', math.ceil(interval * 258 / 256000))
    end
  else
    local cost = kind == 'rate' and tonumber(ARGV[at + 3]) or unknown
    if kind == 'earned' then interval, burst = earned(interval, burst, standing) end
    local start = math.max(tat_of(value, interval, now), now)
    local new = start + cost * interval
    local over = new - now - burst * interval
    one = {fits = over <= 0 or cost == 0, cost = cost, retry = cost > burst and -1 or over}
    one.used = {math.ceil((start - now) / interval), math.ceil((new - now) / interval)}
    if one.fits then one.retry = 0 end
    if new > start then
      one.write = function()
        redis.call('SET', key, string.format('%.0f %.0f', new, interval), 'PX',
          math.floor((new - now) / 1000) + 1000)
      end
    end
  end
  if not one.fits and ARGV[at + 4] == '1' then allowed = false end
  if one.fits and one.write then writes[#writes + 1] = one.write end
  counters[i] = one
end
-- What is of another type stops the script before it writes.
local held = redis.call('HMGET', KEYS[2], 'messages', 'bytes')
local result = {now, allowed and 1 or 0, tonumber(redis.call('GET', KEYS[1]) or 0) or 0,
  tonumber(held[1] or 0) or 0, tonumber(held[2] or 0) or 0, strangers, renewed,
  today, math.floor(peak), standing, reached[1]}
local function level(fits, levels)
  return levels == 0 and 0 or levels[allowed and fits == 1 and 2 or 1]
end
result[12] = level(reached[1], reached[2])
result[13] = reached[3]
result[14] = level(reached[1], reached[4])
result[15] = reached[5]
for i, one in ipairs(counters) do
  local fits = one.fits and 1 or 0
  result[12 + 4 * i] = fits
  result[13 + 4 * i] = level(fits, one.used)
  result[14 + 4 * i] = one.retry
  result[15 + 4 * i] = one.cost
end
if commit and allowed then
  for i = 1, #writes do writes[i]() end
end
-- A message that is tried again was stopped once, as long as its first attempt is known.
if commit and behave then behave(not allowed and result[3] == 0) end
if commit and not allowed then
  if redis.call('INCR', KEYS[1]) == 1 then redis.call('EXPIRE', KEYS[1], ARGV[3]) end
elseif commit and result[3] > 0 then
  -- Where another rule stops it, `settle` counts on, from the same first attempt.
  redis.call('SET', KEYS[1], 0, 'KEEPTTL')
end
return result
