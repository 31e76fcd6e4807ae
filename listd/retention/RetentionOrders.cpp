#include "listd/retention/RetentionOrders.h"

#include "core/app/JsonText.h"
#include "core/base/Error.h"
#include "core/crypto/Encoding.h"
#include "listd/archive/Archive.h"
#include "listd/orders/Views.h"
#include "listd/retention/ArchiveCounts.h"
#include "listd/retention/CertificateWriter.h"
#include "listd/retention/ClockGuard.h"
#include "listd/retention/Retention.h"
#include "listd/retention/RetentionRequests.h"

#include <charconv>

namespace postern::listd {

using nlohmann::json;

namespace {

using app::Role;
constexpr auto OfficerOrAuditor = Role::Officer | Role::Auditor;
constexpr std::uint64_t MostRows = 500;

// The change is given back as it was asked, so that the request for approval can be made from the stored what-if.
json whatIfView(SiteTables& tables, const WhatIf& stored) {
  auto view = stored.result;
  view["id"] = std::to_string(stored.id);
  view["draft"] = stored.draft;
  view["madeAt"] = toMicros(stored.madeAt);
  view["madeBy"] = stored.madeBy;
  view["rule"] = view["remove"] = view["releaseHold"] = nullptr;
  if (!stored.draft.is_object()) return view;
  if (stored.draft.contains("rule")) {
    view["rule"] = stored.draft.at("rule");
    if (const auto id = stored.draft.value("id", std::uint64_t{0}); id != 0) view["rule"]["id"] = std::to_string(id);
  }
  for (const auto* name : {"remove", "releaseHold"})
    if (stored.draft.contains(name)) view[name] = std::to_string(stored.draft.at(name).get<std::uint64_t>());
  if (!view["releaseHold"].is_null()) {
    view["graceDays"] = stored.draft.at("graceDays");
    if (const auto hold = tables.holds.find(stored.draft.at("releaseHold").get<std::uint64_t>()))
      view["sentence"] = "Release of the hold \"" + hold->hold.name + "\" (" + hold->hold.scope.sentence() + ")";
  }
  return view;
}

// As they may read it who must not learn of silent holds: what holds keep and what waits for a review are one number,
// as in the account of a run. What becomes due stays as it is: the run would do the same.
json toldTo(json view, app::Roles roles) {
  view["mustBeKept"] = view.value("held", std::uint64_t{0}) + view.value("reviews", std::uint64_t{0});
  if (!roles.has(Role::Officer)) view["held"] = view["reviews"] = nullptr;
  return view;
}

std::optional<HoldRow> holdOf(SiteTables& tables, const json& draft) {
  if (!draft.is_object() || !draft.contains("releaseHold")) return std::nullopt;
  return tables.holds.find(draft.at("releaseHold").get<std::uint64_t>());
}

void noteHold(SiteTables& tables, const OrderCall& call, const json& draft) {
  const auto hold = holdOf(tables, draft);
  if (!hold) return;
  call.note.matterId = hold->hold.matterId;
  call.note.number("hold", hold->hold.id);
}

// A silent hold is not there for those who may not see it.
void requireOpenHold(SiteTables& tables, const OrderCall& call, const RuleDraft& draft) {
  if (draft.releaseHold == 0) return;
  const auto row = tables.holds.find(draft.releaseHold);
  if (!row || (row->hold.silent && !call.actor.roles.has(Role::Officer)))
    refuse("not-found", "there is no hold " + std::to_string(draft.releaseHold), "see: postern hold list");
  if (row->hold.releasedAt) refuse("refused", "the hold is released already");
}

json runWhatIf(OrderTools& tools, const OrderCall& call) {
  auto& retention = requireRetention(tools);
  WhatIf stored;
  WhatIfQuestion question;
  question.at = stored.at = timeOr(call.args, "at", tools.now());
  question.draft = tools.context.site.read([&](SiteTables& tables) {
    auto draft = draftOf(tables, call.args, tools.now());
    requireOpenHold(tables, call, draft);
    return draft;
  });
  question.sample = static_cast<std::uint32_t>(call.args.number("sample", 20, 0, MostRows));
  stored.madeAt = tools.now();
  stored.madeBy = call.actor.name;
  stored.draft = draftJson(question.draft);
  stored.result = whatIf(tools.context, retention.answers(), question);
  return change(tools, call, [&](SiteTables& tables) {
    const auto id = tables.retention.addWhatIf(stored);
    call.note.objectType = "what-if";
    call.note.objectId = std::to_string(id);
    noteHold(tables, call, stored.draft);
    stored.id = id;
    return toldTo(whatIfView(tables, stored), call.actor.roles);
  });
}

WhatIf requireWhatIf(SiteTables& tables, const OrderCall& call) {
  auto found = tables.retention.whatIf(call.args.id("id"));
  const auto hold = found ? holdOf(tables, found->draft) : std::nullopt;
  const bool hidden = hold && hold->hold.silent && !call.actor.roles.meets(Role::Officer | Role::Approver);
  if (!found || hidden) refuse("not-found", "there is no such what-if", "run: postern retention what-if");
  return std::move(*found);
}

json showWhatIf(OrderTools& tools, const OrderCall& call) {
  return tools.context.site.read([&](SiteTables& tables) {
    const auto stored = requireWhatIf(tables, call);
    return toldTo(whatIfView(tables, stored), call.actor.roles);
  });
}

// Every message that the what-if is about, a page at a time, so that no page is larger than its limit. The archive is
// looked at as it is now; the first page has the counts as they were stored besides.
json csvOfWhatIf(OrderTools& tools, const OrderCall& call) {
  std::optional<std::uint64_t> after;
  if (!call.args.textOr("after", {}, 20).empty()) after = call.args.id("after");
  const auto limit = static_cast<std::uint32_t>(call.args.number("limit", 10'000, 1, 20'000));
  WhatIfQuestion question;
  const auto stored = tools.context.site.read([&](SiteTables& tables) {
    auto found = requireWhatIf(tables, call);
    question.at = found.at;
    question.draft = draftOf(tables, Args(whatIfView(tables, found)), found.madeAt);
    return found;
  });
  question.silentToo = call.actor.roles.has(Role::Officer);
  auto rows = whatIfRows(tools.context, requireRetention(tools).answers(), question, after, limit);
  auto csv = (after ? std::string() : whatIfCsv(stored.result)) + rows.csv;
  return {{"csv", std::move(csv)}, {"next", rows.next ? std::to_string(*rows.next) : std::string()}};
}

// The object that "object", "post" or "messageId" names.
std::uint64_t namedObject(SiteTables& tables, const Args& args) {
  if (args.has("object")) return objectOf(args);
  const auto name = args.has("post") ? args.text("post") : args.text("messageId", 1000);
  const auto post = tables.posts.findByAnyId(name);
  if (!post || post->vaultObject == 0)
    refuse("not-found", "there is no kept message " + name, "see: postern post list");
  return post->vaultObject;
}

json holdsView(const Assessment& assessment, const ArchivedMessage& message, app::Roles roles) {
  json holds = json::array();
  if (!roles.meets(OfficerOrAuditor)) return nullptr;
  for (const auto& [hold, until] : assessment.heldBy(message)) {
    if (hold->silent && !roles.has(Role::Officer)) continue;
    holds.push_back({{"id", std::to_string(hold->id)},
                     {"matter", std::to_string(hold->matterId)},
                     {"name", hold->name},
                     {"until", records::timeJson(until)}});
  }
  return holds;
}

json historyOf(SiteTables& tables, const ArchivedMessage& message, const Assessment& assessment) {
  json history = json::array();
  const auto add = [&](TimePoint at, std::string what) { history.push_back({{"at", toMicros(at)}, {"what", what}}); };
  add(message.object.receivedAt, "received");
  for (const auto& reference : message.references) {
    const auto list = assessment.listAddress(reference.listId);
    if (reference.hiddenAt) add(*reference.hiddenAt, "deleted by a person on " + list + ": hidden");
    if (reference.removedAt) add(*reference.removedAt, "removed from " + list);
  }
  if (const auto disposal = tables.retention.disposal(message.object.id); disposal && disposal->done)
    add(disposal->destroyedAt, "destroyed in run " + std::to_string(disposal->runId));
  return history;
}

json referenceView(const Assessment& assessment, const ArchivedMessage& message, const Reference& reference,
                   TimePoint now) {
  auto view = records::dispositionJson(assessment.explain(message, reference), now);
  view["list"] = assessment.listAddress(reference.listId);
  view["hiddenAt"] = reference.hiddenAt ? json(toMicros(*reference.hiddenAt)) : json();
  view["removedAt"] = reference.removedAt ? json(toMicros(*reference.removedAt)) : json();
  return view;
}

json explain(OrderTools& tools, const OrderCall& call) {
  const auto at = timeOr(call.args, "at", tools.now());
  const auto* answers = requireRetention(tools).answers();
  return tools.context.site.read([&](SiteTables& tables) -> json {
    const auto message = tables.archive.message(namedObject(tables, call.args));
    if (!message) refuse("not-found", "there is no such message", "see: postern post list");
    Assessment assessment(tables, at);
    assessment.answerWith(indexTruthOfFew(answers, assessment.queries()));
    const auto list = call.args.has("list") ? requireList(tables, call.args).id : 0;
    json references = json::array();
    std::string sentence;
    const auto holds = holdsView(assessment, *message, call.actor.roles);
    auto heldUntil = records::Earliest;
    for (const auto& [hold, until] : assessment.heldBy(*message))
      if (call.actor.roles.has(Role::Officer) || (call.actor.roles.has(Role::Auditor) && !hold->silent))
        heldUntil = std::max(heldUntil, until);
    for (const auto& reference : message->references) {
      if (list != 0 && reference.listId != list) continue;
      references.push_back(referenceView(assessment, *message, reference, at));
      if (sentence.empty() && !reference.removedAt)
        sentence = records::explainSentence(assessment.explain(*message, reference), at, heldUntil);
    }
    constexpr const char* States[] = {"stored", "destroying", "destroyed"};
    json view{{"object", std::to_string(message->object.id)},
              {"receivedAt", toMicros(message->object.receivedAt)},
              {"size", message->object.size},
              {"class", message->object.sensitivity},
              {"state", States[static_cast<std::size_t>(message->object.state)]},
              {"labels", message->labels},
              {"references", std::move(references)},
              {"history", historyOf(tables, *message, assessment)},
              {"digest", crypto::hex(message->object.digest)},
              {"sentence", message->object.state == ObjectState::Destroyed ? "It was destroyed." : sentence}};
    if (!holds.is_null()) view["holds"] = holds;
    return view;
  });
}

json verifyObject(OrderTools& tools, const OrderCall& call) {
  const auto object =
      tools.context.site.read([&](SiteTables& tables) { return tables.archive.find(namedObject(tables, call.args)); });
  if (!object) refuse("not-found", "there is no such message", "see: postern post list");
  const auto proof = Archive(tools.context).verify(*object);
  call.note.objectType = "object";
  call.note.objectId = std::to_string(object->id);
  return {{"object", std::to_string(object->id)}, {"digest", proof.digest}, {"ok", proof.ok}, {"words", proof.words}};
}

json showForecast(OrderTools& tools, const OrderCall& call) {
  const auto months = static_cast<std::uint32_t>(call.args.number("months", 24, 1, 240));
  const auto counted = tools.context.site.read([](SiteTables& tables) { return tables.retention.counted(); });
  const auto now = tools.now();  // not counted yet: only in the first minute of a site
  auto view = forecast(counted ? counted->counts : countArchive(tools.context, requireRetention(tools).answers(), now),
                       now, months);
  // Holds are no business of those who run the machine, and a silent one would show in the count.
  if (!call.actor.roles.has(Role::Officer)) view["held"] = nullptr;
  return view;
}

json runningView(OrderTools& tools, const std::vector<Run>& open) {
  if (open.empty()) return nullptr;
  json view{{"run", std::to_string(open.front().id)}, {"job", nullptr}};
  if (tools.jobs == nullptr) return view;
  for (const auto& job : tools.jobs->newest(100))
    if (job.kind == "retention.run" && job.args.value("run", std::uint64_t{0}) == open.front().id)
      view.update({{"job", std::to_string(job.id)}, {"done", job.done}, {"total", job.total}, {"state", job.state}});
  return view;
}

json runView(SiteTables& tables, const Run& run, app::Roles roles) {
  json kept = json::array();
  const auto told = roles.has(Role::Officer) ? std::map<std::string, std::uint64_t>(run.kept.begin(), run.kept.end())
                                             : publicKept(run);
  for (const auto& [reason, count] : told) kept.push_back({{"reason", reason}, {"count", count}});
  const auto certificate = tables.retention.certificateOfRun(run.id);
  return {{"id", std::to_string(run.id)},
          {"caller", run.caller},
          {"startedAt", toMicros(run.startedAt)},
          {"finishedAt", run.finishedAt == TimePoint() ? json() : json(toMicros(run.finishedAt))},
          {"state", run.state},
          {"startedBy", run.startedBy},
          {"candidates", run.candidates},
          {"removed", run.removed},
          {"destroyed", run.destroyed},
          {"kept", std::move(kept)},
          {"words", run.words},
          {"certificate", certificate ? json(std::to_string(*certificate)) : json()}};
}

json retentionStatus(OrderTools& tools, const OrderCall& call) {
  const auto now = tools.now();
  const auto remnants = tools.retention == nullptr ? Remnants() : tools.retention->gate().remnants();
  return tools.context.site.read([&](SiteTables& tables) -> json {
    const auto trouble = clockTrouble(tables, now);
    const auto runs = tables.retention.runs(1);
    const auto open = tables.retention.openRuns();
    const auto counted = tables.retention.counted();
    return {{"nextRunAt", toMicros(RetentionSchedule::nextRun(tables, now))},
            {"lastRun", runs.empty() ? json() : runView(tables, runs.front(), call.actor.roles)},
            {"clock", {{"trusted", !trouble}, {"reason", trouble.value_or("")}}},
            {"blastLimit",
             blastLimit(tables.archive.count(), tables.retention.destroyedSince(now - std::chrono::days(30)))},
            {"waitingReviews", tables.retention.waitingCount()},
            {"noRule", counted ? counted->counts.at("noRule") : json()},
            {"countedAt", counted ? toMicros(counted->asOf) : 0},
            {"running", runningView(tools, open)},
            {"remnants", remnants.text()}};
  });
}

json runRetention(OrderTools& tools, const OrderCall& call) {
  auto& jobs = requireJobs(tools);
  const auto now = tools.now();
  const auto at = timeOr(call.args, "at", now);
  if (at > now) refuse("invalid", "a run cannot look into the future", "for that there is: postern retention what-if");
  const auto scan = scanArchive(tools.context, requireRetention(tools).answers(), at);
  auto answer = change(tools, call, [&](SiteTables& tables) -> json {
    if (const auto trouble = destructionTrouble(tools.context, tables, now))
      refuse("refused", trouble->words,
             trouble->kept == "clock" ? "put the clock right; then two people must say so: retention.trust-clock"
                                      : "put back an undamaged copy of journal/register.log and restart Postern");
    const auto limit = blastLimit(scan.objects, tables.retention.destroyedSince(now - std::chrono::days(30)));
    if (scan.due.size() > limit) return {{"request", requestRun(tools, tables, call, at, scan.due.size())}};
    return {{"job", std::to_string(startRun(tables, jobs, at, now, call.actor.name, 0))}};
  });
  jobs.wake();
  return answer;
}

json trustClock(OrderTools& tools, const OrderCall& call) {
  const auto reason = call.args.text("reason", 500);
  return change(tools, call, [&](SiteTables& tables) -> json {
    return {{"request", requestTrustClock(tools, tables, call, reason)}};
  });
}

json listRuns(OrderTools& tools, const OrderCall& call) {
  const auto limit = static_cast<std::uint32_t>(call.args.number("limit", 50, 1, MostRows));
  return tools.context.site.read([&](SiteTables& tables) {
    json items = json::array();
    for (const auto& run : tables.retention.runs(limit)) items.push_back(runView(tables, run, call.actor.roles));
    return pageOf(std::move(items), "");
  });
}

json certificateView(const Certificate& certificate) {
  return {{"id", std::to_string(certificate.id)},
          {"run", std::to_string(certificate.runId)},
          {"at", toMicros(certificate.madeAt)},
          {"lines", certificate.lines}};
}

// Where the page before ended. An empty one is that of the first page, as a form gives it.
std::uint64_t placeAfter(const Args& args) {
  return args.textOr("after", {}, 20).empty() ? 0 : args.id("after");
}

json listCertificates(OrderTools& tools, const OrderCall& call) {
  const auto limit = static_cast<std::uint32_t>(call.args.number("limit", 50, 1, MostRows));
  const auto before = placeAfter(call.args);
  return tools.context.site.read([&](SiteTables& tables) {
    const auto found = tables.retention.certificates(before, limit);
    json items = json::array();
    for (const auto& certificate : found) items.push_back(certificateView(certificate));
    return pageOf(std::move(items), found.size() == limit ? std::to_string(found.back().id) : std::string());
  });
}

// The lines of lists stand behind those of objects, on the last page.
json showCertificate(OrderTools& tools, const OrderCall& call) {
  const auto limit = static_cast<std::uint32_t>(call.args.number("limit", 100, 1, MostRows));
  const auto after = placeAfter(call.args);
  return tools.context.site.read([&](SiteTables& tables) {
    const auto certificate = tables.retention.certificate(call.args.id("id"));
    if (!certificate) refuse("not-found", "there is no such certificate", "see: postern retention certificates");
    auto view = certificateView(*certificate);
    view["signature"] = crypto::base64(certificate->signature);
    view["publicKey"] = crypto::base64(certificate->publicKey);
    // To check it takes all lines: never with each page of them, and of very many only when asked to.
    const bool small = certificate->lines <= MostLinesInText;
    if ((after == 0 && small) || call.args.flag("check")) view["holds"] = certificateHolds(tables, *certificate);
    if (after == 0) view["text"] = certificateText(tables, *certificate);
    const auto lines = tables.retention.lines(certificate->runId, after, limit);
    json items = json::array();
    for (const auto& line : lines) items.push_back(certificateLine(line));
    const bool more = lines.size() == limit;
    if (!more)
      for (const auto& line : tables.retention.listLines(certificate->runId)) items.push_back(certificateLine(line));
    view["items"] = std::move(items);
    view["next"] = more ? std::to_string(lines.back().objectId) : std::string();
    return view;
  });
}

constexpr OrderRow Table[] = {
    {"what-if.run", OrderKind::Changes, runWhatIf, {OfficerOrAuditor}},
    {"what-if.show", OrderKind::Reads, showWhatIf, {OfficerOrAuditor | Role::Approver}},
    {"what-if.csv", OrderKind::Reads, csvOfWhatIf, {OfficerOrAuditor}},
    {"retention.explain", OrderKind::Reads, explain, {OfficerOrAuditor | Role::Helpdesk}},
    {"retention.verify", OrderKind::Looks, verifyObject, {OfficerOrAuditor}},
    {"retention.forecast", OrderKind::Reads, showForecast, {OfficerOrAuditor | Role::Admin}},
    {"retention.status", OrderKind::Reads, retentionStatus, {OfficerOrAuditor | Role::Admin}},
    {"retention.run", OrderKind::Changes, runRetention, {Role::Officer, true}},
    {"retention.trust-clock", OrderKind::Changes, trustClock, {Role::Officer, true}},
    {"retention.runs", OrderKind::Reads, listRuns, {OfficerOrAuditor}},
    {"certificate.list", OrderKind::Reads, listCertificates, {OfficerOrAuditor}},
    {"certificate.show", OrderKind::Reads, showCertificate, {OfficerOrAuditor}},
};

}  // namespace

Retention& requireRetention(OrderTools& tools) {
  if (tools.retention == nullptr) refuse("unavailable", "retention does not run here");
  return *tools.retention;
}

JobRunner& requireJobs(OrderTools& tools) {
  if (tools.jobs == nullptr) refuse("unavailable", "no jobs run here");
  return *tools.jobs;
}

std::uint64_t objectOf(const Args& args, std::string_view name) {
  return args.id(name);
}

// Microseconds as everywhere in orders, or a day or time as people write it.
TimePoint timeOr(const Args& args, std::string_view name, TimePoint fallback) {
  if (!args.has(name)) return fallback;
  const auto text = args.text(name, 40);
  std::int64_t micros = 0;
  if (const auto read = std::from_chars(text.data(), text.data() + text.size(), micros);
      read.ec == std::errc() && read.ptr == text.data() + text.size())
    return fromMicros(micros);
  std::tm parts{};
  std::istringstream stream(text.size() == 10 ? text + "T00:00:00Z" : text);
  stream >> std::get_time(&parts, "%Y-%m-%dT%H:%M:%SZ");
  if (stream.fail() || parts.tm_year < 0 || stream.peek() != std::istringstream::traits_type::eof())
    refuse("invalid", "\"" + std::string(name) + "\" is no time",
           "give it as 2026-03-01 or 2026-03-01T12:00:00Z, in UTC");
  return TimePoint(std::chrono::seconds(::timegm(&parts)));
}

RuleDraft draftOf(SiteTables& tables, const Args& args, TimePoint now) {
  RuleDraft draft;
  if (args.has("remove")) {
    draft.remove = args.id("remove");
    return draft;
  }
  if (args.has("releaseHold")) {
    draft.releaseHold = args.id("releaseHold");
    draft.grace = std::chrono::days(args.number("graceDays", records::DefaultGrace.count(), 0, 3650));
    return draft;
  }
  auto given = args.value("rule");
  if (given.is_null()) return draft;
  if (given.is_string()) given = app::parseJson(given.get<std::string>());
  std::uint64_t id = 0;
  if (given.is_object() && given.contains("id")) {
    id = Args(given).id("id");
    given.erase("id");
  }
  if (id != 0 && tables.rules.history(id).empty())
    refuse("not-found", "there is no such rule", "see: postern retention rule-list");
  auto rule = records::Rule::parse(given);
  if (!rule) refuse("invalid", rule.error());
  rule->id = id;
  rule->effectiveFrom = now;
  draft.rule = std::move(*rule);
  return draft;
}

std::span<const OrderRow> retentionOrders() {
  return Table;
}

}  // namespace postern::listd
