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
the content is old, and for how long nobody used it. Of more than 32 customers the first are
kept: where the latest were, a content that fifty send would be new to each, for ever.
Twin: model/sharing.py. ]]
local NEW_H, KEPT_H, MOST = 24, 192, 32
local now = tonumber(ARGV[1])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000000 + time[2]
end
local hour, reached = math.floor(now / 3600e6), tonumber(ARGV[3])
local value, kept, found = redis.call('GET', KEYS[1]) or '', {}, false
-- What is no row of records is somebody else's.
if #value % 6 ~= 0 then value = '' end
for at = 1, #value, 6 do
  local customer, record = string.sub(value, at, at + 2), string.sub(value, at, at + 5)
  local strangers, first = struct.unpack('>BI2', value, at + 3)
  local age = age_of(hour, first, 65536)
  if age <= NEW_H + 1 + KEPT_H then
    if customer == ARGV[2] then
      found = true
      if age > NEW_H then
        first = (hour - NEW_H - 1) % 65536
      else
        strangers = math.min(255, strangers + reached)
      end
      record = customer .. struct.pack('>BI2', strangers, first)
    end
    kept[#kept + 1] = record
  end
end
if not found and #kept < MOST then
  kept[#kept + 1] = ARGV[2] .. struct.pack('>BI2', math.min(255, reached), hour % 65536)
end
redis.call('SET', KEYS[1], table.concat(kept), 'EX', ARGV[4])
