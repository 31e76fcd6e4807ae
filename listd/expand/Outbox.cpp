#include "listd/expand/Outbox.h"

#include "core/base/Codec.h"
#include "core/base/Error.h"
#include "core/crypto/Digest.h"
#include "core/crypto/Encoding.h"
#include "listd/archive/ObjectId.h"
#include "listd/orders/Args.h"

namespace postern::listd {
namespace {

// "W" for written here: no queue id of the gateway begins so.
std::string queueIdOf(const Outbox::Letter& letter) {
  return "W" + crypto::hex(crypto::sha256(Writer().string(letter.account).string(letter.key).bytes()).substr(0, 12));
}

app::Submission submissionOf(const Outbox::Letter& letter, const std::string& queueId, TimePoint now) {
  app::Submission submission;
  submission.mailFrom = letter.from.key();
  submission.recipients = letter.recipients;
  submission.clientAddress = letter.client;
  submission.receivedAt = now;
  submission.queueId = queueId;
  submission.notes = {
      {"tagged", "yes"}, {std::string(app::OutboundNote), letter.list}, {std::string(AccountNote), letter.account}};
  submission.content = letter.message;
  return submission;
}

}  // namespace

std::string Outbox::idFor(std::string_view account, std::string_view key, std::string_view content,
                          std::string_view domain) {
  const auto digest = crypto::sha256(Writer().string(account).string(key).string(crypto::sha256(content)).bytes());
  return "<" + crypto::hex(digest.substr(0, 16)) + "@" + std::string(domain) + ">";
}

// One at a time, so that of two clicks the second finds what the first has done.
Outbox::Sent Outbox::send(const Letter& letter) {
  const MutexLock lock(mutex_);
  const auto queueId = queueIdOf(letter);
  const auto known = [&] {
    return context_.site.read([&](SiteTables& tables) { return tables.posts.findByAnyId(queueId); });
  };
  if (const auto post = known()) {
    if (post->messageId == letter.messageId) return {post->id, true};
    refuse("exists", "this form has sent a message already, and now it holds another one",
           "nothing was sent now; begin a new message for what you changed");
  }
  const auto steady = std::chrono::steady_clock::now();
  if (messages_.full(letter.account, steady) || recipients_.full(letter.account, steady))
    refuse("refused", "this account has sent as much as it may within one hour",
           "nothing was sent; wait a little and send it then");
  messages_.take(letter.account, steady);
  for (std::size_t i = 0; i < letter.recipients.size(); ++i) recipients_.take(letter.account, steady);

  const auto number = context_.site.write([](SiteTables& tables) { return tables.counters.take(CounterStore::Copy); });
  crypto::SealedBoxWriter box(context_.keys.vaultKeyPair().publicKey);
  const auto submission = submissionOf(letter, queueId, context_.clock.now());
  const app::AcceptedItem item{WrittenHere | number, box.seal(submission.encode(), app::SubmissionContext)};
  intake_.take({&item, 1});
  const auto post = known();
  if (!post) throw Error(ErrorKind::Invariant, "a message that was written here has left no post");
  return {post->id, false};
}

}  // namespace postern::listd
