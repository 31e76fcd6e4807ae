#pragma once
#include "core/policy/DeliveryFacts.h"
#include "core/policy/Verdict.h"
#include "core/policy/worker/Sandbox.h"
#include "core/policy/worker/SiteSet.h"
#include "core/policy/worker/VerdictValues.h"

#include <cstdint>
#include <lua.hpp>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

// What a case of a policy says: the facts that it makes up, and what it expects.
namespace postern::policy::worker {

// What a case expects of the verdicts.
struct Expectation {
  std::string verdict;
  std::uint64_t code = 0;
  std::string enhanced;
  std::string reason;
  std::string textPart;
  std::string protection;
  std::vector<std::string> hosts;
  std::optional<std::set<std::string>> recipients;
};

// A case of a policy, read from its table.
struct Case {
  Hook hook = Hook::Message;
  TransactionFacts facts;
  RecipientFacts recipient;
  UserFacts user;
  PostFacts post;
  std::vector<MemberFacts> members;  // one
  DeliveryFacts copy;
  RouteFacts route;
  MessageFacts message;
  MessageContent content;
  SetTable sets;
  std::map<std::string, std::uint64_t> counts;  // what count() is to answer first
  Settings settings;  // instead of the declared defaults; the site's own do not count for cases
  Expectation expect;
};

// Reads the case on top of the stack, strictly. Raises Lua errors. `declared` and `sets` are those of its policy.
Case readCase(lua_State* state, const Settings& declared, const std::vector<std::string>& sets);

}  // namespace postern::policy::worker
