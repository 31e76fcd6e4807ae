-- Who nearly writes the mark of secure mail is told, and nothing goes out to an open list meanwhile.
local lists = require("lib/lists")
local tag = require("lib/tag")

local settings = {
  -- What the author is told. Plain ASCII, at most 900 characters.
  text = "The subject looks as if this message were to be secure, but does not mark it: write Secure: (with the colon) "
    .. "or [encrypt] (in brackets) and post to a secure list. This list is open; if nothing needs protection, word the "
    .. "subject another way.",
}

-- What stands before the author's own words: marks of replies, and prefixes of lists.
local Prefix =
  [=[^(?:(?:re|fwd?|aw|wg|sv|vs|antw|tr|rv)(?: ?[\[(]?[0-9]+[\])]?)? ?: ?|\[[^\[\]]{1,60}\] ?)]=]

local Near = "(?:" .. table.concat({
  -- In brackets, anywhere; round ones are common, and count at the start.
  [=[(?:[\[{<]|^\() ?(?:please )?(?:secured?|secrue|seucre|encrypt(?:ed|ion)?|encyrpt|encrpyt|encript|enrypt|encrpt)]=]
    .. [=[(?: me| it| this| mail| message| email)? ?:? ?[\])}>]]=],
  -- At the start: the word with another sign, a slip in the word, its letters apart, one bracket.
  [=[^(?:secured?|encrypt(?:ed)?) ?[-;,.|>~=/_*#`"'’–—‒―−‐‑]+(?: |$)]=],
  [=[^(?:secured|encrypt(?:ed|ion)?|secrue|seucre|secuer|sercure|scure|sceure|encyrpt|encrpyt|encript) ?:]=],
  [=[^\[? ?(?:s e c u r e ?:|e n c r y p t ?(?:\]|:))]=],
  [=[^[\[({<] ?(?:secured?|encrypt(?:ed)?)(?: |:|$)]=],
  [=[^(?:secured?|encrypt(?:ed)?) ?[\])}>]]=],
}, "|") .. ")"

local function isNear(subject)
  local folded = tag.fold(subject):gsub("^ ", "")
  for _ = 1, 20 do
    if matches(Near, folded) then return true end
    local prefix = find_all(Prefix, folded, 1)[1]
    if not prefix then return false end
    folded = folded:sub(#prefix + 1)
  end
  return false
end

local function isMarked(folded) return tag.hasColonTag(folded, "secure") or tag.hasBracketTag(folded, "encrypt") end

local function message(tx, msg)
  -- Encrypted by its author: nothing is to be protected any more.
  if msg.is_encrypted then return pass() end
  local found = {}
  local isOpen = false
  for _, rcpt in ipairs(tx.recipients) do
    if lists.isPost(rcpt) and not rcpt.secure then isOpen = true end
  end
  if not isOpen or isMarked(tag.fold(msg.subject)) or not isNear(msg.subject) then return pass() end
  for _, rcpt in ipairs(tx.recipients) do
    if lists.isPost(rcpt) and not rcpt.secure then
      found[rcpt.address] = reject { code = 550, enh = "5.7.1", reason = "near-miss", text = settings.text }
    end
  end
  return verdicts(found)
end

local function cases()
  local Open = { address = "social@example.org", list = "social" }
  local Secure = { address = "board@example.org", list = "board", secure = true }
  local Refused = { verdict = "reject", code = 550, enh = "5.7.1", reason = "near-miss" }
  local Passes = { verdict = "pass" }
  local all = {}
  local function add(title, subject, expect, recipients, encrypted)
    all[#all + 1] = { title = title, tx = { recipients = recipients or { Open } },
      msg = { subject = subject, is_encrypted = encrypted }, expect = expect }
  end
  local function near(title, subject) add("near: " .. title, subject, Refused) end
  local function far(title, subject) add("not near: " .. title, subject, Passes) end

  near("another form of the word", "Secured: budget")
  near("the other mark with a colon", "encrypt: budget")
  near("the same, another form", "Encrypted: budget")
  near("a dash for the colon", "Secure - budget")
  near("a long dash for the colon", "Secure \u{2013} budget")
  near("a semicolon for the colon", "Secure; budget")
  near("a full stop for the colon", "secure. budget")
  near("a bar for the colon", "Secure | budget")
  near("the mark alone with a dash", "Secure -")
  near("another form in brackets", "[encrypted] budget")
  near("the other word in brackets", "[secure] budget")
  near("in round brackets", "(secure) budget")
  near("more in the brackets", "[encrypt me] budget")
  near("a request in brackets", "[please encrypt this] budget")
  near("one bracket only", "[encrypt budget")
  near("the other bracket only", "encrypt] budget")
  near("letters apart", "S e c u r e: budget")
  near("letters apart, the other mark", "[e n c r y p t] budget")
  near("a slip in the word", "Secrue: budget")
  near("a slip in brackets", "[encyrpt] budget")
  near("after Re:", "Re: Secure - budget")
  near("after AW: and a list prefix", "AW: [Social] encrypt: budget")
  near("after a counted Re:", "Re[2]: Secured: budget")
  near("with letters that only look alike", "\u{405}ecured: budget")
  near("with hidden signs", "enc\u{200B}rypt: budget")
  near("in capitals", "ENCRYPT: BUDGET")

  far("an ordinary subject", "Lunch on Friday")
  far("no subject", "")
  far("the word in a sentence", "How to stay secure - a talk")
  far("the word before a noun", "Secure mail: how to")
  far("a compound", "Secure-by-design workshop")
  far("the other word before a noun", "Encrypt the budget?")
  far("a sentence that begins with the word", "Encryption at rest, a question")
  far("a remark in round brackets", "Parking for bicycles (secure)")
  far("another word", "Insecure: budget")
  far("a list's prefix with more in its name", "[secure-it-talk] lunch")
  far("words in other brackets", "[draft] secure the venue")
  far("the mark itself is for another policy", "Secure: budget")
  far("so is the other one", "[encrypt] budget")

  add("a secure list takes it as it is", "Secured: budget", Passes, { Secure })
  add("an address that is no list takes it", "Secured: budget", Passes, { "ann@example.org" })
  add("of two lists the open one is refused", "Secured: budget",
    { verdict = "reject", reason = "near-miss", recipients = { "social@example.org" } }, { Secure, Open })
  add("a message that its author has encrypted passes", "Secured: budget", Passes, nil, true)
  add("the refusal says how to write the mark", "Secured: budget",
    { verdict = "reject", text = "Secure: (with the colon)" })
  add("many prefixes are read, not for ever", ("Re: "):rep(500) .. "Secured: x", Passes)
  return all
end

return {
  name = "near_miss",
  doc = [[
Slips in the mark of secure mail

Refuses mail to open lists whose subject nearly carries the mark of secure mail ("Secured: x", "encrypt: x",
"Secure - x", "[encrypted]", "[encrypt me]", "Secrue: x") and says how the mark is written. Without a bracket only the
start of the subject counts, behind marks of replies and prefixes of lists, so that ordinary sentences pass. Letters are
read as a person reads them, as in `secure_tag`.

Mail that relays hand over for outside is answered likewise by the gateway itself.
]],
  settings = settings,
  hooks = { message = message },
  cases = cases,
}
