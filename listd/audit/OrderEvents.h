#pragma once
#include "core/audit/Entry.h"

#include <string>

namespace postern::listd {

struct OrderCall;
struct OrderTools;
struct SiteTables;

// The entry of an order: who gave it and how, what it was about (the order's noun and arguments, unless the handler
// said more in call.note), and how it ended. `reasonCode` is that of the refusal.
audit::Event eventOf(SiteTables& tables, const OrderCall& call, audit::Outcome outcome, std::string reasonCode = {});

// Records an order that changed nothing, durably. Throws when it cannot be recorded: the order must fail then.
void recordOrder(OrderTools& tools, const OrderCall& call, audit::Outcome outcome, std::string reasonCode = {});

}  // namespace postern::listd
