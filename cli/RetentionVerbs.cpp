#include "cli/RetentionVerbs.h"

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
Parameter maybe(const char* name, const char* field, const char* doc) {
  return {Kind::Positional, name, field, doc, false};
}
Parameter option(const char* name, const char* field, const char* doc) {
  return {Kind::Option, name, field, doc};
}
Parameter needed(const char* name, const char* field, const char* doc) {
  return {Kind::Option, name, field, doc, true};
}
Parameter number(const char* name, const char* field, const char* doc) {
  return {Kind::Option, name, field, doc, false, Type::Number};
}

void record(std::ostream& out, const json& result) {
  renderRecord(out, result);
}

std::function<void(std::ostream&, const json&)> table(std::vector<Column> columns, const char* empty) {
  return [columns = std::move(columns), empty](std::ostream& out, const json& result) {
    renderTable(out, result.at("items"), columns, empty);
  };
}

// What a change of rules came to: in force, or waiting for a second person.
void changed(std::ostream& out, const json& result) {
  if (result.contains("request"))
    out << "This may destroy mail earlier, so a second person must approve it: request "
        << renderValue("id", result.at("request").value("id", json())) << "\n";
  else
    renderRecord(out, result);
}

std::string textOf(const json& object, const char* field) {
  return object.contains(field) ? renderValue(field, object.at(field)) : "-";
}

// Which rules decide on one list, as the page of the message shows them.
void explainReference(std::ostream& out, const json& reference) {
  out << "\nOn " << reference.value("list", "") << ":\n";
  for (const auto& line : reference.at("lines")) {
    out << "  " << line.value("sentence", "");
    if (line.value("decidesRetain", false)) out << " [decides keeping]";
    if (line.value("decidesDelete", false)) out << " [decides destroying]";
    if (line.value("switchedOff", false)) out << " [replaced by a complete rule]";
    out << "\n";
  }
  if (reference.at("lines").empty()) out << "  No rule matches, so it is kept.\n";
  out << "  kept until at least: " << textOf(reference, "retainUntil")
      << "\n  destroyed from: " << textOf(reference, "deleteAt") << "\n  due: " << textOf(reference, "disposeAt")
      << "\n  then: " << textOf(reference, "action") << "\n";
  for (const auto& [field, words] : {std::pair("hiddenAt", "hidden since"), std::pair("removedAt", "gone since")})
    if (const auto at = textOf(reference, field); at != "-") out << "  " << words << ": " << at << "\n";
}

// All that the panel of the web UI tells of the message.
void explained(std::ostream& out, const json& result) {
  out << result.value("sentence", "") << "\n\nobject " << textOf(result, "object") << ", " << textOf(result, "size")
      << " bytes, " << textOf(result, "state") << ", received " << textOf(result, "receivedAt")
      << "\nSHA-256 at receipt: " << textOf(result, "digest") << "\n";
  for (const auto& reference : result.at("references")) explainReference(out, reference);
  if (result.contains("holds")) {
    for (const auto& hold : result.at("holds"))
      out << "\nheld by hold " << textOf(hold, "id") << " (" << hold.value("name", "") << ") of matter "
          << textOf(hold, "matter") << ", until " << textOf(hold, "until") << "\n";
    if (result.at("holds").empty()) out << "\nNo hold that you may see keeps it.\n";
  }
  if (!result.contains("history") || result.at("history").empty()) return;
  out << "\nHistory:\n";
  for (const auto& step : result.at("history"))
    out << "  "
        << (step.is_string() ? step.get<std::string>()
                             : textOf(step, "at") + "  " + step.value(step.contains("what") ? "what" : "sentence", ""))
        << "\n";
}

// The text as signed has the lines of all but very long certificates; of those they come page by page.
void certified(std::ostream& out, const json& result) {
  const bool whole = result.contains("text") && result.value("lines", std::uint64_t{0}) <= result.at("items").size();
  if (result.contains("text")) out << result.at("text").get<std::string>();
  if (!whole)
    for (const auto& line : result.at("items")) out << line.get<std::string>();
  if (result.contains("holds"))
    out << (result.at("holds") == true
                ? "\nSignature and lines fit.\n"
                : "\nSignature and lines do not fit: somebody changed the database. Treat this as an incident.\n");
  if (const auto next = result.value("next", ""); !whole && !next.empty())
    out << "\nMore lines: postern retention certificate " << result.value("id", "") << " --after " << next << "\n";
}

void wouldBe(std::ostream& out, const json& result) {
  out << "what-if " << result.value("id", "") << ": of " << textOf(result, "total") << " messages "
      << textOf(result, "becomesDue") << " would be due\n";
  for (const auto* field : {"becomesEarlier", "becomesLater", "unchanged", "neverDue", "held", "unsent", "reviews"})
    out << "  " << field << ": " << textOf(result, field) << "\n";
  renderTable(out, result.at("due"), {{"LIST", "list"}, {"MONTH", "month"}, {"MESSAGES", "count"}}, "");
}

