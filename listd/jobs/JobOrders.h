#pragma once
#include "listd/jobs/JobRunner.h"
#include "listd/orders/OrderDesk.h"

namespace postern::listd {

std::span<const OrderRow> jobOrders();  // job.list, job.show, job.cancel

// For orders that begin long work: starts the job in one transaction with the record of the order, and answers
// {"job": id}.
nlohmann::json startJob(OrderTools& tools, const OrderCall& call, std::string_view kind, const nlohmann::json& args);

// Whose jobs of a kind are to see and to stop. What is done with keys and the index belongs to those who run the
// machine, the rest to the compliance officer: the administrator never sees what is searched and exported.
app::Roles jobReaders(std::string_view kind);

}  // namespace postern::listd
