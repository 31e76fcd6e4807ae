#include "core/policy/worker/DeliveryProxies.h"

#include "core/policy/worker/FactProxies.h"
#include "core/policy/worker/Proxy.h"

namespace postern::policy::worker {

using namespace proxy;

namespace {

int indexHop(lua_State* state) {
  const auto& hop = factOf<HopFacts>(state, "hop");
  const auto key = keyOf(state);
  if (key == "host") return text(state, hop.host);
  if (key == "address") return text(state, hop.address);
  if (key == "verified") return flag(state, hop.verified);
  if (key == "tls") {
    if (hop.tls)
      pushTls(state, *hop.tls);
    else
      lua_pushnil(state);
    return 1;
  }
  return unknown(state, "hop", key);
}

int indexNextHop(lua_State* state) {
  const auto& hop = factOf<NextHopFacts>(state, "next_hop");
  const auto key = keyOf(state);
  if (key == "host") return text(state, hop.host);
  if (key == "address") return text(state, hop.address);
  if (key == "port") return number(state, hop.port);
  return unknown(state, "next_hop", key);
}

int indexCopy(lua_State* state) {
  const auto& copy = factOf<DeliveryFacts>(state, "copy");
  const auto key = keyOf(state);
  if (key == "kind") return text(state, copy.kind);
  if (key == "mail_from") return text(state, copy.mailFrom);
  if (key == "recipient") return text(state, copy.recipient);
  if (key == "domain") return text(state, copy.recipient.substr(copy.recipient.rfind('@') + 1));
  if (key == "protection") return text(state, copy.protection);
  if (key == "floor") return text(state, copy.floor);
  if (key == "attempts") return number(state, copy.attempts);
  if (key == "age") return number(state, copy.age);
  if (key == "failure") return textOrNil(state, copy.failure);
  if (key == "hop") {
    if (copy.hop)
      pushProxy(state, *copy.hop, "hop", indexHop);
    else
      lua_pushnil(state);
    return 1;
  }
  return unknown(state, "copy", key);
}

}  // namespace

void pushCopy(lua_State* state, const DeliveryFacts& copy) {
  pushProxy(state, copy, "copy", indexCopy);
}

void pushHops(lua_State* state, const std::vector<NextHopFacts>& hops) {
  lua_createtable(state, static_cast<int>(hops.size()), 0);
  lua_Integer place = 0;
  for (const auto& hop : hops) {
    pushProxy(state, hop, "next_hop", indexNextHop);
    lua_rawseti(state, -2, ++place);
  }
}

}  // namespace postern::policy::worker
