#include "listd/expand/PostSender.h"

#include "core/base/Error.h"
#include "core/base/Log.h"
#include "core/base/Metrics.h"
#include "core/mail/MessageId.h"
#include "core/mail/Text.h"
#include "listd/compose/Notice.h"
#include "listd/dkim/MailSigner.h"
#include "listd/ledger/Closing.h"
#include "listd/plan/PlanWriter.h"

#include <algorithm>
#include <future>
#include <map>

namespace postern::listd {
namespace {

using Kind = app::Copy::Kind;

constexpr std::uint32_t FirstBatch = 16;  // small, so that the first copy leaves at once
constexpr std::uint32_t FullBatch = 500;
constexpr std::size_t ParallelFrom = 64;  // rows below which a second thread costs more than it brings

WithheldReason noticeReason(Reason reason) {
  switch (reason) {
    case Reason::NoKey:
      return WithheldReason::NoKey;
    case Reason::KeyUnconfirmed:
      return WithheldReason::KeyNotConfirmed;
    case Reason::CertificateExpired:
    case Reason::KeyExpired:
      return WithheldReason::KeyExpired;
    case Reason::CertificateNotYetValid:
    case Reason::KeyNotYetValid:
      return WithheldReason::KeyNotYetValid;
    case Reason::Revoked:
      return WithheldReason::KeyRevoked;
    case Reason::WrongAddress:
    case Reason::WrongPurpose:
    case Reason::WeakKey:
    case Reason::UnsupportedKey:
    case Reason::Untrusted:
    case Reason::RevocationUnknown:
      return WithheldReason::KeyUnfit;
    case Reason::SealingFailed:
    case Reason::OpenList:
    case Reason::ValidCertificate:
    case Reason::ValidOpenPgpKey:
    case Reason::VerifiedTls:
    case Reason::PickUp:
    case Reason::TlsTooLate:
      return WithheldReason::SealingFailed;
    case Reason::TlsNotVerified:
    case Reason::TlsDoesNotCount:
      return WithheldReason::TlsUnfit;
    case Reason::NotOnLadder:
      return WithheldReason::NotAllowed;
    case Reason::Wish:
      return WithheldReason::Wish;
  }
  throw Error(ErrorKind::Invariant, "unknown reason for a notice");
}

RejectReason rejectReason(std::string_view word) {
  if (word == "not-a-member") return RejectReason::NotAMember;
  if (word == "closed") return RejectReason::Closed;
  if (word == "unreadable") return RejectReason::Unreadable;
  if (word == PolicyRefused) return RejectReason::Policy;
  return RejectReason::Malformed;
}

mail::Address addressOf(const LedgerRow& row) {
  auto address = mail::Address::parse(row.recipient);
  if (!address) throw Error(ErrorKind::Store, "ledger row " + std::to_string(row.id) + " has no valid recipient");
  return std::move(*address);
}

app::Protection protectionOf(const LedgerRow& row) {
  const auto protection = parseProtection(row.protection);
  if (!protection) throw Error(ErrorKind::Store, "ledger row " + std::to_string(row.id) + " has an unknown protection");
  return *protection;
}

constexpr std::uint32_t MostLookedAt = 1000;  // recipients of one domain mail

// Of what the last server said, the status alone: "5.1.1 no such user", or "5.0.0" of an SMTP reply without one.
std::string statusOf(const Attempt& attempt) {
  const auto& text = attempt.replyText;
  const auto end = std::min(text.find(' '), text.size());
  const bool status = end >= 5 && end <= 9 && (text[0] == '4' || text[0] == '5') && text[1] == '.' &&
                      text.substr(0, end).find_first_not_of("0123456789.") == text.npos;
  if (status) return text.substr(0, end);
  if (attempt.replyCode >= 500 || attempt.outcome == "bounced") return "5.0.0";
  return {};
}

std::vector<FailedRecipient> failedOf(SiteContext& context, const Post& post) {
  return context.site.read([&](SiteTables& tables) {
    std::vector<FailedRecipient> failed;
    for (const auto& row : tables.ledger.contentOf(post.id, {}, 0, MostLookedAt)) {
      if (!isFinal(row.state) || row.state == CopyState::Delivered) continue;
      FailedRecipient one{row.recipient, row.state == CopyState::Withheld, {}};
      const auto attempts = tables.ledger.attemptsOf(row.id);
      if (!one.heldBack && !attempts.empty()) one.status = statusOf(attempts.back());
      failed.push_back(std::move(one));
    }
    return failed;
  });
}

// Whose mail this is, so that we may sign it: all that a list sends is of its own domain, but for domain mail, whose
// author the gateway took from a relay for this domain (docs/decisions/0026), or who signed in here.
std::vector<std::string> signedDomains(SiteContext& context, const Post& post, const List& list) {
  std::vector<std::string> domains{list.domain};
  if (auto author = signedAuthorDomain(context, post, list); !author.empty()) domains.push_back(std::move(author));
  const auto author = mail::Address::parse(post.mailFrom);
  if (post.domainMail && author) domains.push_back(mail::lowerAscii(author->domain()));
  return domains;
}

// One for each protection, looked up once.
metrics::Histogram& sealTime(app::Protection protection) {
  using app::Protection;
  static const auto find = [](Protection one) {
    return &metrics::histogram("postern_seal_duration_seconds",
                               "Time to make the copy of one recipient, by protection.",
                               {{"protection", app::protectionName(one)}});
  };
  static metrics::Histogram* const all[] = {find(Protection::None), find(Protection::Tls), find(Protection::Pickup),
                                            find(Protection::OpenPgp), find(Protection::Smime)};
  return *all[static_cast<std::size_t>(protection)];
}

}  // namespace

struct PostSender::Run {
  Post post;
  List list;
  ListFacts facts;
  std::unique_ptr<PostContent> content;   // once a content copy is due
  std::unique_ptr<PickupContent> pickup;  // … one that waits for pick-up
  TimePoint now;
  MailSigner signer;
  std::map<std::uint64_t, std::shared_ptr<const std::string>> tails = {};  // that signatures cover with each head
  std::uint32_t batch = FullBatch;
};

PostSender::PostSender(SiteContext& context, SubmitGate& gate, const Sealers& sealers)
    : context_(context), gate_(gate), sealers_(sealers) {}

void PostSender::send(std::uint64_t postId, app::GatewayLink& link) {
  auto post = context_.site.read([&](SiteTables& tables) { return tables.posts.find(postId); });
  if (!post || post->state != PostState::Planned) return;
  auto list = context_.site.read([&](SiteTables& tables) { return tables.lists.find(post->listId); });
  if (!list) throw Error(ErrorKind::Store, "its list is not in site.db");
  auto facts = factsOf(*list, context_.helpLink());
  auto sentThrough = post->sentThrough;
  MailSigner signer(context_, list->address, signedDomains(context_, *post, *list));
  Run run{std::move(*post), std::move(*list),     std::move(facts), nullptr,
          nullptr,          context_.clock.now(), std::move(signer)};
  if (run.list.protection.freshKeys) run.batch = FirstBatch;  // copies that share nothing are large

  // Handing over can add notices behind the last row, hence the outer loop.
  for (auto batch = nextBatch(run, sentThrough, FirstBatch); !batch.empty();
       batch = nextBatch(run, sentThrough, run.batch)) {
    if (batch.isWhole()) return finishWith(run, batch, link);
    while (!batch.empty()) {
      sentThrough = batch.lastKey;
      // An exception below waits for this in the future's destructor, while `batch` lives.
      auto handing = std::async(std::launch::async, [&] { handOver(run, batch, link); });
      auto next = nextBatch(run, sentThrough, run.batch);
      handing.get();
      batch = std::move(next);
    }
  }
  context_.site.write([&](SiteTables& tables) {
    tables.posts.finishSending(run.post.id);
    closeIfDone(tables, run.post.id);
  });
}

// A post to few, as most mail is: what was handed over and that it was all are noted in one commit.
void PostSender::finishWith(const Run& run, Batch& batch, app::GatewayLink& link) {
  submit(batch, link);
  context_.site.write([&](SiteTables& tables) {
    tables.posts.setSentThrough(run.post.id, batch.lastKey);
    tables.posts.finishSending(run.post.id);
    closeIfDone(tables, run.post.id);
  });
}

PostSender::Batch PostSender::nextBatch(Run& run, std::uint64_t after, std::uint32_t size) {
  run.now = context_.clock.now();
  auto rows =
      context_.site.read([&](SiteTables& tables) { return tables.ledger.toSend(run.post.id, after, size, run.now); });
  Batch batch;
  if (rows.empty()) return batch;
  batch.lastKey = rows.back().row.id;
  batch.last = rows.size() < size;
  prepareContent(run, rows, batch);
  sealRows(run, rows, batch);
  return batch;
}

// Decides from the rows which shared parts this batch needs, and makes those that are not there yet.
void PostSender::prepareContent(Run& run, const std::vector<RowToSend>& rows, Batch& batch) {
  std::vector<LedgerRow> pickups;
  for (const auto& row : rows) {
    if (row.row.kind != Kind::Content) continue;
    if (protectionOf(row.row) == app::Protection::Pickup) {
      pickups.push_back(row.row);
      continue;
    }
    if (!run.content) run.content = std::make_unique<PostContent>(context_, sealers_, run.post, run.list);
    const auto protection = protectionOf(row.row);
    if (auto tail = run.content->prepare(protection))
      keepTail(run, batch, std::move(*tail), run.content->isWhole(protection));
  }
  if (pickups.empty()) return;
  if (!run.pickup)
    run.pickup =
        std::make_unique<PickupContent>(context_, run.post, run.list, pickupMessage(context_, run.post, run.list));
  if (auto tail = run.pickup->prepare(pickups)) keepTail(run, batch, {tail->id, std::move(tail->bytes)}, false);
}

// A tail that is the whole message is signed once for all its copies. Others end messages that differ, so that each
// copy has a signature of its own.
void PostSender::keepTail(Run& run, Batch& batch, PostContent::Tail tail, bool whole) {
  if (whole)
    tail.bytes = std::make_shared<const std::string>(run.signer.fields({}, *tail.bytes, run.now) + *tail.bytes);
  else
    run.tails[tail.id] = tail.bytes;
  batch.tails.push_back(std::move(tail));
}

void PostSender::sign(const Run& run, app::Copy& copy) {
  if (copy.head.empty()) return;  // its tail is signed
  const auto tail = run.tails.find(copy.tail);
  if (copy.tail != 0 && tail == run.tails.end())
    throw Error(ErrorKind::Invariant, "a copy is to be signed whose tail is not known");
  copy.head.insert(0, run.signer.fields(copy.head, copy.tail != 0 ? *tail->second : std::string_view(), run.now));
}

void PostSender::sealRows(Run& run, std::vector<RowToSend>& rows, Batch& batch) {
  struct Sealed {
    std::optional<app::Copy> copy;
    Reason reason = Reason::SealingFailed;
  };
  std::vector<Sealed> sealed(rows.size());
  const auto sealPart = [&](std::size_t from, std::size_t to) {
    for (auto i = from; i < to; ++i) sealed[i].copy = sealRow(run, rows[i], sealed[i].reason);
  };
  if (rows.size() < ParallelFrom) {
    sealPart(0, rows.size());
  } else {
    auto half = std::async(std::launch::async, sealPart, rows.size() / 2, rows.size());
    sealPart(0, rows.size() / 2);
    half.get();
  }
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (sealed[i].copy)
      batch.copies.push_back(std::move(*sealed[i].copy));
    else
      batch.withheld.push_back({std::move(rows[i].row), sealed[i].reason});
  }
}

