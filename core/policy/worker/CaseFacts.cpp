#include "core/policy/worker/CaseFacts.h"

#include "core/policy/worker/PolicyShape.h"

#include <strings.h>

#include <algorithm>
#include <cstring>
#include <memory>

namespace postern::policy::worker {

namespace {

// A table at a fixed place of the stack, read strictly: unknown fields and wrong types are Lua errors.
class Table {
public:
  Table(lua_State* state, const char* what, std::initializer_list<const char*> known)
      : state_(state), what_(what), place_(lua_gettop(state)) {
    if (!lua_istable(state, place_)) luaL_error(state, "`%s` must be a table", what);
    lua_pushnil(state);
    while (lua_next(state, place_) != 0) {
      lua_pop(state, 1);
      const char* const key = lua_type(state, -1) == LUA_TSTRING ? lua_tostring(state, -1) : "?";
      if (std::none_of(known.begin(), known.end(), [&](const char* name) { return std::strcmp(name, key) == 0; }))
        luaL_error(state, "`%s` has an unknown field `%s`", what, key);
    }
  }

  std::string text(const char* name, const char* otherwise = "") {
    const int type = lua_getfield(state_, place_, name);
    if (type != LUA_TNIL && type != LUA_TSTRING) luaL_error(state_, "`%s.%s` must be a text", what_, name);
    std::size_t size = 0;
    const char* const value = lua_tolstring(state_, -1, &size);
    std::string result = value ? std::string(value, size) : std::string(otherwise);
    lua_pop(state_, 1);
    return result;
  }

  std::uint64_t number(const char* name) {
    const int type = lua_getfield(state_, place_, name);
    const auto value = lua_tointeger(state_, -1);
    if (type != LUA_TNIL && (!lua_isinteger(state_, -1) || value < 0))
      luaL_error(state_, "`%s.%s` must be a whole number", what_, name);
    lua_pop(state_, 1);
    return static_cast<std::uint64_t>(value);
  }

  bool flag(const char* name) {
    const int type = lua_getfield(state_, place_, name);
    if (type != LUA_TNIL && type != LUA_TBOOLEAN) luaL_error(state_, "`%s.%s` must be true or false", what_, name);
    const bool value = lua_toboolean(state_, -1) != 0;
    lua_pop(state_, 1);
    return value;
  }

