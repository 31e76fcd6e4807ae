#pragma once
#include "core/store/Database.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace postern::listd {

// Clients in `range` may hand over mail of senders in `domain`; it is protected and kept under the list's rules.
struct RelayRow {
  std::string range;  // net::IpRange::text()
  std::string domain;
  std::uint64_t listId = 0;
  std::string list;  // its address
};

// The relays of the site. Threads: those of the connection. Errors: Error(Store).
class RelayStore {
public:
  explicit RelayStore(store::Database& database) : database_(database) {}

  void set(const RelayRow& relay);    // replaces the one of this range and domain
  std::vector<RelayRow> all() const;  // but those whose list is deleted
  bool remove(std::string_view range, std::string_view domain);

private:
  store::Database& database_;
};

}  // namespace postern::listd
