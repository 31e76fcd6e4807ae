#pragma once
#include "core/base/Clock.h"
#include "core/store/Database.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace postern::listd {

// Mail of one minute, or of several added up.
struct Flow {
  TimePoint at;  // start of the minute
  std::uint64_t accepted = 0;
  std::uint64_t refused = 0;
  std::uint64_t posts = 0;
  std::uint64_t delivered = 0;
  std::uint64_t deferred = 0;
  std::uint64_t failed = 0;
  std::uint64_t withheld = 0;
};

struct RefusalCount {
  std::string reason;
  std::uint64_t count = 0;
};

struct DeliveryCount {
  std::string protection;
  std::uint64_t copies = 0;
};

// Counters of the flow of mail by the minute. Threads: those of the connection. Errors: Error(Store).
class FlowStore {
public:
  explicit FlowStore(store::Database& database) : database_(database) {}

  void add(const Flow& flow);  // to the minute of flow.at
  void addRefusal(TimePoint at, std::string_view reason);

  void addDelivered(TimePoint at, std::string_view protection, std::uint64_t copies);

  std::vector<Flow> minutes(TimePoint from) const;  // only those in which something happened, oldest first
  Flow sum(TimePoint from) const;
  std::vector<RefusalCount> refusals(TimePoint from) const;  // most frequent first
  std::vector<DeliveryCount> delivered(TimePoint from) const;

private:
  store::Database& database_;
};

}  // namespace postern::listd
