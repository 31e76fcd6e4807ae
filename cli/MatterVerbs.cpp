#include "cli/MatterVerbs.h"

#include "cli/Render.h"

#include <nlohmann/json.hpp>

namespace postern::cli {

using nlohmann::json;

namespace {

using Kind = Parameter::Kind;
using Type = Parameter::Type;

Parameter wanted(const char* name, const char* field, const char* doc) {
  return {Kind::Positional, name, field, doc, true};
}
Parameter option(const char* name, const char* field, const char* doc, bool required = false) {
  return {Kind::Option, name, field, doc, required};
}
Parameter number(const char* name, const char* field, const char* doc) {
  return {Kind::Option, name, field, doc, false, Type::Number};
}

std::function<void(std::ostream&, const json&)> table(std::vector<Column> columns, const char* empty) {
  return [columns = std::move(columns), empty](std::ostream& out, const json& result) {
    renderTable(out, result.at("items"), columns, empty);
  };
}

void record(std::ostream& out, const json& result) {
  renderRecord(out, result);
}

// What waits for a second person says so, so that nobody takes it for done.
void asked(std::ostream& out, const json& result) {
  const auto& request = result.at("request");
  out << "Nothing has changed yet. Request " << request.at("id") << " waits for a second person:\n";
  renderRecord(out, request);
}

void erased(std::ostream& out, const json& result) {
  out << result.at("text").get<std::string>() << "\n";
}

const Parameter Scope = {Kind::FileContent, "scope", "scope",
                         "file with the scope in JSON, - for standard input; see docs/orders.md", true};
const Parameter Matter = wanted("matter", "matter", "number of the matter");
const Parameter Hold = wanted("id", "id", "number of the hold");
const Parameter Request = wanted("id", "id", "number of the request");
const Parameter Words = option("--words", "words", "what you have to say about it");

std::vector<OrderVerb> verbsOfMatters() {
  const auto id = wanted("id", "id", "number of the matter");
  return {
      {"matter",
       "create",
       "matter.create",
       "Opens a matter.",
       {wanted("name", "name", "its name"), option("--description", "description", "what it is about")},
       record},
      {"matter",
       "list",
       "matter.list",
       "Shows the matters.",
       {},
       table({{"ID", "id"},
              {"NAME", "name"},
              {"STATE", "state"},
              {"HOLDS", "openHolds"},
              {"CUSTODIANS", "custodians"},
              {"SINCE", "createdAt"}},
             "No matters. Open one with: postern matter create NAME")},
      {"matter", "show", "matter.show", "Shows a matter with its people, holds, notes and log.", {id}, record},
      {"matter", "close", "matter.close", "Closes a matter; refused while holds are open.", {id}, record},
      {"matter",
       "note",
       "matter.note",
       "Writes something down in a matter.",
       {id, wanted("text", "text", "the note")},
       record},
      {"custodian",
       "add",
       "custodian.add",
       "Names a person whose mail must be kept; tells the person of open holds.",
       {Matter, wanted("address", "address", "mail address"), option("--name", "name", "name of the person")},
       record},
      {"custodian",
       "remove",
       "custodian.remove",
       "Ends the reminders to a person; holds stay as they are.",
       {Matter, wanted("address", "address", "mail address")},
       record},
  };
}

std::vector<OrderVerb> verbsOfHolds() {
  return {
      {"hold", "preview", "hold.preview", "Counts what a hold would keep now.", {Scope}, record},
      {"hold",
       "place",
       "hold.place",
       "Places a hold; in force for past and future mail when this returns.",
       {Matter,
        wanted("name", "name", "its name"),
        Scope,
        option("--notice", "notice", "text for the custodians"),
        {Kind::Flag, "--silent", "silent", "tell nobody", false, Type::Truth}},
       record},
      {"hold",
       "release",
       "hold.release",
       "Asks for the release of a hold; a second person decides.",
       {Hold, option("--reason", "reason", "why", true),
        number("--grace-days", "graceDays", "days that it goes on for (30)"),
        option("--what-if", "whatIf",
               "number of a what-if of this release: postern retention what-if --release-hold ID", true)},
       asked},
      {"hold",
       "list",
       "hold.list",
       "Shows the holds.",
       {option("--matter", "matter", "only of this matter"), option("--state", "state", "in-force, grace or over")},
       table({{"ID", "id"},
              {"MATTER", "matterName"},
              {"NAME", "name"},
              {"STATE", "state"},
              {"SILENT", "silent"},
              {"OBJECTS", "objects"},
              {"24 H", "growth24h"},
              {"SCOPE", "sentence"}},
             "No holds. Place one with: postern hold place MATTER NAME SCOPE")},
      {"hold", "show", "hold.show", "Shows one hold.", {Hold}, record},
  };
}

std::vector<OrderVerb> verbsOfRequests() {
  return {
      {"request",
       "list",
       "request.list",
       "Shows what needs a second person, newest first.",
       {option("--state", "state", "waiting, approved, done, refused, withdrawn or failed"),
        number("--limit", "limit", "most rows to show"), option("--after", "after", "go on after this row")},
       table({{"ID", "id"},
              {"KIND", "kind"},
              {"STATE", "state"},
              {"BY", "requester"},
              {"SINCE", "createdAt"},
              {"EFFECT", "effectiveAt"},
              {"TITLE", "title"}},
             "No requests.")},
      {"request", "show", "request.show", "Shows one request.", {Request}, record},
      {"request", "approve", "request.approve", "Allows what another person asked for.", {Request, Words}, record},
      {"request", "refuse", "request.refuse", "Refuses what another person asked for.", {Request, Words}, record},
      {"request", "withdraw", "request.withdraw", "Takes back what you asked for.", {Request, Words}, record},
      {"erasure",
       "answer",
       "erasure.answer",
       "Erases what is stored about a person as far as it may go, and says what to answer.",
       {wanted("address", "address", "mail address"), option("--reason", "reason", "who asked, and how", true)},
       erased},
  };
}

}  // namespace

std::vector<OrderVerb> matterVerbs() {
  std::vector<OrderVerb> all;
  for (auto verbsOf : {verbsOfMatters, verbsOfHolds, verbsOfRequests})
    for (auto& verb : verbsOf()) all.push_back(std::move(verb));
  return all;
}

}  // namespace postern::cli
