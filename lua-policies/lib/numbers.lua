-- Numbers that name a person or their money, found in text as people write it. All give lists without doubles.
local M = {}

-- Calls fn for pieces in which find_all cannot run out of its limit. They overlap, and words cut by their ends are left
-- to the piece before or after, so that no number is cut in two.
local Piece, Overlap = 8000, 200
local function eachPiece(text, fn)
  for from = 1, #text, Piece do
    local piece = text:sub(from, from + Piece + Overlap - 1)
    if from > 1 and text:find("^%w", from - 1) then piece = piece:gsub("^%w+", "") end
    if text:find("^%w", from + Piece + Overlap) then piece = piece:match("^(.*%W)") or "" end
    fn(piece)
  end
end

-- ASCII for all digits, dashes, blanks and letters that read like it, nothing for what cannot be seen. Where there are
-- digits one by one ("1 2 3"), they follow once more as one number.
function M.plain(text)
  if matches("[^\\t-\\r -~]", text) then
    text = text:gsub("[\194-\244][\128-\191]+", require("lib/digits").map):gsub("[%z\1-\8\14-\31\127]", "")
  end
  local more = { text }
  eachPiece(text, function(piece)
    for _, run in ipairs(find_all([[\b[0-9](?:[ \t]{1,3}(?:[-./][ \t]{1,3})?[0-9]\b){8,}]], piece, 1000)) do
      more[#more + 1] = run:gsub("[ \t]", "")
    end
  end)
  return table.concat(more, "\n")
end

-- The values that isGood(match) lists, for each match of the pattern; only in pieces that `likely` fits, if given.
function M.collect(text, pattern, isGood, likely)
  local found, seen = {}, {}
  eachPiece(text, function(piece)
    if likely and not matches(likely, piece) then return end
    for _, candidate in ipairs(find_all(pattern, piece, 1000)) do
      local values = isGood(candidate)
      for i = 1, values and #values or 0 do
        if not seen[values[i]] then
          seen[values[i]] = true
          found[#found + 1] = values[i]
        end
      end
    end
  end)
  return found
end

-- By the byte of a digit: its value, and the digits of its double added up.
local Value, Double = {}, {}
for digit = 0, 9 do
  Value[48 + digit] = digit
  Double[48 + digit] = digit * 2 - (digit > 4 and 9 or 0)
end

function M.luhn(digits)
  local sum, length = 0, #digits
  for i = length, 2, -2 do
    local before, last = digits:byte(i - 1, i)
    sum = sum + Double[before] + Value[last]
  end
  if length % 2 == 1 then sum = sum + Value[digits:byte(1)] end
  return sum % 10 == 0
end

function M.isSame(digits) return digits == digits:sub(1, 1):rep(#digits) end

-- Prefixes and lengths of the brands.
local function isBrand(digits)
  local length, four = #digits, tonumber(digits:sub(1, 4))
  local two, three = four // 100, four // 10
  if two >= 40 and two <= 49 then return length == 16 or length == 19 end                         -- Visa
  if (two >= 51 and two <= 55) or (four >= 2221 and four <= 2720) then return length == 16 end         -- Mastercard
  if two == 34 or two == 37 then return length == 15 end                                             -- American Express
  if four == 6011 or two == 65 or (three >= 644 and three <= 649) then return length == 16 or length == 19 end
  if two == 62 then return length >= 16 and length <= 19 end                                          -- UnionPay
  if four >= 3528 and four <= 3589 then return length == 16 end                                       -- JCB
  if two == 36 or two == 38 or two == 39 or (three >= 300 and three <= 305) then return length == 14 end
  return false
end

-- How card numbers are written in groups: a tree by the length of each group; `whole` where a number may end.
local Groupings = {}
for _, shape in ipairs { "14", "15", "16", "17", "18", "19", "4 4 4 4", "4 6 5", "4 6 4", "4 4 4 4 3", "6 13", "8 8",
  "4 4 4 2", "4 4 4 3", "4 4 4 4 1", "4 4 4 4 2", "4 12", "6 10", "12 4", "4 4 8", "8 4 4" } do
  local node = Groupings
  for length in shape:gmatch("%d+") do
    length = tonumber(length)
    node[length] = node[length] or {}
    node = node[length]
  end
  node.whole = true
end

local function isCard(digits) return isBrand(digits) and M.luhn(digits) and not M.isSame(digits) end

-- How long the row of groups of one length is that begins here.
local function rowAt(groups, first)
  local length, last = #groups[first], first
  while groups[last + 1] and #groups[last + 1] == length do last = last + 1 end
  return last - first + 1
end

-- The card that begins with this group, or nil.
local function cardAt(groups, first)
  local start, node = groups[first]:byte(), Groupings
  if start < 50 or start > 54 then return nil end
  local last = first
  while groups[last] and node[#groups[last]] do
    node = node[#groups[last]]
    if node.whole then
      local digits = table.concat(groups, "", first, last)
      if isCard(digits) then return digits end
    end
    last = last + 1
  end
  return nil
end

-- Numbers of payment cards in a run of groups: those that stand in groups as people write cards, have a brand and pass
-- the check. In a longer row of groups of four only each fourth begins one, of groups of two each eighth: the row is
-- another number, such as that of a parcel, or several cards.
local function cardsIn(run)
  local one, two, three, four = run:match("^(%d%d%d%d)%D+(%d%d%d%d)%D+(%d%d%d%d)%D+(%d%d%d%d)$")
  if four then
    local digits = one .. two .. three .. four
    return isCard(digits) and { digits } or nil
  end
  local groups, found, first = {}, {}, 1
  for digits in run:gmatch("%d+") do groups[#groups + 1] = digits end
  while groups[first] do
    local length, row = #groups[first], 1
    if length == 2 then
      row = rowAt(groups, first)
      local digits = table.concat(groups, "", first, first + row - 1)
      for i = 1, #digits - 15, 16 do
        local part = digits:sub(i, i + 15)
        if isCard(part) then found[#found + 1] = part end
      end
    elseif length == 4 then
      row = rowAt(groups, first)
      for start = first, first + row - 1, row > 5 and 4 or 1 do found[#found + 1] = cardAt(groups, start) end
    elseif Groupings[length] then
      found[#found + 1] = cardAt(groups, first)
    end
    first = first + row
  end
  return found
end

-- Text without any of these holds no card.
local Likely = [[(?:[2-6][0-9]{13,18}|[2-6][0-9]{3}S[0-9]{4}S[0-9]{4}S[0-9]|[2-6][0-9]{3}S[0-9]{6}S[0-9]{4}]]
  .. [[|[2-6][0-9]{5}S[0-9]{10}|[2-6][0-9]{5}S[0-9]{13}|[2-6][0-9]{7}S[0-9]{4,8}|[2-6][0-9]{3}S[0-9]{12}]]
  .. [[|[2-6][0-9]{3}S[0-9]{4}S[0-9]{8}|[2-6][0-9]{11}S[0-9]{4}|[2-6][0-9](?:S[0-9]{2}){7})]]
Likely = Likely:gsub("S", "[^0-9]{1,5}")

-- In one line; or a number alone that a line end splits.
local InLine = [[[0-9](?:[ \t]{0,2}[-./_]?[ \t]{0,2}[0-9]){13,}]]
local Split = [[[0-9]{2,}(?:[ \t]{0,2}(?:[-./_]|\r?\n)?[ \t]{0,2}[0-9]{2,}){1,7}]]

function M.cards(plain)
  local found = M.collect(plain, InLine, cardsIn, Likely)
  if #found > 0 then return found end
  return M.collect(plain, Split, function(run)
    local digits = run:gsub("%D", "")
    return #digits <= 19 and run:find("\n", 1, true) and cardsIn(run) or nil
  end)
end

-- Advertised numbers that nobody has.
local Specimens = { ["078051120"] = true, ["219099999"] = true, ["457555462"] = true }

local function validSsn(candidate)
  local digits = candidate:gsub("%D", "")
  local area, group, serial = digits:sub(1, 3), digits:sub(4, 5), digits:sub(6)
  if #digits ~= 9 or area == "000" or area == "666" or area >= "900" then return nil end
  if group == "00" or serial == "0000" or Specimens[digits] or digits == "123456789" then return nil end
  return { digits }
end

local SsnWord = [[(?i)\bs\.?s\.?n\b|\bsocial\W{0,3}sec(?:urity)?\b|\bsoc\W{1,3}sec\b]]

-- US Social Security numbers: with a mark between their three parts, or, where the text speaks of them, with blanks or
-- nothing between.
function M.ssns(plain)
  local strong = [[\b[0-9]{3}\s{0,2}[-._/]\s{0,2}[0-9]{2}\s{0,2}[-._/]\s{0,2}[0-9]{4}\b]]
  if matches(SsnWord, plain) then
    strong = [[\b[0-9]{3}\s{0,2}[-._/]?\s{0,2}[0-9]{2}\s{0,2}[-._/]?\s{0,2}[0-9]{4}\b|SSN#?[0-9]{9}\b]]
  end
  return M.collect(plain, strong, validSsn)
end

-- What a pattern of the site's finds.
function M.matchesOf(pattern, plain)
  return M.collect(plain, pattern, function(candidate) return { (candidate:lower():gsub("%s+", " ")) } end)
end

-- Codes of diagnoses (ICD-10) near a word that says so. Without a full stop they look like anything else: then only
-- next to the name of the code. V is left out, as in version 10.2.
local Code = [[\b[A-TW-Z][0-9][0-9AB]\.[0-9A-Z]{1,4}\b]]
local Word = [[\b(?:diagnos[ei]s|dx|icd\W?(?:10)?(?:\W?cm)?)\b]]
local Near = "(?is)" .. Word .. ".{0,80}?" .. Code .. "|" .. Code .. ".{0,80}?" .. Word

function M.diagnoses(plain)
  local found = M.collect(plain, Near, function(candidate) return { candidate:upper() } end)
  if #found > 0 then return found end
  return M.collect(plain, [[(?i)\b(?:icd\W?10(?:\W?cm)?|dx)\W?(?:codes?)?\W{0,3}\b[A-TW-Z][0-9][0-9AB]\b]],
    function(candidate) return { (candidate:sub(-3):upper()) } end)
end

return M
