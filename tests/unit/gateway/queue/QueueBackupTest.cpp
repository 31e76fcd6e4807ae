#include "tests/unit/gateway/queue/QueueFixture.h"

#include <atomic>
#include <thread>

using namespace postern;
using namespace postern::gateway;
using gateway::test::QueueFixture;
using Outcome = app::DeliveryEvent::Outcome;

namespace {

// What a site that is restored from the copy has.
struct Restored {
  explicit Restored(const QueueFixture& site) : clock(site.clock.now()) {
    QueueStore::Options options;
    options.folder = site.folder / "restored";
    std::filesystem::copy(site.folder / "gateway/backup", options.folder, std::filesystem::copy_options::recursive);
    queue.emplace(options, clock);
    queue->setQueueKey(site.key);
  }

  std::vector<std::uint64_t> waiting() const {
    std::vector<std::uint64_t> keys;
    queue->forEachWaiting([&](const CopySummary& summary) { keys.push_back(summary.key); });
    std::sort(keys.begin(), keys.end());
    return keys;
  }

  FakeClock clock;
  std::optional<QueueStore> queue;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(gateway_queue_QueueBackup)

BOOST_FIXTURE_TEST_CASE(has_what_waits_and_nothing_that_came_later, QueueFixture) {
  const auto accepted = queue->accept("sealed message");
  queue->storeTail(7, "shared tail");
  queue->submitCopies({copy(1, 7), copy(2), copy(3)});
  record(2, Outcome::Delivered);
  queue->copyForBackup();
  queue->accept("sealed later");
  queue->submitCopies({copy(4)});
  record(1, Outcome::Delivered);
  queue->finish(accepted);

  Restored restored(*this);
  BOOST_TEST(restored.waiting() == (std::vector<std::uint64_t>{1, 3}), boost::test_tools::per_element());
  const auto taken = restored.queue->takeAccepted(1, 10, std::chrono::milliseconds(0));
  BOOST_REQUIRE_EQUAL(taken.size(), 1);
  BOOST_TEST(taken[0].id == accepted);
  BOOST_TEST(taken[0].sealed == "sealed message");
  BOOST_TEST(restored.queue->load(1)->recipient == copy(1).recipient);
}

BOOST_FIXTURE_TEST_CASE(has_large_messages_and_replaces_the_copy_before, QueueFixture) {
  const std::string large(5u << 20, 'x');
  queue->copyForBackup();
  queue->accept(large);
  queue->copyForBackup();
  Restored restored(*this);
  const auto taken = restored.queue->takeAccepted(1, 10, std::chrono::milliseconds(0));
  BOOST_REQUIRE_EQUAL(taken.size(), 1);
  BOOST_TEST((taken[0].sealed == large));
}

BOOST_FIXTURE_TEST_CASE(is_of_one_moment_while_mail_comes_and_segments_go, QueueFixture) {
  options.segmentSize = 64u << 10;
  options.tailGrace = std::chrono::seconds(0);
  open();
  std::atomic<bool> enough = false;
  std::atomic<std::uint64_t> finished = 0;
  // Each message is accepted and finished: so the copy has each of them, or its end, and never half of it.
  std::thread mail([&] {
    while (!enough) {
      const auto id = queue->accept(std::string(8000, 'm'));
      queue->finish(id);
      ++finished;
    }
  });
  for (int round = 0; round < 5; ++round) {
    const auto before = finished.load();
    queue->copyForBackup();
    Restored restored(*this);
    BOOST_TEST(restored.queue->takeAccepted(1, 100, std::chrono::milliseconds(0)).size() <= 1U);
    BOOST_TEST(restored.queue->accept("next") > before);  // no number is given twice
    restored.queue.reset();
    std::filesystem::remove_all(folder / "restored");
  }
  enough = true;
  mail.join();
  BOOST_TEST(finished.load() > 0U);
}

BOOST_AUTO_TEST_SUITE_END()
