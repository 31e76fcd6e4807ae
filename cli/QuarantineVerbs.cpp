#include "cli/QuarantineVerbs.h"

#include "cli/Render.h"

#include <nlohmann/json.hpp>

namespace postern::cli {

using nlohmann::json;

namespace {

using Kind = Parameter::Kind;
using Type = Parameter::Type;

const Parameter Id{Kind::Positional, "id", "id", "number of the held message", true};
const Parameter Reason{Kind::Option, "--reason", "reason", "why, for the audit log"};

void renderHeld(std::ostream& out, const json& result) {
  renderTable(
      out, result.at("items"),
      {{"ID", "id"},
       {"HELD", "heldAt"},
       {"FROM", "mailFrom"},
       {"LISTS", "lists"},
       {"CAUSE", "cause"},
       {"DETAIL", "detail"},
       {"STATE", "state"},
       {"UNTIL", "expiresAt"}},
      "Nothing is held. What a policy, the spam filter or a milter wants a person to look at would stand here.");
}

}  // namespace

std::vector<OrderVerb> quarantineVerbs() {
  return {
      {"quarantine",
       "list",
       "quarantine.list",
       "Lists held messages, newest first, without their subjects.",
       {{Kind::Option, "--state", "state", "held (default), released, deleted, expired or all"},
        {Kind::Option, "--cause", "cause", "spam, policy, milter or virus"},
        {Kind::Option, "--list", "list", "of this list"},
        {Kind::Option, "--from", "from", "part of the envelope sender"},
        {Kind::Option, "--limit", "limit", "how many; default 50", false, Type::Number},
        {Kind::Option, "--after", "after", "go on behind this number"}},
       renderHeld},
      {"quarantine",
       "show",
       "quarantine.show",
       "Shows a held message, without its content.",
       {Id},
       [](std::ostream& out, const json& result) { renderRecord(out, result); }},
      {"quarantine",
       "read",
       "quarantine.read",
       "Shows the content of a held message as text; recorded, and told to the owners of the list. Not for "
       "administrators.",
       {Id, {Kind::Option, "--reason", "reason", "why, for the audit log", true}},
       [](std::ostream& out, const json& result) { renderRecord(out, result); }},
      {"quarantine",
       "release",
       "quarantine.release",
       "Lets a held message go on to its recipients, once. Nothing is asked about it again but who may post to the "
       "list.",
       {Id,
        {Kind::Flag, "--trust", "trust",
         "the spam filter alone does not hold this author's proven mail to the list again"},
        {Kind::Flag, "--infected", "infected", "also when it is infected"},
        Reason},
       [](std::ostream& out, const json& result) { out << "released: " << result.at("released") << "\n"; }},
      {"quarantine",
       "delete",
       "quarantine.delete",
       "Deletes a held message; it is destroyed at once unless something says that it must be kept.",
       {Id, Reason},
       [](std::ostream& out, const json& result) {
         out << "deleted: " << result.at("deleted") << ", destroyed: " << result.at("destroyed")
             << ", must be kept for now: " << result.at("mustBeKept") << "\n";
       }},
      {"quarantine",
       "trusted",
       "quarantine.trusted",
       "Lists the authors whose proven mail the spam filter alone does not hold.",
       {},
       [](std::ostream& out, const json& result) {
         renderTable(out, result.at("items"),
                     {{"LIST", "list"}, {"ADDRESS", "address"}, {"SINCE", "addedAt"}, {"BY", "addedBy"}},
                     "Nobody is trusted. postern quarantine release ID --trust makes an author trusted.");
       }},
      {"quarantine",
       "untrust",
       "quarantine.untrust",
       "Takes back that an author is trusted.",
       {{Kind::Positional, "list", "list", "the list", true},
        {Kind::Positional, "address", "address", "the author", true}},
       [](std::ostream& out, const json&) { out << "taken back\n"; }},
  };
}

}  // namespace postern::cli
