-- Mail that its author has marked as secure never goes out to an open list.
local tag = require("lib/tag")

local settings = {
  -- Words that mark a subject when a colon follows: "Secure:".
  colon_tags = { "secure" },
  -- Words that mark a subject in brackets: "[encrypt]".
  bracket_tags = { "encrypt" },
  -- What the author is told about an open list. Plain ASCII, at most 900 characters.
  text = "The subject marks this message as secure (Secure: or [encrypt]), but this list is open and would send it "
    .. "unencrypted. Post it to a secure list, or take the mark out of the subject if nothing in the message needs "
    .. "protection.",
}

-- Longer subjects are not honest, and reading them costs.
local MaxSubject = 10000

local function isTagged(subject)
  local folded = tag.fold(subject)
  for _, word in ipairs(settings.colon_tags) do
    if tag.hasColonTag(folded, tag.fold(word)) then return true end
  end
  for _, word in ipairs(settings.bracket_tags) do
    if tag.hasBracketTag(folded, tag.fold(word)) then return true end
  end
  return false
end

local function message(tx, msg)
  local subjects = msg:headers("subject")
  if #subjects > 1 then
    return reject {
      code = 550, enh = "5.6.0", reason = "two-subjects",
      text = "The message has more than one Subject field, so that readers may see different subjects. Send it again "
        .. "with one.",
    }
  end
  local subject = subjects[1] or ""
  if #subject > MaxSubject or #msg.subject > MaxSubject then
    return reject { code = 550, enh = "5.6.0", reason = "subject-too-long", text = "The subject is too long." }
  end
  -- Both should be the same; if a reader of ours and another differ, either counts.
  if not isTagged(subject) and not isTagged(msg.subject) then return pass() end
  msg:note("tagged", "yes")
  local refused = {}
  local refusal = reject { code = 550, enh = "5.7.1", reason = "secure-tag", text = settings.text }
  for _, rcpt in ipairs(tx.recipients) do
    if rcpt.list and not rcpt.secure then refused[rcpt.address] = refusal end
  end
  return verdicts(refused)
end

