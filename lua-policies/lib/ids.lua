-- Numbers that states and insurers give to people, by country: shape, the word that must stand in the text where the
-- shape alone says too little, and the check.
local numbers = require("lib/numbers")

local M = {}

local function digitsOf(text) return (text:gsub("%D", "")) end

-- Sum of the digits, each times its weight.
local function weighted(digits, weights)
  local sum = 0
  for i, weight in ipairs(weights) do sum = sum + (digits:byte(i) - 48) * weight end
  return sum
end

local function last(digits, count) return tonumber(digits:sub(-(count or 1))) end

local function isDay(month, day)
  month, day = tonumber(month), tonumber(day)
  return month >= 1 and month <= 12 and day >= 1 and day <= 31
end

-- ISO 7064, modulus 11,10; no digit but one or two stands twice or three times among the first ten.
local function germanTax(digits)
  local rest, times, most = 10, {}, 0
  for i = 1, 10 do
    local digit = digits:byte(i) - 48
    times[digit] = (times[digit] or 0) + 1
    most = math.max(most, times[digit])
    rest = (digit + rest) % 10
    rest = (rest == 0 and 10 or rest) * 2 % 11
  end
  return (most == 2 or most == 3) and (11 - rest) % 10 == last(digits)
end

-- The letter counts as its place in the alphabet, of each product the digits are added up.
local function germanPension(text)
  local compact = text:gsub("%W", ""):upper()
  local digits = compact:gsub("%a", function(letter) return string.format("%02d", letter:byte() - 64) end)
  if #digits ~= 13 then return false end
  local sum = 0
  for i, weight in ipairs { 2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1 } do
    local product = (digits:byte(i) - 48) * weight
    sum = sum + product // 10 + product % 10
  end
  return sum % 10 == last(digits)
end

-- Corsica has letters.
local function french(text)
  local compact = text:upper():gsub("[^%dAB]", "")
  local number, key = compact:sub(1, 13):gsub("2A", "19"):gsub("2B", "18"), tonumber(compact:sub(14))
  number = tonumber(number)
  return number ~= nil and key == 97 - number % 97
end

-- Born since 2000: with a 2 before.
local function belgian(text)
  local digits = digitsOf(text)
  local number, check = tonumber(digits:sub(1, 9)), last(digits, 2)
  if not isDay(digits:sub(3, 4), digits:sub(5, 6)) then return false end
  return check == 97 - number % 97 or check == 97 - (2000000000 + number) % 97
end

local function brazilian(text)
  local digits = digitsOf(text)
  if numbers.isSame(digits) then return false end
  local first = weighted(digits, { 10, 9, 8, 7, 6, 5, 4, 3, 2 }) * 10 % 11 % 10
  local second = weighted(digits, { 11, 10, 9, 8, 7, 6, 5, 4, 3, 2 }) * 10 % 11 % 10
  return first == tonumber(digits:sub(10, 10)) and second == last(digits)
end

-- By the byte of a letter or digit, at odd and even places.
local Odd, Even = {}, {}
for i, value in ipairs { 1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24,
  23 } do
  Odd[64 + i], Even[64 + i] = value, i - 1
  if i <= 10 then Odd[47 + i], Even[47 + i] = value, i - 1 end
end

local function italian(text)
  local compact, sum = text:upper():gsub("%W", ""), 0
  for i = 1, 13, 2 do
    local odd, even = compact:byte(i, i + 1)
    sum = sum + Odd[odd] + Even[even]
  end
  sum = sum + Odd[compact:byte(15)]
  return compact:byte(16) - 65 == sum % 26
end

local function spanish(text)
  local compact = text:upper():gsub("%W", ""):gsub("^[XYZ]", { X = "0", Y = "1", Z = "2" })
  local place = tonumber(compact:sub(1, 8)) % 23 + 1
  return compact:sub(9) == ("TRWAGMYFPDXBNJZSQVHLCKE"):sub(place, place)
end

local NoPrefix = { BG = true, GB = true, KN = true, NK = true, NT = true, TN = true, ZZ = true }
local function british(text) return not NoPrefix[text:sub(1, 2):upper()] end

local function nhs(text)
  local digits = digitsOf(text)
  local check = 11 - weighted(digits, { 10, 9, 8, 7, 6, 5, 4, 3, 2 }) % 11
  return check % 11 == last(digits) and not numbers.isSame(digits)
end

-- Verhoeff: multiplication in the group of symmetries of a pentagon.
local Product = { [0] = "0123456789", "1234067895", "2340178956", "3401289567", "4012395678", "5987604321",
  "6598710432", "7659821043", "8765932104", "9876543210" }
local Turn = { [0] = "0123456789", "1576283094", "5803796142", "8916043527", "9453126870", "4286573901", "2793806415",
  "7046913258" }
