#pragma once
#include "core/app/DestinationShape.h"
#include "core/base/Clock.h"
#include "core/store/Database.h"

#include <optional>
#include <string_view>
#include <vector>

namespace postern::listd {

// What was set for one destination, and since when it is paused (zero: it is not).
struct DestinationRow {
  app::DestinationShape shape;
  TimePoint pausedAt;
};

// How fast mail goes where. Threads: those of the connection. Errors: Error(Store).
class DestinationStore {
public:
  explicit DestinationStore(store::Database& database) : database_(database) {}

  void set(const DestinationRow& row);  // in place of what was set; one that says nothing is removed
  std::optional<DestinationRow> find(std::string_view name) const;
  std::vector<DestinationRow> all() const;  // by name, "*" first
  bool remove(std::string_view name);

private:
  store::Database& database_;
};

}  // namespace postern::listd