-- Built on demand, so that they cost live mail nothing.
local function cases()
  local all = {}
  local Open = { address = "social@example.org", list = "social" }
  local Secure = { address = "board@example.org", list = "board", secure = true }

  local function add(title, subject, expect, recipients)
    all[#all + 1] = { title = title, tx = { recipients = recipients or { Open } }, msg = { subject = subject },
      expect = expect }
  end
  local Refused = { verdict = "reject", code = 550, enh = "5.7.1", reason = "secure-tag" }
  local Passes = { verdict = "pass" }
  local function tagged(title, subject) add("tagged: " .. title, subject, Refused) end
  local function free(title, subject) add("not tagged: " .. title, subject, Passes) end

  tagged("at the start", "Secure: budget")
  tagged("in the middle", "Budget Secure: draft")
  tagged("at the end", "Budget, Secure:")
  tagged("alone", "secure:")
  tagged("upper case", "SECURE: budget")
  tagged("mixed case", "sEcUrE: budget")
  tagged("no blank behind it", "Secure:budget")
  tagged("after Re:", "Re: Secure: budget")
  tagged("after RE: and Fwd:", "RE: Fwd: Secure: budget")
  tagged("after a reply mark without blank", "Re:Secure: budget")
  tagged("after the reply mark AW:", "AW: Secure: budget")
  tagged("in brackets, after AW: and WG:", "AW: WG: [encrypt] budget")
  tagged("after a list prefix", "[Social] Secure: budget")
  tagged("after Re: and a list prefix", "Re: [Social] Secure: budget")
  tagged("within a quotation", "the \"Secure: budget\" mail")
  tagged("in brackets itself", "[Secure: budget]")
  tagged("behind a hyphen", "Non-secure: budget")
  tagged("behind an underscore", "_Secure: budget")
  tagged("twice, the first one no tag", "Insecure: and Secure: budget")
  tagged("blank before the colon", "Secure : budget")
  tagged("tab and blanks before the colon", "Secure \t  : budget")
  tagged("no-break space before the colon", "Secure\u{A0}: budget")
  tagged("full-width colon", "Secure\u{FF1A} budget")
  tagged("ratio sign as the colon", "Secure\u{2236} budget")
  tagged("modifier letter as the colon", "Secure\u{A789} budget")
  tagged("zero-width space in the word", "Se\u{200B}cure: budget")
  tagged("zero-width joiner before the colon", "Secure\u{200D}: budget")
  tagged("soft hyphen", "Se\u{AD}cure: budget")
  tagged("word joiner, byte order mark", "S\u{2060}ecu\u{FEFF}re: budget")
  tagged("direction marks", "\u{202A}Secure\u{202C}: budget")
  tagged("tag characters", "Se\u{E0041}cure: budget")
  tagged("variation selector", "Secure\u{FE0F}: budget")
  tagged("a NUL in the word", "Se\0cure: budget")
  tagged("Cyrillic letters", "Ѕесurе: budget")
  tagged("Greek letters", "Sεcυrε: budget")
  tagged("full-width letters", "Ｓｅｃｕｒｅ： budget")
  tagged("mathematical letters", "\u{1D412}\u{1D41E}\u{1D41C}\u{1D42E}\u{1D42B}\u{1D41E}: budget")
  tagged("letters in circles", "Ⓢⓔⓒⓤⓡⓔ: budget")
  tagged("small capitals", "ꜱᴇᴄᴜʀᴇ: budget")
  tagged("letters with accents", "Sécuré: budget")
  tagged("combining marks", "Se\u{301}cure\u{332}: budget")
  tagged("Cherokee and Lisu letters", "ᏚꓰᏟꓴᎡᎬ: budget")
  tagged("bytes that are no UTF-8", "Se\xFFcu\x80re: budget")
  tagged("replacement character", "Se\u{FFFD}cure: budget")
  tagged("in brackets", "[encrypt] budget")
  tagged("in brackets, at the end", "Budget [encrypt]")
  tagged("in brackets, any case", "[EnCrypt] budget")
  tagged("in brackets, after Re:", "Re: [encrypt] budget")
  tagged("in brackets, no blanks around", "budget[encrypt]draft")
  tagged("in brackets with blanks", "[ encrypt ] budget")
  tagged("blank before the closing bracket", "[encrypt ] budget")
  tagged("in round brackets", "(encrypt) budget")
  tagged("in braces", "{encrypt} budget")
  tagged("in angle brackets", "<encrypt> budget")
  tagged("in full-width brackets", "［encrypt］ budget")
  tagged("in CJK brackets", "【encrypt】 budget")
  tagged("in two kinds of brackets", "[encrypt) budget")
  tagged("in brackets, Cyrillic letters", "[еnсrурt] budget")
  tagged("in brackets, invisible characters", "[\u{200B}en\u{AD}crypt\u{2060}] budget")

  free("no subject text", "")
  free("an ordinary subject", "Lunch on Friday")
  free("the word without a colon", "How to stay secure")
  free("the word, then a colon later", "Secure mail: how to")
  free("part of a longer word", "Insecure: budget")
  free("part of a longer word, digits", "2secure: budget")
  free("a longer word with a colon", "Secured: budget")
  free("letters apart", "S e c u r e: budget")
  free("a dash for the colon", "Secure - budget")
  free("a semicolon for the colon", "Secure; budget")
  free("the bracket word without brackets", "Please encrypt the budget")
  free("the bracket word with a colon", "encrypt: budget")
  free("one bracket only", "[encrypt budget")
  free("more in the brackets", "[encrypt me] budget")
  free("another word in the brackets", "[encrypted] budget")
  free("other scripts", "Встреча в пятницу: 会議 金曜日")

  add("a secure list gets tagged mail", "Secure: budget", Passes, { Secure })
  add("a secure list gets untagged mail", "budget", Passes, { Secure })
  add("an address that is no list gets tagged mail", "Secure: budget", Passes, { "ann@example.org" })
  add("of two lists only the open one is refused", "Secure: budget",
    { verdict = "reject", code = 550, reason = "secure-tag", recipients = { "social@example.org" } },
    { Secure, Open, "ann@example.org" })
  add("each open list is refused", "[encrypt] budget",
    { verdict = "reject", recipients = { "social@example.org", "chess@example.org" } },
    { Open, { address = "chess@example.org", list = "chess" }, Secure })
  add("the refusal says what to do", "Secure: budget", { verdict = "reject", text = "Post it to a secure list" })
  add("a subject over the limit is refused", ("x"):rep(10001), { verdict = "reject", reason = "subject-too-long" })

  local function addHeaders(title, headers, expect, recipients)
    all[#all + 1] = { title = title, tx = { recipients = recipients or { Open } }, msg = { headers = headers },
      expect = expect }
  end
  local Malformed = { verdict = "reject", code = 550, enh = "5.6.0", reason = "two-subjects" }
  addHeaders("no Subject field", { "From: ann@example.org" }, Passes)
  addHeaders("two Subject fields, the second tagged", { "Subject: lunch", "Subject: Secure: x" }, Malformed)
  addHeaders("two Subject fields, none tagged, names in any case", { "SUBJECT: lunch", "subject: lunch" }, Malformed)
  addHeaders("two Subject fields to a secure list", { "Subject: a", "Subject: b" }, Malformed, { Secure })

  all[#all + 1] = { title = "other tags by settings", settings = { colon_tags = { "Protected" }, bracket_tags = {} },
    tx = { recipients = { Open } }, msg = { subject = "PROTECTED: x" }, expect = Refused }
  all[#all + 1] = { title = "default tags are off when others are set",
    settings = { colon_tags = { "protected" }, bracket_tags = {} },
    tx = { recipients = { Open } }, msg = { subject = "Secure: [encrypt]" }, expect = Passes }
  return all
end

return {
  name = "secure_tag",
  doc = [[
The mark of secure mail

Refuses mail that is marked as secure for every open list it is addressed to; the gateway then refuses the whole
transaction, so that nothing of it reaches anyone. Secure lists and addresses that are no list are not concerned.

A subject is marked by `Secure:` anywhere in it, in any case, also behind Re:, Fwd: and list prefixes, and by
`[encrypt]`, brackets needed. What counts is what a person reads: the subject is unfolded and decoded; blanks of all
kinds, also before the colon, and characters that cannot be seen do not matter; letters, colons and brackets that look
like the right ones count as the right ones, and so do (encrypt), {encrypt} and <encrypt>. Whoever writes those means
the tag, and taking it for one costs a second try, while missing it costs the secret.

Not marked: the word without a colon or brackets, and "Insecure:", since a letter or digit right before the word makes
it another word. Near misses that do not read as the tag ("encrypt: x", "Secure - x", "[encrypt me]", "S e c u r e:")
pass here; warning about them is the business of another policy.

Two Subject fields are refused as malformed, since readers may see either.
]],
  settings = settings,
  hooks = { message = message },
  cases = cases,
}
