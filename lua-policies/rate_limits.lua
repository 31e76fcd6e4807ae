-- Nobody floods lists: how much one client, sender or list may have in a time.
local lists = require("lib/lists")
local places = require("lib/places")

local settings = {
  -- The time that all limits are for, in seconds.
  seconds = 3600,
  -- Messages of one client computer (a /64 of IPv6); 0 is no limit, here as below.
  client_messages = 0,
  -- Messages of one envelope sender, and of all senders of one domain.
  sender_messages = 0,
  domain_messages = 0,
  -- Recipients of one envelope sender.
  sender_recipients = 0,
  -- Messages of one sender to one list, and of all to one list.
  sender_posts = 0,
  list_posts = 0,
  -- Client computers and senders that no limit is for, as wildcards: "192.0.2.*", "*@example.org". Own servers first.
  exempt = {},
}

local function isExempt(tx)
  for _, pattern in ipairs(settings.exempt) do
    if match(pattern, tx.client.address) or match(pattern, tx.mail_from) then return true end
  end
  return false
end

-- Marks behind + do not make another sender.
local function senderOf(tx)
  local low = tx.mail_from:lower()
  return ((low:match("^[^+@]+") or "") .. "@" .. places.domainOf(low)):sub(-200)
end

-- A verdict if there were more than the limit of this within the time.
local function beyond(limit, kind, key, what)
  if limit == 0 or count(kind .. " " .. key, settings.seconds) <= limit then return nil end
  return defer { code = 451, enh = "4.7.1", reason = "rate-" .. kind,
    text = string.format("Too many %s: at most %d in %d seconds. Try again later.", what, limit, settings.seconds) }
end

local function mailHook(tx)
  if isExempt(tx) then return pass() end
  local network = places.networkOf(tx.client.address)
  local client = beyond(settings.client_messages, "client", network, "messages from this client")
  -- Reports of failed deliveries have no sender; only their client counts.
  if client or tx.mail_from == "" then return client or pass() end
  return beyond(settings.sender_messages, "sender", senderOf(tx), "messages of this sender")
    or beyond(settings.domain_messages, "domain", places.domainOf(tx.mail_from), "messages of this domain") or pass()
end

local function rcptHook(tx, rcpt)
  if tx.mail_from == "" or isExempt(tx) then return pass() end
  local sender = senderOf(tx)
  local found = beyond(settings.sender_recipients, "recipients", sender, "recipients of this sender")
  if found or not lists.isPost(rcpt) then return found or pass() end
  local list = lists.addressOf(rcpt):sub(-50)
  return beyond(settings.sender_posts, "posts", sender .. " " .. list, "messages of this sender to the list")
    or beyond(settings.list_posts, "list", list, "messages to the list") or pass()
end

local function awake()
  for _, limit in ipairs { "client_messages", "sender_messages", "domain_messages", "sender_recipients", "sender_posts",
    "list_posts" } do
    if settings[limit] ~= 0 then return true end
  end
  return false
end

