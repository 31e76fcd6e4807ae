#pragma once
#include "core/app/GatewayLink.h"
#include "listd/site/LedgerStore.h"
#include "listd/site/SiteStore.h"

#include <map>
#include <string>

namespace postern::listd {

// What a batch of delivery events teaches about the TLS of the recipients' domains: one write for each domain, however
// many copies went there. Threads: one.
class TlsLessons {
public:
  void add(const LedgerRow& row, const app::DeliveryEvent& event);
  // Members who are reached otherwise now stand otherwise.
  void writeTo(SiteTables& tables) const;

private:
  struct Lesson {
    app::DeliveryEvent last;
    bool neededTls = false;  // the copy of `last` was to leave over verified TLS only
  };
  std::map<std::string, Lesson> lessons_;
};

}  // namespace postern::listd
