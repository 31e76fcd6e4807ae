#pragma once
#include "core/base/Clock.h"
#include "core/store/Database.h"

#include <string>
#include <string_view>
#include <vector>

namespace postern::listd {

// One order that changes something, done or refused.
struct Act {
  TimePoint at;
  std::string actorKind;
  std::string actorName;
  std::string order;
  std::string object;
  std::string outcome;  // "done" or "refused: CODE"
};

// The record of orders: rows are added, never changed or deleted (the database refuses it).
// Threads: those of the connection. Errors: Error(Store).
class ActStore {
public:
  explicit ActStore(store::Database& database) : database_(database) {}

  void add(const Act& act);
  std::vector<Act> newest(std::uint32_t limit) const;

private:
  store::Database& database_;
};

}  // namespace postern::listd
