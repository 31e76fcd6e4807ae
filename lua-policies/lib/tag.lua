-- Markers in a subject that ask for protection: a word with a colon ("Secure:") or in brackets ("[encrypt]").
local M = {}

-- The text as a person reads it: small ASCII letters for all that look like them, one blank for any run of any kind
-- of blank, nothing for what cannot be seen. Only for finding markers; not for showing. Time linear in the text.
function M.fold(text)
  if text:find("[\128-\255]") then
    -- Bytes that continue a character which never began.
    text = text:gsub("^[\128-\191]+", ""):gsub("([\0-\127])[\128-\191]+", "%1")
    text = text:gsub("[\192-\255][\128-\191]*", require("lib/lookalikes").map)
  end
  if text:find("%c") then text = text:gsub("[\t\r\n]", " "):gsub("%c", "") end
  return (text:gsub("  +", " "):lower())
end

-- Calls test(first, last) for each place of the word; true as soon as one answers true.
local function anyPlace(folded, word, test)
  local first, last = folded:find(word, 1, true)
  while first do
    if test(first, last) then return true end
    first, last = folded:find(word, first + 1, true)
  end
  return false
end

-- Whether `WORD:` stands in the folded text, with no letter or digit right before the word. A blank may stand before
-- the colon.
function M.hasColonTag(folded, word)
  return anyPlace(folded, word, function(first, last)
    local before = folded:sub(first - 1, first - 1)
    return (first == 1 or not before:find("%w")) and folded:find("^ ?:", last + 1)
  end)
end

-- Whether `[WORD]` stands in the folded text; brackets of any kind, blanks inside them allowed.
function M.hasBracketTag(folded, word)
  return anyPlace(folded, word, function(first, last)
    local before = folded:sub(math.max(first - 2, 1), first - 1)
    return before:find("[%[%({<] ?$") and folded:find("^ ?[%]%)}>]", last + 1)
  end)
end

return M
