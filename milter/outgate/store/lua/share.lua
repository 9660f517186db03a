--[[ share: note that a customer's mail of this content reached strangers.
KEYS[1]  string  one band of a content: records of six bytes in the order of first use:
                 three of the customer's keyed hash, one for the strangers that it reached
                 while the content was new to it (255 and more are 255), two for an hour
ARGV[1]  now_us     time to use instead of the server's; '' outside tests
ARGV[2]  customer   keyed hash, three bytes
ARGV[3]  strangers  how many this message reached
ARGV[4]  ttl_s      life time of KEYS[1]; what counts is the hour
returns: nothing
The hour is that of the first use, as long as the content is new to the customer. Later each
use sets it as if the first one had been just long enough ago: so one hour tells both that
the content is old, and for how long nobody used it. Those to whom it is new have a room of
32 records, those to whom it is old one of 224: old ones never hide new ones. In each the
first are kept: where the latest were, a content that many send would be new to each, for
ever. The strangers of a new customer without room are added to the last ones in it.
Twin: model/sharing.py. ]]
local NEW_H, KEPT_H, NEW_KEPT, OLD_KEPT, MOST = 24, 192, 32, 224, 255
local now = tonumber(ARGV[1])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000000 + time[2]
end
local hour, reached = math.floor(now / 3600e6), math.min(MOST, tonumber(ARGV[3]))
local value, kept, new, old, own = redis.call('GET', KEYS[1]) or '', {}, {}, 0, nil
-- What is no row of records is somebody else's.
if #value % 6 ~= 0 then value = '' end
local function add(at, strangers)
  local record = kept[at]
  local total = string.byte(record, 4) + strangers
  kept[at] = string.sub(record, 1, 3) .. string.char(math.min(MOST, total)) .. string.sub(record, 5)
  return math.max(0, total - MOST)
end
for at = 1, #value, 6 do
  local record = string.sub(value, at, at + 5)
  local age = age_of(hour, struct.unpack('>I2', record, 5), 65536)
  local is_new = age <= NEW_H
  if is_new and #new < NEW_KEPT then
    kept[#kept + 1] = record
    new[#new + 1] = #kept
  elseif not is_new and age <= NEW_H + 1 + KEPT_H and old < OLD_KEPT then
    kept[#kept + 1] = record
    old = old + 1
  else
    record = ''
  end
  if not own and string.sub(record, 1, 3) == ARGV[2] then
    own = #kept
    if is_new then
      add(own, reached)
    else
      kept[own] = string.sub(record, 1, 4) .. struct.pack('>I2', (hour - NEW_H - 1) % 65536)
    end
  end
end
if not own and #new < NEW_KEPT then
  kept[#kept + 1] = ARGV[2] .. struct.pack('>BI2', reached, hour % 65536)
elseif not own then
  for i = NEW_KEPT, 1, -1 do reached = add(new[i], reached) end
end
redis.call('SET', KEYS[1], table.concat(kept), 'EX', ARGV[4])
