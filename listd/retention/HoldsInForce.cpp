#include "listd/retention/HoldsInForce.h"

namespace postern::listd {

std::vector<records::Hold> holdsInForce(SiteTables& tables, TimePoint at) {
  return tables.holds.allInForce(at);
}

}  // namespace postern::listd
