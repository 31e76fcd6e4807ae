#pragma once
#include "core/policy/DeliveryFacts.h"

#include <lua.hpp>

// The arguments of the hooks `attempt`, `expire` and `route`. As FactProxies.h.
namespace postern::policy::worker {

void pushCopy(lua_State* state, const DeliveryFacts& copy);
void pushHops(lua_State* state, const std::vector<NextHopFacts>& hops);  // a list

}  // namespace postern::policy::worker
