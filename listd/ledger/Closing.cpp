#include "listd/ledger/Closing.h"

namespace postern::listd {

bool closeIfDone(SiteTables& tables, std::uint64_t postId) {
  const auto post = tables.posts.find(postId);
  if (post && post->domainMail) tables.webhooks.noteChanges(postId);
  if (!post || post->state == PostState::Planned || post->counts.pending > 0) return false;
  const bool reportDue = !post->reported && post->verdict == "accepted" && !post->automatic &&
                         !post->mailFrom.empty() && post->counts.failed + post->counts.withheld > 0;
  if (!reportDue) {
    if (post->state != PostState::Done) tables.posts.setState(postId, PostState::Done);
    return false;
  }
  LedgerRow report;
  report.id = tables.counters.take(CounterStore::Copy);
  report.postId = postId;
  report.kind = app::Copy::Kind::Report;
  report.recipient = post->mailFrom;
  report.protection = "none";
  report.reason = "delivery-report";
  tables.ledger.add(report);
  tables.posts.setReported(postId);
  tables.posts.setState(postId, PostState::Planned);
  return true;
}

}  // namespace postern::listd
