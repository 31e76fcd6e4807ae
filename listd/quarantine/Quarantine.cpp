#include "listd/quarantine/Quarantine.h"

#include "core/base/Error.h"
#include "core/base/Log.h"
#include "core/crypto/Digest.h"
#include "core/crypto/SealedBox.h"
#include "core/mail/Date.h"
#include "core/mail/Text.h"
#include "listd/archive/Archive.h"
#include "listd/archive/ObjectId.h"
#include "listd/expand/Intake.h"
#include "listd/mailout/SiteMail.h"
#include "listd/retention/Recording.h"
#include "listd/retention/Retention.h"

#include <algorithm>
#include <map>

namespace postern::listd {
namespace {

constexpr std::uint32_t MostAtOnce = 200;
constexpr std::chrono::hours BetweenTries{24};
constexpr std::chrono::hours SoonAgain{1};  // what only the clock or a fault has kept
constexpr std::chrono::hours BetweenMails{24};
constexpr std::chrono::days Soon{3};
constexpr std::size_t LongestDetail = 200;

const std::string* noteOf(const app::Submission& submission, std::string_view name) {
  for (const auto& [key, value] : submission.notes)
    if (key == name) return &value;
  return nullptr;
}

// "spam: add header", "policy NAME: reason", "milter NAME: reason".
HoldReason readReason(std::string_view note) {
  for (const std::string_view cause : {"spam", "policy", "milter"}) {
    if (!note.starts_with(cause)) continue;
    auto detail = note.substr(cause.size());
    while (detail.starts_with(':') || detail.starts_with(' ')) detail.remove_prefix(1);
    return {std::string(cause), std::string(mail::cutUtf8(detail, LongestDetail))};
  }
  return {"policy", std::string(mail::cutUtf8(note, LongestDetail))};
}

std::string authorOf(const mail::Message& message) {
  const auto from = message.from();
  if (!from.wellFormed || from.mailboxes.size() != 1 || !from.mailboxes[0].address) return {};
  return from.mailboxes[0].address->key();
}

// The site vouches for clients that are exempt from the checks; where nobody is checked, nobody is proven.
bool isProven(const SiteContext& context, const app::Submission& submission) {
  const auto* const proven = noteOf(submission, app::SenderProvenNote);
  return proven != nullptr ? *proven == "yes" : context.config.senderChecks != "off";
}

bool isTrusted(SiteContext& context, const app::Submission& submission, const mail::Message* message,
               std::span<const std::uint64_t> lists) {
  const auto author = message == nullptr ? std::string() : authorOf(*message);
  if (author.empty() || !isProven(context, submission)) return false;
  return context.site.read([&](SiteTables& tables) {
    return std::all_of(lists.begin(), lists.end(),
                       [&](std::uint64_t list) { return tables.quarantine.isTrusted(list, author); });
  });
}

app::Submission submissionOf(SiteContext& context, const HeldMessage& held) {
  auto content = heldContent(context, held);
  if (!content) throw Error(ErrorKind::Store, "the content of held message " + std::to_string(held.id) + " is gone");
  crypto::SealedBoxReader box(context.keys.vaultKeyPair().privateKey);
  auto submission = app::Submission::decode(box.open(held.envelope, app::SubmissionContext));
  submission.content = std::move(*content);
  std::erase_if(submission.notes, [](const auto& note) { return note.first == app::QuarantineNote; });
  return submission;
}

audit::Event systemEvent(const char* action, const HeldMessage& held) {
  audit::Event event;
  event.actorKind = "system";
  event.action = action;
  event.objectType = "held message";
  event.objectId = std::to_string(held.id);
  if (!held.lists.empty()) event.listId = held.lists.front();
  event.reasonCode = held.cause;
  return event;
}

void endOld(SiteContext& context) {
  const auto now = context.clock.now();
  context.site.write([&](SiteTables& tables) {
    for (const auto id : tables.quarantine.expired(now, MostAtOnce)) {
      const auto held = tables.quarantine.find(id);
      tables.quarantine.decide(id, "expired", "", now);
      if (held) recordEvent(tables, systemEvent("quarantine.expired", *held), now);
    }
  });
}

// Who looks after a list: its owners, or the postmaster of its domain; of domain mail, of the senders' domain.
std::vector<std::string> keepersOf(SiteTables& tables, const List& list) {
  std::vector<std::string> keepers;
  for (const auto& account : tables.accounts.all()) {
    if (account.state != "enabled" || account.mail.empty() || !account.roles.has(app::Role::Owner)) continue;
    const auto owned = tables.accounts.listsOf(account.name);
    if (std::find(owned.begin(), owned.end(), list.address) != owned.end()) keepers.push_back(account.mail);
  }
  if (!keepers.empty()) return keepers;
  for (const auto& relay : tables.relays.all())
    if (relay.listId == list.id) keepers.push_back("postmaster@" + relay.domain);
  if (keepers.empty()) keepers.push_back("postmaster@" + list.domain);
  std::sort(keepers.begin(), keepers.end());
  keepers.erase(std::unique(keepers.begin(), keepers.end()), keepers.end());
  return keepers;
}

// Once a day at most, and only when something came since the last mail.
void mailKeepers(SiteContext& context) {
  if (context.config.quarantineDigest == "off") return;
  const auto now = context.clock.now();
  const auto waits = context.site.read([](SiteTables& tables) { return !tables.quarantine.listsWithMail().empty(); });
  if (!waits) return;
  context.site.write([&](SiteTables& tables) {
    std::map<std::string, QuarantineStore::Waiting> byKeeper;
    for (const auto id : tables.quarantine.listsWithMail()) {
      const auto list = tables.lists.find(id);
      if (!list || list->deletedAt != TimePoint()) continue;
      const auto waiting = tables.quarantine.waiting(id, now + Soon);
      for (const auto& keeper : keepersOf(tables, *list)) {
        auto& sum = byKeeper[keeper];
        sum.messages += waiting.messages;
        sum.ending += waiting.ending;
        sum.newest = std::max(sum.newest, waiting.newest);
      }
    }
    for (const auto& [keeper, waiting] : byKeeper) {
      const auto last = tables.siteMail.newestOf(SiteMail::Kind::Quarantine, keeper);
      if (last && (now - last->createdAt < BetweenMails || waiting.newest <= last->createdAt)) continue;
      sendSiteMail(tables,
                   {SiteMail::Kind::Quarantine,
                    keeper,
                    context.webUrl() + "/quarantine",
                    {std::to_string(waiting.messages), std::to_string(waiting.ending)}},
                   now);
    }
  });
}

}  // namespace

std::optional<HoldReason> holdReasonOf(SiteContext& context, const app::Submission& submission,
                                       const mail::Message* message, std::span<const std::uint64_t> lists) {
  const auto* const note = noteOf(submission, app::QuarantineNote);
  if (note == nullptr || lists.empty()) return std::nullopt;
  auto reason = readReason(*note);
  if (reason.cause == "spam" && isTrusted(context, submission, message, lists)) {
    log::info("quarantine", "the author is trusted: what the spam filter would hold goes on",
              {{"queueId", submission.queueId}});
    return std::nullopt;
  }
  return reason;
}

void holdMessage(SiteContext& context, std::uint64_t acceptedId, const app::Submission& submission,
                 const mail::Message* message, const std::vector<std::uint64_t>& lists, const HoldReason& reason) {
  if (lists.empty()) throw Error(ErrorKind::Invariant, "a message is to be held that is for no list");
  const auto now = context.clock.now();
  HeldMessage held;
  held.acceptedId = acceptedId;
  held.queueId = submission.queueId;
  held.object = objectIdOf(submission.receivedAt, acceptedId, ContentKind::AsItCame);
  held.mailFrom = submission.mailFrom;
  held.recipients = submission.recipients.size();
  held.size = submission.content.size();
  held.cause = reason.cause;
  held.detail = reason.detail;
  held.heldAt = now;
  held.expiresAt = now + std::chrono::days(context.config.quarantineDays);
  held.lists = lists;
  auto envelope = submission;
  envelope.content.clear();
  held.envelope =
      crypto::SealedBoxWriter(context.keys.vaultKeyPair().publicKey).seal(envelope.encode(), app::SubmissionContext);

  StoredObject object;
  object.id = held.object;
  object.receivedAt = submission.receivedAt;
  object.size = held.size;
  object.digest = crypto::sha256(submission.content);
  if (message != nullptr)
    if (const auto* date = message->header().find("Date")) object.headerDate = mail::parseDate(date->value);
  context.vault.put(held.object, lists.front(), submission.content);
  const bool isNew = context.site.write([&](SiteTables& tables) {
    for (const auto id : lists) {
      object.sensitivity = tables.lists.find(id).value().sensitivity;
      tables.archive.add(object, id, 0);
    }
    if (!tables.quarantine.add(held)) return false;
    tables.flow.add({.at = submission.receivedAt, .accepted = 1});
    return true;
  });
  if (isNew)
    log::info("quarantine", "a message is held for a person to look at",
              {{"queueId", held.queueId}, {"cause", held.cause}, {"detail", held.detail}});
}

void finishReleases(OrderTools& tools) {
  if (tools.intake == nullptr) return;
  auto& context = tools.context;
  for (const auto id : context.site.read([](SiteTables& tables) { return tables.quarantine.releasing(); })) {
    try {  // the boundary of a queue job: one message never stops the others
      const auto held = context.site.read([&](SiteTables& tables) { return tables.quarantine.find(id); });
      if (!held || held->state != "releasing") continue;
      tools.intake->release(held->acceptedId, submissionOf(context, *held));
      context.site.write([&](SiteTables& tables) { tables.quarantine.finishRelease(id); });
    } catch (const std::exception& error) {
      log::error("quarantine", "a released message cannot go on; it is tried again",
                 {{"held", id}, {"error", error.what()}});
    }
  }
}

Disposed disposeOf(OrderTools& tools, std::span<const HeldMessage> messages) {
  Disposed disposed;
  if (tools.retention == nullptr || messages.empty()) return disposed;
  std::vector<DestructionGate::Target> targets;
  for (const auto& message : messages)
    for (const auto list : message.lists) targets.push_back({message.object, list});
  const auto verdicts = tools.retention->gate().dispose(DestructionCaller::Quarantine, 0, targets);
  tools.context.site.write([&](SiteTables& tables) {
    for (const auto& message : messages) {
      const bool gone = std::all_of(verdicts.begin(), verdicts.end(), [&](const auto& verdict) {
        return verdict.target.objectId != message.object || verdict.removed || verdict.kept == "gone";
      });
      const bool later = std::any_of(verdicts.begin(), verdicts.end(), [&](const auto& verdict) {
        return verdict.target.objectId == message.object && (verdict.kept == "clock" || verdict.kept == "error");
      });
      tables.quarantine.noteTry(message.id, gone, later ? tools.now() - BetweenTries + SoonAgain : tools.now());
      ++(gone ? disposed.destroyed : disposed.kept);
    }
  });
  return disposed;
}

void lookAfterQuarantine(OrderTools& tools) {
  finishReleases(tools);
  endOld(tools.context);
  const auto due = tools.context.site.read(
      [&](SiteTables& tables) { return tables.quarantine.toDestroy(tools.now() - BetweenTries, MostAtOnce); });
  disposeOf(tools, due);
  mailKeepers(tools.context);
}

std::optional<std::string> heldContent(SiteContext& context, const HeldMessage& message) {
  return Archive(context).open(message.object);
}

std::string authorOf(std::string_view content) {
  const auto message = mail::Message::parse(std::string(content));
  return message ? authorOf(*message) : std::string();
}

}  // namespace postern::listd