// The row's mail, or why it is withheld. A key that fails harms its own member only.
std::optional<app::Copy> PostSender::sealRow(const Run& run, const RowToSend& row, Reason& reason) const {
  const auto make = [&]() -> std::optional<app::Copy> {
    switch (row.row.kind) {
      case Kind::Notice:
        return makeNotice(run, row.row);
      case Kind::Report:
        return makeReport(run, row.row);
      case Kind::Content:
        break;
    }
    return contentCopy(run, row, reason);
  };
  auto copy = make();
  if (!copy) return copy;
  sign(run, *copy);
  copy->trace = run.post.queueId;
  const auto ask = run.post.tlsAsk;
  // RFC 8689 §5: what tells of such a message travels as it did. A waiver is for plain copies of open lists alone.
  const bool plain =
      copy->kind == Kind::Content && copy->protection == app::Protection::None && copy->floor == app::Protection::None;
  if (ask == app::TlsAsk::Require || (ask == app::TlsAsk::Waive && plain)) copy->tlsAsk = ask;
  return copy;
}

// By the word that the plan wrote. A key that is not usable any more withholds: the plan is never weakened here.
std::optional<app::Copy> PostSender::contentCopy(const Run& run, const RowToSend& row, Reason& reason) const {
  reason = Reason::SealingFailed;
  const metrics::Timing timing(sealTime(protectionOf(row.row)));
  try {
    switch (protectionOf(row.row)) {
      case app::Protection::Smime:
        reason = row.keyReason;
        if (row.keyReason != Reason::ValidCertificate) return std::nullopt;
        reason = Reason::SealingFailed;
        return run.content->smimeCopy(row.row, crypto::RecipientKey::decode(row.recipientKey));
      case app::Protection::Tls:
        return run.content->tlsCopy(row.row);
      case app::Protection::None:
        return run.content->plainCopy(row.row);
      case app::Protection::OpenPgp:
        reason = row.keyReason;
        if (row.keyReason != Reason::ValidOpenPgpKey) return std::nullopt;
        reason = Reason::SealingFailed;
        return run.content->openPgpCopy(row.row, pgp::RecipientKey::decode(row.recipientKey));
      case app::Protection::Pickup:
        return run.pickup->copy(row.row);
    }
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::Invariant || error.kind() == ErrorKind::Store) throw;  // not the key's fault
    log::error("seal", "a member's key failed; the copy is withheld",
               {{"copy", row.row.id}, {"key", row.row.keyFingerprint}, {"error", error.message()}});
  }
  return std::nullopt;
}

