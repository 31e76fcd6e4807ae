-- Digits of other scripts, dashes and other signs, as the ASCII characters that they are read as. Loaded only for text
-- outside ASCII.
local M = {}

-- First characters of runs of ten digits in other scripts.
local Digits = {
  0x660, 0x6F0, 0x7C0, 0x966, 0x9E6, 0xA66, 0xAE6, 0xB66, 0xBE6, 0xC66, 0xCE6, 0xD66, 0xDE6, 0xE50, 0xED0, 0xF20,
  0x1040, 0x1090, 0x17E0, 0x1810, 0x1946, 0x19D0, 0x1A80, 0x1A90, 0x1B50, 0x1BB0, 0x1C40, 0x1C50, 0xA620, 0xA8D0,
  0xA900, 0xA9D0, 0xA9F0, 0xAA50, 0xABF0, 0xFF10, 0x104A0, 0x11066, 0x1D7CE, 0x1D7D8, 0x1D7E2, 0x1D7EC, 0x1D7F6,
  0x1E950, 0x1FBF0, 0x2080,
}
-- One to nine in circles, brackets and with a full stop; nought stands apart.
local Counted = { 0x2460, 0x2474, 0x2488, 0x2776, 0x2780, 0x278A, 0x24F5 }
local Dashes = "‐‑‒–—―−⁃﹘﹣－⸺⸻ー〜～"
local Single = { ["⁰"] = "0", ["¹"] = "1", ["²"] = "2", ["³"] = "3", ["⓪"] = "0", ["⓿"] = "0", ["．"] = ".", ["。"] = ".",
  ["·"] = ".", ["•"] = ".", ["∙"] = ".", ["⋅"] = ".", ["／"] = "/", ["⁄"] = "/", ["∕"] = "/", ["＿"] = "_" }

local function ascii(character)
  if Single[character] then return Single[character] end
  if Dashes:find(character, 1, true) then return "-" end
  local code = utf8.codepoint(character)
  if code >= 0x2074 and code <= 0x2079 then return utf8.char(0x30 + code - 0x2070) end
  for _, first in ipairs(Digits) do
    if code >= first and code <= first + 9 then return utf8.char(0x30 + code - first) end
  end
  for _, first in ipairs(Counted) do
    if code >= first and code <= first + 8 then return utf8.char(0x31 + code - first) end
  end
  return nil
end

-- For gsub; filled as characters come.
M.map = setmetatable({}, { __index = function(map, character)
  local replacement = utf8.len(character) == 1 and ascii(character) or require("lib/lookalikes").map[character]
  map[character] = replacement
  return replacement
end })

return M
