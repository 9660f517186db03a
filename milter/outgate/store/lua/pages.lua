--[[ pages: where a customer's contacts are kept once they are many; see `contacts`.
Fields 0..511 of the hash: records of three bytes, two of a person's keyed hash and one of
the week of the last message. A page has room for 256; one that is full keeps the newest
224. Pages are swept, a few at a time, where they are full or begin with an old record, and
in turn. All are read in one call and written in one: a page costs more than what it is
looked up for. ]]
local WEEKS_KEPT, PAGE_MAX = 57, 256
-- Records that one message looks through at most, and weeks until it is a page's turn.
local PAGE_ROOM, SWEPT_MAX, TURNS = 224, 8192, 64
local function page_of(one)
  local high, low = string.byte(one, 3, 4)
  return (high * 256 + low) % 512
end
-- Reads pages by number, into `pages`.
local function read_pages(key, pages, numbers)
  if #numbers == 0 then return end
  for i, text in ipairs(redis.call('HMGET', key, unpack(numbers))) do
    pages[numbers[i]] = text or ''
  end
end
-- The page of each of these people, in order, and all of these pages, by number.
local function open_pages(key, people)
  local places, pages, numbers = {}, {}, {}
  for at = 1, #people, 4 do
    local page = page_of(string.sub(people, at, at + 3))
    places[#places + 1] = page
    if not pages[page] then
      pages[page], numbers[#numbers + 1] = '', page
    end
  end
  read_pages(key, pages, numbers)
  return places, pages
end
-- The text with `by` instead of `width` bytes at each marked place; built only once.
local function replaced(text, marks, width, by)
  local parts, from, places = {}, 1, {}
  for at in pairs(marks) do places[#places + 1] = at end
  if #places == 0 then return text end
  table.sort(places)
  for _, at in ipairs(places) do
    parts[#parts + 1] = string.sub(text, from, at - 1)
    parts[#parts + 1] = by
    from = at + width
  end
  parts[#parts + 1] = string.sub(text, from)
  return table.concat(parts)
end
local function swept(text, week)
  local kept = {}
  for at = 1, #text, 3 do
    if age_of(week, string.byte(text, at + 2), 256) <= WEEKS_KEPT then
      kept[#kept + 1] = string.sub(text, at, at + 2)
    end
  end
  local most = #text > 3 * PAGE_MAX and PAGE_ROOM or PAGE_MAX
  return table.concat(kept, '', math.max(1, #kept - most + 1))
end
-- Puts records of five bytes into `pages`, of which some may have been read already, and
-- notes in `changed` which are to be written.
local function spread(key, recent, week, pages, changed)
  local added, unread, budget = {}, {}, SWEPT_MAX
  for at = 1, #recent, 5 do
    if age_of(week, string.byte(recent, at + 4), 256) <= WEEKS_KEPT then
      local page = page_of(string.sub(recent, at, at + 3))
      local more = added[page]
      if not more then
        more = {}
        added[page] = more
        if not pages[page] then unread[#unread + 1] = page end
      end
      more[#more + 1] = string.sub(recent, at, at + 1)
      more[#more + 1] = string.sub(recent, at + 4, at + 4)
    end
  end
  read_pages(key, pages, unread)
  for page, more in pairs(added) do
    local text = pages[page] .. table.concat(more)
    -- To look through all of them would cost many times what it costs to write them.
    local due = page % TURNS == week % TURNS
      or age_of(week, string.byte(text, 3), 256) > WEEKS_KEPT
    if #text > 3 * PAGE_MAX or due and budget > 0 then
      budget = budget - #text / 3
      text = swept(text, week)
    end
    pages[page], changed[page] = text, true
  end
end
