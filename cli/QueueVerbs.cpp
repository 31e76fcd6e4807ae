#include "cli/QueueVerbs.h"

#include "cli/Render.h"

#include <nlohmann/json.hpp>

namespace postern::cli {

using nlohmann::json;

namespace {

using Kind = Parameter::Kind;
using Type = Parameter::Type;

const Parameter Which{Kind::Positional, "id", "id", "a copy, or a message by its trace id or Message-ID"};
const Parameter To{Kind::Option, "--destination", "destination", "every copy to this domain"};
const Parameter All{Kind::Flag, "--all", "all", "every copy in the queue", false, Type::Truth};
const Parameter Limit{Kind::Option, "--limit", "limit", "most rows to show", false, Type::Number};
const Parameter After{Kind::Option, "--after", "after", "go on after this row"};

const std::vector<Column> CopyColumns = {
    {"ID", "id"},           {"LIST", "list"},          {"DESTINATION", "destination"},
    {"STATE", "state"},     {"PRIORITY", "priority"},  {"ATTEMPTS", "attempts"},
    {"QUEUED", "queuedAt"}, {"NEXT", "nextAttemptAt"}, {"LAST REPLY", "lastReply"}};

void renderMore(std::ostream& out, const json& result) {
  const auto next = result.value("next", "");
  if (!next.empty()) out << "(more: --after " << next << ")\n";
}

void renderCopies(std::ostream& out, const json& result) {
  renderTable(out, result.at("items"), CopyColumns, "No copy fits: the queue is empty, or has no such copy.");
  renderMore(out, result);
}

// A copy, or the copies of a message.
void renderShown(std::ostream& out, const json& result) {
  if (!result.contains("copies")) return renderRecord(out, result);
  out << "Message " << result.value("trace", "") << "\n\n";
  auto columns = CopyColumns;
  columns[1] = {"RECIPIENT", "recipient"};
  renderTable(out, result.at("copies"), columns, "No copy of this message waits any more.");
  renderMore(out, result);
}

void renderDestinations(std::ostream& out, const json& result) {
  renderTable(out, result.at("items"),
              {{"DESTINATION", "destination"},
               {"WAITING", "waiting"},
               {"HELD", "held"},
               {"OLDEST", "oldestAt"},
               {"CONNECTIONS", "connections"},
               {"BACK-OFF UNTIL", "backOffUntil"},
               {"PAUSED", "paused"},
               {"LAST ANSWER", "lastReply"}},
              "The queue is empty.");
}

void renderChanged(std::ostream& out, const json& result) {
  const auto count = result.value("changed", 0);
  out << count << (count == 1 ? " copy changed\n" : " copies changed\n");
  if (const auto away = result.value("onTheWay", 0); away > 0)
    out << away << " of them " << (away == 1 ? "was" : "were")
        << " being given to a server at that moment and may arrive all the same; the ledger says so then.\n";
}

void renderRerouted(std::ostream& out, const json& result) {
  renderChanged(out, result);
  if (const auto strict = result.value("needTls", 0); strict > 0)
    out << strict << (strict == 1 ? " of them is" : " of them are")
        << " protected by verified TLS alone: they leave only if the host proves a name of their domain.\n";
}

void renderShape(std::ostream& out, const json& result) {
  renderRecord(out, result);
}

void renderShapes(std::ostream& out, const json& result) {
  renderTable(out, result.at("items"),
              {{"DESTINATION", "name"},
               {"CONNECTIONS", "connections"},
               {"PER MINUTE", "perMinute"},
               {"RETRY", "retry"},
               {"PAUSED", "paused"},
               {"SINCE", "pausedAt"}},
              "Nothing is set: [delivery] in postern.toml holds for all.");
  const auto usual = result.find("default");
  if (usual == result.end()) return;
  out << "What is not set: " << usual->value("connections", 0) << " connections, tried again after "
      << usual->value("firstRetry", "") << ", then twice as long each time, at last each "
      << usual->value("maxRetry", "") << ".\n";
}

Parameter shapeName(bool required) {
  return {Kind::Positional, "name", "name", "a domain, the host of a route, or * for all", required};
}

}  // namespace

std::vector<OrderVerb> queueVerbs() {
  return {
      {"queue",
       "list",
       "queue.list",
       "Shows the copies that wait for delivery, oldest first.",
       {{Kind::Option, "--destination", "destination", "only to this domain"},
        {Kind::Option, "--list", "list", "only of this list"},
        {Kind::Option, "--state", "state", "waiting, active or held"},
        {Kind::Option, "--older-than", "olderThan", "queued longer ago, as in 30m, 4h or 2d"},
        Limit,
        After},
       renderCopies},
      {"queue",
       "show",
       "queue.show",
       "Shows one copy with its attempts, or the copies of a message that still wait.",
       {{Kind::Positional, "id", "id", "a copy, or a message by its trace id or Message-ID", true}, Limit, After},
       renderShown},
      {"queue",
       "destinations",
       "queue.destinations",
       "Shows where mail waits to go: how much, since when, what the servers said last, and until when they are left "
       "alone.",
       {{Kind::Positional, "destination", "destination", "only this domain"}, Limit},
       renderDestinations},
      {"queue", "retry", "queue.retry", "Tries again now.", {Which, To, All}, renderChanged},
      {"queue", "hold", "queue.hold", "Keeps copies from being delivered.", {Which, To, All}, renderChanged},
      {"queue", "release", "queue.release", "Lets held copies go.", {Which, To, All}, renderChanged},
      {"queue",
       "drop",
       "queue.drop",
       "Gives copies up for good; the ledger and the audit log say who did it and why.",
       {Which, To, All, {Kind::Option, "--reason", "reason", "why, for the ledger and the audit log; needed"}},
       renderChanged},
      {"queue",
       "reroute",
       "queue.reroute",
       "Sends copies to another host. What only verified TLS protects leaves only if that host proves a name of the "
       "copy's domain.",
       {Which,
        {Kind::Positional, "host", "host", "HOST[:PORT]"},
        To,
        All,
        {Kind::Option, "--to", "host", "the host, where no copy is named"},
        {Kind::Flag, "--back", "back", "the way of the domain again", false, Type::Truth}},
       renderRerouted},
      {"queue",
       "pause",
       "queue.pause",
       "Sends nothing, or nothing to one destination, until resumed. Mail is taken all the same, and nothing expires.",
       {shapeName(false)},
       renderShape},
      {"queue", "resume", "queue.resume", "Ends a pause.", {shapeName(false)}, renderShape},
      {"destination",
       "set",
       "destination.set",
       "Sets how fast mail goes to a destination, at once.",
       {shapeName(true),
        {Kind::Option, "--connections", "connections", "most at the same time; 0: as usual", false, Type::Number},
        {Kind::Option, "--per-minute", "perMinute", "most messages in a minute; 0: no limit", false, Type::Number},
        {Kind::Option, "--retry", "retry", "pauses between tries, as in 5m,15m,1h; default: as usual"}},
       renderShape},
      {"destination", "list", "destination.list", "Shows what is set for destinations.", {}, renderShapes},
      {"destination",
       "reset",
       "destination.reset",
       "Takes away what is set for a destination; a pause stays.",
       {shapeName(true)},
       [](std::ostream& out, const json&) { out << "as usual again\n"; }},
  };
}

}  // namespace postern::cli
