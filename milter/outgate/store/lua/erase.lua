--[[ erase: find one recipient in one thing that a customer remembers, and take it out.
Life times stay, and so do counts of strangers: they name nobody. Twice is as good as once.
KEYS[1]  hash  contacts or contents of the customer, or a string: different ones in a window
ARGV[1]  kind    'contacts', 'content' or 'distinct', as the key is
ARGV[2]  one     keyed hash of the recipient, four bytes
ARGV[3]  commit  '1' to take it out, '0' only to look
returns: records found, week of the last message (weeks since the epoch, modulo 256; -1
  where none is kept), bytes of the hash that were compared: a page of contacts keeps two,
  and whoever shares them there goes, too; he is a stranger until he is mailed again
Twins: model/contacts.py, forget; model/content.py, erase; model/distinct.py, remove. ]]
local function contact_of(key, one)
  local recent = redis.call('HGET', key, 'recent') or ''
  local at = place(recent, one, 5, 1)
  if at and #recent >= at + 4 then return string.byte(recent, at + 4), 4 end
  local text = redis.call('HGET', key, page_of(one)) or ''
  at = place(text, string.sub(one, 1, 2), 3, 1)
  if at and #text >= at + 2 then return string.byte(text, at + 2), 2 end
  return nil, 4
end
local function erase_contact(key, one, commit)
  local week, compared = contact_of(key, one)
  if not week then return 0, -1, compared end
  -- Those who met in `recent` may be spread into equal records of one page.
  while commit and forget(key, one) > 0 do end
  return 1, week, compared
end
local function erase_content(key, one, commit)
  local index, found = redis.call('HGET', key, 'index') or '', 0
  for at = 1, #index - RECORD + 1, RECORD do
    local field = string.byte(index, at + 38)
    if field == 0 then
      local last = at + RECORD - 1
      local from = one ~= NOBODY and place(string.sub(index, 1, last), one, 4, at + 40)
      if from then
        found = found + 1
        index = string.sub(index, 1, from - 1) .. string.sub(index, from + 4, last)
          .. NOBODY .. string.sub(index, last + 1)
      end
    else
      local text = redis.call('HGET', key, field) or ''
      local from = place(text, one, 4, CONTENT_HEAD + 1)
      if from then
        found = found + 1
        if commit then
          redis.call('HSET', key, field,
            string.sub(text, 1, from - 1) .. string.sub(text, from + 4))
        end
      end
    end
  end
  if commit and found > 0 then redis.call('HSET', key, 'index', index) end
  return found, -1, 4
end
local function erase_distinct(key, one, commit)
  local value = redis.call('GET', key) or ''
  if not place(value, one, 6, DISTINCT_HEAD + 1) then return 0, -1, 4 end
  if commit then
    value = undistinguish(value, one)
    if value then redis.call('SET', key, value, 'KEEPTTL') else redis.call('DEL', key) end
  end
  return 1, -1, 4
end
local key, one, commit = KEYS[1], ARGV[2], ARGV[3] == '1'
if ARGV[1] == 'contacts' then return {erase_contact(key, one, commit)} end
if ARGV[1] == 'content' then return {erase_content(key, one, commit)} end
return {erase_distinct(key, one, commit)}
