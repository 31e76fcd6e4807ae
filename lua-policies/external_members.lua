-- Members elsewhere: what a secure list sends out of the house is protected more than what stays in it.
local settings = {
  -- The weakest protection for members outside, by the class of the list: "tls", "pickup" (they prove who they are),
  -- "openpgp", "smime". "" asks for none beyond the list's own.
  low = "",
  moderate = "",
  high = "",
  -- The same for posts that are marked as secure or that a policy has found to be sensitive, of any list.
  marked = "",
  -- Whether members of domains in the set `trusted_domains` count as our own.
  trusted = true,
}

local Strength = { [""] = 0, tls = 1, pickup = 2, openpgp = 3, smime = 4 }

local function strengthOf(word)
  return Strength[word] or error("external_members: a protection is tls, pickup, openpgp, smime or empty")
end

local function isOurs(domain)
  return in_set("internal_domains", domain) or settings.trusted and in_set("trusted_domains", domain)
end

local function memberHook(post, member)
  local class = post.list.sensitivity
  local wanted = class == "low" and settings.low or class == "high" and settings.high or settings.moderate
  if (post:noted("tagged") or post:noted("sensitive")) and strengthOf(settings.marked) > strengthOf(wanted) then
    wanted = settings.marked
  end
  if strengthOf(wanted) == 0 or isOurs(member.domain) then return pass() end
  return protect { protection = wanted, reason = "external-member" }
end

local function awake()
  return settings.low ~= "" or settings.moderate ~= "" or settings.high ~= "" or settings.marked ~= ""
end

local function cases()
  local Passes = { verdict = "pass" }
  local all = {}
  local function add(title, member, expect, values, class, notes)
    all[#all + 1] = { title = title, hook = "member", member = member, settings = values, expect = expect,
      post = { author = "ann@example.org", notes = notes }, list = { secure = true, sensitivity = class or "moderate" },
      sets = { internal_domains = { "example.org", ".campus.example" }, trusted_domains = { "partner.example" } } }
  end
  local function needs(protection)
    return { verdict = "protect", protection = protection, reason = "external-member" }
  end
  local Pickup = { moderate = "pickup" }

  add("by default nothing more is asked", "eve@elsewhere.example", Passes)
  add("a member outside gets more by setting", "eve@elsewhere.example", needs("pickup"), Pickup)
  add("a member inside does not", "ann@example.org", Passes, Pickup)
  add("in any case", "Ann@EXAMPLE.org", Passes, Pickup)
  add("a domain below ours is another one", "ann@mail.example.org", needs("pickup"), Pickup)
  add("unless the entry begins with a full stop", "ann@mail.campus.example", Passes, Pickup)
  add("a domain that only ends alike is outside", "ann@notexample.org", needs("pickup"), Pickup)
  add("look-alike letters are outside", "ann@ex\u{430}mple.org", needs("pickup"), Pickup)
  add("our domain in front of another is outside", "ann@example.org.evil.example", needs("pickup"), Pickup)
  add("our domain in the local part is outside", '"ann@example.org"@evil.example', needs("pickup"), Pickup)
  add("a trusted domain counts as ours", "pat@partner.example", Passes, Pickup)
  add("not by setting", "pat@partner.example", needs("pickup"), { moderate = "pickup", trusted = false })
  add("lists of high class ask for what is set for them", "eve@elsewhere.example", needs("smime"),
    { moderate = "pickup", high = "smime" }, "high")
  add("lists of low class, too", "eve@elsewhere.example", needs("tls"), { low = "tls", moderate = "pickup" }, "low")
  add("or for nothing", "eve@elsewhere.example", Passes, Pickup, "low")
  local Marked = { moderate = "tls", marked = "openpgp" }
  add("a marked post asks for more", "eve@elsewhere.example", needs("openpgp"), Marked, nil, { tagged = "yes" })
  add("so does a sensitive one", "eve@elsewhere.example", needs("openpgp"), Marked, nil,
    { sensitive = "card numbers" })
  add("another note does not", "eve@elsewhere.example", needs("tls"), Marked, nil, { colour = "blue" })
  add("a mark never weakens", "eve@elsewhere.example", needs("smime"), { high = "smime", marked = "tls" }, "high",
    { tagged = "yes" })
  add("a marked post stays as it is inside", "ann@example.org", Passes, Marked, nil, { tagged = "yes" })
  return all
end

return {
  name = "external_members",
  doc = [[
Members outside the organisation

Members of secure lists whose address is in none of the domains of the set `internal_domains` get copies that are
protected at least as `low`, `moderate` or `high` says, by the class of their list, and `marked` for posts that are
marked as secure or found to be sensitive. Domains of the set `trusted_domains` count as ours (`trusted`). It
strengthens only: what the list, its domain and the member want stays the least. A member who cannot be reached so
strongly gets the notice without content.

By default nothing more is asked. Fill `internal_domains` first: while it is empty everybody is outside. An address of
ours that forwards elsewhere looks as ours; what then protects the copy is that it is encrypted for a key.
]],
  settings = settings,
  sets = {
    internal_domains = "Domains of our own members; .example.org stands for all below it, too.",
    trusted_domains = "Domains of organisations that we work with; .example.org stands for all below it, too.",
  },
  awake = awake,
  hooks = { member = memberHook },
  cases = cases,
}
