#pragma once
#include "core/app/GatewayLink.h"
#include "listd/expand/PostContent.h"
#include "listd/expand/SubmitGate.h"
#include "listd/pickup/PickupContent.h"
#include "listd/site/SiteContext.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace postern::listd {

// Hands the planned mail of one post to the gateway, batch by batch: copies, then notices and reports. One batch is
// sealed while the one before it is handed over. Follows the ledger alone, so it goes on after a crash where it was:
// rows that the gateway has are skipped, those of the batch under way are handed over again under the same copy keys.
// A member whose key has failed or was revoked since the plan is withheld; the others go on.
// Memory: two batches. Threads: one post at a time per object.
// Errors: Error(Unavailable) when the link broke; any other Error is trouble of this post.
class PostSender {
public:
  PostSender(SiteContext& context, SubmitGate& gate, const Sealers& sealers);

  // Returns once the gateway has all of the post's planned mail. Nothing happens when there is none.
  void send(std::uint64_t postId, app::GatewayLink& link);

private:
  struct Withheld {
    LedgerRow row;
    Reason reason;
  };
  struct Batch {
    std::vector<PostContent::Tail> tails;
    std::vector<app::Copy> copies;
    std::vector<Withheld> withheld;
    std::uint64_t lastKey = 0;
    bool last = false;  // no rows behind it
    bool empty() const { return lastKey == 0; }
    bool isWhole() const { return last && withheld.empty(); }  // what is withheld may add notices behind it
  };
  struct Run;  // one post under way

  Batch nextBatch(Run& run, std::uint64_t after, std::uint32_t size);
  void sealRows(Run& run, std::vector<RowToSend>& rows, Batch& batch);
  void prepareContent(Run& run, const std::vector<RowToSend>& rows, Batch& batch);
  static void keepTail(Run& run, Batch& batch, PostContent::Tail tail, bool whole);
  static void sign(const Run& run, app::Copy& copy);
  std::optional<app::Copy> sealRow(const Run& run, const RowToSend& row, Reason& reason) const;
  std::optional<app::Copy> contentCopy(const Run& run, const RowToSend& row, Reason& reason) const;
  app::Copy makeNotice(const Run& run, const LedgerRow& row) const;
  app::Copy makeReport(const Run& run, const LedgerRow& row) const;
  void finishWith(const Run& run, Batch& batch, app::GatewayLink& link);
  void submit(Batch& batch, app::GatewayLink& link);
  void handOver(const Run& run, Batch& batch, app::GatewayLink& link);
  void dropSettled(Batch& batch);
  void record(const Run& run, const Batch& batch);

  SiteContext& context_;
  SubmitGate& gate_;
  const Sealers& sealers_;
};

}  // namespace postern::listd
