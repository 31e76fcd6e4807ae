#include "listd/ledger/BounceNote.h"

namespace postern::listd {

void recordBounce(SiteTables& tables, std::uint64_t listId, std::uint64_t copyKey, const Bounce& bounce,
                  TimePoint now) {
  if (bounce.kind != Bounce::Kind::Failure) return;
  const auto row = tables.ledger.find(copyKey);
  if (!row || row->kind != app::Copy::Kind::Content) return;
  const auto post = tables.posts.find(row->postId);
  if (!post || post->listId != listId) return;
  Attempt attempt;
  attempt.outcome = "bounced";
  attempt.at = now;
  attempt.replyText = bounce.status.empty() ? bounce.text : bounce.status + " " + bounce.text;
  if (!tables.ledger.addAttempt(copyKey, attempt) || row->state != CopyState::Delivered) return;
  tables.ledger.setState(copyKey, CopyState::Failed, row->attempts, std::nullopt);
  PostCounts change;
  change.delivered -= 1;
  change.failed += 1;
  tables.posts.addCounts(post->id, change);
  tables.flow.add({.at = now, .failed = 1});
  audit::Event event;
  event.actorKind = "system";
  event.actor = "postern-listd";
  event.action = "delivery.bounced";
  event.objectType = "copy";
  event.objectId = std::to_string(copyKey);
  event.listId = listId;
  tables.audit.append(event);
}

}  // namespace postern::listd
