-- Lists are no file servers: how large a message may be, and how many recipients one transaction may have.
local lists = require("lib/lists")

local settings = {
  -- Bytes for open and for secure lists; 0 leaves it to the gateway's own limit (max_message_size).
  open_list_bytes = 0,
  secure_list_bytes = 0,
  -- Limits of lists by name or address, instead of those above: "board 5000000". 0 is no limit.
  lists = {},
  -- Recipients of one transaction; the sender is told to send the rest in another one. 0 is no limit.
  recipients = 0,
}

local function limitOf(rcpt)
  for _, entry in ipairs(settings.lists) do
    local name, bytes = string.match(entry, "^(%S+)%s+(%d+)$")
    if not name then error("size_limits: an entry of `lists` is a name and a number of bytes") end
    name = name:lower()
    if name == lists.nameOf(rcpt) or name == rcpt.list:lower() then return tonumber(bytes) end
  end
  return rcpt.secure and settings.secure_list_bytes or settings.open_list_bytes
end

local function judge(rcpt, size)
  if not lists.isPost(rcpt) then return nil end
  local limit = limitOf(rcpt)
  if limit == 0 or size <= limit then return nil end
  return reject {
    code = 552, enh = "5.3.4", reason = "too-large",
    text = string.format("The message has %d bytes; this list takes at most %d. Share large files by a link.", size,
      limit),
  }
end

-- What is announced is refused before it is sent.
local function rcptHook(tx, rcpt)
  if settings.recipients > 0 and #tx.recipients >= settings.recipients then
    return defer {
      code = 452, enh = "4.5.3", reason = "too-many-recipients",
      text = string.format("At most %d recipients at a time; send the rest in another transaction.",
        settings.recipients),
    }
  end
  return judge(rcpt, tx.size) or pass()
end

-- What is announced may be wrong.
local function message(tx, msg)
  local found = {}
  for _, rcpt in ipairs(tx.recipients) do found[rcpt.address] = judge(rcpt, msg.size) end
  return verdicts(found)
end

local function awake()
  return settings.open_list_bytes > 0 or settings.secure_list_bytes > 0 or #settings.lists > 0
    or settings.recipients > 0
end

local function cases()
  local Open = { address = "social@example.org", list = "social" }
  local Secure = { address = "board@example.org", list = "board", secure = true }
  local Passes = { verdict = "pass" }
  local TooLarge = { verdict = "reject", code = 552, enh = "5.3.4", reason = "too-large" }
  local all = {}
  local function add(title, size, expect, recipients, values)
    all[#all + 1] = { title = title, tx = { recipients = recipients or { Open } }, msg = { size = size },
      settings = values, expect = expect }
  end
  local function announced(title, size, rcpt, expect, values)
    all[#all + 1] = { title = title, hook = "rcpt", tx = { size = size }, rcpt = rcpt, settings = values,
      expect = expect }
  end
  local Small = { open_list_bytes = 1000, secure_list_bytes = 2000 }

  add("by default the gateway's limit is the only one", 50000000, Passes)
  add("a message of just the limit passes", 1000, Passes, nil, Small)
  add("one byte more is refused", 1001, TooLarge, nil, Small)
  add("secure lists have a limit of their own", 1001, Passes, { Secure }, Small)
  add("and it holds", 2001, TooLarge, { Secure }, Small)
  add("of two lists the one that it is too large for is refused", 1500,
    { verdict = "reject", reason = "too-large", recipients = { "social@example.org" } }, { Open, Secure }, Small)
  add("an address that is no list is left to the gateway", 5000, Passes, { "ann@example.org" }, Small)
  add("a list by name may take more", 5000, Passes, nil, { open_list_bytes = 1000, lists = { "Social 6000" } })
  add("a list by name may take less", 600, TooLarge, nil, { open_list_bytes = 1000, lists = { "social 500" } })
  add("a list by name may have no limit", 50000, Passes, nil, { open_list_bytes = 1000, lists = { "social 0" } })
  add("a list by its address", 600, TooLarge, { { address = "chess@example.org", list = "chess@example.org" } },
    { lists = { "chess@example.org 500" } })
  add("a report of a failed delivery may be large", 5000, Passes,
    { { address = "social-bounces+abc@example.org", list = "social@example.org" } }, Small)
  add("another list's entry does not count", 1001, TooLarge, nil, { open_list_bytes = 1000, lists = { "chess 0" } })
  add("the refusal names both sizes", 1001, { verdict = "reject", text = "1001 bytes; this list takes at most 1000" },
    nil, Small)
  announced("an announced size is refused before it is sent", 1001, Open, TooLarge, Small)
  announced("an announced size within the limit passes", 1000, Open, Passes, Small)
  announced("no announced size passes, the message is measured", 0, Open, Passes, Small)
  announced("an announced size for no list passes", 5000, "ann@example.org", Passes, Small)

  local Two = { recipients = 2 }
  local function nth(title, recipients, expect, values)
    all[#all + 1] = { title = title, hook = "rcpt", tx = { recipients = recipients }, rcpt = Open, settings = values,
      expect = expect }
  end
  nth("the second of two recipients passes", { "a@example.org" }, Passes, Two)
  nth("the third is put off", { "a@example.org", "b@example.org" },
    { verdict = "defer", code = 452, enh = "4.5.3", reason = "too-many-recipients" }, Two)
  nth("without the setting there is no limit", { "a@example.org", "b@example.org" }, Passes)
  return all
end

return {
  name = "size_limits",
  doc = [[
How large messages may be

Limits the size of messages to lists: `open_list_bytes`, `secure_list_bytes`, and for a list by its name `lists`. What
the sender announces (SIZE=) is refused at RCPT, what then comes is measured. `recipients` limits how many recipients
one transaction has; further ones get 452 and are sent again by the sender. Nothing is limited by default beyond what
the gateway limits.
]],
  settings = settings,
  awake = awake,
  hooks = { rcpt = rcptHook, message = message },
  cases = cases,
}
