#pragma once
#include "core/store/Database.h"
#include "gateway/queue/QueueIndex.h"

#include <filesystem>

namespace postern::gateway {

// DATA/gateway/queue.db: the queue's index as of a position in the segment log. Holds the SQL of the queue.
// Threads: one at a time.
class IndexStore {
public:
  explicit IndexStore(const std::filesystem::path& file);

  // Fills an empty index; returns the position in the log from which records must be replayed.
  store::LogPosition load(QueueIndex& index, TimePoint now);
  // One durable transaction. May be repeated with the same snapshot after it threw.
  void save(const QueueIndex::Snapshot& snapshot);

private:
  void loadCopies(QueueIndex& index);
  void saveCopies(const QueueIndex::Snapshot& snapshot);
  std::uint64_t counter(std::string_view name);
  void setCounter(std::string_view name, std::uint64_t value);
  store::Database database_;
};

}  // namespace postern::gateway
