-- Organisations that we work with: what they write may come in where strangers' mail may not, and what goes out to
-- others is read only by whom it is for.
local places = require("lib/places")

local settings = {
  -- Secure lists take mail of trusted domains and our own only. Trust needs proof: SPF or DKIM, and TLS.
  secure_lists = false,
  -- The least TLS that mail of a trusted domain comes over; "" asks for none.
  min_version = "TLSv1.2",
  -- The weakest protection for recipients outside of lists and trusted domains, for all recipients of such a message:
  -- "tls", "pickup" (they prove who they are), "openpgp", "smime". "" asks for none.
  protect_others = "",
  -- What a stranger is told. Plain ASCII.
  text = "This list takes mail of its own organisation and of those that it works with only. Ask its owner.",
}

local Versions = { ["TLSv1.2"] = 2, ["TLSv1.3"] = 3 }

local function cameOverTls(tx)
  if settings.min_version == "" then return true end
  local least = assert(Versions[settings.min_version], "trusted_domains: unknown min_version")
  local tls = tx.client.tls
  return tls ~= nil and (Versions[tls.version] or 0) >= least
end

-- A verdict for who may not write to secure lists; nil for who may.
local function whyNot(tx, auth)
  -- A relay, this machine, our own pages.
  if not auth then return nil end
  local trusted = auth.domain and (auth.own_domain or in_set("trusted_domains", auth.domain))
  if trusted and auth.undecided then
    return defer { code = 451, enh = "4.7.0", reason = "sender-not-checked",
      text = "Whether this message is of whom it says cannot be checked now. Try again later." }
  end
  if not trusted or not auth.proven then
    return reject { code = 550, enh = "5.7.1", reason = "untrusted-domain", text = settings.text }
  end
  if not cameOverTls(tx) then
    return reject { code = 550, enh = "5.7.10", reason = "trusted-without-tls",
      text = "Mail of " .. auth.domain .. " is trusted over " .. settings.min_version
        .. " or better only. Use STARTTLS." }
  end
  return nil
end

local function message(tx, msg)
  local why = settings.secure_lists and whyNot(tx, msg.auth) or nil
  local found = {}
  for _, rcpt in ipairs(tx.recipients) do
    if rcpt.list then
      if rcpt.secure then found[rcpt.address] = why end
    elseif settings.protect_others ~= "" and not in_set("trusted_domains", places.domainOf(rcpt.address)) then
      msg:note("protect", settings.protect_others)
    end
  end
  return verdicts(found)
end

local function awake()
  return settings.secure_lists or settings.protect_others ~= ""
end

local function cases()
  local Secure = { address = "board@example.org", list = "board", secure = true }
  local Open = { address = "social@example.org", list = "social" }
  local Passes = { verdict = "pass" }
  local Refused = { verdict = "reject", code = 550, enh = "5.7.1", reason = "untrusted-domain" }
  local NoTls = { verdict = "reject", code = 550, enh = "5.7.10", reason = "trusted-without-tls" }
  local Later = { verdict = "defer", code = 451, enh = "4.7.0", reason = "sender-not-checked" }
  local Closed = { secure_lists = true }
  local all = {}
  local function add(title, auth, expect, values, recipients, version, set)
    all[#all + 1] = { title = title, msg = { auth = auth }, settings = values, expect = expect,
      sets = { trusted_domains = set or { "partner.example", ".clinic.example" } },
      tx = { recipients = recipients or { Secure },
        client = { tls = version ~= "" and { version = version or "TLSv1.3", bits = 256 } or nil } } }
  end
  local function of(domain, more)
    local auth = { domain = domain, proven = true, spf = "pass" }
    for key, value in pairs(more or {}) do auth[key] = value end
    return auth
  end

  add("by default everybody may write to secure lists", of("stranger.example"), Passes)
  add("a stranger is refused by setting", of("stranger.example"), Refused, Closed)
  add("a trusted domain may", of("partner.example"), Passes, Closed)
  add("in any case", of("PARTNER.example"), Passes, Closed)
  add("a domain below it is another one", of("mail.partner.example"), Refused, Closed)
  add("unless the entry begins with a full stop", of("mail.clinic.example"), Passes, Closed)
  add("which stands for the domain itself, too", of("clinic.example"), Passes, Closed)
  add("a domain that only ends alike is a stranger", of("notpartner.example"), Refused, Closed)
  add("a trusted domain as part of another is a stranger", of("partner.example.evil.example"), Refused, Closed)
  add("look-alike letters are a stranger", of("p\u{430}rtner.example"), Refused, Closed)
  add("a trusted domain without proof is refused", of("partner.example", { proven = false }), Refused, Closed)
  add("without an answer of the DNS it is put off", of("partner.example", { proven = false, undecided = true }), Later,
    Closed)
  add("a stranger is refused at once also then", of("stranger.example", { proven = false, undecided = true }), Refused,
    Closed)
  add("our own domain may", of("example.org", { own_domain = true }), Passes, Closed)
  add("our own domain without proof is refused", of("example.org", { own_domain = true, proven = false }), Refused,
    Closed)
  add("a relay may", nil, Passes, Closed)
  add("no single author is a stranger", of("", { proven = false }), Refused, Closed)
  add("a trusted domain in clear is refused", of("partner.example"), NoTls, Closed, nil, "")
  add("a trusted domain over old TLS is refused", of("partner.example"), NoTls, Closed, nil, "TLSv1.1")
  add("TLS 1.2 is enough", of("partner.example"), Passes, Closed, nil, "TLSv1.2")
  add("not where the setting wants more", of("partner.example"), NoTls,
    { secure_lists = true, min_version = "TLSv1.3" }, nil, "TLSv1.2")
  add("none is asked by setting", of("partner.example"), Passes, { secure_lists = true, min_version = "" }, nil, "")
  add("nobody is trusted while the set is empty", of("partner.example"), Refused, Closed, nil, nil, {})
  add("open lists take mail of strangers", of("stranger.example"), Passes, Closed, { Open })
  add("of two lists the secure one refuses a stranger", of("stranger.example"),
    { verdict = "reject", reason = "untrusted-domain", recipients = { "board@example.org" } }, Closed, { Open, Secure })
  add("the refusal is the site's text", of("stranger.example"), { verdict = "reject", text = "ask Ann" },
    { secure_lists = true, text = "Please ask Ann." })

  local Pickup = { protect_others = "pickup" }
  add("mail to strangers goes out, protected by setting", nil, Passes, Pickup, { "x@stranger.example" })
  add("mail to a trusted domain goes out as it is", nil, Passes, Pickup, { "x@Partner.example" })
  add("mail to both goes out, protected", nil, Passes, Pickup, { "x@partner.example", "y@stranger.example" })
  add("an address without a domain is a stranger's", nil, Passes, Pickup, { "postmaster" })
  return all
end

return {
  name = "trusted_domains",
  doc = [[
Trusted organisations

By setting (`secure_lists`), secure lists take mail only of the site's own domains and of those in the set
`trusted_domains`, when SPF or DKIM proves it and it came over TLS (`min_version`). Anybody else gets 550 5.7.1
(`untrusted-domain`), also while the set is empty. An entry `.example.org` stands for that domain and all below it.

By setting (`protect_others`), mail that goes out to addresses in other domains is protected at least so: with "pickup"
its readers prove who they are. It holds for all recipients of the message. Which domains get mail directly over TLS is
said by `postern domain trust`, not here. By default this policy changes nothing.
]],
  settings = settings,
  sets = { trusted_domains = "Domains of organisations that we work with; .example.org stands for all below it, too." },
  awake = awake,
  hooks = { message = message },
  cases = cases,
}
