-- Servers and domains that the organisation gives up: first seen, then told, then refused.
local places = require("lib/places")

local settings = {
  -- Off: what still uses them passes, with a note in the trace. On: it is refused, and told where to go.
  refuse = false,
  -- A warning that is noticed and loses nothing: the first message of each client in so many seconds is put off (451),
  -- what comes again is taken. 0 is never.
  brownout = 0,
  -- What to use instead, as the sender is told: "smtp.example.org, port 587".
  instead = "",
  -- How many Received fields, the newest first, are looked at for a server that the message came through. 0 is none.
  hops = 5,
}

local function advice()
  return settings.instead == "" and "Ask the administrator." or "Use " .. settings.instead .. "."
end

local function refusal(what)
  return reject { code = 550, enh = "5.7.1", reason = "legacy-server",
    text = what .. " is no longer in use. " .. advice() }
end

-- The old server that hands the mail over, by verified name, HELO or IP address.
local function clientOf(tx)
  for _, name in ipairs { tx.client.name or "", tx.helo, tx.client.address } do
    name = name:lower():gsub("%.$", "")
    if name ~= "" and in_set("legacy_servers", name) then return name end
  end
  return nil
end

-- The old server that took it before. What stands in comments was written by strangers.
local function passedThrough(msg)
  for i, value in ipairs(msg:headers("received")) do
    if i > settings.hops then break end
    local clear = value:sub(1, 1000):gsub("%b()", " ")
    for _, by in ipairs(find_all([[(?i)(?:^|\s)by\s+[a-z0-9_.-]+]], clear, 1)) do
      local name = by:lower():match("(%S+)$"):gsub("%.$", "")
      if in_set("legacy_servers", name) then return name end
    end
  end
  return nil
end

local function mailHook(tx)
  local name = clientOf(tx)
  if not name then return pass() end
  if settings.refuse then return refusal("The server " .. name) end
  if settings.brownout > 0 and count("brownout " .. places.networkOf(tx.client.address), settings.brownout) == 1 then
    return defer { code = 451, enh = "4.7.1", reason = "legacy-server",
      text = "The server " .. name .. " will soon be refused, so this is late on purpose. " .. advice() }
  end
  return pass()
end

local function rcptHook(_, rcpt)
  local domain = places.domainOf(rcpt.address)
  if settings.refuse and in_set("legacy_domains", domain) then return refusal("The domain " .. domain) end
  return pass()
end

local function message(tx, msg)
  local name = clientOf(tx) or passedThrough(msg)
  if name then msg:note("legacy-server", name) end
  for _, rcpt in ipairs(tx.recipients) do
    local domain = places.domainOf(rcpt.address)
    if in_set("legacy_domains", domain) then
      msg:note("legacy-domain", domain)
      break
    end
  end
  return name and settings.refuse and refusal("The server " .. name) or pass()
end