app::Copy PostSender::makeNotice(const Run& run, const LedgerRow& row) const {
  const auto reason = parseReason(row.reason).value_or(Reason::SealingFailed);
  const auto domain = mail::DomainName::parse(run.list.domain);
  app::Copy copy;
  copy.key = row.id;
  copy.kind = Kind::Notice;
  copy.recipient = row.recipient;
  copy.head =
      withheldNotice(run.facts, addressOf(row), noticeReason(reason), {mail::makeMessageId(domain.value()), run.now});
  copy.expiresAt = run.now + context_.config.expiry;
  return copy;
}

app::Copy PostSender::makeReport(const Run& run, const LedgerRow& row) const {
  const auto domain = mail::DomainName::parse(run.list.domain);
  const NoticeStamp stamp{mail::makeMessageId(domain.value()), run.now};
  app::Copy copy;
  copy.key = row.id;
  copy.kind = Kind::Report;
  copy.recipient = row.recipient;
  copy.expiresAt = run.now + context_.config.expiry;
  if (row.reason == PlanReport) {
    const auto counts = context_.site.read([&](SiteTables& tables) { return tables.ledger.planOf(run.post.id); });
    copy.head = planNotice(run.facts, addressOf(row), counts, stamp);
    return copy;
  }
  if (run.post.verdict == "rejected") {
    copy.head = rejectionNotice(run.facts, addressOf(row), rejectReason(run.post.reason), stamp);
    return copy;
  }
  ReportFacts facts;
  facts.reportingHost = context_.config.hostName;
  facts.queueId = run.post.queueId;
  facts.arrivedAt = run.post.receivedAt;
  facts.counts = {run.post.counts.delivered, run.post.counts.deferred, run.post.counts.withheld,
                  run.post.counts.failed};
  copy.head = run.post.domainMail ? failureReport(run.facts, addressOf(row), facts, failedOf(context_, run.post), stamp)
                                  : deliveryReport(run.facts, addressOf(row), facts, stamp);
  return copy;
}

