-- Nobody posts to a secure list in the name of one of our domains from outside without proof.
local settings = {
  -- Domains of ours beside those of the lists: "example.org". Their subdomains count, too.
  domains = {},
  -- Mail to open lists is judged likewise.
  open_lists = false,
  -- Mail from other domains is refused where their owner asks for it (DMARC reject).
  honour_dmarc_reject = true,
  -- Domains whose seals (ARC) are believed where another domain asks for refusal: mailing lists and forwarders that
  -- break the author's signature, as "lists.example.net". None by default. They never speak for domains of ours.
  trusted_sealers = {},
}

local function isOwn(auth)
  if auth.own_domain then return true end
  local domain = auth.domain or ""
  for _, own in ipairs(settings.domains) do
    local name = string.lower(own)
    if domain == name or string.sub(domain, -#name - 1) == "." .. name then return true end
  end
  return false
end

local function forLists(tx, every, verdict)
  local found = {}
  for _, rcpt in ipairs(tx.recipients) do
    if rcpt.list and (every or rcpt.secure) then found[rcpt.address] = verdict end
  end
  return verdicts(found)
end

local function later(auth)
  return defer {
    code = 451, enh = "4.7.0", reason = "sender-not-checked",
    text = "Whether this message is from " .. (auth.domain or "its author") .. " could not be checked now; try later.",
  }
end

-- The last sealer is one of the trusted, and says that the author was proven when the message came to it.
local function isSealed(auth)
  if not auth.arc_vouches or isOwn(auth) then return false end
  for _, sealer in ipairs(settings.trusted_sealers) do
    if auth.arc_sealer == string.lower(sealer) then return true end
  end
  return false
end

local function message(tx, msg)
  local auth = msg.auth
  if not auth or auth.proven then return pass() end
  -- Two authors, or none that can be read: nobody's rules would be looked at.
  if not auth.domain then
    return forLists(tx, settings.open_lists, reject {
      code = 550, enh = "5.7.1", reason = "author-unclear",
      text = "The field From names no single author. Send it from one address.",
    })
  end
  -- Who answers slowly for the names of a forger's choice must not keep the owner's wish from us.
  if auth.dmarc == "temperror" and settings.honour_dmarc_reject then
    return forLists(tx, settings.open_lists, later(auth))
  end
  local asked = settings.honour_dmarc_reject and auth.policy == "reject"
  if asked and isSealed(auth) then
    msg:note("arc-override", auth.arc_sealer)
    return pass()
  end
  if not asked and not isOwn(auth) then return pass() end
  local every = asked or settings.open_lists
  if auth.undecided then return forLists(tx, every, later(auth)) end
  return forLists(tx, every, reject {
    code = 550, enh = "5.7.1", reason = asked and "dmarc-reject" or "own-sender-from-outside",
    text = "Nothing proves that this message is from " .. (auth.domain or "its author")
      .. ": neither its signature (DKIM) nor the server it came from (SPF). Send it by your own mail server.",
  })
end

local function cases()
  local all = {}
  local Open = { address = "social@example.org", list = "social" }
  local Secure = { address = "board@example.org", list = "board", secure = true }
  local function add(title, auth, expect, recipients, values)
    all[#all + 1] = { title = title, tx = { recipients = recipients or { Secure } }, msg = { auth = auth },
      expect = expect, settings = values }
  end
  local Refused = { verdict = "reject", code = 550, enh = "5.7.1", reason = "own-sender-from-outside" }
  local Asked = { verdict = "reject", code = 550, enh = "5.7.1", reason = "dmarc-reject" }
  local Later = { verdict = "defer", code = 451, enh = "4.7.0", reason = "sender-not-checked" }
  local Passes = { verdict = "pass" }

  add("a relay or this machine", nil, Passes)
  add("own domain without proof", { own_domain = true, spf = "fail" }, Refused)
  add("own domain with proof", { own_domain = true, proven = true, dkim = "pass" }, Passes)
  add("own domain, the DNS is dead", { own_domain = true, undecided = true, spf = "temperror" }, Later)
  add("another domain, wish not asked", { dmarc = "temperror", undecided = true }, Later)
  add("the same to an open list", { dmarc = "temperror", undecided = true }, Passes, { Open })
  add("the same, refusal not honoured by setting", { dmarc = "temperror", undecided = true },
    Passes, nil, { honour_dmarc_reject = false })
  add("two authors", { domain = "", dmarc = "permerror" },
    { verdict = "reject", code = 550, enh = "5.7.1", reason = "author-unclear" })
  add("two authors to an open list", { domain = "", dmarc = "permerror" }, Passes, { Open })
  add("own domain without proof to an open list", { own_domain = true }, Passes, { Open })
  add("own domain to an open list by setting", { own_domain = true }, Refused, { Open }, { open_lists = true })
  add("another domain without proof", { domain = "example.net" }, Passes)
  add("another domain that asks for quarantine", { dmarc = "fail", policy = "quarantine" }, Passes)
  add("another domain that asks for refusal", { dmarc = "fail", policy = "reject" }, Asked)
  add("the same to an open list", { dmarc = "fail", policy = "reject" }, Asked, { Open })
  add("the same with proof", { dmarc = "pass", policy = "reject", proven = true }, Passes)
  local Sealed =
    { dmarc = "fail", policy = "reject", arc = "pass", arc_sealer = "lists.example.com", arc_vouches = true }
  local Trusting = { trusted_sealers = { "Lists.example.com" } }
  add("a seal of somebody who is not trusted", Sealed, Asked)
  add("a seal of somebody who is", Sealed, Passes, nil, Trusting)
  add("a trusted seal that does not vouch for the author",
    { dmarc = "fail", policy = "reject", arc = "pass", arc_sealer = "lists.example.com" }, Asked, nil, Trusting)
  add("a trusted seal under a name of ours",
    { dmarc = "fail", policy = "reject", arc = "pass", arc_sealer = "lists.example.com", arc_vouches = true,
      own_domain = true }, Asked, nil, Trusting)
  add("refusal not honoured by setting", { dmarc = "fail", policy = "reject" }, Passes, nil,
    { honour_dmarc_reject = false })
  add("a domain of the settings", { domain = "staff.example.com" }, Refused, nil, { domains = { "Example.com" } })
  add("one that only ends alike", { domain = "notexample.com" }, Passes, nil, { domains = { "example.com" } })
  return all
end

return {
  name = "own_sender_from_outside",
  doc = [[
Your own domains, from outside and without proof

Refuses mail to secure lists whose author is of one of the site's domains, when it comes from outside and nothing
proves that domain: neither SPF nor DKIM speaks for the domain of From. Without an answer of the DNS the mail is
deferred. Mail of relays and of this machine is not concerned.

Mail from any other domain whose owner asks for refusal (a DMARC record with p=reject) is refused for all lists when
nothing proves it; to secure lists it is deferred while that owner's wish cannot be asked. A From of two authors is
refused for secure lists. The owner of such a domain chose that forwarded mail may be lost; the setting
`honour_dmarc_reject` takes it back for all, and `trusted_sealers` for mail that named forwarders have sealed (ARC) and
vouch for, with the note `arc-override`.
]],
  settings = settings,
  hooks = { message = message },
  cases = cases,
}