local function cases()
  local Passes = { verdict = "pass" }
  local Refused = { verdict = "reject", code = 550, enh = "5.7.1", reason = "legacy-server" }
  local Late = { verdict = "defer", code = 451, enh = "4.7.1", reason = "legacy-server" }
  local Refuse = { refuse = true }
  local Brownout = { brownout = 3600 }
  local all = {}
  local function add(hook, title, more, expect, values)
    local one = { title = title, hook = hook, expect = expect, settings = values, sets = {
      legacy_servers = { "old.example.org", ".campus.example.org", "192.0.2.25" },
      legacy_domains = { "oldlists.example" } } }
    for key, value in pairs(more) do one[key] = value end
    all[#all + 1] = one
  end
  local function from(title, client, expect, values, helo)
    add("mail", title, { tx = { client = client, helo = helo } }, expect, values)
  end
  local function to(title, address, expect, values) add("rcpt", title, { rcpt = address }, expect, values) end
  local function through(title, received, expect, values, tx)
    local headers = {}
    for i, value in ipairs(received) do headers[i] = "Received: " .. value end
    add("message", title, { tx = tx or { recipients = { "ann@example.org" } }, msg = { headers = headers } }, expect,
      values)
  end

  from("an old server passes by default", { name = "old.example.org" }, Passes)
  from("an old server is refused by setting", { name = "old.example.org" }, Refused, Refuse)
  from("in any case, with a full stop", { name = "OLD.Example.org." }, Refused, Refuse)
  from("by what it says of itself", {}, Refused, Refuse, "old.example.org")
  from("by its address", { address = "192.0.2.25" }, Refused, Refuse)
  from("one of a whole domain", { name = "mx7.campus.example.org" }, Refused, Refuse)
  from("another server passes", { name = "new.example.org", address = "192.0.2.26" }, Passes, Refuse, "new.example")
  from("a name that only begins alike passes", { name = "old.example.org.example.net" }, Passes, Refuse)
  from("the refusal says what to do", { name = "old.example.org" },
    { verdict = "reject", text = "The server old.example.org is no longer in use. Use smtp.example.org, port 587." },
    { refuse = true, instead = "smtp.example.org, port 587" })
  from("or whom to ask", { name = "old.example.org" }, { verdict = "reject", text = "Ask the administrator." }, Refuse)
  from("a brownout puts the first message off", { name = "old.example.org" }, Late, Brownout)
  add("mail", "and takes it when it comes again", { tx = { client = { address = "192.0.2.25" } },
    counts = { ["brownout 192.0.2.25"] = 2 } }, Passes, Brownout)
  add("mail", "from anywhere in its network", {
    tx = { client = { address = "2001:db8:0:7::25", name = "old.example.org" } },
    counts = { ["brownout 2001:db8:0:7::/64"] = 2 } }, Passes, Brownout)
  from("a brownout does not concern others", { name = "new.example.org" }, Passes, Brownout)

  to("an old domain passes by default", "board@oldlists.example", Passes)
  to("an old domain is refused by setting", "board@OldLists.example", Refused, Refuse)
  to("a domain below it passes", "board@x.oldlists.example", Passes, Refuse)
  to("a new domain passes", "board@example.org", Passes, Refuse)

  local ByOld = "from a (a [192.0.2.1]) by old.example.org (Postfix) with ESMTPS id 1; Mon, 2 Mar 2026 10:00:00 +0000"
  local ByNew = "from b by new.example.org with ESMTPS; Mon, 2 Mar 2026 10:00:00 +0000"
  through("mail through an old server passes by default", { ByNew, ByOld }, Passes)
  through("mail through an old server is refused by setting", { ByNew, ByOld }, Refused, Refuse)
  through("also where BY is written large", { "from a\r\n\tBY   OLD.example.org;" }, Refused, Refuse)
  through("where the field begins with by", { "by old.example.org; Mon, 2 Mar 2026" }, Refused, Refuse)
  through("mail through other servers passes", { ByNew }, Passes, Refuse)
  through("mail from an old server that others took passes", { "from old.example.org by b.example" }, Passes, Refuse)
  through("what a comment says does not count", { "from x (by old.example.org) by new.example.org" }, Passes, Refuse)
  through("nor does a name without by", { "from x; by-old.example.org" }, Passes, Refuse)
  through("older hops do not count", { ByNew, ByNew, ByNew, ByNew, ByNew, ByOld }, Passes, Refuse)
  through("none counts by setting", { ByOld }, Passes, { refuse = true, hops = 0 })
  through("brackets without an end do not take long", { ("("):rep(60000) .. " by old.example.org" }, Passes, Refuse)
  through("mail for an old domain passes, with a note", {}, Passes, nil, { recipients = { "board@oldlists.example" } })
  through("an old server is refused with the message, too", {}, Refused, Refuse,
    { recipients = { "ann@example.org" }, helo = "old.example.org" })
  return all
end

return {
  name = "legacy_server",
  doc = [[
Old servers and domains

Servers that the organisation gives up are in the set `legacy_servers` (names, `.example.org`, IP addresses), old
domains of lists in `legacy_domains`. What still comes from or through them, or is written to them, passes with the
notes `legacy-server` and `legacy-domain` in its trace, so that it can be found out who uses them.

Later `brownout` puts the first message of a client in so many seconds off (451): people notice, nothing is lost. At
last `refuse` ends it: 550 5.7.1 (`legacy-server`) with what to use instead. A server that mail came through is known by
the newest `hops` Received fields. Other names of this server itself and their dates are settings of the gateway.
]],
  settings = settings,
  sets = {
    legacy_servers = "Servers that we give up: names, .example.org for all below, IP addresses.",
    legacy_domains = "Domains whose addresses we give up.",
  },
  hooks = { mail = mailHook, rcpt = rcptHook, message = message },
  cases = cases,
}
