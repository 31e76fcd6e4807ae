#include "cli/SourceVerbs.h"

#include "cli/Render.h"

#include <nlohmann/json.hpp>
#include <ostream>

namespace postern::cli {

using nlohmann::json;

namespace {

using Kind = Parameter::Kind;
using Type = Parameter::Type;

const Parameter List{Kind::Positional, "list", "list", "address of the list", true};

void record(std::ostream& out, const json& result) {
  renderRecord(out, result);
}

}  // namespace

void renderSync(std::ostream& out, const json& result) {
  for (const auto& row : result.at("rows"))
    if (row.at("outcome") != "already")
      out << "line " << row.at("line") << " " << row.at("address").get<std::string>() << ": "
          << row.at("outcome").get<std::string>() << "\n";
  for (const auto& address : result.at("gone")) out << "removed " << address.get<std::string>() << "\n";
  out << "before: " << result.at("before") << ", added: " << result.at("added") << ", removed: " << result.at("removed")
      << ", not taken: " << result.at("failed") << "\n";
  if (result.at("brake") == true) out << "more than a fifth of the members: needs --confirmed\n";
}

std::vector<OrderVerb> sourceVerbs() {
  return {
      {"source",
       "set",
       "source.set",
       "Lets the members of a list come from an LDAP directory: who is in it is added, and whom it brought and has no "
       "more is taken off.",
       {List,
        {Kind::Positional, "directory", "directory", "name of a directory; see: postern directory list", true},
        {Kind::Option, "--filter", "filter", "who, as in (memberOf=cn=board,dc=example,dc=org); default (mail=*)"},
        {Kind::Option, "--base", "base", "where to look; default: the base of the directory"},
        {Kind::Option, "--mail", "mailAttribute", "the attribute with the address; default mail"},
        {Kind::Option, "--name", "nameAttribute", "the attribute with the name; default cn"},
        {Kind::Option, "--only", "only", "only addresses that this fits, as in @example.org"},
        {Kind::Option, "--every", "everyHours", "hours between two looks; default 24", false, Type::Number}},
       record},
      {"source", "show", "source.show", "Shows from where members come, and how it went.", {List}, record},
      {"source",
       "run",
       "source.run",
       "Takes the members of a list from its directory now. Refuses when more than a fifth would go.",
       {List,
        {Kind::Flag, "--dry-run", "dryRun", "say what would happen, change nothing", false, Type::Truth},
        {Kind::Flag, "--confirmed", "confirmed", "also when more than a fifth would go", false, Type::Truth}},
       renderSync},
      {"source",
       "remove",
       "source.remove",
       "Lets members come from no directory any more; who is on the list stays.",
       {List},
       [](std::ostream& out, const json&) { out << "removed\n"; }},
  };
}

}  // namespace postern::cli
