#include "core/policy/worker/CaseRunner.h"

#include "core/base/Error.h"
#include "core/policy/worker/PolicyShape.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <set>

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

struct Expectation {
  std::string verdict;
  std::uint64_t code = 0;
  std::string enhanced;
  std::string reason;
  std::string textPart;
  std::optional<std::set<std::string>> recipients;
};

struct Case {
  Hook hook = Hook::Message;
  TransactionFacts facts;
  RecipientFacts recipient;
  MessageFacts message;
  Settings settings;  // instead of the declared defaults; the site's own do not count for cases
  Expectation expect;
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

TransactionFacts readTransaction(lua_State* state) {
  Table table(state, "tx", {"client", "helo", "mail_from", "recipients", "size"});
  TransactionFacts facts;
  facts.helo = table.text("helo", "client.example.net");
  facts.mailFrom = table.text("mail_from", "author@example.net");
  facts.size = table.number("size");
  facts.client.address = "192.0.2.1";
  if (table.push("client")) {
    Table client(state, "client", {"address", "name", "tls"});
    facts.client.address = client.text("address", "192.0.2.1");
    facts.client.name = client.text("name");
    if (client.push("tls")) {
      Table tls(state, "tls", {"version", "cipher", "bits", "verification"});
      facts.client.tls = TlsFacts{tls.text("version", "TLSv1.3"), tls.text("cipher", "TLS_AES_256_GCM_SHA384"),
                                  static_cast<std::uint32_t>(tls.number("bits")), tls.text("verification", "none")};
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

MessageFacts readMessage(lua_State* state) {
  Table table(state, "msg", {"subject", "headers", "from", "size", "message_id", "is_encrypted", "is_signed"});
  MessageFacts message;
  message.from = table.text("from", "author@example.net");
  message.size = table.number("size");
  message.messageId = table.text("message_id", "<case@example.net>");
  message.isEncrypted = table.flag("is_encrypted");
  message.isSigned = table.flag("is_signed");
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
  Table table(state, "expect", {"verdict", "code", "enh", "reason", "text", "recipients"});
  Expectation expect;
  expect.verdict = table.text("verdict");
  static const std::set<std::string> words = {"pass", "accept", "reject", "defer", "discard", "hold", "redirect"};
  if (!words.contains(expect.verdict))
    luaL_error(state, "`expect.verdict` must be pass, accept, reject, defer, discard, hold or redirect");
  expect.code = table.number("code");
  expect.enhanced = table.text("enh");
  expect.reason = table.text("reason");
  expect.textPart = table.text("text");
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

Case readCase(lua_State* state, const Settings& declared) {
  Table table(state, "case", {"title", "hook", "tx", "rcpt", "msg", "settings", "expect"});
  Case read;
  const auto hook = table.text("hook", "message");
  if (hook != "rcpt" && hook != "message") luaL_error(state, "`hook` must be rcpt or message");
  read.hook = hook == "rcpt" ? Hook::Rcpt : Hook::Message;
  if (table.push("tx")) {
    read.facts = readTransaction(state);
    lua_pop(state, 1);
  }
  if (read.hook == Hook::Rcpt) {
    if (!table.push("rcpt")) luaL_error(state, "a case of the hook `rcpt` needs `rcpt`");
    read.recipient = readRecipient(state);
    lua_pop(state, 1);
  } else {
    if (!table.push("msg")) luaL_error(state, "a case of the hook `message` needs `msg`");
    read.message = readMessage(state);
    lua_pop(state, 1);
    if (read.facts.recipients.empty()) luaL_error(state, "a case of the hook `message` needs `tx.recipients`");
  }
  if (table.push("settings")) {
    read.settings = readSettingsTable(state, declared);
    lua_pop(state, 1);
  }
  if (!table.push("expect")) luaL_error(state, "a case needs `expect`");
  read.expect = readExpectation(state);
  lua_pop(state, 1);
  return read;
}

std::string describe(const Verdict& verdict) {
  auto text = wordFor(verdict.kind);
  if (verdict.code != 0) text += " " + std::to_string(verdict.code) + " " + verdict.enhanced;
  if (!verdict.reason.empty()) text += " (" + verdict.reason + ")";
  if (!verdict.text.empty()) text += ": " + verdict.text;
  return text;
}

std::string describe(const Expectation& expect) {
  auto text = expect.verdict;
  if (expect.code != 0) text += " " + std::to_string(expect.code);
  if (!expect.enhanced.empty()) text += " " + expect.enhanced;
  if (!expect.reason.empty()) text += " (" + expect.reason + ")";
  if (!expect.textPart.empty()) text += ": …" + expect.textPart + "…";
  return text;
}

bool matches(const Expectation& expect, const Verdict& verdict) {
  return wordFor(verdict.kind) == expect.verdict && (expect.code == 0 || expect.code == verdict.code) &&
         (expect.enhanced.empty() || expect.enhanced == verdict.enhanced) &&
         (expect.reason.empty() || expect.reason == verdict.reason) &&
         verdict.text.find(expect.textPart) != std::string::npos;
}

// Empty if the answers are as expected. Recipients that the case does not name must pass.
std::string compare(const Case& asked, const std::vector<Verdict>& answers) {
  std::set<std::string> unseen = asked.expect.recipients.value_or(std::set<std::string>());
  for (std::size_t i = 0; i < answers.size(); ++i) {
    const auto& address = asked.hook == Hook::Rcpt ? asked.recipient.address : asked.facts.recipients[i].address;
    unseen.erase(address);
    const bool named = !asked.expect.recipients || asked.expect.recipients->contains(address);
    if (!named && answers[i].kind != VerdictKind::Pass) return address + ": expected pass, got " + describe(answers[i]);
    if (named && !matches(asked.expect, answers[i]))
      return address + ": expected " + describe(asked.expect) + ", got " + describe(answers[i]);
  }
  if (!unseen.empty()) return *unseen.begin() + " is expected but is no recipient of the case";
  return {};
}

}  // namespace

CaseResult runCase(const PolicyRunner& runner, std::uint32_t policy, std::uint32_t number) {
  if (policy >= runner.set().policies.size() || number >= runner.report().policies.at(policy).cases.size())
    throw Error(ErrorKind::Malformed, "there is no such case in the policy set");
  auto compiled = runner.set().policies[policy];
  compiled.overrides.clear();
  CaseResult result{compiled.name, runner.report().policies[policy].cases[number], false, ""};
  Case asked;
  Sandbox sandbox(runner.budget(), runner.set());
  const bool read = sandbox.run([&](lua_State* state) {
    sandbox.open(state);
    sandbox.enter(compiled.name);
    sandbox.pushPolicy(state, compiled);
    pushCases(state);
    lua_rawgeti(state, -1, static_cast<lua_Integer>(number) + 1);
    asked = readCase(state, runner.declaredSettings(policy));
  });
  if (!read) {
    result.text = "the case cannot be read: " + sandbox.error().substr(0, 400);
    return result;
  }
  compiled.overrides = asked.settings;
  const auto outcome = runner.ask(compiled, asked.hook, asked.facts, &asked.recipient, &asked.message);
  if (!outcome)
    result.text = "failure (" + wordFor(outcome.error().kind) + "): " + outcome.error().detail;
  else
    result.text = compare(asked, outcome->recipients);
  result.ok = outcome.has_value() && result.text.empty();
  return result;
}

}  // namespace postern::policy::worker
