#pragma once
#include "core/base/Mutex.h"

namespace postern::listd {

// Keeps copies from going out twice. The gateway remembers a copy key at least until listd has acknowledged its final
// event. So whoever hands copies over holds the gate from looking at the ledger ("is this row still planned?") until
// the gateway has answered, and whoever acknowledges events holds it while doing so, after the ledger is committed:
// then either the ledger shows the outcome and the row is not handed over, or the gateway still knows the key.
using SubmitGate = Mutex;

}  // namespace postern::listd
