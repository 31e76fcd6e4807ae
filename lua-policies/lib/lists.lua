-- Which recipients are lists that a message is posted to.
local M = {}

-- "board" for a list "board@example.org".
function M.nameOf(rcpt) return (rcpt.list:lower():match("^[^@]*")) end

-- The list's own address, also where the recipient was written otherwise.
function M.addressOf(rcpt)
  return (rcpt.list:find("@", 1, true) and rcpt.list or rcpt.address):lower()
end

local NoPosts = { "-bounces", "-request", "-join", "-subscribe", "-leave", "-unsubscribe", "-confirm" }

-- Not for addresses where lists take reports of failed deliveries and requests: what comes there is not posted, and
-- lists answer no machine.
function M.isPost(rcpt)
  if not rcpt.list then return false end
  local name = M.nameOf(rcpt)
  local address = rcpt.address:lower()
  for _, suffix in ipairs(NoPosts) do
    local start = name .. suffix
    if address:sub(1, #start) == start and address:find("^[+@]", #start + 1) then return false end
  end
  return true
end

return M