  // Pushes a field; false (and nothing pushed) if it is not there.
  bool push(const char* name) {
    if (lua_getfield(state_, place_, name) != LUA_TNIL) return true;
    lua_pop(state_, 1);
    return false;
  }

private:
  lua_State* state_;
  const char* what_;
  int place_;
};

RecipientFacts readRecipient(lua_State* state) {
  if (lua_type(state, -1) == LUA_TSTRING) return {lua_tostring(state, -1), "", false};
  Table table(state, "rcpt", {"address", "list", "secure"});
  RecipientFacts recipient{table.text("address"), table.text("list"), table.flag("secure")};
  if (recipient.address.empty()) luaL_error(state, "a recipient needs an `address`");
  return recipient;
}

// Calls fn for each item of the list on top of the stack, with the item on top.
template <class Fn>
void forEach(lua_State* state, const char* what, Fn fn) {
  if (!lua_istable(state, -1)) luaL_error(state, "`%s` must be a list", what);
  const auto count = static_cast<lua_Integer>(lua_rawlen(state, -1));
  for (lua_Integer i = 1; i <= count; ++i) {
    lua_rawgeti(state, -1, i);
    fn();
    lua_pop(state, 1);
  }
}

TlsFacts readTls(lua_State* state) {
  Table tls(state, "tls", {"version", "cipher", "bits", "verification"});
  return {tls.text("version", "TLSv1.3"), tls.text("cipher", "TLS_AES_256_GCM_SHA384"),
          static_cast<std::uint32_t>(tls.number("bits")), tls.text("verification", "none")};
}

TransactionFacts readTransaction(lua_State* state) {
  Table table(state, "tx", {"client", "helo", "mail_from", "recipients", "size"});
  TransactionFacts facts;
  facts.helo = table.text("helo", "client.example.net");
  facts.mailFrom = table.text("mail_from", "author@example.net");
  facts.size = table.number("size");
  facts.client.address = "192.0.2.1";
  if (table.push("client")) {
    Table client(state, "client", {"address", "name", "tls", "dnsbl"});
    facts.client.address = client.text("address", "192.0.2.1");
    facts.client.name = client.text("name");
    if (client.push("tls")) {
      facts.client.tls = readTls(state);
      lua_pop(state, 1);
    }
    if (client.push("dnsbl")) {
      Table dnsbl(state, "dnsbl", {"score", "zones"});
      auto& reputation = facts.client.reputation.emplace();
      reputation.score = static_cast<int>(dnsbl.number("score"));
      if (dnsbl.push("zones")) {
        forEach(state, "zones", [&] {
          if (lua_type(state, -1) == LUA_TSTRING) reputation.zones.emplace_back(lua_tostring(state, -1));
        });
        lua_pop(state, 1);
      }
      lua_pop(state, 1);
    }
    lua_pop(state, 1);
  }
  if (table.push("recipients")) {
    forEach(state, "recipients", [&] { facts.recipients.push_back(readRecipient(state)); });
    lua_pop(state, 1);
  }
  return facts;
}

HeaderFacts splitField(lua_State* state, const std::string& line) {
  const auto colon = line.find(':');
  if (colon == std::string::npos) luaL_error(state, "an item of `msg.headers` is a text like \"Name: value\"");
  const auto value = std::min(line.find_first_not_of(" \t", colon + 1), line.size());
  return {line.substr(0, colon), line.substr(value), line.substr(colon + 1)};
}

bool isSubject(const HeaderFacts& header) {
  return header.name.size() == 7 && ::strncasecmp(header.name.c_str(), "subject", 7) == 0;
}

AuthenticationFacts readAuthentication(lua_State* state) {
  Table table(state, "auth",
              {"spf", "dkim", "dmarc", "arc", "domain", "policy", "proven", "undecided", "own_domain", "arc_sealer",
               "arc_vouches"});
  AuthenticationFacts auth;
  auth.spf = table.text("spf", "none");
  auth.dkim = table.text("dkim", "none");
  auth.dmarc = table.text("dmarc", "none");
  auth.arc = table.text("arc", "none");
  auth.domain = table.text("domain", "example.net");
  auth.policy = table.text("policy", "none");
  auth.proven = table.flag("proven");
  auth.undecided = table.flag("undecided");
  auth.ownDomain = table.flag("own_domain");
  auth.arcSealer = table.text("arc_sealer", "");
  auth.arcVouches = table.flag("arc_vouches");
  return auth;
}

// `symbols` as a policy reads them: names with their scores.
SpamFacts readSpam(lua_State* state) {
  Table table(state, "spam", {"score", "required", "action", "symbols"});
  SpamFacts spam;
  const auto score = [&](const char* name) {
    if (!table.push(name)) return 0.0;
    if (lua_type(state, -1) != LUA_TNUMBER) luaL_error(state, "`spam.%s` must be a number", name);
    const auto value = lua_tonumber(state, -1);
    lua_pop(state, 1);
    return static_cast<double>(value);
  };
  spam.score = score("score");
  spam.required = score("required");
  spam.action = table.text("action", "no action");
  if (table.push("symbols")) {
    if (!lua_istable(state, -1)) luaL_error(state, "`spam.symbols` has names with scores");
    for (lua_pushnil(state); lua_next(state, -2) != 0; lua_pop(state, 1)) {
      if (lua_type(state, -2) != LUA_TSTRING || lua_type(state, -1) != LUA_TNUMBER)
        luaL_error(state, "`spam.symbols` has names with scores");
      spam.symbols.push_back({lua_tostring(state, -2), lua_tonumber(state, -1)});
    }
    lua_pop(state, 1);
  }
  return spam;
}

// Texts of a list on top of the stack.
std::vector<std::string> readTexts(lua_State* state, const char* what) {
  std::vector<std::string> texts;
  forEach(state, what, [&] {
    if (lua_type(state, -1) != LUA_TSTRING) luaL_error(state, "`%s` is a list of texts", what);
    texts.emplace_back(lua_tostring(state, -1));
  });
  return texts;
}

// msg.parts, msg.text and msg.text_cut. Without `parts` there is one, which holds the text.
MessageContent readContent(lua_State* state, Table& table) {
  MessageContent content;
  content.text = table.text("text");
  content.textCut = table.flag("text_cut");
  if (!table.push("parts")) {
    content.parts.push_back({"text/plain", "", content.text.size(), "", false});
    return content;
  }
  forEach(state, "parts", [&] {
    Table part(state, "part", {"type", "filename", "size", "disposition", "is_encrypted"});
    content.parts.push_back({part.text("type", "application/octet-stream"), part.text("filename"), part.number("size"),
                             part.text("disposition", "attachment"), part.flag("is_encrypted")});
  });
  lua_pop(state, 1);
  return content;
}

MessageFacts readMessage(lua_State* state, MessageContent& content) {
  Table table(state, "msg",
              {"subject", "headers", "from", "size", "message_id", "is_encrypted", "is_signed", "auth", "spam", "parts",
               "text", "text_cut"});
  MessageFacts message;
  message.from = table.text("from", "author@example.net");
  message.size = table.number("size");
  message.messageId = table.text("message_id", "<case@example.net>");
  message.isEncrypted = table.flag("is_encrypted");
  message.isSigned = table.flag("is_signed");
  content = readContent(state, table);
  if (table.push("auth")) {
    message.authentication = readAuthentication(state);
    lua_pop(state, 1);
  }
  if (table.push("spam")) {
    message.spam = readSpam(state);
    lua_pop(state, 1);
  }
  if (table.push("headers")) {
    forEach(state, "headers", [&] {
      if (lua_type(state, -1) != LUA_TSTRING) luaL_error(state, "`msg.headers` is a list of texts \"Name: value\"");
      message.headers.push_back(splitField(state, lua_tostring(state, -1)));
    });
    lua_pop(state, 1);
  }
  if (table.push("subject")) {
    lua_pop(state, 1);
    message.subject = table.text("subject");
    message.headers.push_back({"Subject", message.subject, " " + message.subject});
  } else if (const auto first = std::find_if(message.headers.begin(), message.headers.end(), isSubject);
             first != message.headers.end()) {
    message.subject = first->value;
  }
  return message;
}

Expectation readExpectation(lua_State* state) {
  Table table(state, "expect", {"verdict", "code", "enh", "reason", "text", "protection", "hosts", "recipients"});
  Expectation expect;
  expect.verdict = table.text("verdict");
  static const std::set<std::string> words = {"pass", "accept",   "reject",  "defer", "discard",
                                              "hold", "redirect", "protect", "route"};
  if (!words.contains(expect.verdict))
    luaL_error(state,
               "`expect.verdict` must be pass, accept, reject, defer, discard, hold, redirect, protect or route");
  expect.code = table.number("code");
  expect.enhanced = table.text("enh");
  expect.reason = table.text("reason");
  expect.textPart = table.text("text");
  expect.protection = table.text("protection");
  if (table.push("hosts")) {
    expect.hosts = readTexts(state, "expect.hosts");
    lua_pop(state, 1);
  }
  if (table.push("recipients")) {
    auto& recipients = expect.recipients.emplace();
    forEach(state, "expect.recipients", [&] {
      if (lua_type(state, -1) != LUA_TSTRING) luaL_error(state, "`expect.recipients` is a list of addresses");
      recipients.insert(lua_tostring(state, -1));
    });
    lua_pop(state, 1);
  }
  return expect;
}

// post and list, as the hooks of lists see them.
PostFacts readPost(lua_State* state) {
  Table table(state, "post",
              {"author", "mail_from", "subject", "message_id", "size", "is_encrypted", "is_signed", "author_is_member",
               "is_released", "proven", "notes"});
  PostFacts post;
  post.author = table.text("author", "author@example.net");
  post.mailFrom = table.text("mail_from", "author@example.net");
  post.subject = table.text("subject");
  post.messageId = table.text("message_id", "<case@example.net>");
  post.size = table.number("size");
  post.isEncrypted = table.flag("is_encrypted");
  post.isSigned = table.flag("is_signed");
  post.authorIsMember = table.flag("author_is_member");
  post.released = table.flag("is_released");
  post.proven = table.text("proven", "unknown");
  if (!table.push("notes")) return post;
  if (!lua_istable(state, -1)) luaL_error(state, "`notes` has names with texts");
  for (lua_pushnil(state); lua_next(state, -2) != 0; lua_pop(state, 1)) {
    if (lua_type(state, -2) != LUA_TSTRING || lua_type(state, -1) != LUA_TSTRING)
      luaL_error(state, "`notes` has names with texts");
    post.notes.emplace_back(lua_tostring(state, -2), lua_tostring(state, -1));
  }
  lua_pop(state, 1);
  return post;
}

ListFacts readList(lua_State* state) {
  Table table(state, "list", {"address", "name", "secure", "sensitivity", "anyone_posts", "members"});
  return {table.text("address", "list@example.org"), table.text("name", "List"), table.flag("secure"),
          table.text("sensitivity", "moderate"),     table.flag("anyone_posts"), table.number("members")};
}

// copy, as the hooks of delivery see it; copy.hop for `attempt`.
DeliveryFacts readCopy(lua_State* state, Hook hook) {
  Table table(state, "copy",
              {"kind", "mail_from", "recipient", "protection", "floor", "attempts", "age", "failure", "hop"});
  DeliveryFacts copy;
  copy.kind = table.text("kind", "content");
  copy.mailFrom = table.text("mail_from", "list-bounces@example.org");
  copy.recipient = table.text("recipient", "member@example.net");
  copy.protection = table.text("protection", "none");
  copy.floor = table.text("floor", "none");
  copy.attempts = table.number("attempts");
  copy.age = table.number("age");
  copy.failure = table.text("failure");
  if (hook != Hook::Attempt) return copy;
  auto& hop = copy.hop.emplace();
  hop.host = "mx.example.net";
  hop.address = "192.0.2.25";
  if (!table.push("hop")) return copy;
  Table of(state, "hop", {"host", "address", "verified", "tls"});
  hop.host = of.text("host", "mx.example.net");
  hop.address = of.text("address", "192.0.2.25");
  hop.verified = of.flag("verified");
  if (of.push("tls")) {
    hop.tls = readTls(state);
    lua_pop(state, 1);
  }
  lua_pop(state, 1);
  return copy;
}

// sets = { name = { "value", … } }, of sets that the policy declares.
SetTable readSets(lua_State* state, const std::vector<std::string>& declared) {
  SetTable sets;
  if (!lua_istable(state, -1)) luaL_error(state, "`sets` must be a table");
  for (lua_pushnil(state); lua_next(state, -2) != 0; lua_pop(state, 1)) {
    const std::string name = lua_type(state, -2) == LUA_TSTRING ? lua_tostring(state, -2) : "";
    if (std::find(declared.begin(), declared.end(), name) == declared.end())
      luaL_error(state, "the policy declares no set `%s`", name.c_str());
    sets[name] = std::make_shared<const SiteSet>(readTexts(state, "sets"));
  }
  return sets;
}

// counts = { key = what count() answers first, this time included }
std::map<std::string, std::uint64_t> readCounts(lua_State* state) {
  std::map<std::string, std::uint64_t> counts;
  if (!lua_istable(state, -1)) luaL_error(state, "`counts` must be a table");
  for (lua_pushnil(state); lua_next(state, -2) != 0; lua_pop(state, 1)) {
    if (lua_type(state, -2) != LUA_TSTRING || !lua_isinteger(state, -1) || lua_tointeger(state, -1) < 1)
      luaL_error(state, "`counts` has keys with whole numbers from 1");
    counts[lua_tostring(state, -2)] = static_cast<std::uint64_t>(lua_tointeger(state, -1));
  }
  return counts;
}

}  // namespace

Case readCase(lua_State* state, const Settings& declared, const std::vector<std::string>& sets) {
  Table table(state, "case",
              {"title", "hook", "tx", "rcpt", "user", "msg", "post", "list", "member", "copy", "domain", "hops",
               "settings", "sets", "counts", "expect"});
  Case read;
  const auto hook = hookNamed(table.text("hook", "message"));
  if (!hook) luaL_error(state, "`hook` must be one of %s", hookNames().c_str());
  read.hook = *hook;
  if (table.push("tx")) {
    read.facts = readTransaction(state);
    lua_pop(state, 1);
  }
  if (read.hook == Hook::Rcpt) {
    if (!table.push("rcpt")) luaL_error(state, "a case of the hook `rcpt` needs `rcpt`");
    read.recipient = readRecipient(state);
    lua_pop(state, 1);
  } else if (read.hook == Hook::Auth) {
    if (!table.push("user")) luaL_error(state, "a case of the hook `auth` needs `user`");
    Table user(state, "user", {"account", "address"});
    read.user = {user.text("account", "ann"), user.text("address", "ann@example.org")};
    lua_pop(state, 1);
  } else if (read.hook == Hook::Post || read.hook == Hook::Member) {
    if (!table.push("post")) luaL_error(state, "a case of the hook `%s` needs `post`", nameOf(read.hook));
    read.post = readPost(state);
    lua_pop(state, 1);
    if (table.push("list")) {
      read.post.list = readList(state);
      lua_pop(state, 1);
    }
    if (read.hook == Hook::Member) read.members.push_back({table.text("member", "member@example.org")});
  } else if (read.hook == Hook::Attempt || read.hook == Hook::Expire) {
    if (!table.push("copy")) luaL_error(state, "a case of the hook `%s` needs `copy`", nameOf(read.hook));
    read.copy = readCopy(state, read.hook);
    lua_pop(state, 1);
  } else if (read.hook == Hook::Route) {
    read.route.domain = table.text("domain", "example.net");
    if (!table.push("hops")) luaL_error(state, "a case of the hook `route` needs `hops`");
    for (auto& host : readTexts(state, "hops")) read.route.hops.push_back({host, "192.0.2.25", 25});
    lua_pop(state, 1);
  } else if (read.hook == Hook::Message) {
    if (!table.push("msg")) luaL_error(state, "a case of the hook `message` needs `msg`");
    read.message = readMessage(state, read.content);
    lua_pop(state, 1);
    if (read.facts.recipients.empty()) luaL_error(state, "a case of the hook `message` needs `tx.recipients`");
  }
  if (table.push("settings")) {
    read.settings = readSettingsTable(state, declared);
    lua_pop(state, 1);
  }
  if (table.push("sets")) {
    read.sets = readSets(state, sets);
    lua_pop(state, 1);
  }
  if (table.push("counts")) {
    read.counts = readCounts(state);
    lua_pop(state, 1);
  }
  if (!table.push("expect")) luaL_error(state, "a case needs `expect`");
  read.expect = readExpectation(state);
  lua_pop(state, 1);
  return read;
}

}  // namespace postern::policy::worker