local function cases()
  local Passes = { verdict = "pass" }
  local List = { address = "social@example.org", list = "social" }
  local all = {}
  local function add(hook, title, tx, counts, expect, values, rcpt)
    all[#all + 1] = { title = title, hook = hook, tx = tx, rcpt = rcpt, counts = counts, settings = values,
      expect = expect }
  end
  local function late(kind) return { verdict = "defer", code = 451, enh = "4.7.1", reason = "rate-" .. kind } end
  local function of(sender, address) return { mail_from = sender, client = { address = address } } end
  local function mail(title, tx, counts, expect, values) add("mail", title, tx, counts, expect, values) end
  local function rcpt(title, tx, counts, expect, values, to)
    add("rcpt", title, tx, counts, expect, values, to or List)
  end
  local Ann = of("ann@example.net", "192.0.2.7")
  local Ten = { client_messages = 10 }

  mail("by default nothing is limited", Ann, { ["client 192.0.2.7"] = 100000 }, Passes)
  rcpt("nor are recipients", Ann, { ["recipients ann@example.net"] = 100000 }, Passes)
  mail("the tenth message of a client passes", Ann, { ["client 192.0.2.7"] = 10 }, Passes, Ten)
  mail("the eleventh is put off", Ann, { ["client 192.0.2.7"] = 11 }, late("client"), Ten)
  mail("that of another client passes", Ann, { ["client 192.0.2.8"] = 11 }, Passes, Ten)
  mail("an address of IPv6 counts with its network", of("a@b.example", "2001:DB8:0:01::77"),
    { ["client 2001:db8:0:1::/64"] = 11 }, late("client"), Ten)
  mail("also written at length", of("a@b.example", "2001:db8:0:1:2:3:4:5"), { ["client 2001:db8:0:1::/64"] = 11 },
    late("client"), Ten)
  mail("also where its end is left out", of("a@b.example", "2001:db8::"), { ["client 2001:db8:0:0::/64"] = 11 },
    late("client"), Ten)
  mail("also where its beginning is", of("a@b.example", "::1"), { ["client 0:0:0:0::/64"] = 11 }, late("client"), Ten)
  mail("an address of IPv4 in IPv6 stands for itself", of("a@b.example", "::ffff:192.0.2.7"),
    { ["client ::ffff:192.0.2.7"] = 11 }, late("client"), Ten)
  mail("a report of a failed delivery counts for its client", of("", "192.0.2.7"), { ["client 192.0.2.7"] = 11 },
    late("client"), Ten)
  mail("and for no sender", of("", "192.0.2.7"), { ["sender @"] = 11 }, Passes, { sender_messages = 10 })
  mail("a sender's messages", Ann, { ["sender ann@example.net"] = 11 }, late("sender"), { sender_messages = 10 })
  mail("in any case and behind +", of("Ann+x7@Example.net."), { ["sender ann@example.net"] = 11 }, late("sender"),
    { sender_messages = 10 })
  mail("another sender passes", of("ben@example.net"), { ["sender ann@example.net"] = 11 }, Passes,
    { sender_messages = 10 })
  mail("a sender of nothing but + counts", of("+x@example.net"), { ["sender @example.net"] = 11 }, late("sender"),
    { sender_messages = 10 })
  mail("a very long sender counts by its end", of(("x"):rep(64) .. "@" .. ("y"):rep(180) .. ".example"),
    { ["sender " .. ("x"):rep(11) .. "@" .. ("y"):rep(180) .. ".example"] = 11 }, late("sender"),
    { sender_messages = 10 })
  mail("all senders of a domain", of("new@example.net"), { ["domain example.net"] = 11 }, late("domain"),
    { domain_messages = 10 })
  mail("exempt is a client", Ann, { ["client 192.0.2.7"] = 11 }, Passes,
    { client_messages = 10, exempt = { "192.0.2.*" } })
  mail("exempt is a sender", Ann, { ["client 192.0.2.7"] = 11 }, Passes,
    { client_messages = 10, exempt = { "10.*", "*@example.net" } })
  mail("others are not", Ann, { ["client 192.0.2.7"] = 11 }, late("client"),
    { client_messages = 10, exempt = { "10.*", "*@example.org" } })
  mail("the sender is told the limit", Ann, { ["client 192.0.2.7"] = 11 },
    { verdict = "defer", text = "at most 10 in 60 seconds" }, { client_messages = 10, seconds = 60 })

  rcpt("a sender's recipients", Ann, { ["recipients ann@example.net"] = 501 }, late("recipients"),
    { sender_recipients = 500 }, "x@example.com")
  rcpt("the last one passes", Ann, { ["recipients ann@example.net"] = 500 }, Passes, { sender_recipients = 500 })
  rcpt("a recipient that is no list passes", Ann, { ["list ann@example.org"] = 9 }, Passes, { list_posts = 5 },
    "ann@example.org")
  rcpt("a sender's posts to a list", Ann, { ["posts ann@example.net social@example.org"] = 6 }, late("posts"),
    { sender_posts = 5 })
  rcpt("all posts to a list", Ann, { ["list social@example.org"] = 6 }, late("list"), { list_posts = 5 })
  rcpt("posts to another list", Ann, { ["list board@example.org"] = 6 }, Passes, { list_posts = 5 })
  rcpt("a request to a list is no post", Ann, { ["list social@example.org"] = 6 }, Passes, { list_posts = 5 },
    { address = "social-request@example.org", list = "social@example.org" })
  rcpt("exempt is a client here, too", Ann, { ["list social@example.org"] = 6 }, Passes,
    { list_posts = 5, exempt = { "192.0.2.7" } })
  rcpt("reports of failed deliveries are not counted", of(""), { ["recipients @"] = 900 }, Passes,
    { sender_recipients = 5 })
  return all
end

return {
  name = "rate_limits",
  doc = [[
How much may come at a time

Limits the messages of one client, one sender and one domain, the recipients of one sender, and the messages to one
list, each within `seconds`. What is beyond gets 451 4.7.1 (`rate-client` and so on): nothing is lost, since an honest
server tries again. Tries that are put off count, too. Networks of IPv6 (/64) count as one client, `ann+x@` as `ann@`.
Reports of failed deliveries count for their client only.

By default nothing is limited: put the organisation's own servers into `exempt` first. Counts are kept in memory and
begin anew with the gateway. Connections, and attempts to guess passwords, are limited by the gateway itself.
]],
  settings = settings,
  awake = awake,
  hooks = { mail = mailHook, rcpt = rcptHook },
  cases = cases,
}
