--[[ usual: how much somebody sends on a busy day, by experience.
A string of 14 bytes: day (two bytes), recipients of that day (four), and the peak of the
days before (a double), which fades by a twentieth each day: a half-life of two weeks. ]]
local USUAL_TTL_S, FADING = 90 * 86400, 0.95
-- Gives recipients of today before, the faded peak, and a function that remembers.
local function usual_of(key, now)
  local day = math.floor(now / 86400e6) % 65536
  local value = redis.call('GET', key)
  local last, today, peak = day, 0, 0
  if value and #value == 14 then last, today, peak = struct.unpack('>I2I4d', value) end
  local passed = age_of(day, last, 65536)
  if passed > 0 then
    peak = math.max(peak, today) * FADING ^ passed
    today = 0
  end
  return today, peak, function(more)
    redis.call('SET', key, struct.pack('>I2I4d', day, math.max(0, today + more), peak),
      'EX', USUAL_TTL_S)
  end
end
