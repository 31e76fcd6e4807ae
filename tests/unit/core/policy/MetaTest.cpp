// What editors are told of the API (lua-policies/meta) is what the worker offers, and the other way round.
#include "core/base/Files.h"
#include "tests/unit/core/policy/PolicyFixture.h"

#include <map>
#include <regex>
#include <set>

using namespace postern::policy::test;

namespace {

using Names = std::set<std::string>;
using Fields = std::map<std::string, Names>;  // by what the worker calls the object

// Classes of the meta file that are arguments, with the worker's word for each.
const std::map<std::string, std::string> Objects = {
    {"Tls", "tls"},        {"Dnsbl", "dnsbl"},         {"Spam", "spam"},
    {"Client", "client"},  {"User", "user"},           {"Hop", "hop"},
    {"Copy", "copy"},      {"NextHop", "next_hop"},    {"Post", "post"},
    {"List", "list"},      {"Member", "member"},       {"Recipient", "rcpt"},
    {"Transaction", "tx"}, {"Authentication", "auth"}, {"Message", "msg"}};

std::vector<std::string> linesOf(const std::filesystem::path& file) {
  std::istringstream text(postern::files::read(file));
  std::vector<std::string> lines;
  for (std::string line; std::getline(text, line);) lines.push_back(line);
  return lines;
}

struct Meta {
  Fields fields;
  Names functions;
};

Meta readMeta() {
  static const std::regex Class("---@class (\\w+).*");
  static const std::regex Field("---@field (\\w+)\\??.*");
  static const std::regex Method("function (\\w+):(\\w+)\\(.*");
  static const std::regex Function("function (\\w+)\\(.*");
  Meta meta;
  std::string current;
  std::smatch found;
  for (const auto& line : linesOf(ShippedFolder / "meta/postern.lua")) {
    if (std::regex_match(line, found, Class)) {
      current = Objects.contains(found[1]) ? Objects.at(found[1]) : std::string();
    } else if (std::regex_match(line, found, Field)) {
      if (!current.empty()) meta.fields[current].insert(found[1]);
    } else if (std::regex_match(line, found, Method)) {
      meta.fields[Objects.at(found[1])].insert(found[2]);
    } else if (std::regex_match(line, found, Function)) {
      meta.functions.insert(found[1]);
    }
  }
  return meta;
}

// The worker's own code, as it names fields: `if (key == "x")` up to `unknown(state, "object", key)`.
Fields readFields() {
  static const std::regex Key("key == \"(\\w+)\"");
  static const std::regex End("unknown\\(state, \"(\\w+)\", key\\)");
  Fields fields;
  Names names;
  for (const auto& entry : std::filesystem::directory_iterator(ShippedFolder.parent_path() / "core/policy/worker")) {
    if (!entry.path().filename().string().ends_with("Proxies.cpp")) continue;
    for (const auto& line : linesOf(entry.path())) {
      std::smatch found;
      if (std::regex_search(line, found, Key)) names.insert(found[1]);
      if (std::regex_search(line, found, End)) fields[found[1]] = std::exchange(names, {});
    }
  }
  return fields;
}

std::string joined(const Names& names) {
  std::string text;
  for (const auto& name : names) text += name + " ";
  return text;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(core_policy_Meta)

BOOST_AUTO_TEST_CASE(fields_of_arguments_are_those_of_the_worker) {
  const auto meta = readMeta().fields;
  const auto worker = readFields();
  BOOST_TEST(meta.size() == Objects.size());
  for (const auto& [object, names] : worker) {
    BOOST_REQUIRE_MESSAGE(meta.contains(object), object);
    BOOST_TEST(joined(meta.at(object)) == joined(names), object);
  }
  BOOST_TEST(worker.size() == meta.size());
}

BOOST_AUTO_TEST_CASE(functions_are_those_of_the_worker) {
  // What Lua 5.4 itself has; the rest of the environment is ours.
  const Names ofLua = {"assert", "error",  "getmetatable", "ipairs", "next",         "pairs",    "pcall",    "rawequal",
                       "rawget", "rawlen", "require",      "select", "setmetatable", "tonumber", "tostring", "type"};
  Names all = readMeta().functions;
  all.insert(ofLua.begin(), ofLua.end());
  std::string body = "local missing = ''\n";
  for (const auto& name : all)
    body += "if type(" + name + ") ~= 'function' then missing = missing .. ' " + name + "' end\n";
  body += "return accept{ reason = missing == '' and 'all' or 'missing' }";
  const auto outcome = askOnce(body);
  BOOST_REQUIRE_MESSAGE(outcome.has_value(), detailOf(outcome));
  BOOST_TEST(outcome->recipients[0].reason == "all");

  // The other way round: every function that the worker's code registers.
  static const std::regex Entry("\\{\"(\\w+)\",\\s*(?:\\w+)(?:<[^>]*>)?\\}");
  Names registered;
  for (const auto* file : {"Sandbox.cpp", "VerdictValues.cpp", "TextFunctions.cpp"})
    for (const auto& line : linesOf(ShippedFolder.parent_path() / "core/policy/worker" / file))
      for (std::sregex_iterator at(line.begin(), line.end(), Entry), end; at != end; ++at) registered.insert((*at)[1]);
  BOOST_TEST(registered.size() > 15u);
  for (const auto& name : registered) BOOST_TEST(all.contains(name), name);
}

BOOST_AUTO_TEST_SUITE_END()
