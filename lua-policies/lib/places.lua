-- Domains, addresses and servers, as settings and sets name them.
local M = {}

-- The domain of an address, in small letters and without a full stop at its end; "" if there is none.
function M.domainOf(address) return ((address:lower():match("@([^@]*)$") or ""):gsub("%.$", "")) end

-- Whether an address is one of these: addresses, or domains that stand for themselves and all below them.
function M.isOneOf(address, entries)
  local low = address:lower():gsub("%.$", "")
  local domain = M.domainOf(low)
  for _, entry in ipairs(entries) do
    local name = entry:lower():gsub("^[@.]", "")
    if name == low or name == domain or domain:sub(-#name - 1) == "." .. name then return true end
  end
  return false
end

-- Addresses that stand in the first 4,000 bytes of a header field.
function M.addressesIn(value)
  return find_all([==[[^\s<>,;:"()@]+@[^\s<>,;:"()@]+]==], value:sub(1, 4000), 100)
end

-- One subscriber has a whole /64 of IPv6: "2001:db8:0:1::/64". Addresses of IPv4 as they are.
function M.networkOf(address)
  if not address:find(":", 1, true) or address:find(".", 1, true) then return address end
  local head, tail = address:match("^(.-)::(.*)$")
  local groups = {}
  for group in (head or address):gmatch("%x+") do groups[#groups + 1] = group end
  local behind = 0
  for _ in (tail or ""):gmatch("%x+") do behind = behind + 1 end
  while #groups + behind < 8 do groups[#groups + 1] = "0" end
  for group in (tail or ""):gmatch("%x+") do groups[#groups + 1] = group end
  for i = 1, 4 do groups[i] = groups[i]:lower():gsub("^0+(%x)", "%1") end
  return table.concat(groups, ":", 1, 4) .. "::/64"
end

return M
