#pragma once
#include "listd/jobs/JobRunner.h"
#include "listd/orders/OrderDesk.h"
#include "listd/search/SearchIndex.h"

#include <span>

namespace postern::listd {

// The orders search, search.*, index.* and export.* (docs/orders.md).
std::span<const OrderRow> searchOrders();
std::span<const OrderRow> exportOrders();
std::span<const OrderRow> readOrders();  // object.read

// The jobs behind them.
void addSearchJobs(JobRunner& jobs, SiteContext& context, SearchIndex& index);

// The objects that a query is true for, newest first; also those that could not be looked at, counted.
struct Selection {
  struct Hit {
    std::uint64_t objectId = 0;
    TimePoint receivedAt;
    std::uint64_t size = 0;
  };
  std::vector<Hit> hits;
  std::uint64_t notEvaluable = 0;  // stored, but unreadable or not indexed yet: they may match or not
};
Selection select(OrderTools& tools, const records::Query& query);

// The query that an order names: its text, or a scope as a query of its own.
records::Query requireQuery(const Args& args, std::string_view argument = "query");
// A matter that is there and open; 0 where none is named and none is needed.
std::uint64_t requireMatter(SiteTables& tables, const Args& args, bool needed);

}  // namespace postern::listd
