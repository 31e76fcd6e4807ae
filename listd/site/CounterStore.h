#pragma once
#include "core/base/Clock.h"
#include "core/store/Database.h"

#include <cstdint>
#include <string_view>

namespace postern::listd {

// Numbers that are never used twice. Threads: those of the connection. Errors: Error(Store).
class CounterStore {
public:
  static constexpr std::string_view Copy = "copy";            // ids of ledger rows, which are the gateway's copy keys
  static constexpr std::string_view Tail = "tail";            // tails of copies
  static constexpr std::string_view Routing = "routing";      // revision of the routing view
  static constexpr std::string_view Event = "event";          // last gateway event in the ledger
  static constexpr std::string_view Readiness = "readiness";  // until when the members' standing was looked at

  static constexpr std::string_view Plaintext = "plaintext";  // plain copies of secure lists that left: must stay 0

  static constexpr std::string_view Approvers = "approvers";  // 1: the site has had one (listd/people/AccountRequests)

  static constexpr std::string_view RevocationStrict = "revocation-strict";  // migration 0014
  static constexpr std::string_view KeyHealth = "key-health";                // when the nightly look began last

  explicit CounterStore(store::Database& database) : database_(database) {}

  std::uint64_t get(std::string_view name) const;
  void set(std::string_view name, std::uint64_t value);
  // Takes `count` numbers; the first of them.
  std::uint64_t take(std::string_view name, std::uint64_t count = 1);

  // Moves copy keys and tails past every number that a lost database could have given out: a site restored from an
  // older copy would otherwise use keys that the gateway has already seen, and drop mail. To be called at start.
  void skipAhead(TimePoint now);

private:
  store::Database& database_;
};

}  // namespace postern::listd
