-- Numbers and words that must not be seen by strangers: nobody has to remember to mark such mail.
local lists = require("lib/lists")
local numbers = require("lib/numbers")

local settings = {
  -- From how many different ones on a message is sensitive; 0 does not look for them.
  ssns = 1,         -- US Social Security numbers
  ids = 1,          -- numbers that other states give to people, of `countries`
  cards = 1,        -- payment cards
  ibans = 0,        -- bank accounts; invoices are full of them
  records = 1,      -- what `record_patterns` finds
  diagnoses = 1,    -- codes of diagnoses (ICD-10) near a word that says so
  words = 2,        -- words of the set `sensitive_words`
  countries = { "at", "au", "be", "br", "ca", "ch", "de", "es", "fr", "in", "it", "nl", "pl", "se", "uk" },
  -- Numbers of patients and the like, as regular expressions (RE2).
  record_patterns = {
    [[(?i)\b(?:mrn|medical\s+record(?:\s+(?:no|num|number))?)\b[\s:.#=-]{0,5}(?:is\s+)?[a-z]{0,3}-?[0-9]{6,10}\b]],
  },
  -- What happens: sensitive mail to an open list is refused; to all others the weakest protection that is allowed:
  -- "tls", "pickup", "openpgp", "smime".
  protect = "tls",
  -- Only noted in the trace, to see what would be found before anything comes of it.
  only_note = true,
  -- Whether a message with more text than is read here (256 kB) is sensitive for that alone.
  unread = false,
  -- What the sender is told. Plain ASCII.
  text = "Post it to a secure list, or take it out of the message and its subject.",
}

-- What each id of lib/ids.lua has at least; most mail has none of it.
local MaybeId = [[(?i)(?:[0-9][ .+-]?){8}|\b[xyz][- ]?[0-9]{7}|\b[a-z]{2} ?[0-9]{2} ?[0-9]{2} ?[0-9]{2} ?[a-d]\b]]
  .. [[|\b[a-z]{3} ?[a-z]{3} ?[0-9lmnp-v]{2}[a-ehlmprst][0-9lmnp-v]{2}]]

local function found(text)
  local kinds = {}
  local function look(kind, name, values)
    if #values >= settings[kind] then kinds[#kinds + 1] = name end
  end
  -- Without a digit there is nothing but words.
  if matches([[\pN]], text) then
    local plain = numbers.plain(text)
    if settings.ssns > 0 then look("ssns", "Social Security numbers", numbers.ssns(plain)) end
    if settings.ids > 0 and matches(MaybeId, plain) then
      look("ids", "national ids", require("lib/ids").find(plain, settings.countries))
    end
    if settings.cards > 0 then look("cards", "card numbers", numbers.cards(plain)) end
    if settings.ibans > 0 then look("ibans", "bank accounts", require("lib/iban").find(plain)) end
    if settings.diagnoses > 0 then look("diagnoses", "codes of diagnoses", numbers.diagnoses(plain)) end
    if settings.records > 0 then
      local records = {}
      for _, pattern in ipairs(settings.record_patterns) do
        for _, value in ipairs(numbers.matchesOf(pattern, plain)) do records[#records + 1] = value end
      end
      look("records", "numbers of patients", records)
    end
  end
  if settings.words > 0 then look("words", "sensitive words", words_in("sensitive_words", text)) end
  return kinds
end

local function message(tx, msg)
  -- Already encrypted by its author: nobody can look inside, and no list in the open shows it.
  if msg.is_encrypted then return pass() end
  local text, cut = msg:text()
  local kinds = found(msg.subject .. "\n" .. text)
  if cut and settings.unread then kinds[#kinds + 1] = "more text than can be read" end
  if #kinds == 0 then return pass() end
  local what = table.concat(kinds, ", ")
  msg:note("sensitive", what)
  if settings.only_note then return pass() end
  local refused, others = {}, false
  for _, rcpt in ipairs(tx.recipients) do
    if lists.isPost(rcpt) and not rcpt.secure then
      refused[rcpt.address] = reject { code = 550, enh = "5.7.1", reason = "sensitive",
        text = "The message seems to hold " .. what .. ", and this list is open. " .. settings.text }
    else
      others = true
    end
  end
  if others and settings.protect ~= "" then msg:note("protect", settings.protect) end
  return verdicts(refused)
end

local function cases()
  local Open = { address = "social@example.org", list = "social" }
  local Secure = { address = "board@example.org", list = "board", secure = true }
  local Refused = { verdict = "reject", code = 550, enh = "5.7.1", reason = "sensitive" }
  local Passes = { verdict = "pass" }
  local all = {}
  local function add(title, text, expect, values, recipients, more)
    local msg = { text = text, text_cut = false }
    for key, value in pairs(more or {}) do msg[key] = value end
    local set = { only_note = false }
    for key, value in pairs(values or {}) do set[key] = value end
    all[#all + 1] = { title = title, tx = { recipients = recipients or { Open } }, msg = msg, settings = set,
      sets = { sensitive_words = { "hepatitis", "type 2 diabetes" } }, expect = expect }
  end
  local function held(title, text, values) add("sensitive: " .. title, text, Refused, values) end
  local function free(title, text, values) add("not sensitive: " .. title, text, Passes, values) end
  local Zwsp = "\u{200B}"

  held("a Social Security number", "It is 536-90-4399.")
  held("with dots", "536.90.4399")
  held("with blanks around the dashes", "536 - 90 - 4399")
  held("with long dashes", "536\u{2013}90\u{2013}4399")
  held("with dashes that do not break", "536\u{2011}90\u{2011}4399")
  held("with a minus sign", "536\u{2212}90\u{2212}4399")
  held("split by a line end", "536-90-\r\n4399")
  held("full-width digits", "５３６－９０－４３９９")
  held("Arabic digits", "\u{665}\u{663}\u{666}-\u{669}\u{660}-\u{664}\u{663}\u{669}\u{669}")
  held("mathematical digits", "\u{1D7D3}\u{1D7D1}\u{1D7D4}-\u{1D7D7}\u{1D7CE}-\u{1D7D2}\u{1D7D1}\u{1D7D7}\u{1D7D7}")
  held("raised digits", "\u{2075}\u{B3}\u{2076}-\u{2079}\u{2070}-\u{2074}\u{B3}\u{2079}\u{2079}")
  held("digits in circles", "⑤③⑥-⑨⓪-④③⑨⑨")
  held("signs of width nought between", "5" .. Zwsp .. "36-9" .. Zwsp .. "0-43" .. Zwsp .. "99")
  held("soft hyphens between", "5\u{AD}36-90-43\u{AD}99")
  held("marks under the digits", "5\u{332}36-90-43\u{332}99")
  held("control characters between", "5\1\00036-90-4399")
  held("digits one by one", "5 3 6 - 9 0 - 4 3 9 9")
  held("with blanks, where the text says what it is", "My SSN is 536 90 4399.")
  held("nothing between, where the text says what it is", "Social Security number: 536904399")
  held("nothing between, in other words", "SSN#536904399")
  held("the word in look-alike letters", "\u{405}\u{405}N 536904399")
  held("between letters and marks", "id=536-90-4399;")
  held("after a text of 300,000 numbers", ("17 23 42 "):rep(9000) .. "536-90-4399")
  free("an area that is never given", "000-90-4399, 666-90-4399, 900-90-4399, 987-65-4320")
  free("a group of noughts", "536-00-4399")
  free("a serial of noughts", "536-90-0000")
  free("numbers from advertisements", "078-05-1120, 219-09-9999, 457-55-5462, 123-45-6789")
  free("nine digits without the word", "Ticket 536904399")
  free("nine digits in groups without the word", "536 90 4399")
  free("more digits before", "1536-90-4399")
  free("more digits behind", "536-90-43991")
  free("two numbers are asked for and one is there", "536-90-4399 and again 536 - 90 - 4399", { ssns = 2 })
  held("two numbers are asked for and there", "536-90-4399, 536-90-4398", { ssns = 2 })
  free("Social Security numbers by setting", "536-90-4399", { ssns = 0 })

  local function id(country, ...)
    for i, text in ipairs { ... } do held("an id of " .. country .. ", " .. i, text) end
  end
  local function noId(country, ...)
    for i, text in ipairs { ... } do free("no id of " .. country .. ", " .. i, text) end
  end
  id("at", "SV-Nr. 1237 010180", "Sozialversicherungsnummer: 1237010180")
  noId("at", "1237 010180", "SV-Nr. 1236 010180", "SV-Nr. 1237 320180")
  id("au", "TFN 123 456 782", "his tax file number is 123456782")
  noId("au", "123 456 782", "TFN 123 456 783")
  id("be", "85.07.30-033.28", "Rijksregisternummer 02.07.30-033.60")
  noId("be", "85.07.30-033.29", "85.13.30-033.28", "85073003328")
  id("br", "111.444.777-35", "CPF: 111.444.777\u{2010}35")
  noId("br", "111.444.777-36", "111.111.111-11")
  id("ca", "Social Insurance 130 692 544", "SIN: 130-692-544", "num\u{E9}ro d\u{2019}assurance sociale 130692544")
  noId("ca", "130 692 544", "SIN: 130 692 545", "the sin of 130 692 544 men")
  id("ch", "756.9217.0769.85", "AHV 7569217076985", "\u{FF17}\u{FF15}\u{FF16}.9217.0769.85")
  noId("ch", "756.9217.0769.84", "756.92")
  id("de", "Steuer-ID 86 095 742 719", "steuerliche Identifikationsnummer: 86095742719", "65 170839 J 003",
    "65170839j003")
  noId("de", "86 095 742 719", "IdNr 86095742718", "IdNr 86095742701", "IdNr 12345678903", "65 170839 J 004",
    "12 345678 A 901")
  id("es", "DNI 12345678Z", "NIF 12345678-z", "NIE: X1234567L")
  noId("es", "12345678Z", "DNI 12345678A", "NIE: Y1234567L")
  id("fr", "2 85 05 78 006 084 41", "285057800608441", "1 85 02 2A 033 025 12")
  noId("fr", "2 85 05 78 006 084 42", "2 85 13 78 006 084 41", "2 85 05 78 006 084")
  id("in", "Aadhaar 2345 6789 0124", "aadhaar no. 234567890124")
  noId("in", "2345 6789 0124", "Aadhaar 2345 6789 0125")
  id("it", "RSSMRA85T10A562S", "rss mra 85t10 a562s")
  noId("it", "RSSMRA85T10A562T", "RSSMRA85Z10A562S")
  id("nl", "BSN 111222333", "burgerservicenummer: 1112.22.333")
  noId("nl", "111222333", "BSN 111222334", "BSN 111111111")
  id("pl", "PESEL: 44051401359")
  noId("pl", "44051401359", "PESEL: 44051401358", "PESEL: 00000000000")
  id("se", "Personnummer 811228-9874", "person-nr: 19811228-9874")
  noId("se", "811228-9874", "Personnummer 811228-9875", "Personnummer 811328-9873")
  id("uk", "AB 12 34 56 C", "National Insurance: AB123456C", "NINO ab 123456 c", "NHS 943 476 5919")
  noId("uk", "part AB123456C", "GB 12 34 56 C", "AB 12 34 56 E", "943 476 5919", "NHS 943 476 5918", "NHS 000 000 0000")
  free("ids by setting", "756.9217.0769.85", { ids = 0 })
  free("a country that is not looked for", "756.9217.0769.85", { countries = { "de" } })
  free("two ids are asked for and one is there", "756.9217.0769.85, 7569217076985", { ids = 2 })
  held("two ids are asked for and there, of two countries", "756.9217.0769.85, RSSMRA85T10A562S", { ids = 2 })

  held("a card", "4111111111111111")
  held("in groups", "4111 1111 1111 1111")
  held("with dashes", "4111-1111-1111-1111")
  held("with dots", "4111.1111.1111.1111")
  held("with the date and code behind", "4111 1111 1111 1111 03/27 123")
  held("with a number before", "12 4111 1111 1111 1111")
  held("with a group of four before", "4000 4111 1111 1111 1111")
  held("after a long row of numbers", ("7 "):rep(40) .. "4111 1111 1111 1111")
  held("two in a row", "4111 1111 1111 1112 5555 5555 5555 4444")
  held("one a line", "4111 1111 1111 1112\n5555 5555 5555 4444\n4111 1111 1111 1113")
  held("split by a line end", "4111 1111\n1111 1111")
  held("split without a blank", "41111111\r\n11111111")
  held("glued to a word", "card4111111111111111x")
  held("digits one by one", "4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1")
  held("in pairs", "41 11 11 11 11 11 11 11")
  held("American Express", "3782 822463 10005")
  held("American Express, nothing between", "371449635398431")
  held("Mastercard", "5555555555554444")
  held("Mastercard, newer", "2223003122003222")
  held("Discover", "6011111111111117")
  held("Diners", "30569309025904")
  held("JCB", "3530111333300000")
  held("UnionPay", "6200000000000005")
  held("full-width digits", "４１１１ １１１１ １１１１ １１１１")
  held("no-break blanks", "4111\u{A0}1111\u{202F}1111\u{2009}1111")
  held("keycaps", ("4\u{FE0F}\u{20E3}") .. ("1\u{FE0F}\u{20E3}"):rep(15))
  held("signs of width nought", "4111" .. Zwsp .. "1111" .. Zwsp .. "1111" .. Zwsp .. "1111")
  free("a wrong check digit", "4111111111111112")
  free("a brand that there is not", "9111111111111111")
  free("the length of another brand", "411111111111111")
  free("the same digit all over", "4444 4444 4444 4444")
  free("noughts", "0000 0000 0000 0000")
  free("a phone number", "Call +1 (555) 010-4477 or 555-010-4477, 1-800-555-0199, +49 711 2172 5555")
  free("a row of phone numbers", "555 010 4411 555 010 4412 555 010 4413 555 010 4414")
  free("parcels",
    "9400 1000 0000 0000 0000 00, 9400111899223100001234, 1Z999AA10123456784, 7489 9999 1234,\n612999999912")
  free("orders", "Order 112-1234567-1234567, PO 4500012345, invoice 2026-000417")
  free("dates and times", "2026-03-02 10:00:00, 20260302100000, 02.03.2026, 1772445600")
  free("IP addresses", "192.0.2.14 10.20.30.40 255.255.255.255")
  free("books and goods", "ISBN 978-3-16-148410-0, EAN 4006381333931")
  free("devices", "IMEI 35-209900-176148-1 and 352099001761481")
  free("ids of programs", "550e8400-e29b-41d4-a716-446655440000, 9f86d081884c7d659a2feaa0c55ad015")
  free("coordinates and versions", "48.783333, 9.183333; version 12.4.1111.2")
  free("years", "2019 2020 2021 2022 2023 2024 2025 2026")
  free("a table of numbers", ("12.5 13.7 120 80 98.6 4.1\n"):rep(2000))
  free("a table of years and sums", ("2021 4500 4700 5100 5300 4900 4400\n"):rep(500))
  free("the number of a room", "Room 4111, 1111 Main Street")
  free("cards by setting", "4111111111111111", { cards = 0 })

  -- What would take longest, much of nearly what is looked for. Each still ends with a verdict.
  local function long(title, unit, kilobytes)
    free("a long row of " .. title, unit:rep((kilobytes or 128) * 1024 // #unit), { ibans = 1 })
  end
  long("nines", "9")
  long("digits one by one", "4 ")
  long("digits in pairs", "43 ")
  long("digits in pairs, with marks", "43-")
  long("groups of four", "4111 ", 256)
  long("cards with a wrong check", "4111111111111112 ")
  long("cards in groups, with a wrong check", "4111 1111 1111 1112, ")
  long("cards of several lengths", "4111 1111 1111 1112 1 41 ")
  long("Social Security numbers of nobody", "000-90-4399 ssn ")
  long("nearly bank accounts", "DE88 3704 0044 0532 0130 00 ")
  long("codes without a word", "E11.9 ")
  long("words without a code", "diagnosis ")
  long("letters without an end", "a")
  long("blanks", " ", 256)
  long("marks that combine", "1\u{301}")
  long("digits of another script", "\u{661}")
  long("nearly ids", "RSSMRA85T10A562T 756.9217.0769.84 dni 12345678A ")
  held("a card, digit by digit, behind many rows of digits", ("1 1 1 1 1 1 1 1 1 x "):rep(1100)
    .. "4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1")
  held("a card behind many numbers that are none", ("1a"):rep(3000) .. "4111 1111 1111 1111")
  held("a card behind 200 kB", ("42 17 "):rep(34000) .. "4111 1111 1111 1111")

  local Ibans = { ibans = 1 }
  free("bank accounts by default", "DE89 3704 0044 0532 0130 00")
  held("a bank account by setting", "DE89 3704 0044 0532 0130 00", Ibans)
  held("nothing between", "GB82WEST12345698765432", Ibans)
  held("small letters", "gb82 west 1234 5698 7654 32", Ibans)
  held("with dashes", "DE89-3704-0044-0532-0130-00", Ibans)
  held("behind something alike", "at12 my iban is DE89370400440532013000 ok", Ibans)
  free("a wrong check", "DE88 3704 0044 0532 0130 00", Ibans)
  free("too short", "DE89 3704 0044", Ibans)
  free("a country that there is not", "ZZ89 3704 0044 0532 0130 00", Ibans)

  held("the number of a patient", "MRN: 00482913")
  held("in words", "medical record number is 482913")
  held("with letters", "MRN AB-482913")
  free("the word alone", "The MRN is on the wristband.")
  free("too few digits", "MRN 4829")
  free("patients by setting", "MRN 00482913", { records = 0 })
  held("a pattern of the site", "Fall 77-1234", { record_patterns = { [[Fall \d\d-\d{4}]] } })

  held("a diagnosis", "Diagnosis: E11.9")
  held("the code before", "E11.9 is the diagnosis.")
  held("a code in small letters", "dx e11.65")
  held("a code without a full stop", "ICD-10 I10")
  held("the word some way before", "Diagnoses after the visit of last week:\n - F32.1")
  free("a code far from any such word", "Diagnosis. " .. ("word "):rep(40) .. "E11.9")
  free("vitamins, motorways and paper", "Vitamin B12, A81 and size A4; form B12.3")
  free("a version", "Diagnosis of the failure in version v10.2")
  free("diagnoses by setting", "Diagnosis: E11.9", { diagnoses = 0 })

  held("two words of the site", "hepatitis and type-2 diabetes")
  held("with hidden signs, in capitals", "HEPA" .. Zwsp .. "TITIS and TYPE 2 DIABETES")
  free("one word of the site", "A talk on hepatitis, hepatitis, hepatitis")
  held("one word by setting", "hepatitis", { words = 1 })
  free("words by setting", "hepatitis and type 2 diabetes", { words = 0 })

  add("a sensitive subject is refused", "see above", Refused, nil, nil, { subject = "536-90-4399" })
  add("an ordinary message passes", "Lunch at 12:30 on 4 March, bring 5 chairs.", Passes)
  add("an empty message passes", "", Passes)
  add("a secure list takes sensitive mail", "536-90-4399", Passes, nil, { Secure })
  add("a person takes sensitive mail, protected", "536-90-4399", Passes, nil, { "ann@example.net" })
  add("of two lists the open one is refused", "536-90-4399",
    { verdict = "reject", reason = "sensitive", recipients = { "social@example.org" } }, nil, { Secure, Open })
  add("a report of a failed delivery passes", "536-90-4399", Passes, nil,
    { { address = "social-bounces+abc@example.org", list = "social@example.org" } })
  add("what its author has encrypted passes", "536-90-4399", Passes, nil, nil, { is_encrypted = true })
  add("more text than is read passes", "x", Passes, nil, nil, { text_cut = true })
  add("and is refused by setting", "x", Refused, { unread = true }, nil, { text_cut = true })
  add("text that was read to its end passes then", "x", Passes, { unread = true })
  add("by default it is only noted", "536-90-4399", Passes)
  all[#all].settings = nil
  add("without any protection asked by setting", "536-90-4399", Passes, { protect = "" }, { Secure })
  add("the refusal says what was found and what to do", "536-90-4399",
    { verdict = "reject", text = "seems to hold Social Security numbers, and this list is open. Post it to a secure" })
  return all
end

return {
  name = "sensitive_content",
  doc = [[
Numbers and words that strangers must not see

Looks for US Social Security numbers, ids of people of other `countries`, payment cards, numbers of patients, codes of
diagnoses, by setting bank accounts, and words of the set `sensitive_words` in subject and text. What has them is noted
in the trace (`sensitive`): which kinds, never what. By setting (`only_note = false`) it is then refused for open lists
(550 5.7.1, `sensitive`), and for secure lists and people protection is asked (`protect`).

Numbers count as a person reads them: digits of all scripts, with or without signs that cannot be seen, in the groups
that people write. They must be possible ones (areas, brands, check digits), so that phone, order and parcel numbers
pass. Attachments and encrypted parts are not read, nor more than the first 256 kB of text (`unread`).
]],
  settings = settings,
  sets = { sensitive_words = "Words and phrases that make a message sensitive when enough of them come together." },
  hooks = { message = message },
  cases = cases,
}
