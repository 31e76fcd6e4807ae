#pragma once
#include "core/policy/Verdict.h"

#include <lua.hpp>

// The arguments of hooks: read-only views of facts. An unknown field is an error, so that a slip of the pen cannot
// read as "not set". The facts must outlive the Lua state.
namespace postern::policy::worker {

void pushTransaction(lua_State* state, const TransactionFacts& facts);
void pushTls(lua_State* state, const TlsFacts& tls);
void pushUser(lua_State* state, const UserFacts& user);
void pushRecipient(lua_State* state, const RecipientFacts& recipient);
void pushMessage(lua_State* state, const MessageFacts& message);

}  // namespace postern::policy::worker
