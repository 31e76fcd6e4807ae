#include "listd/matters/HoldJournal.h"
#include "listd/orders/OrderTools.h"
#include "listd/requests/Kinds.h"

namespace postern::listd {
namespace {

// The hold stays in force for its grace from here; its release goes into the journal once this is committed.
void release(OrderTools&, SiteTables& tables, const Request& request, TimePoint at) {
  const auto id = request.payload.at("hold").get<std::uint64_t>();
  const auto row = tables.holds.find(id);
  if (!row) refuse("not-found", "there is no hold " + std::to_string(id));
  if (row->hold.releasedAt) refuse("refused", "the hold is released already");
  const std::chrono::days grace(request.payload.at("graceDays").get<std::int64_t>());
  tables.holds.release(id, at, grace, request.requester, request.payload.at("reason").get<std::string>());
  tables.matters.addAct(row->hold.matterId, {at, request.decider, "hold.release",
                                             "request " + std::to_string(request.id) + " approved", id});
}

}  // namespace

void addHoldRequests(Requests& requests) {
  requests.add({"hold.release", release, true, true});
  // A grace under 30 days is for a second person to allow, never for time.
  requests.add({"hold.release-early", release, true, false});
}

}  // namespace postern::listd