void PostSender::handOver(const Run& run, Batch& batch, app::GatewayLink& link) {
  submit(batch, link);
  record(run, batch);
}

void PostSender::submit(Batch& batch, app::GatewayLink& link) {
  for (const auto& tail : batch.tails) link.storeTail(tail.id, *tail.bytes);
  {
    const SubmitGate::HandingOver inside(gate_);
    dropSettled(batch);
    if (!batch.copies.empty()) link.submitCopies(batch.copies);
  }
}

// Takes out the copies that the gateway had before a crash and has meanwhile told the outcome of. See SubmitGate.
void PostSender::dropSettled(Batch& batch) {
  context_.site.read([&](SiteTables& tables) {
    std::erase_if(batch.copies, [&](const app::Copy& copy) { return !tables.ledger.isPlanned(copy.key); });
  });
}

void PostSender::record(const Run& run, const Batch& batch) {
  context_.site.write([&](SiteTables& tables) {
    PostCounts change;
    for (const auto& [row, reason] : batch.withheld) {
      if (!tables.ledger.isPlanned(row.id)) continue;
      tables.ledger.withhold(row.id, reason);
      change.withheld += 1;
      change.pending -= 1;
      if (run.post.domainMail) continue;  // its author gets the delivery report
      if (!tables.notices.take(run.list.id, row.recipient, reasonWord(reason), run.now)) continue;
      LedgerRow notice;
      notice.id = tables.counters.take(CounterStore::Copy);
      notice.postId = run.post.id;
      notice.kind = Kind::Notice;
      notice.recipient = row.recipient;
      notice.protection = "none";
      notice.reason = reasonWord(reason);
      tables.ledger.add(notice);
    }
    if (change.withheld > 0) {
      tables.posts.addCounts(run.post.id, change);
      tables.flow.add({.at = run.now, .withheld = change.withheld});
    }
    tables.posts.setSentThrough(run.post.id, batch.lastKey);
  });
}

}  // namespace postern::listd
