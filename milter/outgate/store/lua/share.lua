--[[ share: note that a customer's mail of this content reached strangers.
KEYS[1]  string  one band of a content: records of four bytes, three of the customer's
                 keyed hash, one for the strangers it reached (255 and more are 255)
ARGV[1]  customer   keyed hash, three bytes
ARGV[2]  strangers  how many this message reached
ARGV[3]  ttl_s      life time of KEYS[1]
returns integer: customers that share it; at most 32 are kept, the latest
Twin: none; it is one line of Python. ]]
local value, reached = redis.call('GET', KEYS[1]) or '', tonumber(ARGV[2])
local at = place(value, ARGV[1], 4, 1)
if at then
  reached = reached + string.byte(value, at + 3)
  value = string.sub(value, 1, at - 1) .. string.sub(value, at + 4)
end
value = string.sub(value .. ARGV[1] .. string.char(math.min(255, reached)), -128)
redis.call('SET', KEYS[1], value, 'EX', ARGV[3])
return #value / 4
