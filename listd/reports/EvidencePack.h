#pragma once
#include "listd/orders/OrderTools.h"

namespace postern::listd {

// The order evidence.pack: everything that an auditor of the HIPAA safeguards takes away, as files (name, base64). The
// manifest names each with its SHA-256 and is signed by the key of reports.
nlohmann::json evidencePack(OrderTools& tools, const OrderCall& call);

}  // namespace postern::listd
