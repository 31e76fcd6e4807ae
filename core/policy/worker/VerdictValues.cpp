#include "core/policy/worker/VerdictValues.h"

#include "core/policy/frame/PolicyFrame.h"

#include <algorithm>
#include <cstring>
#include <string>

namespace postern::policy::worker {

namespace {

constexpr const char* VerdictType = "verdict";
constexpr const char* VerdictsType = "verdicts";

void pushValue(lua_State* state, std::uint32_t index, const char* type) {
  *static_cast<std::uint32_t*>(lua_newuserdatauv(state, sizeof(std::uint32_t), 0)) = index;
  if (luaL_newmetatable(state, type)) {
    lua_pushboolean(state, 0);
    lua_setfield(state, -2, "__metatable");
  }
  lua_setmetatable(state, -2);
}

// The fields that a constructor knows.
const std::vector<const char*>& fieldsOf(VerdictKind kind) {
  static const std::vector<const char*> none;
  static const std::vector<const char*> reply = {"code", "enh", "text", "reason"};
  static const std::vector<const char*> reason = {"reason"};
  static const std::vector<const char*> hold = {"queue", "reason"};
  static const std::vector<const char*> redirect = {"to", "reason"};
  static const std::vector<const char*> protect = {"protection", "reason"};
  static const std::vector<const char*> route = {"hosts", "reason"};
  switch (kind) {
    case VerdictKind::Pass:
      return none;
    case VerdictKind::Accept:
      return reason;
    case VerdictKind::Reject:
      return reply;
    case VerdictKind::Defer:
      return reply;
    case VerdictKind::Discard:
      return reason;
    case VerdictKind::Hold:
      return hold;
    case VerdictKind::Redirect:
      return redirect;
    case VerdictKind::Protect:
      return protect;
    case VerdictKind::Route:
      return route;
  }
  return none;
}

void expectFields(lua_State* state, const char* what, const std::vector<const char*>& known) {
  lua_pushnil(state);
  while (lua_next(state, 1) != 0) {
    lua_pop(state, 1);
    const char* const key = lua_type(state, -1) == LUA_TSTRING ? lua_tostring(state, -1) : "";
    if (std::none_of(known.begin(), known.end(), [&](const char* name) { return std::strcmp(name, key) == 0; }))
      luaL_error(state, "%s{} got a field that it does not know", what);
  }
}

// A text field of the constructor's table; empty if it is not there.
std::string textField(lua_State* state, const char* what, const char* name) {
  const int type = lua_getfield(state, 1, name);
  if (type != LUA_TNIL && type != LUA_TSTRING) luaL_error(state, "%s{}: `%s` must be a text", what, name);
  std::size_t size = 0;
  const char* const text = lua_tolstring(state, -1, &size);
  std::string value(text ? text : "", text ? size : 0);
  if (type == LUA_TSTRING && value.empty()) luaL_error(state, "%s{}: `%s` is empty", what, name);
  lua_pop(state, 1);
  return value;
}

// `hosts`: names or addresses, in the order in which they are to be tried.
std::vector<std::string> hostsField(lua_State* state) {
  std::vector<std::string> hosts;
  if (lua_getfield(state, 1, "hosts") != LUA_TTABLE) luaL_error(state, "route{}: `hosts` must be a list");
  const auto count = lua_rawlen(state, -1);
  if (count == 0 || count > MaxHosts)
    luaL_error(state, "route{}: `hosts` has 1 to %d hosts", static_cast<int>(MaxHosts));
  for (lua_Unsigned i = 1; i <= count; ++i) {
    if (lua_rawgeti(state, -1, static_cast<lua_Integer>(i)) != LUA_TSTRING || !frame::isHost(lua_tostring(state, -1)))
      luaL_error(state, "route{}: `hosts` is a list of names or addresses");
    hosts.emplace_back(lua_tostring(state, -1));
    lua_pop(state, 1);
  }
  lua_pop(state, 1);
  return hosts;
}

std::uint16_t codeField(lua_State* state, const char* what, int lowest) {
  const int type = lua_getfield(state, 1, "code");
  int isInteger = 1;
  const auto code = type == LUA_TNIL ? (lowest == 500 ? 550 : 451) : lua_tointegerx(state, -1, &isInteger);
  if ((type != LUA_TNIL && type != LUA_TNUMBER) || !isInteger || code < lowest || code > lowest + 99)
    luaL_error(state, "%s{}: `code` must be from %d to %d", what, lowest, lowest + 99);
  lua_pop(state, 1);
  return static_cast<std::uint16_t>(code);
}

void readReply(lua_State* state, const char* what, Verdict& verdict) {
  const bool rejects = verdict.kind == VerdictKind::Reject;
  verdict.code = codeField(state, what, rejects ? 500 : 400);
  verdict.enhanced = textField(state, what, "enh");
  if (verdict.enhanced.empty()) verdict.enhanced = rejects ? "5.7.1" : "4.7.1";
  if (!frame::isEnhanced(verdict.enhanced, rejects ? '5' : '4'))
    luaL_error(state, "%s{}: `enh` must be like \"%s\"", what, rejects ? "5.7.1" : "4.7.1");
  verdict.text = frame::toReplyText(textField(state, what, "text"));
  if (verdict.text.empty())
    verdict.text = rejects ? "refused by a rule of this site" : "not now, by a rule of this site; please try again";
}

template <VerdictKind Kind>
int makeVerdict(lua_State* state) {
  const auto what = wordFor(Kind);
  return guarded(state, [&] {
    if (lua_gettop(state) > 1) luaL_error(state, "%s takes one table", what.c_str());
    if (lua_isnoneornil(state, 1)) {
      lua_settop(state, 0);
      lua_createtable(state, 0, 0);
    }
    luaL_checktype(state, 1, LUA_TTABLE);
    expectFields(state, what.c_str(), fieldsOf(Kind));
    Verdict verdict;
    verdict.kind = Kind;
    if (Kind != VerdictKind::Pass) {
      verdict.reason = textField(state, what.c_str(), "reason");
      if (!verdict.reason.empty() && !frame::isReason(verdict.reason))
        luaL_error(state, "%s{}: `reason` is 1 to 40 characters of a-z 0-9 -", what.c_str());
    }
    if (Kind == VerdictKind::Reject || Kind == VerdictKind::Defer) readReply(state, what.c_str(), verdict);
    if (Kind == VerdictKind::Hold) {
      verdict.queue = textField(state, "hold", "queue");
      if (verdict.queue.empty()) verdict.queue = "quarantine";
      if (!frame::isReason(verdict.queue)) luaL_error(state, "hold{}: `queue` is 1 to 40 characters of a-z 0-9 -");
    }
    if (Kind == VerdictKind::Redirect) {
      verdict.redirectTo = textField(state, "redirect", "to");
      if (!frame::isAddress(verdict.redirectTo)) luaL_error(state, "redirect{}: `to` must be an address");
    }
    if (Kind == VerdictKind::Protect) {
      verdict.protection = textField(state, "protect", "protection");
      if (!frame::isProtection(verdict.protection))
        luaL_error(state, "protect{}: `protection` must be tls, pickup, openpgp or smime");
    }
    if (Kind == VerdictKind::Route) verdict.hosts = hostsField(state);
    pushValue(state, Sandbox::of(state).add(std::move(verdict)), VerdictType);
    return 1;
  });
}

// verdicts{["a@example.org"] = reject{…}, …}: some recipients; the others pass.
int makeVerdicts(lua_State* state) {
  return guarded(state, [&] {
    if (lua_gettop(state) != 1 || !lua_istable(state, 1)) luaL_error(state, "verdicts takes one table");
    std::map<std::string, std::uint32_t> perRecipient;
    lua_pushnil(state);
    while (lua_next(state, 1) != 0) {
      const auto* const index = static_cast<const std::uint32_t*>(luaL_testudata(state, -1, VerdictType));
      if (lua_type(state, -2) != LUA_TSTRING || !index)
        luaL_error(state, "verdicts{} takes [address] = verdict and nothing else");
      perRecipient.emplace(lua_tostring(state, -2), *index);
      lua_pop(state, 1);
    }
    pushValue(state, Sandbox::of(state).add(std::move(perRecipient)), VerdictsType);
    return 1;
  });
}

// The verdict as it leaves the worker: with the policy that gave it and a reason.
Verdict signedBy(const std::string& policy, Verdict verdict) {
  if (verdict.kind == VerdictKind::Pass) return {};
  verdict.policy = policy;
  if (verdict.reason.empty()) {
    verdict.reason = policy.substr(0, 40);
    std::replace(verdict.reason.begin(), verdict.reason.end(), '_', '-');
  }
  return verdict;
}

void checkHook(lua_State* state, Hook hook, const Verdict& verdict) {
  if (!isAllowed(hook, verdict.kind))
    luaL_error(state, "%s is not for the hook `%s`", wordFor(verdict.kind).c_str(), nameOf(hook));
}

}  // namespace

void addVerdictFunctions(lua_State* state) {
  static constexpr luaL_Reg functions[] = {
      {"accept", makeVerdict<VerdictKind::Accept>},
      {"reject", makeVerdict<VerdictKind::Reject>},
      {"defer", makeVerdict<VerdictKind::Defer>},
      {"discard", makeVerdict<VerdictKind::Discard>},
      {"hold", makeVerdict<VerdictKind::Hold>},
      {"redirect", makeVerdict<VerdictKind::Redirect>},
      {"pass", makeVerdict<VerdictKind::Pass>},
      {"protect", makeVerdict<VerdictKind::Protect>},
      {"route", makeVerdict<VerdictKind::Route>},
      {"verdicts", makeVerdicts},
      {nullptr, nullptr},
  };
  luaL_setfuncs(state, functions, 0);
}

void applyAnswer(lua_State* state, int first, Hook hook, const std::vector<RecipientFacts>& recipients,
                 std::span<Verdict> answers) {
  auto& sandbox = Sandbox::of(state);
  const int count = lua_gettop(state) - first + 1;
  if (count == 0 || (count == 1 && lua_isnil(state, first))) return;
  if (count > 1) luaL_error(state, "the hook `%s` returned %d values; it must return one verdict", nameOf(hook), count);
  if (const auto* index = static_cast<const std::uint32_t*>(luaL_testudata(state, first, VerdictType))) {
    const auto verdict = signedBy(sandbox.policy(), sandbox.verdict(*index));
    checkHook(state, hook, verdict);
    for (auto& answer : answers)
      if (answer.kind == VerdictKind::Pass) answer = verdict;
    return;
  }
  const auto* const index = static_cast<const std::uint32_t*>(luaL_testudata(state, first, VerdictsType));
  if (!index || hook != Hook::Message)
    luaL_error(state, "the hook `%s` returned a %s value, which is no verdict", nameOf(hook),
               luaL_typename(state, first));
  auto unused = sandbox.perRecipient(*index);
  for (std::size_t i = 0; i < recipients.size(); ++i) {
    const auto found = sandbox.perRecipient(*index).find(recipients[i].address);
    if (found == sandbox.perRecipient(*index).end()) continue;
    unused.erase(recipients[i].address);
    checkHook(state, hook, sandbox.verdict(found->second));
    if (answers[i].kind == VerdictKind::Pass) answers[i] = signedBy(sandbox.policy(), sandbox.verdict(found->second));
  }
  if (!unused.empty()) luaL_error(state, "verdicts{} names an address that is no recipient of this transaction");
}

}  // namespace postern::policy::worker
