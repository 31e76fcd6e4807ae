#pragma once
#include "listd/retention/DestructionGate.h"

namespace postern::listd {

// What the audit log says of an object that was destroyed, and of one that was kept.
audit::Event destroyedEvent(const Disposal& disposal);
audit::Event keptEvent(DestructionCaller caller, const DestructionGate::Verdict& verdict);

}  // namespace postern::listd
