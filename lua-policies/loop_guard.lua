-- Mail that runs in circles ends here, and machines that answer by themselves do not answer to lists.
local lists = require("lib/lists")

local settings = {
  -- More Received fields than this are a loop.
  max_hops = 50,
  -- Answers of machines (Auto-Submitted: auto-replied, X-Autoreply, Precedence: auto_reply) to lists are refused.
  auto_replies = true,
  -- Also what machines write of themselves (auto-generated): alerts, reports of programs.
  auto_generated = false,
}

-- No honest field of these is longer; blanks and brackets without an end must not take long.
local function trimmed(text) return text:sub(1, 500):lower():match("^%s*(.-)%s*$") end

-- "Board <board.example.org>" -> "board.example.org"
local function idOf(value)
  local inner = value:match("<([^<>]*)>[^<>]*$") or value
  return trimmed(inner)
end

-- Fields that only mail has that this list has sent before, or that was delivered to it.
local function hasPassed(msg, rcpt)
  local address = lists.addressOf(rcpt)
  local id = address:gsub("@", ".", 1)
  for _, value in ipairs(msg:headers("list-id")) do
    if idOf(value) == id then return true end
  end
  for _, name in ipairs { "delivered-to", "x-loop", "x-beenthere" } do
    for _, value in ipairs(msg:headers(name)) do
      if idOf(value) == address then return true end
    end
  end
  return false
end

-- nil, "reply" or "generated" (RFC 3834; older programs have fields of their own).
local function automatic(msg)
  local kind = nil
  for _, value in ipairs(msg:headers("auto-submitted")) do
    local word = trimmed(value:sub(1, 500):gsub("%b()", "")):match("^[^;%s]*")
    if word == "auto-replied" then return "reply" end
    if word ~= "no" then kind = "generated" end
  end
  for _, value in ipairs(msg:headers("precedence")) do
    if trimmed(value) == "auto_reply" then return "reply" end
  end
  for _, name in ipairs { "x-autoreply", "x-autorespond" } do
    local value = msg:header(name)
    if value and trimmed(value) ~= "no" then return "reply" end
  end
  return kind
end

local Loop = { code = 554, enh = "5.4.6", reason = "loop",
  text = "This message has been here before: a forwarder sends mail of the list back to it. Stop that forwarding." }

local function message(tx, msg)
  if #msg:headers("received") > settings.max_hops then
    return reject { code = 554, enh = "5.4.6", reason = "too-many-hops",
      text = "The message went through too many servers: it runs in a circle." }
  end
  local kind = automatic(msg)
  local found = {}
  for _, rcpt in ipairs(tx.recipients) do
    if not lists.isPost(rcpt) then
      found[rcpt.address] = nil
    elseif hasPassed(msg, rcpt) then
      found[rcpt.address] = reject(Loop)
    elseif (kind == "reply" and settings.auto_replies) or (kind == "generated" and settings.auto_generated) then
      found[rcpt.address] = reject { code = 550, enh = "5.7.1", reason = "automatic",
        text = "Lists take no mail that a machine sends by itself, such as notices of absence." }
    end
  end
  return verdicts(found)
end

