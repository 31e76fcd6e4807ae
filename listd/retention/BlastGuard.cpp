#include "listd/retention/BlastGuard.h"

#include "core/base/Error.h"
#include "listd/orders/Args.h"
#include "listd/retention/Assessment.h"
#include "listd/retention/Retention.h"

namespace postern::listd {

using nlohmann::json;

namespace {

constexpr std::string_view DisposeJob = "retention.dispose";
constexpr std::chrono::hours Lookback{24};
constexpr std::chrono::days MeanOf{30};

const char* kindOf(DestructionCaller caller) {
  return caller == DestructionCaller::Erasure ? "erasure.answer" : "review.decide";
}

// How many of them would go now, holds and rules considered; the gate asks the contents, too.
std::uint64_t countDue(SiteTables& tables, const ContentAnswers* answers, DestructionCaller caller,
                       const std::vector<DestructionGate::Target>& targets, TimePoint now) {
  Assessment assessment(tables, now);
  assessment.answerWith(indexTruth(answers, assessment.queries()));
  const auto claim = caller == DestructionCaller::Erasure ? Claim::Erasure : Claim::Rules;
  std::uint64_t count = 0;
  for (const auto& target : targets) {
    const auto message = tables.archive.message(target.objectId);
    const auto reference = tables.archive.reference(target.objectId, target.listId);
    if (!message || !reference || reference->removedAt) continue;
    const auto standing = assessment.standing(*message, assessment.due(*message, *reference, claim));
    if (standing == Standing::Due || standing == Standing::Review) ++count;
  }
  return count;
}

bool isOverLimit(SiteTables& tables, std::uint64_t wanted, TimePoint now) {
  const auto limit = blastLimit(tables.archive.count(), tables.retention.destroyedSince(now - MeanOf));
  return wanted > 0 && wanted + tables.retention.destroyedByOrdersSince(now - Lookback) > limit;
}

json targetsJson(const std::vector<DestructionGate::Target>& targets) {
  auto all = json::array();
  for (const auto& target : targets) all.push_back({target.objectId, target.listId});
  return all;
}

std::vector<DestructionGate::Target> targetsFrom(const json& payload) {
  std::vector<DestructionGate::Target> targets;
  for (const auto& pair : payload.at("targets"))
    targets.push_back({pair.at(0).get<std::uint64_t>(), pair.at(1).get<std::uint64_t>()});
  return targets;
}

void carryOut(OrderTools& tools, SiteTables& tables, const Request& request, TimePoint) {
  if (request.kind == kindOf(DestructionCaller::Review))
    for (const auto& target : targetsFrom(request.payload)) {
      auto review = tables.retention.review(target.objectId, target.listId);
      if (!review || review->state != "waiting") continue;  // decided otherwise meanwhile: kept
      review->state = "destroy";
      tables.retention.decideReview(*review, tools.now(), request.requester, request.reason);
    }
  if (tools.jobs == nullptr) refuse("unavailable", "no jobs run here");
  tools.jobs->start(tables, DisposeJob, {{"request", request.id}}, request.requester);
}

}  // namespace

std::optional<Request> askWhenTooMany(OrderTools& tools, SiteTables& tables, const OrderCall& call,
                                      const WantedDisposal& wanted) {
  const auto now = tools.now();
  const auto* answers = tools.retention == nullptr ? nullptr : tools.retention->answers();
  const auto count = countDue(tables, answers, wanted.caller, wanted.targets, now);
  if (!isOverLimit(tables, count, now)) return std::nullopt;
  Request request;
  request.kind = kindOf(wanted.caller);
  request.title = wanted.title;
  if (const auto at = request.title.find('%'); at != std::string::npos)
    request.title.replace(at, 1, std::to_string(count) + (count == 1 ? " message" : " messages"));
  request.reason = wanted.reason;
  request.requester = call.actor.name;
  request.payload = {{"targets", targetsJson(wanted.targets)}, {"count", count}};
  if (!wanted.person.empty()) request.payload["person"] = wanted.person;
  request.after = {{"destroys", count}};
  return tools.context.requests.make(tools, tables, std::move(request));
}

void addDisposalRequests(Requests& requests) {
  for (const auto caller : {DestructionCaller::Erasure, DestructionCaller::Review})
    requests.add({kindOf(caller), carryOut});
}

void addDisposalJob(JobRunner& jobs, SiteContext& context, DestructionGate& gate, const ContentAnswers* answers) {
  jobs.add(std::string(DisposeJob), [&context, &gate, answers](JobContext& job) -> json {
    const auto id = job.job().args.at("request").get<std::uint64_t>();
    const auto request = context.site.read([&](SiteTables& tables) { return tables.requests.find(id); });
    if (!request || (request->state != "done" && request->state != "approved"))
      throw Error(ErrorKind::Invariant, "a destruction that nobody approved");
    const auto targets = targetsFrom(request->payload);
    const auto caller =
        request->kind == kindOf(DestructionCaller::Erasure) ? DestructionCaller::Erasure : DestructionCaller::Review;
    const auto due = context.site.read(
        [&](SiteTables& tables) { return countDue(tables, answers, caller, targets, context.clock.now()); });
    if (due > request->payload.at("count").get<std::uint64_t>())
      throw Error(ErrorKind::Config,
                  std::to_string(due) + " messages would go now, more than were approved: ask again");
    job.progress(0, targets.size(), "asking the gate");
    std::uint64_t removed = 0;
    for (const auto& verdict : gate.dispose(caller, 0, targets))
      if (verdict.removed) ++removed;
    job.progress(targets.size(), targets.size());
    return {{"request", id}, {"destroyed", removed}, {"kept", targets.size() - removed}};
  });
}

}  // namespace postern::listd
