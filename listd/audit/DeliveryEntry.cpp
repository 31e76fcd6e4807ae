#include "listd/audit/DeliveryEntry.h"

#include "core/base/Codec.h"
#include "core/crypto/Encoding.h"

namespace postern::listd {
namespace {

constexpr std::size_t MostPostsNamed = 100;

std::string tlsOf(const app::TlsFacts& tls) {
  if (tls.version.empty()) return "tls none";
  return "tls " + tls.version + " " + tls.cipher + " " + tls.verification;
}

audit::Event eventOf(const char* action) {
  audit::Event event;
  event.actorKind = "system";
  event.actor = "postern-gateway";
  event.action = action;
  return event;
}

}  // namespace

void DeliveryEntry::add(const LedgerRow& row, const app::DeliveryEvent& event) {
  const std::string outcome = app::outcomeName(event.outcome);
  ++copies_;
  posts_.insert(row.postId);
  counts_["outcome " + outcome] += 1;
  counts_["protection " + row.protection] += 1;
  if (event.outcome == app::DeliveryEvent::Outcome::Delivered) counts_[tlsOf(event.tls)] += 1;
  rows_.update(Writer()
                   .u64(row.id)
                   .u64(row.postId)
                   .string(row.recipient)
                   .string(row.protection)
                   .string(row.keyFingerprint)
                   .u32(event.attempt)
                   .string(outcome)
                   .i64(toMicros(event.at))
                   .string(event.replyText)
                   .string(tlsOf(event.tls))
                   .bytes());
}

void DeliveryEntry::add(const app::RefusalEvent& event) {
  refusals_[event.reason] += 1;
}

void DeliveryEntry::appendTo(AuditLog& log) {
  if (copies_ > 0) {
    auto event = eventOf("delivery.batch");
    event.objectType = "post";
    if (posts_.size() == 1) event.objectId = std::to_string(*posts_.begin());
    std::string posts;
    for (const auto post : posts_) {
      if (posts.size() > MostPostsNamed * 8) break;
      posts += (posts.empty() ? "" : " ") + std::to_string(post);
    }
    event.number("copies", copies_).number("posts", posts_.size()).text("postIds", posts);
    for (const auto& [name, count] : counts_) event.number(name, count);
    event.afterDigest = crypto::hex(rows_.finish());
    log.append(event);
  }
  if (refusals_.empty()) return;
  auto event = eventOf("policy.refused");
  event.objectType = "message";
  event.outcome = audit::Outcome::Denied;
  event.reasonCode = refusals_.size() == 1 ? refusals_.begin()->first : "several";
  for (const auto& [reason, count] : refusals_) event.number(reason, count);
  log.append(event);
}

}  // namespace postern::listd
