#include "listd/retention/DestructionGate.h"

#include "core/base/Error.h"
#include "core/base/Log.h"
#include "core/crypto/Digest.h"
#include "core/crypto/Encoding.h"
#include "listd/matters/Scopes.h"
#include "listd/retention/Assessment.h"
#include "listd/retention/CertificateWriter.h"
#include "listd/retention/ClockGuard.h"
#include "listd/retention/DisposalEvents.h"
#include "listd/retention/HoldsInForce.h"
#include "listd/retention/Questions.h"
#include "listd/retention/Recording.h"

#include <algorithm>
#include <future>
#include <map>
#include <unordered_map>

namespace postern::listd {
namespace {

constexpr std::size_t BatchSize = 2000;  // some tenths of a second of the writer

// Life of a backup of keys.db: until then an old copy of it could still open what was destroyed.
constexpr std::chrono::days KeyBackupLife{35};

std::string wordsFor(std::string_view kept) {
  if (kept == "held" || kept == "review") return "It must be kept for now.";  // never tells a hold
  if (kept == "not-due" || kept == "never-due") return "Its time has not come.";
  if (kept == "unsent") return "Mail of it is still to be delivered.";
  if (kept == "register") return "The register of what must be kept is damaged.";
  if (kept == "clock") return "The clock of this machine may be wrong.";
  if (kept == "gone") return "It is not there any more.";
  return "Something is broken; see the log of postern-listd.";
}

// Contents' answers to the queries of rules and holds, taken before the deciding transaction: contents never change.
// What is not in here is not computable, and kept.
struct Answers {
  Questions questions;
  std::unordered_map<std::uint64_t, std::vector<records::Truth>> byObject;  // to each part of the questions
};

// What the first job did and saw.
struct Begun {
  std::unordered_map<std::uint64_t, Disposal> lines;            // certificate lines as they were begun, by object
  std::unordered_map<std::uint64_t, ArchivedMessage> messages;  // as they are since
  std::uint64_t mark = 0;  // of the writer's connection: while it is the same, no row of site.db has changed
};

std::vector<std::uint64_t> idsOf(std::span<const DestructionGate::Verdict> verdicts) {
  std::vector<std::uint64_t> ids;
  for (const auto& verdict : verdicts) ids.push_back(verdict.target.objectId);
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  return ids;
}

const Reference* referenceOn(const ArchivedMessage& message, std::uint64_t listId) {
  const auto found = std::find_if(message.references.begin(), message.references.end(),
                                  [&](const Reference& one) { return one.listId == listId; });
  return found == message.references.end() ? nullptr : &*found;
}

}  // namespace

const char* callerWord(DestructionCaller caller) {
  constexpr const char* Words[] = {"retention-run", "review",        "person-delete",
                                   "erasure",       "list-deletion", "quarantine"};
  return Words[static_cast<std::size_t>(caller)];
}

GateParts GateParts::of(SiteContext& context, ContentAnswers* answers) {
  GateParts parts;
  parts.destroy = [&context](std::span<const std::uint64_t> ids) {
    if (ids.empty())
      context.vault.destroyAll(ids);
    else
      context.vault.destroyKeys(ids);
  };
  parts.hasKey = [&context](std::span<const std::uint64_t> ids) { return context.keys.hasAnyObjectKey(ids); };
  parts.record = [](SiteTables& tables, const audit::Event& event, TimePoint now) { recordEvent(tables, event, now); };
  parts.answers = answers;
  return parts;
}

struct DestructionGate::Impl {
  Impl(SiteContext& site, GateParts given) : context(site), parts(std::move(given)) {}

  using Verdicts = std::vector<Verdict>;

  // ---- deciding

  Answers readContents(std::span<const Target> targets) const;
  Assessment assess(SiteTables& tables, const Answers& answers) const;
  Standing decide(const Assessment& assessment, DestructionCaller caller, const ArchivedMessage& message,
                  const Reference& reference, Due& due) const {
    const bool atOnce = caller == DestructionCaller::Erasure || caller == DestructionCaller::Quarantine;
    due = assessment.due(message, reference, atOnce ? Claim::Erasure : Claim::Rules);
    return assessment.standing(message, due);
  }

  // ---- destroying

