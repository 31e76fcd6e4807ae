#include "core/app/TraceId.h"
#include "core/base/Codec.h"
#include "core/base/Error.h"
#include "core/crypto/Digest.h"
#include "core/crypto/Encoding.h"
#include "core/mail/Date.h"
#include "core/mail/EncodedWord.h"
#include "core/mail/Mailboxes.h"
#include "core/mail/MessageId.h"
#include "listd/archive/ObjectId.h"
#include "listd/expand/Intake.h"
#include "listd/pickup/PickupOrders.h"
#include "listd/plan/Decision.h"

namespace postern::listd {
namespace {

std::string crlf(const std::string& text) {
  std::string lines;
  for (const char c : text) {
    if (c == '\r') continue;
    lines += c == '\n' ? std::string("\r\n") : std::string(1, c);
  }
  return lines;
}

// What a reply answers to: the record of the post.
struct Answered {
  Post post;
  List list;
  mail::Address author;
  std::string subject;
};

Answered requireAnswered(SiteContext& context, const PickupItem& item) {
  auto post = context.site.read([&](SiteTables& tables) { return tables.posts.find(item.postId); });
  auto list = context.site.read([&](SiteTables& tables) { return tables.lists.find(item.listId); });
  const auto content = post ? context.vault.get(post->vaultObject) : std::nullopt;
  const auto message = mail::Message::parse(content.value_or(std::string()));
  if (!list || !content || !message) refuse("gone", "the message that you reply to is gone");
  const auto from = message->from();
  if (from.mailboxes.size() != 1 || !from.mailboxes.front().address)
    refuse("refused", "the message that you reply to names no one sender");
  std::string subject = message->header().value("Subject")
                            ? mail::decodeUnstructured(*message->header().value("Subject"))
                            : std::string();
  return {std::move(*post), std::move(*list), *from.mailboxes.front().address, std::move(subject)};
}

std::string composeReply(const Answered& answered, const mail::Address& from, const mail::Address& to,
                         const std::string& text, const std::string& messageId, TimePoint now) {
  const bool again =
      answered.subject.size() >= 3 && (answered.subject.starts_with("Re:") || answered.subject.starts_with("RE:"));
  std::string message = mail::mailboxField("From", {{"", from}}) + mail::mailboxField("To", {{"", to}});
  message += mail::encodeUnstructured("Subject", (again ? "" : "Re: ") + answered.subject);
  message += "Date: " + mail::formatDate(now) + "\r\nMessage-ID: " + messageId + "\r\n";
  if (mail::isMessageId(answered.post.outMessageId))
    message += mail::foldTokens("In-Reply-To", answered.post.outMessageId) +
               mail::foldTokens("References", answered.post.outMessageId);
  message +=
      "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n";
  return message + crypto::base64Lines(crlf(text));
}

// Through the same door as mail that came by SMTP: the list's rules and its ladder decide.
std::uint64_t giveToList(SiteContext& context, const Answered& answered, const mail::Address& from,
                         const std::string& message, const std::string& queueId) {
  app::Submission submission;
  submission.mailFrom = from.key();
  submission.recipients = {answered.list.address};
  submission.receivedAt = context.clock.now();
  submission.queueId = queueId;
  submission.notes = {{"pickup-reply", "yes"}};
  submission.content = message;
  crypto::SealedBoxWriter box(context.keys.vaultKeyPair().publicKey);
  const auto number = context.site.write([](SiteTables& tables) { return tables.counters.take(CounterStore::Copy); });
  const app::AcceptedItem item{WrittenHere | number, box.seal(submission.encode(), app::SubmissionContext)};
  Intake(context, [] {}).take({&item, 1});
  return 0;
}

// A key of the author's, else pick-up, whatever the list allows its posts.
LadderRules replyRules() {
  LadderRules rules;
  rules.secure = true;
  rules.rungs = {app::Protection::Smime, app::Protection::OpenPgp, app::Protection::Pickup};
  rules.floor = app::Protection::Pickup;
  return rules;
}

// To the one author: a post of the list with one row. There is no plain way.
std::uint64_t giveToAuthor(SiteContext& context, const Answered& answered, const mail::Address& from,
                           const std::string& message, const std::string& queueId) {
  const auto now = context.clock.now();
  Post post;
  post.queueId = queueId;
  post.listId = answered.list.id;
  post.messageId = mail::makeMessageId(mail::DomainName::parse(answered.list.domain).value());
  post.outMessageId = mail::makeMessageId(mail::DomainName::parse(answered.list.domain).value());
  post.mailFrom = from.key();
  post.receivedAt = now;
  post.plannedAt = now;
  post.size = message.size();
  post.sensitivity = answered.list.sensitivity;
  post.client = "{}";
  post.verdict = "accepted";
  post.vaultObject = Reader(crypto::sha256(Writer().string("reply").string(queueId).bytes())).u64() >> 1;
  context.vault.put(post.vaultObject, post.listId, message);
  return context.site.write([&](SiteTables& tables) {
    const auto id = tables.posts.add(post);
    LedgerRow row;
    row.id = tables.counters.take(CounterStore::Copy);
    row.postId = id;
    row.recipient = answered.author.key();
    const auto keys = tables.keys.factsOf(row.recipient);
    const auto decision = decide(replyRules(), MemberFacts{keys}, now);
    row.protection = protectionWord(decision);
    row.reason = reasonWord(decision.reason);
    row.keyFingerprint = decision.keyFingerprint;
    tables.ledger.add(row);
    PostCounts counts;
    counts.recipients = 1;
    counts.pending = 1;
    tables.posts.addCounts(id, counts);
    StoredObject object;
    object.id = post.vaultObject;
    object.receivedAt = now;
    object.headerDate = now;
    object.size = post.size;
    object.sensitivity = post.sensitivity;
    object.digest = crypto::sha256(message);
    tables.archive.add(object, post.listId, id);
    tables.flow.add({.at = now, .accepted = 1});
    tables.flow.add({.at = now, .posts = 1});
    return id;
  });
}

}  // namespace

std::uint64_t sendPickupReply(OrderTools& tools, const PickupItem& item, const std::string& text, bool toList) {
  auto& context = tools.context;
  const auto answered = requireAnswered(context, item);
  const auto from = mail::Address::parse(item.address);
  const auto listAddress = mail::Address::parse(answered.list.address);
  if (!from || !listAddress) throw Error(ErrorKind::Store, "a pick-up item has no valid recipient");
  const auto queueId = app::newTraceId();
  const auto message =
      composeReply(answered, *from, toList ? *listAddress : answered.author, text,
                   mail::makeMessageId(mail::DomainName::parse(answered.list.domain).value()), context.clock.now());
  return toList ? giveToList(context, answered, *from, message, queueId)
                : giveToAuthor(context, answered, *from, message, queueId);
}

}  // namespace postern::listd
