#pragma once
#include "core/store/Database.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace postern::listd {

// Clients in `range` may hand over mail of senders in `domain`; it is protected and kept under the list's rules. With a
// fingerprint, or an issuer and a name, they must show that certificate, too.
struct RelayRow {
  std::string range;  // net::IpRange::text(), or app::AnyAddress
  std::string domain;
  std::uint64_t listId = 0;
  std::string list;  // its address
  std::string fingerprint = {};
  std::string issuer = {};
  std::string name = {};
};

// The relays of the site. Threads: those of the connection. Errors: Error(Store).
class RelayStore {
public:
  explicit RelayStore(store::Database& database) : database_(database) {}

  void set(const RelayRow& relay);    // replaces the one of this range, domain and certificate
  std::vector<RelayRow> all() const;  // but those whose list is deleted
  void remove(const RelayRow& relay);

private:
  store::Database& database_;
};

}  // namespace postern::listd
