#include "core/policy/worker/FactProxies.h"

#include "core/policy/worker/Proxy.h"
#include "core/policy/worker/Sandbox.h"
#include "core/policy/worker/TextFunctions.h"

#include <algorithm>
#include <string>
#include <string_view>

namespace postern::policy::worker {

using namespace proxy;

namespace {

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

// A list of texts, made anew at each use: what a script does to it changes no fact.
template <class Items, class Push>
int listOf(lua_State* state, const Items& items, Push push) {
  lua_createtable(state, static_cast<int>(items.size()), 0);
  lua_Integer place = 0;
  for (const auto& item : items) {
    push(item);
    lua_rawseti(state, -2, ++place);
  }
  return 1;
}

int indexReputation(lua_State* state) {
  const auto& reputation = factOf<ReputationFacts>(state, "dnsbl");
  const auto key = keyOf(state);
  if (key == "score") {
    lua_pushinteger(state, reputation.score);
    return 1;
  }
  if (key == "zones") return listOf(state, reputation.zones, [&](const std::string& zone) { text(state, zone); });
  return unknown(state, "dnsbl", key);
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
  if (key == "dnsbl") {
    if (client.reputation)
      pushProxy(state, *client.reputation, "dnsbl", indexReputation);
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

int indexUser(lua_State* state) {
  const auto& user = factOf<UserFacts>(state, "user");
  const auto key = keyOf(state);
  if (key == "account") return text(state, user.account);
  if (key == "address") return text(state, user.address);
  return unknown(state, "user", key);
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

int indexAuthentication(lua_State* state) {
  const auto& auth = factOf<AuthenticationFacts>(state, "auth");
  const auto key = keyOf(state);
  if (key == "spf") return text(state, auth.spf);
  if (key == "dkim") return text(state, auth.dkim);
  if (key == "dmarc") return text(state, auth.dmarc);
  if (key == "arc") return text(state, auth.arc);
  if (key == "domain") return textOrNil(state, auth.domain);
  if (key == "policy") return text(state, auth.policy);
  if (key == "proven") return flag(state, auth.proven);
  if (key == "undecided") return flag(state, auth.undecided);
  if (key == "own_domain") return flag(state, auth.ownDomain);
  if (key == "arc_sealer") return textOrNil(state, auth.arcSealer);
  if (key == "arc_vouches") return flag(state, auth.arcVouches);
  return unknown(state, "auth", key);
}

int fraction(lua_State* state, double value) {
  lua_pushnumber(state, value);
  return 1;
}

int indexSpam(lua_State* state) {
  const auto& spam = factOf<SpamFacts>(state, "spam");
  const auto key = keyOf(state);
  if (key == "score") return fraction(state, spam.score);
  if (key == "required") return fraction(state, spam.required);
  if (key == "action") return text(state, spam.action);
  if (key == "symbols") {
    lua_createtable(state, 0, static_cast<int>(spam.symbols.size()));
    for (const auto& symbol : spam.symbols) {
      text(state, symbol.name);
      fraction(state, symbol.score);
      lua_rawset(state, -3);
    }
    return 1;
  }
  return unknown(state, "spam", key);
}

int indexMessage(lua_State* state) {
  const auto& message = factOf<MessageFacts>(state, "msg");
  const auto key = keyOf(state);
  if (key == "subject") return text(state, message.subject);
  if (key == "header") return function(state, firstHeader);
  if (key == "headers") return function(state, allHeaders<&HeaderFacts::value>);
  if (key == "raw_headers") return function(state, allHeaders<&HeaderFacts::raw>);
  if (key == "note") return function(state, addNote);
  if (key == "parts") return function(state, partsOfMessage);
  if (key == "text") return function(state, textOfMessage);
  if (key == "from") return textOrNil(state, message.from);
  if (key == "size") return number(state, message.size);
  if (key == "message_id") return textOrNil(state, message.messageId);
  if (key == "is_encrypted") return flag(state, message.isEncrypted);
  if (key == "is_signed") return flag(state, message.isSigned);
  if (key == "auth") {
    if (message.authentication)
      pushProxy(state, *message.authentication, "auth", indexAuthentication);
    else
      lua_pushnil(state);
    return 1;
  }
  if (key == "spam") {
    if (message.spam)
      pushProxy(state, *message.spam, "spam", indexSpam);
    else
      lua_pushnil(state);
    return 1;
  }
  return unknown(state, "msg", key);
}

}  // namespace

void pushTransaction(lua_State* state, const TransactionFacts& facts) {
  pushProxy(state, facts, "tx", indexTransaction);
}

void pushTls(lua_State* state, const TlsFacts& tls) {
  pushProxy(state, tls, "tls", indexTls);
}

void pushUser(lua_State* state, const UserFacts& user) {
  pushProxy(state, user, "user", indexUser);
}

void pushRecipient(lua_State* state, const RecipientFacts& recipient) {
  pushProxy(state, recipient, "rcpt", indexRecipient);
}

void pushMessage(lua_State* state, const MessageFacts& message) {
  pushProxy(state, message, "msg", indexMessage);
}

}  // namespace postern::policy::worker