local function cases()
  local Social = { address = "social@example.org", list = "social" }
  local Board = { address = "board@example.org", list = "board", secure = true }
  local Passes = { verdict = "pass" }
  local Looping = { verdict = "reject", code = 554, enh = "5.4.6", reason = "loop" }
  local Automatic = { verdict = "reject", code = 550, enh = "5.7.1", reason = "automatic" }
  local all = {}
  local function add(title, headers, expect, recipients, values)
    all[#all + 1] = { title = title, tx = { recipients = recipients or { Social } }, msg = { headers = headers },
      settings = values, expect = expect }
  end
  local function hops(number)
    local list = {}
    for i = 1, number do list[i] = "Received: from a by b; Mon, 2 Mar 2026 10:00:00 +0000" end
    return list
  end

  add("a message of a person passes", { "Subject: lunch" }, Passes)
  add("fifty servers are many but pass", hops(50), Passes)
  add("fifty-one are a loop", hops(51), { verdict = "reject", code = 554, reason = "too-many-hops" })
  add("also where no list is addressed", hops(51), { verdict = "reject", reason = "too-many-hops" },
    { "a@example.org" })
  add("the limit is a setting", hops(11), { verdict = "reject", reason = "too-many-hops" }, nil, { max_hops = 10 })
  add("the list's own List-Id is a loop", { "List-Id: Social <social.example.org>" }, Looping)
  add("in any case and without a name", { "LIST-ID: <SOCIAL.Example.org>" }, Looping)
  add("without brackets", { "List-Id:  social.example.org " }, Looping)
  add("behind another bracket in the name", { 'List-Id: "<x.example>" <social.example.org>' }, Looping)
  add("the second of two List-Ids counts", { "List-Id: <x.example>", "List-Id: <social.example.org>" }, Looping)
  add("another list's id is no loop", { "List-Id: <social.example.net>" }, Passes)
  add("an id that only ends alike is no loop", { "List-Id: <x.social.example.org>" }, Passes)
  add("a message delivered to the list before is a loop", { "Delivered-To: social@example.org" }, Looping)
  add("a mark against loops is one", { "X-Loop: Social@Example.org" }, Looping)
  add("so is that of other list programs", { "X-BeenThere: social@example.org" }, Looping)
  add("a message delivered elsewhere before passes", { "Delivered-To: ann@example.org" }, Passes)
  add("of two lists only the one that it has passed is refused", { "List-Id: <social.example.org>" },
    { verdict = "reject", reason = "loop", recipients = { "social@example.org" } }, { Board, Social })
  add("an address that is no list may get what a list sent", { "List-Id: <ann.example.org>" }, Passes,
    { "ann@example.org" })

  add("an answer of a machine is refused", { "Auto-Submitted: auto-replied" }, Automatic)
  add("with a parameter, in capitals", { 'Auto-Submitted: AUTO-REPLIED; owner-email="a@example.org"' }, Automatic)
  add("with a comment", { "Auto-Submitted: (vacation) auto-replied" }, Automatic)
  add("as older programs say it", { "Precedence: auto_reply" }, Automatic)
  add("as other programs say it", { "X-Autoreply: yes" }, Automatic)
  add("as others again say it", { "X-Autorespond: Re: lunch" }, Automatic)
  add("a field that denies it passes", { "X-Autoreply: no", "Auto-Submitted: no" }, Passes)
  add("the worse of two fields counts", { "Auto-Submitted: no", "Auto-Submitted: auto-replied" }, Automatic)
  add("a person gets answers of machines", { "Auto-Submitted: auto-replied" }, Passes, { "ann@example.org" })
  add("a report of a failed delivery passes", { "Auto-Submitted: auto-replied", "List-Id: <social.example.org>" },
    Passes, { { address = "social-bounces+abc@example.org", list = "social@example.org" } })
  add("a request by a machine is left to the list", { "Auto-Submitted: auto-replied" }, Passes,
    { { address = "Social-Request@example.org", list = "social@example.org" } })
  add("so is an answer by a machine to a question whether one would join", { "Auto-Submitted: auto-replied" }, Passes,
    { { address = "social-confirm+abc234@example.org", list = "social@example.org" } })
  add("an address that only begins like one is a list", { "Auto-Submitted: auto-replied" }, Automatic,
    { { address = "social-bounces-talk@example.org", list = "social-bounces-talk@example.org" } })
  add("a list reached by another address is known by its own", { "List-Id: <social.example.org>" }, Looping,
    { { address = "social+x@example.org", list = "social@example.org" } })
  add("blanks without an end do not take long", { "Auto-Submitted: " .. (" "):rep(50000) .. "x", "X-Loop: " ..
    ("("):rep(50000) }, Passes)
  add("answers pass by setting", { "Auto-Submitted: auto-replied" }, Passes, nil, { auto_replies = false })
  add("reports of programs pass", { "Auto-Submitted: auto-generated" }, Passes)
  add("reports of programs are refused by setting", { "Auto-Submitted: auto-generated" }, Automatic, nil,
    { auto_generated = true })
  add("an unknown word counts as made by a machine", { "Auto-Submitted: auto-notified" }, Automatic, nil,
    { auto_generated = true })
  return all
end

return {
  name = "loop_guard",
  doc = [[
Mail that runs in circles

Refuses what runs in circles: more than `max_hops` Received fields, or mail for a list that carries marks of that very
list (List-Id, Delivered-To, X-Loop, X-BeenThere). Refuses answers of machines to lists (`auto_replies`), and by setting
what machines write of themselves. The rules of each list apply besides: they drop such mail without an answer, this
policy tells the sender.
]],
  settings = settings,
  hooks = { message = message },
  cases = cases,
}