local function verhoeff(digits)
  local sum = 0
  for i = 0, #digits - 1 do
    local digit = digits:byte(#digits - i) - 48
    local turned = Turn[i % 8]:byte(digit + 1) - 48
    sum = Product[sum]:byte(turned + 1) - 48
  end
  return sum == 0
end

local function austrian(text)
  local digits = digitsOf(text)
  local sum = weighted(digits:sub(1, 3) .. "0" .. digits:sub(5), { 3, 7, 9, 0, 5, 8, 4, 2, 1, 6 })
  return isDay(digits:sub(7, 8), digits:sub(5, 6)) and sum % 11 == tonumber(digits:sub(4, 4))
end

-- All shapes: small and large letters alike.
M.kinds = {
  at = { { shape = [[\b[1-9][0-9]{3}[ .-]?[0-9]{6}\b]], check = austrian,
    word = [[\bsv\W?nr\b|sozialversicherung|versicherungsnummer]] } },
  au = { { shape = [[\b[0-9]{3}[ -]?[0-9]{3}[ -]?[0-9]{3}\b]], word = [[\btfn\b|\btax\s+file]],
    check = function(text) return weighted(digitsOf(text), { 1, 4, 3, 7, 5, 8, 6, 9, 10 }) % 11 == 0 end } },
  be = { { shape = [[\b[0-9]{2}\.[0-9]{2}\.[0-9]{2}-[0-9]{3}\.[0-9]{2}\b]], check = belgian } },
  br = { { shape = [[\b[0-9]{3}\.[0-9]{3}\.[0-9]{3}-[0-9]{2}\b]], check = brazilian } },
  ca = { { shape = [[\b[1-79][0-9]{2}[ -]?[0-9]{3}[ -]?[0-9]{3}\b]],
    word = [[social\s+insurance|assurance\s+sociale|\bsin\W{0,3}(?:no|num|number|[:#])]],
    check = function(text) return numbers.luhn(digitsOf(text)) end } },
  ch = { { shape = [[\b756[. ]?[0-9]{4}[. ]?[0-9]{4}[. ]?[0-9]{2}\b]],
    check = function(text)
      local digits = digitsOf(text)
      return (10 - weighted(digits, { 1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3 }) % 10) % 10 == last(digits)
    end } },
  de = {
    { shape = [[\b[1-9][0-9][ ]?[0-9]{3}[ ]?[0-9]{3}[ ]?[0-9]{3}\b]],
      word = [[steuer\W{0,3}id|steuerliche\s+identifikation|\bidnr\b|\btin\b]],
      check = function(text) return germanTax(digitsOf(text)) end },
    { shape = [[\b[0-9]{2}[ ]?[0-9]{6}[ ]?[a-z][ ]?[0-9]{3}\b]], check = germanPension },
  },
  es = { { shape = [[\b(?:[0-9]{8}|[xyz][- ]?[0-9]{7})[- ]?[a-z]\b]], check = spanish,
    word = [[\b(?:dni|nie|nif)\b]] } },
  fr = { { shape = [[\b[1-478][ .]?[0-9]{2}[ .]?(?:0[1-9]|1[0-2]|[2-9][0-9])[ .]?(?:[0-9]{2}|2[ab])[ .]?[0-9]{3}[ .]?]]
    .. [[[0-9]{3}[ .-]?[0-9]{2}\b]], check = french } },
  ["in"] = { { shape = [[\b[2-9][0-9]{3}[ -]?[0-9]{4}[ -]?[0-9]{4}\b]], word = [[\baadhaar|\buidai\b]],
    check = function(text) return verhoeff(digitsOf(text)) end } },
  it = { { shape = [[\b[a-z]{3} ?[a-z]{3} ?[0-9lmnp-v]{2}[a-ehlmprst][0-9lmnp-v]{2} ?[a-z][0-9lmnp-v]{3} ?[a-z]\b]],
    check = italian } },
  nl = { { shape = [[\b[0-9]{4}[. ]?[0-9]{2}[. ]?[0-9]{3}\b]], word = [[\bbsn\b|burgerservice|\bsofi]],
    check = function(text)
      local digits = digitsOf(text)
      return not numbers.isSame(digits) and weighted(digits, { 9, 8, 7, 6, 5, 4, 3, 2, -1 }) % 11 == 0
    end } },
  pl = { { shape = [[\b[0-9]{11}\b]], word = [[\bpesel\b]],
    check = function(text)
      return weighted(text, { 1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1 }) % 10 == 0 and not numbers.isSame(text)
    end } },
  se = { { shape = [[\b(?:19|20)?[0-9]{6}[-+]?[0-9]{4}\b]], word = [[person\W?(?:nummer|nr)]],
    check = function(text)
      local digits = digitsOf(text):sub(-10)
      return isDay(digits:sub(3, 4), digits:sub(5, 6)) and numbers.luhn(digits)
    end } },
  uk = {
    { shape = [[\b[a-ceghj-pr-tw-z][a-ceghj-npr-tw-z] ?[0-9]{2} [0-9]{2} [0-9]{2} ?[a-d]\b]], check = british },
    { shape = [[\b[a-ceghj-pr-tw-z][a-ceghj-npr-tw-z] ?[0-9]{6} ?[a-d]\b]], check = british,
      word = [[national\s+insurance|\bnino\b|\bni\s+(?:no|num|number)\b]] },
    { shape = [[\b[0-9]{3}[ -]?[0-9]{3}[ -]?[0-9]{4}\b]], word = [[\bnhs\b]], check = nhs },
  },
}

local function ofKind(plain, kind)
  return numbers.collect(plain, "(?i)" .. kind.shape, function(text)
    return kind.check(text) and { (text:gsub("%W", ""):upper()) } or nil
  end)
end

-- Numbers of people of these countries. One look each says whether there is any shape or word at all.
function M.find(plain, countries)
  local kinds, shapes, words = {}, {}, {}
  for _, country in ipairs(countries) do
    local known = M.kinds[country] or error("sensitive_content: no numbers are known of a country in `countries`")
    for _, kind in ipairs(known) do
      kinds[#kinds + 1] = kind
      local list = kind.word and words or shapes
      list[#list + 1] = kind.word or kind.shape
    end
  end
  local hasShape = #shapes > 0 and matches("(?i)" .. table.concat(shapes, "|"), plain)
  local hasWord = #words > 0 and matches("(?i)" .. table.concat(words, "|"), plain)
  local found = {}
  for _, kind in ipairs(kinds) do
    if kind.word and hasWord and matches("(?i)" .. kind.word, plain) or hasShape and not kind.word then
      for _, value in ipairs(ofKind(plain, kind)) do found[#found + 1] = value end
    end
  end
  return found
end

return M
