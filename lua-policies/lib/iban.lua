-- Bank accounts. Loaded only where they are looked for.
local M = {}

local IbanLength = { AD = 24, AE = 23, AT = 20, AZ = 28, BA = 20, BE = 16, BG = 22, BH = 22, BR = 29, CH = 21, CR = 22,
  CY = 28, CZ = 24, DE = 22, DK = 18, DO = 28, EE = 20, ES = 24, FI = 18, FO = 18, FR = 27, GB = 22, GE = 22, GI = 23,
  GL = 18, GR = 27, GT = 28, HR = 21, HU = 28, IE = 22, IL = 23, IQ = 23, IS = 26, IT = 27, JO = 30, KW = 30, KZ = 20,
  LB = 28, LI = 21, LT = 20, LU = 20, LV = 21, MC = 27, MD = 24, ME = 22, MK = 19, MR = 27, MT = 31, MU = 30, NL = 18,
  NO = 15, PK = 24, PL = 28, PS = 29, PT = 25, QA = 29, RO = 24, RS = 22, SA = 24, SE = 24, SI = 19, SK = 24, SM = 27,
  TN = 24, TR = 26, UA = 29, VA = 22, VG = 24, XK = 20 }

local LetterValue = {}
for value = 10, 35 do LetterValue[string.char(55 + value)] = tostring(value) end

local function validIban(text)
  text = text:upper():gsub("[ .-]", "")
  local length = IbanLength[text:sub(1, 2)]
  text = text:sub(1, length):match("^%w+")
  if not text or #text < length then return nil end
  local digits, rest = (text:sub(5) .. text:sub(1, 4)):gsub("%a", LetterValue), 0
  for i = 1, #digits, 12 do
    local part = digits:sub(i, i + 11)
    rest = tonumber(rest .. part) % 97
  end
  return rest == 1 and text or nil
end

-- International bank account numbers: country, length, check (ISO 13616).
function M.find(plain)
  local found, seen = {}, {}
  for place, country in plain:gmatch("%f[%w]()(%a%a)[ .-]?%d[ .-]?%d") do
    local iban = IbanLength[country:upper()] and validIban(plain:sub(place, place + 69))
    if iban and not seen[iban] then
      seen[iban] = true
      found[#found + 1] = iban
    end
  end
  return found
end

return M
