-- Who is to send us mail over TLS only: the link is proven in each transaction, not assumed.
local places = require("lib/places")
local tag = require("lib/tag")

local settings = {
  -- Domains (with all below them) and addresses whose mail must come over TLS: "example.org", "ann@example.net".
  senders = {},
  -- Addresses of client computers, as wildcards: "192.0.2.*".
  clients = {},
  -- All mail to secure lists must come over TLS.
  secure_lists = false,
  -- Mail marked as secure (Secure: or [encrypt]) must come over TLS; it came in clear this time, so tell its author.
  tagged = false,
  -- The least that counts as TLS.
  min_version = "TLSv1.2",
  min_bits = 128,
}

local Versions = { ["SSLv3"] = 1, ["TLSv1"] = 2, ["TLSv1.0"] = 2, ["TLSv1.1"] = 3, ["TLSv1.2"] = 4, ["TLSv1.3"] = 5 }

-- Pages and programs on this server have no HELO; they do not come by SMTP.
local function isGood(tx)
  local tls = tx.client.tls
  if not tls then return tx.helo == "" end
  local least = assert(Versions[settings.min_version], "tls_required: unknown min_version")
  return (Versions[tls.version] or 0) >= least and tls.bits >= settings.min_bits
end

local function named(address) return places.isOneOf(address, settings.senders) end

local function isNamedClient(tx)
  for _, pattern in ipairs(settings.clients) do
    if match(pattern, tx.client.address) then return true end
  end
  return false
end

local function refusal(tx)
  local is = tx.client.tls and tx.client.tls.version or "no TLS"
  return reject {
    code = 550, enh = "5.7.10", reason = "tls-required",
    text = string.format("This mail must come over %s or better, %d bits at least; it came with %s. Use STARTTLS.",
      settings.min_version, settings.min_bits, is),
  }
end

-- Before the content is sent in clear.
local function mailHook(tx)
  if isGood(tx) then return pass() end
  return (named(tx.mail_from) or isNamedClient(tx)) and refusal(tx) or pass()
end

local function rcptHook(tx, rcpt)
  if rcpt.secure and settings.secure_lists and not isGood(tx) then return refusal(tx) end
  return pass()
end

local function isTagged(msg)
  for _, subject in ipairs(msg:headers("subject")) do
    local folded = tag.fold(subject)
    if tag.hasColonTag(folded, "secure") or tag.hasBracketTag(folded, "encrypt") then return true end
  end
  return false
end

-- The author may be another than the envelope says; all addresses in From and Sender count.
local function message(tx, msg)
  if isGood(tx) then return pass() end
  for _, name in ipairs { "from", "sender" } do
    for _, value in ipairs(msg:headers(name)) do
      for _, address in ipairs(places.addressesIn(value)) do
        if named(address) then return refusal(tx) end
      end
    end
  end
  if msg.from and named(msg.from) then return refusal(tx) end
  if settings.tagged and isTagged(msg) then return refusal(tx) end
  return pass()
end

local function awake()
  return #settings.senders > 0 or #settings.clients > 0 or settings.secure_lists or settings.tagged
end

