#include "listd/retention/RetentionRequests.h"

#include "core/base/Error.h"
#include "core/base/Log.h"
#include "listd/requests/Kinds.h"
#include "listd/retention/Retention.h"
#include "listd/retention/RetentionOrders.h"

namespace postern::listd {

using nlohmann::json;

namespace {

constexpr std::string_view Schedule = "schedule";  // who started the daily run
constexpr std::uint32_t RequestsLookedAt = 200;

// The change as it was asked for, carried out when its day has come.
void carryOutRuleChange(OrderTools& tools, SiteTables& tables, const Request& request, TimePoint at) {
  const auto now = tools.now();
  const auto& payload = request.payload;
  RuleVersion version;
  if (payload.contains("remove")) {
    const auto history = tables.rules.history(payload.at("remove").get<std::uint64_t>());
    if (history.empty()) refuse("not-found", "there is no such rule any more");
    version.rule = history.back().rule;
    version.removed = true;
  } else {
    auto rule = records::Rule::parse(payload.at("rule"));
    if (!rule) throw Error(ErrorKind::Store, "the rule of a request cannot be read: " + rule.error());
    version.rule = std::move(*rule);
    version.rule.id = payload.value("id", std::uint64_t{0});
  }
  // What the approver looked at, and what the what-if was made for, must still be what is changed.
  if (const auto history = tables.rules.history(version.rule.id);
      !history.empty() && (history.back().removed || history.back().rule.json() != request.before))
    refuse("refused", "the rule was changed since this was asked for", "ask again, with a new what-if");
  // What was locked since must not fall by a request from before.
  for (const auto& standing : tables.rules.inForce(records::Never))
    if (standing.id == version.rule.id)
      if (const auto why = records::lockForbids(standing, version.removed ? nullptr : &version.rule))
        refuse("refused", *why, "a locked floor can be extended or widened only");
  version.madeAt = now;
  version.madeBy = request.requester;
  version.reason = request.reason;
  version.request = request.id;
  version.rule.effectiveFrom = std::max(at, now);
  enact(tools.context, tables, std::move(version));
}

void carryOutRun(OrderTools& tools, SiteTables& tables, const Request& request, TimePoint) {
  const auto now = tools.now();
  auto& jobs = requireJobs(tools);
  const auto at = fromMicros(request.payload.at("at").get<std::int64_t>());
  startRun(tables, jobs, std::min(at, now), now, request.requester, request.payload.at("count").get<std::uint64_t>());
}

void carryOutTrust(OrderTools& tools, SiteTables& tables, const Request&, TimePoint) {
  tables.retention.trustClock(tools.now());
}

void carryOutUnlabel(OrderTools&, SiteTables& tables, const Request& request, TimePoint) {
  tables.archive.removeLabel(request.payload.at("object").get<std::uint64_t>(),
                             request.payload.at("label").get<std::string>());
}

void carryOutEvent(OrderTools& tools, SiteTables& tables, const Request& request, TimePoint) {
  RetentionEvent event;
  event.event = request.payload.at("event").get<std::string>();
  event.listId = request.payload.at("list").get<std::uint64_t>();
  event.objectId = request.payload.at("object").get<std::uint64_t>();
  event.at = fromMicros(request.payload.at("at").get<std::int64_t>());
  event.recordedAt = tools.now();
  event.recordedBy = request.requester;
  event.reason = request.reason;
  if (!tables.rules.record(event)) refuse("exists", "that event is recorded already");
}

void carryOutLabel(OrderTools& tools, SiteTables& tables, const Request& request, TimePoint) {
  tables.archive.addLabel(request.payload.at("object").get<std::uint64_t>(),
                          request.payload.at("label").get<std::string>(), tools.now());
}

Request requestOf(const OrderCall& call, std::string kind, std::string title, std::string reason) {
  Request request;
  request.kind = std::move(kind);
  request.title = std::move(title);
  request.reason = std::move(reason);
  request.requester = call.actor.name;
  return request;
}

json made(OrderTools& tools, SiteTables& tables, Request request) {
  return viewOf(tools.context.requests.make(tools, tables, std::move(request)));
}

}  // namespace

json draftJson(const RuleDraft& draft) {
  if (draft.rule) return {{"rule", draft.rule->json()}, {"id", draft.rule->id}};
  if (draft.releaseHold != 0) return {{"releaseHold", draft.releaseHold}, {"graceDays", draft.grace.count()}};
  return draft.remove == 0 ? json() : json{{"remove", draft.remove}};
}

json whatIfFor(SiteTables& tables, const Args& args, const RuleDraft& draft, TimePoint now) {
  constexpr std::chrono::days Fresh{7};
  if (!args.has("whatIf"))
    refuse("refused", "this change may destroy mail earlier: it needs a stored what-if",
           "run: postern retention what-if with the same change, and give its id with --what-if");
  const auto stored = tables.retention.whatIf(args.id("whatIf"));
  if (!stored || stored->draft != draftJson(draft) || now - stored->madeAt > Fresh)
    refuse("refused", "that what-if is about another change, or older than seven days", "run a new one");
  // The rules, holds and mail of long ago would tell the approver of no harm.
  if (stored->at + std::chrono::days(1) < stored->madeAt)
    refuse("refused", "that what-if is about a time that has passed", "run one without --at, or for a day to come");
  auto summary = stored->result;
  summary["id"] = std::to_string(stored->id);
  return summary;
}

json requestRuleChange(OrderTools& tools, SiteTables& tables, const OrderCall& call, const RuleChange& change) {
  const auto name = (change.after.is_null() ? change.before : change.after).value("name", "");
  auto request = requestOf(call, "rule.change",
                           change.after.is_null()    ? "Remove the rule " + name
                           : change.before.is_null() ? "Add the rule " + name
                                                     : "Change the rule " + name,
                           change.reason);
  request.payload = draftJson(change.draft);
  request.before = change.before;
  request.after = change.after;
  request.whatIf = change.whatIf;
  request.delay = records::ShortenWait;
  return made(tools, tables, std::move(request));
}

namespace {

Request runRequest(std::string requester, TimePoint at, std::uint64_t wanted) {
  Request request;
  request.kind = "retention.run";
  request.title = "Destroy " + std::to_string(wanted) + " messages that are due";
  request.reason = "more than a run may destroy without approval";
  request.requester = std::move(requester);
  request.payload = {{"at", toMicros(at)}, {"count", wanted}};
  request.after = {{"destroys", wanted}};
  return request;
}

// The newest run when it is one of the schedule that stopped and that nobody was asked about yet.
std::optional<Run> unansweredRun(SiteTables& tables) {
  const auto runs = tables.retention.runs(1);
  if (runs.empty() || runs.front().state != "stopped" || runs.front().startedBy != Schedule) return std::nullopt;
  for (const auto& request : tables.requests.page("", 0, RequestsLookedAt))
    if (request.kind == "retention.run" && (request.state == "waiting" || request.createdAt >= runs.front().finishedAt))
      return std::nullopt;
  return runs.front();
}

}  // namespace

json requestRun(OrderTools& tools, SiteTables& tables, const OrderCall& call, TimePoint at, std::uint64_t wanted) {
  return made(tools, tables, runRequest(call.actor.name, at, wanted));
}

void askForStoppedRun(OrderTools& tools) {
  if (!tools.context.site.read([](SiteTables& tables) { return unansweredRun(tables); })) return;
  try {
    tools.context.site.write([&](SiteTables& tables) {
      const auto run = unansweredRun(tables);
      if (!run) return;
      const auto request =
          tools.context.requests.make(tools, tables, runRequest(std::string(Schedule), run->at, run->candidates));
      audit::Event event;
      event.actorKind = "system";
      event.action = "retention.run";
      event.objectType = "run";
      event.objectId = std::to_string(run->id);
      event.requestId = request.id;
      event.reasonText = run->words;
      tables.audit.append(event);
    });
  } catch (const app::OrderRefused& refused) {  // nobody could decide it: status says that the run stopped
    log::warning("retention", "no approval can be asked for", {{"why", refused.error().message}});
  }
}

json requestTrustClock(OrderTools& tools, SiteTables& tables, const OrderCall& call, const std::string& reason) {
  auto request = requestOf(call, "clock.trust", "Trust the clock again: it says " + formatRfc3339(tools.now()), reason);
  request.payload = json::object();
  if (const auto clock = tables.retention.clock()) request.before = {{"reason", clock->reason}};
  return made(tools, tables, std::move(request));
}

json requestEvent(OrderTools& tools, SiteTables& tables, const OrderCall& call, const RetentionEvent& event) {
  auto request = requestOf(call, "event.record",
                           "Record that \"" + event.event + "\" happened at " + formatRfc3339(event.at), event.reason);
  request.payload = {
      {"event", event.event}, {"list", event.listId}, {"object", event.objectId}, {"at", toMicros(event.at)}};
  request.after = {{"event", event.event}, {"at", toMicros(event.at)}};
  request.delay = records::ShortenWait;
  return made(tools, tables, std::move(request));
}

json requestLabel(OrderTools& tools, SiteTables& tables, const OrderCall& call, std::uint64_t object,
                  const std::string& label, const std::string& reason) {
  auto request = requestOf(call, "object.label", "Put the label " + label + " on a message", reason);
  request.payload = {{"object", object}, {"label", label}};
  request.after = {{"label", label}};
  request.delay = records::ShortenWait;
  return made(tools, tables, std::move(request));
}

json requestUnlabel(OrderTools& tools, SiteTables& tables, const OrderCall& call, std::uint64_t object,
                    const std::string& label, const std::string& reason) {
  auto request = requestOf(call, "object.unlabel", "Take the label " + label + " off a message", reason);
  request.payload = {{"object", object}, {"label", label}};
  request.before = {{"label", label}};
  request.delay = records::ShortenWait;
  return made(tools, tables, std::move(request));
}

void addRetentionRequests(Requests& requests) {
  // A version waits for its day by itself; a run and a label do not.
  requests.add({"rule.change", carryOutRuleChange});
  requests.add({"retention.run", carryOutRun});
  requests.add({"clock.trust", carryOutTrust});
  requests.add({"event.record", carryOutEvent, false});
  requests.add({"object.label", carryOutLabel, false});
  requests.add({"object.unlabel", carryOutUnlabel, false});
}

}  // namespace postern::listd