  void disposeBatch(DestructionCaller caller, std::uint64_t runId, std::span<Verdict> verdicts);
  Begun begin(SiteTables& tables, DestructionCaller caller, std::uint64_t runId, std::span<Verdict> verdicts,
              const Answers& answers);
  std::optional<Disposal> beginOne(SiteTables& tables, DestructionCaller caller, std::uint64_t runId,
                                   const Assessment& assessment, const ArchivedMessage& message, Verdict& verdict);
  void complete(SiteTables& tables, DestructionCaller caller, std::span<Verdict> verdicts, const Answers& answers,
                Begun& begun);
  void finishRows(SiteTables& tables, std::span<const Disposal* const> disposals, TimePoint now);
  void settle(std::span<Verdict> verdicts);
  void settleOne(SiteTables& tables, const Disposal& disposal);

  // ---- lists

  bool listMayGo(SiteTables& tables, const List& list, TimePoint now) const;
  void disposeList(SiteTables& tables, std::uint64_t runId, const List& list, TimePoint now);

  static void keep(Verdict& verdict, std::string reason) {
    verdict.removed = verdict.destroyed = false;
    verdict.words = wordsFor(reason);
    verdict.kept = std::move(reason);
  }

  bool hasKey(std::uint64_t id) const { return parts.hasKey({&id, 1}); }

  // One after another, so that what waits to be wiped does not grow.
  void wipeBeside(std::vector<std::uint64_t> gone) {
    const MutexLock lock(mutex);
    if (wiping.valid()) wiping.get();
    wiping = std::async(std::launch::async, [this, gone = std::move(gone)] { wiper.wipe(gone); });
  }
  void waitForWiping() {
    const MutexLock lock(mutex);
    if (wiping.valid()) wiping.get();
  }

