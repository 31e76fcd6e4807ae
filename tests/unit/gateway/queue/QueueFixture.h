#pragma once
#include "core/base/Files.h"
#include "gateway/queue/QueueStore.h"
#include "tests/support/FaultyDisk.h"
#include "tests/support/TempFolder.h"

#include <optional>

namespace postern::gateway::test {

// A queue in a folder of its own that can be closed and opened again.
struct QueueFixture {
  postern::test::TempFolder folder;
  postern::test::FaultyDisk disk;
  FakeClock clock{fromMicros(1'700'000'000'000'000)};
  QueueStore::Options options;
  std::optional<QueueStore> queue;
  const std::string key = std::string(32, 'k');

  QueueFixture() {
    options.folder = folder / "gateway";
    options.disk = &disk;
    options.indexInterval = std::chrono::milliseconds(20);
    open();
  }

  void open(bool unlock = true) {
    queue.reset();
    queue.emplace(options, clock);
    if (unlock) queue->setQueueKey(key);
  }

  app::Copy copy(std::uint64_t number, std::uint64_t tail = 0) const {
    app::Copy made;
    made.key = number;
    made.tail = tail;
    made.protection = app::Protection::Smime;
    made.floor = app::Protection::Smime;
    made.mailFrom = "canary-bounces+" + std::to_string(number) + "@lists.example";
    made.recipient = "canary-member" + std::to_string(number) + "@Dest" + std::to_string(number % 3) + ".example";
    made.head = "canary-head " + std::to_string(number) + "\r\n";
    made.expiresAt = clock.now() + std::chrono::hours(100);
    return made;
  }

  app::DeliveryEvent event(std::uint64_t number, app::DeliveryEvent::Outcome outcome) const {
    app::DeliveryEvent made;
    made.copyKey = number;
    made.outcome = outcome;
    made.at = clock.now();
    made.attempt = 1;
    made.nextAttempt = clock.now() + std::chrono::minutes(5);
    made.replyCode = 250;
    made.replyText = "canary-reply";
    return made;
  }

  void record(std::uint64_t number, app::DeliveryEvent::Outcome outcome) {
    queue->record(event(number, outcome));
    queue->flush();
  }

  std::size_t act(QueueOrder::Action action, std::vector<std::uint64_t> keys, const std::string& via = {}) {
    return queue->act({action, std::move(keys), "not wanted", via}).size();
  }

  std::vector<CopySummary> waiting() const {
    std::vector<CopySummary> found;
    queue->forEachWaiting([&](const CopySummary& summary) { found.push_back(summary); });
    return found;
  }

  // All events after an acknowledged one.
  std::vector<app::GatewayEvent> events(std::uint64_t acknowledged = 0) {
    return queue->takeEvents(acknowledged, 100000, std::chrono::milliseconds(0));
  }

  std::vector<app::AcceptedItem> take(std::uint64_t session, std::uint32_t max = 1000) {
    return queue->takeAccepted(session, max, std::chrono::milliseconds(0));
  }

  bool anyFileHolds(std::string_view needle) const {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder.path()))
      if (entry.is_regular_file() && files::read(entry.path()).find(needle) != std::string::npos) return true;
    return false;
  }
};

}  // namespace postern::gateway::test
