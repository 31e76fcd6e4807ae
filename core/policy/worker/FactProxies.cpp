#include "core/policy/worker/FactProxies.h"

#include "core/policy/worker/Sandbox.h"

#include <algorithm>
#include <string>
#include <string_view>

namespace postern::policy::worker {

namespace {

int refuseWrite(lua_State* state) {
  return luaL_error(state, "the arguments of a hook are read-only");
}

// Pushes a userdata that holds the address of a fact. Its metatable is made at its first use in a state.
template <class Fact>
void pushProxy(lua_State* state, const Fact& fact, const char* type, lua_CFunction index,
               lua_CFunction length = nullptr) {
  auto* const slot = static_cast<const Fact**>(lua_newuserdatauv(state, sizeof(const Fact*), 0));
  *slot = &fact;
  if (luaL_newmetatable(state, type)) {
    lua_pushcfunction(state, index);
    lua_setfield(state, -2, "__index");
    lua_pushcfunction(state, refuseWrite);
    lua_setfield(state, -2, "__newindex");
    if (length) {
      lua_pushcfunction(state, length);
      lua_setfield(state, -2, "__len");
    }
    lua_pushboolean(state, 0);
    lua_setfield(state, -2, "__metatable");
  }
  lua_setmetatable(state, -2);
}

template <class Fact>
const Fact& factOf(lua_State* state, const char* type) {
  return **static_cast<const Fact**>(luaL_checkudata(state, 1, type));
}

std::string_view keyOf(lua_State* state) {
  if (lua_type(state, 2) != LUA_TSTRING) luaL_error(state, "a field name is a text");
  std::size_t size = 0;
  const char* const text = lua_tolstring(state, 2, &size);
  return {text, size};
}

int text(lua_State* state, const std::string& value) {
  lua_pushlstring(state, value.data(), value.size());
  return 1;
}

int textOrNil(lua_State* state, const std::string& value) {
  if (value.empty()) {
    lua_pushnil(state);
    return 1;
  }
  return text(state, value);
}

int number(lua_State* state, std::uint64_t value) {
  lua_pushinteger(state, static_cast<lua_Integer>(value));
  return 1;
}

int flag(lua_State* state, bool value) {
  lua_pushboolean(state, value);
  return 1;
}

int function(lua_State* state, lua_CFunction value) {
  lua_pushcfunction(state, value);
  return 1;
}

// The name is shown only if it can be a name: a script may index by a piece of mail.
int unknown(lua_State* state, const char* type, std::string_view key) {
  const bool isName = !key.empty() && key.size() <= 24 &&
                      std::all_of(key.begin(), key.end(), [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; });
  if (!isName) return luaL_error(state, "`%s` has no such field", type);
  lua_pushlstring(state, key.data(), key.size());
  return luaL_error(state, "`%s` has no field `%s`", type, lua_tostring(state, -1));
}

// ---- tx --------------------------------------------------------------------------------------------------------

int indexTls(lua_State* state) {
  const auto& tls = factOf<TlsFacts>(state, "tls");
  const auto key = keyOf(state);
  if (key == "version") return text(state, tls.version);
  if (key == "cipher") return text(state, tls.cipher);
  if (key == "bits") return number(state, tls.bits);
  if (key == "verification") return text(state, tls.verification);
  return unknown(state, "tls", key);
}

int indexClient(lua_State* state) {
  const auto& client = factOf<ClientFacts>(state, "client");
  const auto key = keyOf(state);
  if (key == "address") return text(state, client.address);
  if (key == "name") return textOrNil(state, client.name);
  if (key == "tls") {
    if (client.tls)
      pushProxy(state, *client.tls, "tls", indexTls);
    else
      lua_pushnil(state);
    return 1;
  }
  return unknown(state, "client", key);
}

int indexRecipient(lua_State* state) {
  const auto& recipient = factOf<RecipientFacts>(state, "rcpt");
  const auto key = keyOf(state);
  if (key == "address") return text(state, recipient.address);
  if (key == "list") return textOrNil(state, recipient.list);
  if (key == "secure") return flag(state, recipient.secure);
  return unknown(state, "rcpt", key);
}

using Recipients = std::vector<RecipientFacts>;

int indexRecipients(lua_State* state) {
  const auto& recipients = factOf<Recipients>(state, "recipients");
  int isInteger = 0;
  const auto place = lua_tointegerx(state, 2, &isInteger);
  if (!isInteger) return luaL_error(state, "`recipients` has numbers only: use ipairs");
  if (place < 1 || static_cast<std::uint64_t>(place) > recipients.size())
    lua_pushnil(state);
  else
    pushRecipient(state, recipients[static_cast<std::size_t>(place - 1)]);
  return 1;
}

int lengthOfRecipients(lua_State* state) {
  return number(state, factOf<Recipients>(state, "recipients").size());
}

int indexTransaction(lua_State* state) {
  const auto& facts = factOf<TransactionFacts>(state, "tx");
  const auto key = keyOf(state);
  if (key == "recipients") {
    pushProxy(state, facts.recipients, "recipients", indexRecipients, lengthOfRecipients);
    return 1;
  }
  if (key == "client") {
    pushProxy(state, facts.client, "client", indexClient);
    return 1;
  }
  if (key == "mail_from") return text(state, facts.mailFrom);
  if (key == "helo") return text(state, facts.helo);
  if (key == "size") return number(state, facts.size);
  return unknown(state, "tx", key);
}

// ---- msg -------------------------------------------------------------------------------------------------------

bool equalIgnoringCase(std::string_view left, std::string_view right) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::equal(left.begin(), left.end(), right.begin(), right.end(),
                    [&](char a, char b) { return lower(a) == lower(b); });
}

std::string_view headerName(lua_State* state) {
  std::size_t size = 0;
  const char* const name = luaL_checklstring(state, 2, &size);
  return {name, size};
}

int firstHeader(lua_State* state) {
  const auto& message = factOf<MessageFacts>(state, "msg");
  const auto name = headerName(state);
  for (const auto& header : message.headers)
    if (equalIgnoringCase(header.name, name)) return text(state, header.value);
  lua_pushnil(state);
  return 1;
}

template <std::string HeaderFacts::*Field>
int allHeaders(lua_State* state) {
  const auto& message = factOf<MessageFacts>(state, "msg");
  const auto name = headerName(state);
  lua_createtable(state, 1, 0);
  lua_Integer place = 0;
  for (const auto& header : message.headers)
    if (equalIgnoringCase(header.name, name)) {
      text(state, header.*Field);
      lua_rawseti(state, -2, ++place);
    }
  return 1;
}

int addNote(lua_State* state) {
  factOf<MessageFacts>(state, "msg");
  std::size_t keySize = 0;
  std::size_t valueSize = 0;
  const char* const key = luaL_checklstring(state, 2, &keySize);
  const char* const value = luaL_tolstring(state, 3, &valueSize);
  return guarded(state, [&] {
    Sandbox::of(state).note(std::string(key, keySize), {value, valueSize});
    return 0;
  });
}

int indexMessage(lua_State* state) {
  const auto& message = factOf<MessageFacts>(state, "msg");
  const auto key = keyOf(state);
  if (key == "subject") return text(state, message.subject);
  if (key == "header") return function(state, firstHeader);
  if (key == "headers") return function(state, allHeaders<&HeaderFacts::value>);
  if (key == "raw_headers") return function(state, allHeaders<&HeaderFacts::raw>);
  if (key == "note") return function(state, addNote);
  if (key == "from") return textOrNil(state, message.from);
  if (key == "size") return number(state, message.size);
  if (key == "message_id") return textOrNil(state, message.messageId);
  if (key == "is_encrypted") return flag(state, message.isEncrypted);
  if (key == "is_signed") return flag(state, message.isSigned);
  return unknown(state, "msg", key);
}

}  // namespace

void pushTransaction(lua_State* state, const TransactionFacts& facts) {
  pushProxy(state, facts, "tx", indexTransaction);
}

void pushRecipient(lua_State* state, const RecipientFacts& recipient) {
  pushProxy(state, recipient, "rcpt", indexRecipient);
}

void pushMessage(lua_State* state, const MessageFacts& message) {
  pushProxy(state, message, "msg", indexMessage);
}

}  // namespace postern::policy::worker
