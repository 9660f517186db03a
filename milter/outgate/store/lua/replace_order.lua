--[[ replace_order: change one field of an operator's hash, unless somebody changed it
meanwhile.
KEYS[1]  hash  operators' orders of one kind
ARGV[1]  name  field
ARGV[2]  old   value as it was read
ARGV[3]  new   value to set; '' deletes the field
returns integer: 1 if it was changed, 0 if somebody was faster ]]
if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then return 0 end
if ARGV[3] == '' then
  redis.call('HDEL', KEYS[1], ARGV[1])
else
  redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
end
return 1
