#include "listd/retention/HoldsInForce.h"

namespace postern::listd {

std::vector<records::Hold> holdsInForce(SiteTables& tables, TimePoint at) {
  (void)tables;
  (void)at;
  return {};
}

}  // namespace postern::listd