void running(std::ostream& out, const json& result) {
  if (result.contains("request"))
    out << "The run is over the limit, so a second person must approve it: request "
        << renderValue("id", result.at("request").value("id", json())) << "\n";
  else
    out << "The run goes on behind this command; follow it with: postern job watch " << result.value("job", "") << "\n";
}

std::vector<OrderVerb> ruleVerbs() {
  const auto rule = wanted("rule", "rule", "the rule in JSON, as in docs/orders.md");
  const auto reason = needed("--reason", "reason", "why, for the record");
  const auto whatIf = option("--what-if", "whatIf", "id of the what-if; needed when mail may go earlier");
  const auto id = wanted("id", "id", "the rule");
  return {
      {"retention",
       "rule-list",
       "rule.list",
       "Shows the rules in force, and changes that wait for their day.",
       {option("--at", "at", "in force at this time")},
       table({{"RULE", "id"},
              {"NAME", "name"},
              {"TIER", "tier"},
              {"LOCKED", "locked"},
              {"SENTENCE", "sentence"},
              {"NO EFFECT BEFORE", "shadowedBy"}},
             "No rules: nothing is ever destroyed.")},
      {"retention", "rule-add", "rule.propose", "Adds a rule.", {rule, reason, whatIf}, changed},
      {"retention",
       "rule-set",
       "rule.propose",
       "Changes the rule with the id in the JSON.",
       {rule, reason, whatIf},
       changed},
      {"retention", "rule-remove", "rule.remove", "Removes a rule.", {id, reason, whatIf}, changed},
      {"retention",
       "what-if",
       "what-if.run",
       "Shows what would be due at a time, or with a changed rule. Destroys nothing.",
       {option("--at", "at", "time in question (now)"), option("--rule", "rule", "a draft rule in JSON"),
        option("--remove", "remove", "as if this rule were removed"),
        option("--release-hold", "releaseHold", "as if this hold were released then"),
        number("--grace-days", "graceDays", "days that the released hold goes on for (30)"),
        number("--sample", "sample", "how many messages to list")},
       wouldBe},
  };
}

}  // namespace

std::vector<OrderVerb> retentionVerbs() {
  auto verbs = ruleVerbs();
  const std::vector<OrderVerb> more = {
      {"retention",
       "run",
       "retention.run",
       "Destroys now what is due, as the daily run does.",
       {option("--at", "at", "what was due at this time")},
       running},
      {"retention",
       "explain",
       "retention.explain",
       "Shows until when a message is kept, and the arithmetic.",
       {maybe("message", "messageId", "Message-ID, queue id or post id"),
        option("--object", "object", "the message by its object number, as pages, reports and certificates name it"),
        option("--list", "list", "only this list"), option("--at", "at", "as of this time")},
       explained},
      {"retention",
       "verify",
       "retention.verify",
       "Checks that a kept message opens and is what was received.",
       {maybe("message", "messageId", "Message-ID, queue id or post id"),
        option("--object", "object", "the message by its object number")},
       record},
      {"retention",
       "forecast",
       "retention.forecast",
       "Shows how many messages become due in the coming months.",
       {number("--months", "months", "how many months (24)")},
       table({{"MONTH", "month"}, {"DUE", "due"}, {"REVIEWS", "reviews"}}, "Nothing becomes due.")},
      {"retention", "status", "retention.status", "Shows the next and the last run, and the clock.", {}, record},
      {"retention",
       "runs",
       "retention.runs",
       "Shows the latest runs.",
       {number("--limit", "limit", "most rows to show")},
       table({{"RUN", "id"},
              {"STARTED", "startedAt"},
              {"BY", "startedBy"},
              {"STATE", "state"},
              {"CANDIDATES", "candidates"},
              {"DESTROYED", "destroyed"},
              {"CERTIFICATE", "certificate"}},
             "No runs yet.")},
      {"retention",
       "certificate",
       "certificate.show",
       "Shows a disposition certificate with its signature.",
       {wanted("id", "id", "the certificate"),
        option("--after", "after", "go on after this line"),
        number("--limit", "limit", "most lines to show (100)"),
        {Kind::Flag, "--check", "check", "check every line against the signature, also of a very long certificate",
         false, Type::Truth}},
       certified},
      {"retention",
       "trust-clock",
       "retention.trust-clock",
       "Asks a second person to confirm that the clock is right.",
       {needed("--reason", "reason", "how it was checked")},
       running},
  };
  verbs.insert(verbs.end(), more.begin(), more.end());
  return verbs;
}

}  // namespace postern::cli
