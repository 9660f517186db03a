--[[ standing: how much of its limits on strangers a customer has earned.
A string '<first> <stopped>': when its first message was seen, and its last one stopped (0:
never), microseconds since the epoch. Conduct is '<start> <most> <warm-up> <since> <noted>':
per cent, per cent, microseconds, since when the operator knows the customer (0: unknown),
and 1 where it counts that a message is stopped. ]]
local STANDING_TTL_S = 407 * 86400
local function read_standing(key)
  local first, stopped = string.match(redis.call('GET', key) or '', '^(%d+) (%d+)$')
  return tonumber(first), tonumber(stopped) or 0
end
local function write_standing(key, first, stopped)
  redis.call('SET', key, string.format('%.0f %.0f', first, stopped), 'EX', STANDING_TTL_S)
end
local function grown(start, most, warm_up, age)
  if age >= 2 * warm_up then return most end
  if age >= warm_up then
    return math.floor(100 + (most - 100) * (age - warm_up) / warm_up)
  end
  return math.floor(start + (100 - start) * math.max(0, age) / warm_up)
end
-- Gives the per cent in force, and a function that remembers. Who is `known` without a
-- record was here before his conduct was counted.
local function standing_of(key, conduct, known, now)
  local start, most, warm_up, since, noted =
    string.match(conduct, '^(%d+) (%d+) (%d+) (%d+) (%d)$')
  warm_up, since = tonumber(warm_up), tonumber(since)
  local first, stopped = read_standing(key)
  first = first or now - (known and warm_up or 0)
  local from = math.max(since > 0 and since or first, stopped)
  return grown(tonumber(start), tonumber(most), warm_up, now - from), function(stop)
    write_standing(key, first, stop and noted == '1' and now or stopped)
  end
end
-- A limit of which so many per cent are in force.
local function earned(interval, burst, standing)
  return math.ceil(interval * 100 / standing), math.max(1, math.floor(burst * standing / 100))
end