local function cases()
  local Secure = { address = "board@example.org", list = "board", secure = true }
  local Open = { address = "social@example.org", list = "social" }
  local Passes = { verdict = "pass" }
  local Refused = { verdict = "reject", code = 550, enh = "5.7.10", reason = "tls-required" }
  local Bank = { senders = { "Bank.example", "ann@example.net" } }
  local Tls13 = { tls = { version = "TLSv1.3", bits = 256 } }
  local all = {}
  local function add(hook, title, tx, expect, values, msg, rcpt)
    all[#all + 1] = { title = title, hook = hook, tx = tx, msg = msg, rcpt = rcpt, settings = values, expect = expect }
  end
  local function from(address, client, helo) return { mail_from = address, client = client, helo = helo } end
  local function over(version, bits) return from("a@bank.example", { tls = { version = version, bits = bits } }) end

  add("mail", "by default nobody is refused", from("a@bank.example"), Passes)
  add("mail", "a named domain in clear is refused", from("a@bank.example"), Refused, Bank)
  add("mail", "in any case", from("A@BANK.Example"), Refused, Bank)
  add("mail", "with a dot at its end", from("a@bank.example."), Refused, Bank)
  add("mail", "a domain below it is refused", from("a@mail.bank.example"), Refused, Bank)
  add("mail", "a domain that only ends alike passes", from("a@notbank.example"), Passes, Bank)
  add("mail", "a named address is refused", from("Ann@example.net"), Refused, Bank)
  add("mail", "another address of that domain passes", from("ben@example.net"), Passes, Bank)
  add("mail", "a quoted local part does not hide the domain", from('"x@y"@bank.example'), Refused, Bank)
  add("mail", "an entry with @ before the domain means the same", from("a@bank.example"), Refused,
    { senders = { "@bank.example" } })
  add("mail", "the null sender passes", from(""), Passes, Bank)
  add("mail", "a named domain over TLS passes", from("a@bank.example", Tls13), Passes, Bank)
  add("mail", "TLS 1.2 of 128 bits passes", over("TLSv1.2", 128), Passes,
    Bank)
  add("mail", "an old version is refused", over("TLSv1.1", 256), Refused,
    Bank)
  add("mail", "the first version is refused", over("TLSv1", 256), Refused,
    Bank)
  add("mail", "a version that nobody knows is refused", over("x", 256),
    Refused, Bank)
  add("mail", "a weak cipher is refused", over("TLSv1.2", 112), Refused,
    Bank)
  add("mail", "a newer version by setting", over("TLSv1.2", 256), Refused,
    { senders = { "bank.example" }, min_version = "TLSv1.3" })
  add("mail", "what people write on our pages did not come by SMTP", from("a@bank.example", nil, ""), Passes, Bank)
  add("mail", "a named client in clear is refused", from("x@example.com", { address = "198.51.100.7" }), Refused,
    { clients = { "198.51.100.*" } })
  add("mail", "another client passes", from("x@example.com", { address = "198.51.101.7" }), Passes,
    { clients = { "198.51.100.*" } })
  add("mail", "the refusal says what to do", from("a@bank.example"), { verdict = "reject", text = "Use STARTTLS" },
    Bank)

  add("rcpt", "a secure list takes mail in clear by default", {}, Passes, nil, nil, Secure)
  add("rcpt", "a secure list refuses it by setting", {}, Refused, { secure_lists = true }, nil, Secure)
  add("rcpt", "an open list takes it also then", {}, Passes, { secure_lists = true }, nil, Open)
  add("rcpt", "a secure list takes mail over TLS", { client = Tls13 }, Passes, { secure_lists = true }, nil, Secure)

  local function content(title, headers, expect, values, client)
    add("message", title, { mail_from = "x@example.com", recipients = { Secure }, client = client }, expect, values,
      { headers = headers })
  end
  content("a named author behind another envelope is refused", { "From: Ann <a@bank.example>" }, Refused, Bank)
  content("one of two authors is enough", { "From: x@example.com, a@bank.example" }, Refused, Bank)
  content("a second From field counts", { "From: x@example.com", "From: a@bank.example" }, Refused, Bank)
  content("a Sender counts", { "From: x@example.com", "Sender: a@bank.example" }, Refused, Bank)
  content("another author passes", { "From: Ann <ann@example.com>" }, Passes, Bank)
  content("a named author over TLS passes", { "From: Ann <a@bank.example>" }, Passes, Bank, Tls13)
  content("marked mail in clear passes by default", { "Subject: Secure: x" }, Passes)
  content("marked mail in clear is refused by setting", { "Subject: Secure: x" }, Refused, { tagged = true })
  content("a hidden sign does not hide the mark", { "Subject: [en\u{200B}crypt] x" }, Refused, { tagged = true })
  content("other mail in clear passes then", { "Subject: x" }, Passes, { tagged = true })
  all[#all + 1] = { title = "the author's address alone is enough", tx = { recipients = { Open } }, settings = Bank,
    msg = { from = "a@bank.example" }, expect = Refused }
  return all
end

return {
  name = "tls_required",
  doc = [[
TLS on the way in

Refuses mail of named senders and client computers that does not come over TLS of at least `min_version` and `min_bits`:
envelope sender at MAIL, before any content is sent, author (From, Sender) with the message. `secure_lists` asks it of
all mail to secure lists, `tagged` of all mail whose subject is marked as secure. By default nobody is named.

TLS demands of a listener are settings of the gateway.
]],
  settings = settings,
  awake = awake,
  hooks = { mail = mailHook, rcpt = rcptHook, message = message },
  cases = cases,
}
