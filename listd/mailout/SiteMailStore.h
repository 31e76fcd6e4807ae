#pragma once
#include "core/app/GatewayLink.h"
#include "core/store/Database.h"
#include "listd/mailout/SiteMail.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postern::listd {

// One mail of the outbox.
struct SiteMailRow {
  std::uint64_t copyKey = 0;
  SiteMail mail;
  TimePoint createdAt;
  std::string state;  // "planned" "handed" "delivered" "deferred" "failed" "expired" "dropped"
  std::uint32_t attempts = 0;
  TimePoint outcomeAt;
  std::string outcome;  // what the gateway told last
};

// The outbox. Threads: those of the connection. Errors: Error(Store).
class SiteMailStore {
public:
  explicit SiteMailStore(store::Database& database) : database_(database) {}

  void add(const SiteMailRow& row);  // only by sendSiteMail(), which checks the shape
  std::optional<SiteMailRow> find(std::uint64_t copyKey) const;
  std::vector<SiteMailRow> planned(std::uint32_t limit) const;
  std::vector<SiteMailRow> newest(std::uint32_t limit) const;
  // Of a kind to a person, or, without one, to anybody.
  std::optional<SiteMailRow> newestOf(SiteMail::Kind kind, std::string_view recipient = {}) const;
  bool isPlanned(std::uint64_t copyKey) const;
  void setHanded(std::uint64_t copyKey);  // nothing happens when an outcome is known already
  // What the gateway tells of a copy. False when it is none of ours.
  bool record(const app::DeliveryEvent& event);

private:
  store::Database& database_;
};

}  // namespace postern::listd