  SiteContext& context;
  GateParts parts;
  RemnantWiper wiper{context, parts};
  Mutex mutex;
  std::future<void> wiping GUARDED_BY(mutex);  // ends before the wiper does
};

Answers DestructionGate::Impl::readContents(std::span<const Target> targets) const {
  const auto now = context.clock.now();
  const auto queries = context.site.read([&](SiteTables& tables) { return Assessment(tables, now).queries(); });
  Answers answers{Questions(queries), {}};
  if (parts.answers == nullptr || answers.questions.parts().empty()) return answers;
  context.site.read([&](SiteTables& tables) {
    for (const auto& target : targets) {
      // Not in the index, or not readable there: not computable, and so not destroyed by any condition on content.
      if (!parts.answers->evaluableSince(target.objectId)) continue;
      const auto content = context.vault.get(target.objectId);
      if (!content) continue;
      const auto recipients = tables.archive.recipientsOf(target.objectId);
      answers.byObject[target.objectId] = parts.answers->inContent(answers.questions.parts(), *content, recipients);
    }
  });
  return answers;
}

Assessment DestructionGate::Impl::assess(SiteTables& tables, const Answers& answers) const {
  Assessment assessment(tables, context.clock.now());
  ContentTruth truth;
  truth.truth = [&answers](const records::Facts& facts, const std::string& query) {
    const auto found = answers.byObject.find(facts.objectId);
    if (found == answers.byObject.end()) return records::Truth::Unknown;
    return answers.questions.answer(query, facts, [&](std::size_t part) { return found->second.at(part); });
  };
  // Rules and holds ask one after another for the same object: the index is asked once for each decision.
  if (parts.answers != nullptr)
    truth.since =
        [this, asked = std::make_shared<std::pair<std::uint64_t, std::optional<TimePoint>>>()](std::uint64_t objectId) {
          if (asked->first != objectId || objectId == 0) *asked = {objectId, parts.answers->evaluableSince(objectId)};
          return asked->second;
        };
  assessment.answerWith(std::move(truth));
  return assessment;
}

// The line that was begun; nothing: it is kept, or stays for another list.
std::optional<Disposal> DestructionGate::Impl::beginOne(SiteTables& tables, DestructionCaller caller,
                                                        std::uint64_t runId, const Assessment& assessment,
                                                        const ArchivedMessage& message, Verdict& verdict) {
  const auto kept = [&](const char* reason) {
    keep(verdict, reason);
    return std::nullopt;
  };
  const auto& target = verdict.target;
  if (message.object.state != ObjectState::Stored) return kept("gone");
  const auto* found = referenceOn(message, target.listId);
  if (found == nullptr || found->removedAt) return kept("gone");

  Due due;
  const auto standing = decide(assessment, caller, message, *found, due);
  if (standing == Standing::Review)
    tables.retention.askReview({target.objectId, target.listId, due.dates.decidingRule, due.at, "waiting", {}});
  if (standing != Standing::Due) return kept(standingWord(standing));

  verdict.removed = true;
  const bool last = std::all_of(message.references.begin(), message.references.end(),
                                [&](const auto& one) { return one.removedAt || one.listId == target.listId; });
  if (!last) {
    tables.archive.removeReference(target.objectId, target.listId, assessment.at());
    return std::nullopt;
  }

  Disposal disposal;
  disposal.objectId = target.objectId;
  disposal.runId = runId;
  disposal.listId = target.listId;
  disposal.action = due.action;
  for (const auto& reference : message.references) {
    if (!disposal.lists.empty()) disposal.lists += ',';
    disposal.lists += assessment.listAddress(reference.listId);
  }
  disposal.receivedAt = message.object.receivedAt;
  disposal.size = message.object.size;
  disposal.digest = message.object.digest;
  disposal.ruleId = due.byPerson ? 0 : due.dates.decidingRule;
  for (const auto& rule : assessment.rules())
    if (rule.id == disposal.ruleId) disposal.ruleVersion = rule.version;
  disposal.retainUntil = due.dates.retainUntil;
  disposal.deleteAt = due.byPerson ? due.at : due.dates.deleteAt;
  tables.retention.begin(disposal);
  verdict.destroyed = true;  // to be, in the second job
  return disposal;
}

Begun DestructionGate::Impl::begin(SiteTables& tables, DestructionCaller caller, std::uint64_t runId,
                                   std::span<Verdict> verdicts, const Answers& answers) {
  const auto now = context.clock.now();
  const auto trouble = destructionTrouble(context, tables, now);
  const auto assessment = assess(tables, answers);
  Begun begun;
  begun.messages = tables.archive.messages(idsOf(verdicts));
  std::vector<std::uint64_t> going;
  AuditLog::Series entries(tables.audit);
  for (auto& verdict : verdicts) {
    const auto message = begun.messages.find(verdict.target.objectId);
    if (trouble)
      keep(verdict, trouble->kept);
    else if (message == begun.messages.end())
      keep(verdict, "gone");
    else if (auto disposal = beginOne(tables, caller, runId, assessment, message->second, verdict))
      begun.lines.emplace(disposal->objectId, std::move(*disposal));
    if (verdict.destroyed) {
      message->second.object.state = ObjectState::Destroying;
      going.push_back(verdict.target.objectId);
    } else if (verdict.removed)
      message->second = tables.archive.message(verdict.target.objectId).value();
    if (!verdict.kept.empty()) parts.record(tables, keptEvent(caller, verdict), now);
  }
  tables.archive.setState(going, ObjectState::Destroying);
  entries.finish();
  begun.mark = tables.archive.changeMark();
  return begun;
}

// All rows first, so that whatever fails there keeps the keys; then the keys, and nothing after them.
void DestructionGate::Impl::complete(SiteTables& tables, DestructionCaller caller, std::span<Verdict> verdicts,
                                     const Answers& answers, Begun& begun) {
  const auto now = context.clock.now();
  const auto trouble = destructionTrouble(context, tables, now);
  const auto assessment = assess(tables, answers);
  // Read again, unless nothing at all was written since the first job.
  if (tables.archive.changeMark() != begun.mark) begun.messages = tables.archive.messages(idsOf(verdicts));
  std::vector<std::uint64_t> going;
  std::vector<const Disposal*> lines;
  AuditLog::Series entries(tables.audit);
  for (auto& verdict : verdicts) {
    if (!verdict.destroyed) continue;
    const auto id = verdict.target.objectId;
    const auto found = begun.messages.find(id);
    if (found == begun.messages.end() || found->second.object.state != ObjectState::Destroying)
      throw Error(ErrorKind::Invariant, "a destruction that was begun has no row");
    const auto& message = found->second;
    const auto* reference = referenceOn(message, verdict.target.listId);
    Due due;
    const auto standing =
        reference && !reference->removedAt ? decide(assessment, caller, message, *reference, due) : Standing::NotDue;
    if (trouble || standing != Standing::Due) {
      tables.retention.undo(id);
      tables.archive.setState(id, ObjectState::Stored);
      keep(verdict, trouble ? trouble->kept : standingWord(standing));
      parts.record(tables, keptEvent(caller, verdict), now);
      continue;
    }
    lines.push_back(&begun.lines.at(id));
    going.push_back(id);
  }
  finishRows(tables, lines, now);
  entries.finish();
  if (going.empty()) return;
  parts.destroy(going);
  if (parts.hasKey(going)) throw Error(ErrorKind::Store, "the key of an object is still there after its destruction");
}

// One statement for each table: one for each object took most of the time of a purge.
void DestructionGate::Impl::finishRows(SiteTables& tables, std::span<const Disposal* const> disposals, TimePoint now) {
  if (disposals.empty()) return;
  std::vector<std::uint64_t> all, purged;
  std::map<std::uint64_t, std::vector<std::uint64_t>> byList;
  for (const auto* disposal : disposals) {
    all.push_back(disposal->objectId);
    byList[disposal->listId].push_back(disposal->objectId);
    if (disposal->action == records::Action::Purge) purged.push_back(disposal->objectId);
  }
  for (const auto& [list, objects] : byList) tables.archive.removeReferences(objects, list, now);
  tables.archive.setState(all, ObjectState::Destroyed, now);
  if (tables.retention.finish(all, now, now + KeyBackupLife) != all.size())
    throw Error(ErrorKind::Invariant, "a destruction that was begun has no line");
  if (!purged.empty()) tables.retention.purgePosts(purged);
  for (const auto* disposal : disposals) {
    if (disposal->action == records::Action::Anonymise) {
      const auto key = context.root.derive("postern pseudonyms of destroyed mail v1");
      tables.retention.anonymisePosts(disposal->objectId, [&](std::string_view address) {
        return "person-" + crypto::hex(crypto::hmacSha256(key, address).substr(0, 8));
      });
    }
    parts.record(tables, destroyedEvent(*disposal), now);
  }
}

// A line whose key is gone is finished; one whose key is there was not destroyed, and is taken back.
void DestructionGate::Impl::settleOne(SiteTables& tables, const Disposal& disposal) {
  const auto* line = &disposal;
  if (!hasKey(disposal.objectId)) return finishRows(tables, {&line, 1}, context.clock.now());
  tables.retention.undo(disposal.objectId);
  tables.archive.setState(disposal.objectId, ObjectState::Stored);
}

void DestructionGate::Impl::settle(std::span<Verdict> verdicts) {
  for (auto& verdict : verdicts) {
    if (!verdict.destroyed) {
      verdict.removed = verdict.removed && context.site.read([&](SiteTables& tables) {
        const auto reference = tables.archive.reference(verdict.target.objectId, verdict.target.listId);
        return reference && reference->removedAt.has_value();
      });
      continue;
    }
    verdict.destroyed = context.site.write([&](SiteTables& tables) {
      const auto disposal = tables.retention.disposal(verdict.target.objectId);
      if (disposal && !disposal->done) settleOne(tables, *disposal);
      const auto now = tables.retention.disposal(verdict.target.objectId);
      return now && now->done;
    });
    if (!verdict.destroyed) keep(verdict, "error");
  }
}

void DestructionGate::Impl::disposeBatch(DestructionCaller caller, std::uint64_t runId, std::span<Verdict> verdicts) {
  try {  // the boundary of the gate: whatever breaks keeps
    std::vector<Target> targets;
    for (const auto& verdict : verdicts) targets.push_back(verdict.target);
    const auto answers = readContents(targets);
    auto begun =
        context.site.write([&](SiteTables& tables) { return begin(tables, caller, runId, verdicts, answers); });
    context.site.write([&](SiteTables& tables) { complete(tables, caller, verdicts, answers, begun); });
  } catch (const std::exception& error) {
    log::error("retention", "nothing more of a batch is destroyed", {{"run", runId}, {"error", error.what()}});
    try {
      settle(verdicts);
    } catch (const std::exception& again) {
      log::error("retention", "begun destructions wait for the next start", {{"run", runId}, {"error", again.what()}});
      for (auto& verdict : verdicts)
        if (verdict.destroyed) keep(verdict, "error");
    }
    for (auto& verdict : verdicts)
      if (verdict.kept.empty() && !verdict.removed) keep(verdict, "error");
  }
}

DestructionGate::DestructionGate(SiteContext& context, ContentAnswers* answers)
    : DestructionGate(context, GateParts::of(context, answers)) {}

DestructionGate::DestructionGate(SiteContext& context, GateParts parts)
    : impl_(std::make_unique<Impl>(context, std::move(parts))) {}

DestructionGate::~DestructionGate() = default;

std::vector<DestructionGate::Verdict> DestructionGate::dispose(DestructionCaller caller, std::uint64_t runId,
                                                               const std::vector<Target>& targets) {
  auto& context = impl_->context;
  std::vector<Verdict> verdicts;
  for (const auto& target : targets) verdicts.push_back({target, false, false, {}, {}});
  const bool own = runId == 0;
  if (own) {
    Run run;
    run.caller = callerWord(caller);
    run.at = run.startedAt = context.clock.now();
    run.startedBy = callerWord(caller);
    runId = context.site.write([&](SiteTables& tables) { return tables.retention.addRun(run); });
  }
  for (std::size_t from = 0; from < verdicts.size(); from += BatchSize) {
    const auto size = std::min(BatchSize, verdicts.size() - from);
    impl_->disposeBatch(caller, runId, std::span(verdicts).subspan(from, size));
  }
  // Deleted rows were overwritten; the logs that have their old pages are emptied, and the index forgets the words.
  std::vector<std::uint64_t> gone;
  for (const auto& verdict : verdicts)
    if (verdict.destroyed) gone.push_back(verdict.target.objectId);
  if (own)
    finishRun(context, runId, verdicts, impl_->wiper.wipe(gone));
  else
    impl_->wipeBeside(std::move(gone));
  return verdicts;
}

// Once more, in the destroying transaction. A tombstone of another list's mail still matches holds by this one's row.
bool DestructionGate::Impl::listMayGo(SiteTables& tables, const List& list, TimePoint now) const {
  if (list.deletedAt == TimePoint() || now < list.deletedAt + RecoveryWindow) return false;
  if (tables.retention.isListGone(list.id) || tables.archive.isListInUse(list.id)) return false;
  const auto holds = holdsInForce(tables, now);
  return std::none_of(holds.begin(), holds.end(),
                      [&](const records::Hold& hold) { return mayCoverList(hold.scope, list); });
}

void DestructionGate::Impl::disposeList(SiteTables& tables, std::uint64_t runId, const List& list, TimePoint now) {
  ListDisposal gone{list.id, runId, list.address, 0, list.deletedAt, now, now + KeyBackupLife};
  gone.members = tables.retention.forgetList(list.id);
  tables.retention.addListDisposal(gone);
  audit::Event event;
  event.actorKind = "system";
  event.action = "list.destroyed";
  event.objectType = "list";
  event.objectId = std::to_string(list.id);
  event.listId = list.id;
  event.reasonCode = callerWord(DestructionCaller::ListDeletion);
  event.number("run", runId).number("members", gone.members);
  parts.record(tables, event, now);
  context.keys.destroySigningKeys(list.id);  // last: may be repeated when the commit is lost
}

std::size_t DestructionGate::disposeLists(std::uint64_t runId) {
  auto& impl = *impl_;
  std::size_t count = 0;
  try {  // the boundary of the gate: whatever breaks keeps
    const auto lists = impl.context.site.read([](SiteTables& tables) { return tables.lists.all(); });
    for (const auto& list : lists) {
      if (list.deletedAt == TimePoint()) continue;
      const bool went = impl.context.site.write([&](SiteTables& tables) {
        const auto now = impl.context.clock.now();
        const auto current = tables.lists.find(list.id);
        if (!current || destructionTrouble(impl.context, tables, now) || !impl.listMayGo(tables, *current, now))
          return false;
        impl.disposeList(tables, runId, *current, now);
        return true;
      });
      if (went) ++count;
    }
  } catch (const std::exception& error) {
    log::error("retention", "a deleted list is kept", {{"run", runId}, {"error", error.what()}});
  }
  impl.wiper.wipe();
  return count;
}

void DestructionGate::finishBegun() {
  auto& context = impl_->context;
  std::vector<std::uint64_t> gone;
  for (;;) {
    const auto begun = context.site.read([](SiteTables& tables) { return tables.retention.begun(BatchSize); });
    if (begun.empty()) break;
    context.site.write([&](SiteTables& tables) {
      for (const auto& disposal : begun) impl_->settleOne(tables, disposal);
    });
    for (const auto& disposal : begun)
      if (!impl_->hasKey(disposal.objectId)) gone.push_back(disposal.objectId);
  }
  if (!gone.empty()) impl_->wiper.wipe(gone);
}

Remnants DestructionGate::cleanUp() {
  impl_->waitForWiping();
  return impl_->wiper.wipeAgain();
}

Remnants DestructionGate::remnants() const {
  return impl_->wiper.left();
}

}  // namespace postern::listd
