#pragma once
#include "core/policy/Verdict.h"

#include <lua.hpp>

// The arguments of the hooks that listd asks about. As FactProxies.h.
namespace postern::policy::worker {

void pushPost(lua_State* state, const PostFacts& post);
void pushList(lua_State* state, const ListFacts& list);
void pushMember(lua_State* state, const MemberFacts& member);

}  // namespace postern::policy::worker
