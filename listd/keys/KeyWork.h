#pragma once
#include "listd/orders/OrderDesk.h"

namespace postern::listd {

// What of a list needs a hand of its owner.
struct KeyWorkCounts {
  std::uint64_t proposals = 0;
  std::uint64_t withheld = 0;
  std::uint64_t ending = 0;  // within 30 days

  bool none() const { return proposals == 0 && withheld == 0 && ending == 0; }
  KeyWorkCounts& operator+=(const KeyWorkCounts& more);
};
KeyWorkCounts countKeyWork(SiteTables& tables, const List& list, TimePoint now);

// An owner decides about a proposed key when every secure list of its address is theirs: a key that one list takes is
// used by all. Refuses otherwise; the administrator may always.
void requireMayDecide(SiteTables& tables, const OrderCall& call, std::string_view address);

std::span<const OrderRow> keyWorkOrders();  // key.work

}  // namespace postern::listd
