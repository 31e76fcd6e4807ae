#include "listd/expand/Outbox.h"

#include "core/app/TraceId.h"
#include "core/base/Codec.h"
#include "core/base/Error.h"
#include "core/base/Log.h"
#include "core/crypto/Digest.h"
#include "core/crypto/Encoding.h"
#include "core/mail/Text.h"
#include "listd/archive/ObjectId.h"
#include "listd/orders/Args.h"

namespace postern::listd {
namespace {

// What is written here twice under one key is one message.
std::string queueIdOf(const Outbox::Letter& letter) {
  return app::traceIdOf(Writer().string("written here").string(letter.account).string(letter.key).bytes());
}

app::Submission submissionOf(const Outbox::Letter& letter, const std::string& queueId, TimePoint now) {
  app::Submission submission;
  submission.mailFrom = letter.from.key();
  submission.recipients = letter.recipients;
  submission.clientAddress = letter.client;
  if (!letter.https.version.empty())
    submission.tls = {letter.https.version, letter.https.cipher, letter.https.bits, "none", {}};
  submission.receivedAt = now;
  submission.queueId = queueId;
  submission.notes = {
      {"tagged", "yes"}, {std::string(app::OutboundNote), letter.list}, {std::string(AccountNote), letter.account}};
  submission.content = letter.message;
  return submission;
}

// The gateway faces the network; people read this at a terminal.
app::Judgement plain(app::Judgement judgement) {
  for (char& c : judgement.text)
    if (mail::hasControl({&c, 1})) c = ' ';
  judgement.text = std::string(mail::cutUtf8(judgement.text, 900));
  return judgement;
}

// What does not pass is not sent at all, and its author is told.
app::Judgement requirePassed(app::Judgement judgement) {
  if (judgement.passed) return judgement;
  const auto why = plain(judgement).text;
  if (judgement.later)
    refuse("refused", "a policy of this site does not let this message out now: " + why,
           "nothing was sent; try again later");
  refuse("refused", "a policy of this site refuses this message: " + why,
         "nothing was sent; change it, or ask an administrator");
}

// What the policies noted, "protect" among it. Ours stay as they are.
void addNotes(app::Submission& submission, const app::Judgement& judgement) {
  for (const auto& note : judgement.notes)
    if (note.first != app::OutboundNote && note.first != AccountNote) submission.notes.push_back(note);
}

}  // namespace

std::string Outbox::idFor(std::string_view account, std::string_view key, std::string_view content,
                          std::string_view domain) {
  const auto digest = crypto::sha256(Writer().string(account).string(key).string(crypto::sha256(content)).bytes());
  return "<" + crypto::hex(digest.substr(0, 16)) + "@" + std::string(domain) + ">";
}

std::optional<Outbox::Sent> Outbox::findSent(const Letter& letter) const {
  const auto post = context_.site.read([&](SiteTables& tables) { return tables.posts.findByAnyId(queueIdOf(letter)); });
  if (!post) return std::nullopt;
  if (post->messageId == letter.messageId) return Sent{post->id, true};
  refuse("exists", "this form has sent a message already, and now it holds another one",
         "nothing was sent now; begin a new message for what you changed");
}

std::optional<app::Judgement> Outbox::consult(const Letter& letter) {
  const auto steady = std::chrono::steady_clock::now();
  {
    const MutexLock lock(mutex_);
    if (consulted_.full(letter.account, steady)) return std::nullopt;
    consulted_.take(letter.account, steady);
  }
  auto submission = submissionOf(letter, queueIdOf(letter), context_.clock.now());
  submission.notes.emplace_back(app::TrialNote, "yes");
  try {
    return plain(judge_(submission));
  } catch (const app::OrderRefused& refused) {  // the gateway is away: that is said, and the plan is shown all the same
    return app::Judgement{false, true, refused.error().message, "unavailable", {}, {}};
  }
}

// Taken one at a time, so that of two clicks the second finds what the first has done.
Outbox::Sent Outbox::send(const Letter& letter) {
  const auto steady = std::chrono::steady_clock::now();
  {
    const MutexLock lock(mutex_);
    if (const auto sent = findSent(letter)) return *sent;
    if (messages_.full(letter.account, steady) || recipients_.full(letter.account, steady))
      refuse("refused", "this account has sent as much as it may within one hour",
             "nothing was sent; wait a little and send it then");
    messages_.take(letter.account, steady);
  }
  auto submission = submissionOf(letter, queueIdOf(letter), context_.clock.now());
  addNotes(submission, requirePassed(judge_(submission)));

  const MutexLock lock(mutex_);
  if (const auto sent = findSent(letter)) return *sent;
  for (std::size_t i = 0; i < letter.recipients.size(); ++i) recipients_.take(letter.account, steady);
  const auto number = context_.site.write([](SiteTables& tables) { return tables.counters.take(CounterStore::Copy); });
  crypto::SealedBoxWriter box(context_.keys.vaultKeyPair().publicKey);
  const app::AcceptedItem item{WrittenHere | number, box.seal(submission.encode(), app::SubmissionContext)};
  intake_.take({&item, 1});
  const auto sent = findSent(letter);
  if (!sent) throw Error(ErrorKind::Invariant, "a message that was written here has left no post");
  return {sent->post, false};
}

Outbox::Judge judgeByGateway(const GatewayAddress& address) {
  return [&address](const app::Submission& submission) {
    try {  // the boundary to another process: without it nothing may be sent
      return app::GatewayLink(address.socketPath).judge(submission);
    } catch (const Error& error) {
      log::warning("outbox", "the policies cannot be asked", {{"error", error.what()}});
      refuse("unavailable", "the policies of this site cannot be asked just now, so nothing was sent",
             "try again in a minute; postern status says what is wrong");
    }
  };
}

}  // namespace postern::listd
