-- Characters that a reader takes for an ASCII letter, colon, bracket or blank, or does not see at all.
-- Used to read a marker in a subject as a person would; see lib/tag.lua. Loaded only for subjects outside ASCII.

-- Written out: what no range below covers. One line per ASCII character, in the order Latin with marks, Latin letters
-- of other shapes, Greek, Cyrillic, Armenian, Cherokee, Lisu, letter-like symbols.
local written = {
  a = "àáâãäåāăąǎạÀÁÂÃÄÅĀĂĄǍẠᴀᵃαΑаАᎪꓮ",
  c = "çćĉċčÇĆĈĊČᴄᶜϲϹсСҫҪᏟꓚℂℭⅽⅭ",
  e = "èéêëēĕėęěẹẽÈÉÊËĒĔĖĘĚẸẼᴇᵉεΕеЕёЁѐЀҽҼєЄᎬꓰℯℰℇ℮",
  d = "ďđĎĐᴅᵈԁᎠꓓⅾⅮ",
  i = "ìíîïīĭįıÌÍÎÏĪĬĮİɪⁱιΙіІїЇᎥꓲℹⅰⅠ",
  l = "ĺļľłĹĻĽŁʟˡӏᏞꓡℓⅼⅬ",
  n = "ñńņňÑŃŅŇɴⁿηΝոпՈꓠℕ",
  o = "òóôõöøōŏőǒọÒÓÔÕÖØŌŎŐǑỌᴏᵒοΟоОօՕꓳℴ",
  p = "ṗṕṖṔᴘᵖρΡрРᏢꓑℙ",
  r = "ŕŗřŔŖŘʀʳгᎡꓣℛℜℝ",
  s = "śŝşšșṡṣſŚŜŞŠȘṠṢꜱˢѕЅՏᏚꓢ",
  t = "ţťțṫṭŢŤȚṪṬᴛᵗτΤтТᎢꓔ",
  u = "ùúûüũūŭůűųưÙÚÛÜŨŪŬŮŰŲƯᴜᵘυμцսՍꓴ",
  y = "ýÿŷÝŸŶʏʸγΥуУүҮўЎꓬ",
  [":"] = "∶꞉ːˈ˸׃։܃܄፡︰⁚᠃﹕︓⁝⁞",
  ["["] = "【〔〖〘〚⁅⟦⦋❲❨❴⦅﹝﹙﹛⁽₍",
  ["]"] = "】〕〗〙〛⁆⟧⦌❳❩❵⦆﹞﹚﹜⁾₎",
  [" "] = "\u{85}\u{A0}\u{1680}\u{2000}\u{2001}\u{2002}\u{2003}\u{2004}\u{2005}\u{2006}\u{2007}\u{2008}\u{2009}\u{200A}"
    .. "\u{2028}\u{2029}\u{202F}\u{205F}\u{2800}\u{3000}",
  [""] = "\u{AD}\u{34F}\u{61C}\u{115F}\u{1160}\u{17B4}\u{17B5}\u{3164}\u{FEFF}\u{FFA0}\u{FFFC}\u{FFFD}",
}

-- { first, last, what }: a number is the ASCII letter of the first, "" is invisible.
local ranges = {
  { 0x80, 0x84, "" }, { 0x86, 0x9F, "" },                            -- C1 controls
  { 0x300, 0x36F, "" }, { 0x483, 0x489, "" }, { 0x1AB0, 0x1AFF, "" },  -- marks over, under and around letters
  { 0x1DC0, 0x1DFF, "" }, { 0x20D0, 0x20FF, "" }, { 0xFE20, 0xFE2F, "" },
  { 0x180B, 0x180F, "" }, { 0x200B, 0x200F, "" }, { 0x202A, 0x202E, "" },  -- zero width, direction, variation
  { 0x2060, 0x206F, "" }, { 0xFE00, 0xFE0F, "" }, { 0xFFF0, 0xFFFB, "" },
  { 0x1BCA0, 0x1BCA3, "" }, { 0x1D173, 0x1D17A, "" }, { 0xE0000, 0xE0FFF, "" },
  { 0xFF01, 0xFF5E, 0x21 },                                          -- full width
  { 0x249C, 0x24B5, 0x61 }, { 0x24B6, 0x24CF, 0x61 }, { 0x24D0, 0x24E9, 0x61 },  -- in circles and brackets
  { 0x1F110, 0x1F129, 0x61 }, { 0x1F130, 0x1F149, 0x61 }, { 0x1F150, 0x1F169, 0x61 }, { 0x1F170, 0x1F189, 0x61 },
  { 0x1F1E6, 0x1F1FF, 0x61 },
}

local function fromRange(code)
  -- Mathematical alphabets: runs of 26 capitals and 26 small letters.
  if code >= 0x1D400 and code <= 0x1D6A3 then return utf8.char(0x61 + (code - 0x1D400) % 26) end
  for _, range in ipairs(ranges) do
    if code >= range[1] and code <= range[2] then
      if range[3] == "" then return "" end
      return utf8.char(range[3] + code - range[1])
    end
  end
  return nil
end

local function fromWritten(character)
  for ascii, characters in pairs(written) do
    if characters:find(character, 1, true) then return ascii end
  end
  return nil
end

-- For gsub: a character, as a key, gives its replacement; false keeps it. Filled as characters come; bytes that are no
-- character vanish.
return {
  map = setmetatable({}, {
    __index = function(map, character)
      local replacement = ""
      if utf8.len(character) == 1 then
        replacement = fromWritten(character) or fromRange(utf8.codepoint(character)) or false
      end
      map[character] = replacement
      return replacement
    end,
  }),
}
