#include "core/base/Error.h"
#include "core/store/Database.h"
#include "gateway/queue/QueueStore.h"
#include "tests/unit/gateway/queue/QueueFixture.h"

#include <memory>
#include <thread>

using namespace postern;
using namespace postern::gateway;
using gateway::test::QueueFixture;
using Outcome = app::DeliveryEvent::Outcome;
using Action = QueueOrder::Action;

namespace {

bool isDiskFull(const Error& error) {
  return error.kind() == ErrorKind::DiskFull;
}
bool isUnavailable(const Error& error) {
  return error.kind() == ErrorKind::Unavailable;
}
bool isMalformed(const Error& error) {
  return error.kind() == ErrorKind::Malformed;
}

// Gives a tail back its grace each time it is tried, so time passes before.
struct TailFixture : QueueFixture {
  bool takes(app::Copy tried) {
    clock.advance(std::chrono::minutes(5));
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
    try {
      queue->submitCopies({std::move(tried)});
      return true;
    } catch (const Error& error) {
      if (isMalformed(error)) return false;
      throw;
    }
  }
};

template <class Predicate>
bool soon(Predicate predicate) {
  for (int i = 0; i < 500 && !predicate(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  return predicate();
}

struct Recorder : QueueListener {
  std::mutex mutex;
  std::vector<std::uint64_t> queued, changed, dropped;
  std::vector<bool> health;
  void copiesQueued(std::span<const CopySummary> copies) override {
    std::lock_guard lock(mutex);
    for (const auto& copy : copies) queued.push_back(copy.key);
  }
  void copyChanged(const CopySummary& copy) override {
    std::lock_guard lock(mutex);
    changed.push_back(copy.key);
  }
  void copyDropped(std::uint64_t key) override {
    std::lock_guard lock(mutex);
    dropped.push_back(key);
  }
  std::set<std::uint64_t> out;  // on their way
  bool withdraw(std::uint64_t key) override {
    std::lock_guard lock(mutex);
    return !out.contains(key);
  }
  void healthChanged(bool healthy) override {
    std::lock_guard lock(mutex);
    health.push_back(healthy);
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(gateway_queue_QueueStore, QueueFixture)

BOOST_AUTO_TEST_CASE(what_was_accepted_is_given_out_once_per_session_until_finished) {
  const auto first = queue->accept("sealed one");
  const auto second = queue->accept("sealed two");
  auto items = take(1);
  BOOST_TEST_REQUIRE(items.size() == 2);
  BOOST_TEST(items[0].id == first);
  BOOST_TEST(items[1].sealed == "sealed two");
  BOOST_TEST(take(1).empty());
  queue->finish(first);
  queue->sessionEnded(1);
  items = take(2);
  BOOST_TEST_REQUIRE(items.size() == 1);
  BOOST_TEST(items[0].id == second);
  open();
  BOOST_TEST(take(3).size() == 1);
}

BOOST_AUTO_TEST_CASE(an_accepted_id_is_never_used_again) {
  std::set<std::uint64_t> ids;
  for (int round = 0; round < 5; ++round) {
    for (int i = 0; i < 3; ++i) {
      const auto id = queue->accept("x");
      BOOST_TEST(ids.insert(id).second);
      queue->finish(id);
    }
    open();
  }
}

BOOST_AUTO_TEST_CASE(a_waiting_take_returns_when_mail_comes) {
  std::jthread later([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    queue->accept("x");
  });
  BOOST_TEST(queue->takeAccepted(1, 10, std::chrono::seconds(10)).size() == 1);
}

BOOST_AUTO_TEST_CASE(before_the_key_copies_are_neither_taken_nor_opened) {
  queue->submitCopies({copy(1)});
  open(false);
  BOOST_CHECK_EXCEPTION(queue->submitCopies({copy(2)}), Error, isUnavailable);
  BOOST_CHECK_EXCEPTION(queue->storeTail(1, "x"), Error, isUnavailable);
  BOOST_CHECK_EXCEPTION(queue->load(1), Error, isUnavailable);
  BOOST_TEST(waiting().size() == 1);
  queue->setQueueKey(key);
  BOOST_TEST(queue->load(1)->head == "canary-head 1\r\n");
}

BOOST_AUTO_TEST_CASE(a_copy_comes_back_as_it_was_submitted_also_after_a_restart) {
  queue->storeTail(9, "canary-tail");
  queue->submitCopies({copy(1, 9), copy(2, 9), copy(3)});
  for (int round = 0; round < 2; ++round) {
    const auto loaded = queue->load(2);
    BOOST_TEST(loaded->mailFrom == copy(2).mailFrom);
    BOOST_TEST(loaded->recipient == copy(2).recipient);
    BOOST_TEST(loaded->head == copy(2).head);
    BOOST_TEST(*loaded->tail == "canary-tail");
    BOOST_TEST((loaded->protection == app::Protection::Smime && loaded->floor == app::Protection::Smime));
    BOOST_TEST(loaded->tail == queue->load(1)->tail);  // shared
    BOOST_TEST(queue->load(3)->tail->empty());
    BOOST_TEST(!queue->load(4));
    BOOST_TEST(waiting().size() == 3);
    BOOST_TEST(waiting()[1].destination == "dest2.example");
    open();
  }
}

BOOST_AUTO_TEST_CASE(a_tail_leaves_memory_once_no_copy_waits_for_it_and_not_before) {
  queue->storeTail(9, "tail of two");
  queue->storeTail(10, "tail of one");
  queue->submitCopies({copy(1, 9), copy(2, 9), copy(3, 10)});
  const std::weak_ptr<const std::string> ofTwo = queue->load(1)->tail;
  const std::weak_ptr<const std::string> ofOne = queue->load(3)->tail;
  const auto goes = [](const auto& tail) {
    for (int i = 0; i < 500 && !tail.expired(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    return tail.expired();
  };
  record(1, Outcome::Delivered);
  record(3, Outcome::Delivered);
  BOOST_TEST(goes(ofOne));
  BOOST_TEST(!ofTwo.expired());  // the look that forgot the one has left it
  record(2, Outcome::Delivered);
  BOOST_TEST(goes(ofTwo));
}

BOOST_AUTO_TEST_CASE(another_queue_key_opens_nothing) {
  queue->submitCopies({copy(1)});
  open(false);
  queue->setQueueKey(std::string(32, 'z'));
  BOOST_CHECK_EXCEPTION(queue->load(1), Error, [](const Error& e) { return e.kind() == ErrorKind::Crypto; });
}

BOOST_AUTO_TEST_CASE(nothing_of_a_copy_or_an_event_is_readable_on_disk) {
  queue->storeTail(9, "canary-tail" + std::string(6u << 20, 't'));
  queue->submitCopies({copy(1, 9), copy(2, 9)});
  record(1, Outcome::Deferred);
  app::RefusalEvent refusal;
  refusal.mailFrom = "canary-sender@example";
  refusal.recipients = {"canary-recipient@example"};
  queue->recordRefusal(refusal);
  queue->flush();
  BOOST_TEST(!anyFileHolds("canary"));
  open();
  BOOST_TEST(!anyFileHolds("canary"));
  BOOST_TEST(queue->load(1)->tail->size() == 11 + (6u << 20));
}

BOOST_AUTO_TEST_CASE(a_submission_that_names_an_unknown_tail_leaves_nothing) {
  BOOST_CHECK_EXCEPTION(queue->submitCopies({copy(1), copy(2, 77)}), Error, isMalformed);
  BOOST_TEST(waiting().empty());
}

// listd may resubmit the whole post after a crash anywhere: whatever state the copies are in, and with another tail.
BOOST_AUTO_TEST_CASE(tails_that_come_with_copies_are_there_with_them_or_not_at_all) {
  queue->storeTail(9, "old tail");
  queue->submitCopies({copy(1, 9)});
  queue->submitCopies({copy(1, 9), copy(2, 9), copy(3, 10)}, {{9, "new tail"}, {10, "another"}});
  BOOST_CHECK_EXCEPTION(queue->submitCopies({copy(4, 11)}, {{12, "twelve"}}), Error, isMalformed);
  BOOST_CHECK_EXCEPTION(queue->submitCopies({copy(5, 12)}), Error, isMalformed);
  open();
  BOOST_TEST(*queue->load(1)->tail == "old tail");
  BOOST_TEST(*queue->load(2)->tail == "new tail");
  BOOST_TEST(*queue->load(3)->tail == "another");
  BOOST_TEST(waiting().size() == 3u);
}

BOOST_AUTO_TEST_CASE(a_resubmit_before_finish_takes_only_what_was_not_there) {
  const auto id = queue->accept("post");
  take(1);
  queue->storeTail(9, "old tail");
  queue->submitCopies({copy(1, 9), copy(2, 9), copy(3, 9)});
  record(1, Outcome::Delivered);  // not acknowledged
  record(2, Outcome::Delivered);  // acknowledged below
  const auto sequence = events().back().sequence;
  events(sequence);
  queue->flush();
  for (int round = 0; round < 3; ++round) {
    queue->storeTail(9, "new tail");
    queue->submitCopies({copy(1, 9), copy(2, 9), copy(3, 9), copy(4, 9)});
    BOOST_TEST(waiting().size() == 2);
    BOOST_TEST(!queue->load(1));
    BOOST_TEST(!queue->load(2));
    BOOST_TEST(*queue->load(3)->tail == "old tail");
    BOOST_TEST(*queue->load(4)->tail == "new tail");
    open();
    take(2);
  }
  queue->finish(id);
  BOOST_TEST(waiting().size() == 2);
}

BOOST_AUTO_TEST_CASE(a_key_stays_taken_until_its_last_event_is_acknowledged) {
  queue->submitCopies({copy(1)});
  record(1, Outcome::Failed);
  open();
  queue->submitCopies({copy(1)});
  BOOST_TEST(waiting().empty());
  BOOST_TEST(events().size() == 1);
}

BOOST_AUTO_TEST_CASE(the_same_key_twice_in_one_submission_is_one_copy) {
  queue->submitCopies({copy(1), copy(1)});
  BOOST_TEST(waiting().size() == 1);
  open();
  BOOST_TEST(waiting().size() == 1);
}

BOOST_FIXTURE_TEST_CASE(a_tail_that_nobody_names_goes_after_its_grace_and_one_in_use_stays, TailFixture) {
  queue->storeTail(1, "used");
  queue->storeTail(2, "unused");
  queue->submitCopies({copy(1, 1)});
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  queue->submitCopies({copy(2, 2)});
  record(2, Outcome::Delivered);
  clock.advance(std::chrono::minutes(5));
  BOOST_TEST(!takes(copy(3, 2)));
  BOOST_TEST(*queue->load(1)->tail == "used");
  BOOST_TEST(takes(copy(4, 1)));
}

// After a crash queue.db would still name the tail, and copies could be taken that nobody can read.
BOOST_FIXTURE_TEST_CASE(the_bytes_of_a_tail_stay_until_queue_db_does_not_name_it, TailFixture) {
  const auto bodies = [&] {
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder / "gateway/segments"))
      if (entry.path().extension() == ".body") ++count;
    return count;
  };
  queue->storeTail(1, std::string(5u << 20, 't'));
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  {
    auto blocker = store::Database::openReader(folder / "gateway/queue.db");
    blocker.execute("PRAGMA query_only=OFF");
    blocker.execute("BEGIN IMMEDIATE");
    clock.advance(std::chrono::minutes(5));
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    BOOST_TEST(bodies() == 1u);
    blocker.execute("ROLLBACK");
  }
  for (int i = 0; i < 500 && bodies() > 0; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(20));
  BOOST_TEST(bodies() == 0u);
}

BOOST_AUTO_TEST_CASE(events_come_in_order_until_acknowledged_and_not_again) {
  queue->submitCopies({copy(1), copy(2)});
  record(1, Outcome::Deferred);
  record(1, Outcome::Delivered);
  record(2, Outcome::Failed);
  auto all = events();
  BOOST_TEST_REQUIRE(all.size() == 3);
  BOOST_TEST(all[0].sequence < all[1].sequence);
  const auto& failed = std::get<app::DeliveryEvent>(all[2].what);
  BOOST_TEST(failed.copyKey == 2);
  BOOST_TEST(failed.replyText == "canary-reply");
  BOOST_TEST(events(all[0].sequence).size() == 2);
  open();
  BOOST_TEST(events(all[0].sequence).size() == 2);
  BOOST_TEST(events(all[2].sequence).empty());
  queue->flush();
  open();
  BOOST_TEST(events().empty());
  queue->submitCopies({copy(5)});
  record(5, Outcome::Failed);
  BOOST_TEST(events().at(0).sequence > all[2].sequence);
}

BOOST_AUTO_TEST_CASE(a_deferred_copy_keeps_attempts_and_time_over_a_restart) {
  queue->submitCopies({copy(1)});
  record(1, Outcome::Deferred);
  open();
  const auto summary = waiting().at(0);
  BOOST_TEST(summary.attempts == 1);
  BOOST_TEST((summary.notBefore == clock.now() + std::chrono::minutes(5)));
  BOOST_TEST(queue->rows({1}).at(0).lastReply == "canary-reply");
}

BOOST_AUTO_TEST_CASE(orders_hold_release_retry_and_drop) {
  Recorder recorder;
  queue->submitCopies({copy(1), copy(2), copy(3)});
  queue->setListener(&recorder);
  BOOST_TEST(act(Action::Hold, {1, 2, 3}) == 3);
  BOOST_TEST(act(Action::Hold, {1}) == 0);
  BOOST_TEST(act(Action::Release, {2}) == 1);
  BOOST_TEST(act(Action::Retry, {1, 2, 3}) == 1);
  BOOST_TEST(act(Action::Drop, {3}) == 1);
  BOOST_TEST(act(Action::Drop, {77}) == 0);
  open();
  const auto stats = queue->stats();
  BOOST_TEST(stats.held == 1);
  BOOST_TEST(stats.queued == 1);
  BOOST_TEST((std::get<app::DeliveryEvent>(events().at(0).what).outcome == Outcome::Dropped));
  BOOST_TEST(recorder.changed.size() == 5);
  BOOST_TEST(recorder.dropped == std::vector<std::uint64_t>{3}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_listener_hears_of_new_copies_once) {
  Recorder recorder;
  queue->setListener(&recorder);
  queue->submitCopies({copy(1), copy(2)});
  queue->submitCopies({copy(2), copy(3)});
  queue->flush();
  queue->setListener(nullptr);
  BOOST_TEST(recorder.queued == (std::vector<std::uint64_t>{1, 2, 3}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_flood_of_refusals_is_bounded_and_counted) {
  options.maxRefusals = 50;
  options.segmentSize = 100000;
  open(false);
  for (int i = 0; i < 3000; ++i) {
    app::RefusalEvent refusal;
    refusal.code = 550;
    refusal.reason = std::to_string(i);
    queue->recordRefusal(refusal);
    if (i == 1500) queue->setQueueKey(key);
  }
  queue->flush();
  auto kept = events();
  BOOST_TEST(kept.size() == 50);
  BOOST_TEST(std::get<app::RefusalEvent>(kept.back().what).reason == "2999");
  BOOST_TEST(queue->problems().at(0) == "2950 refusals came too fast to be kept for the log.");
  open();
  BOOST_TEST(events().size() == 50);
}

BOOST_AUTO_TEST_CASE(space_comes_back_when_mail_is_done) {
  options.segmentSize = 100000;
  open();
  for (std::uint64_t i = 1; i <= 50; ++i) {
    queue->finish(queue->accept(std::string(20000, 'a')));
    queue->submitCopies({copy(i)});
    record(i, Outcome::Delivered);
  }
  events(events().back().sequence);
  const auto folderBytes = [&] {
    std::uintmax_t bytes = 0;
    for (const auto& entry : std::filesystem::directory_iterator(options.folder / "segments"))
      bytes += entry.file_size();
    return bytes;
  };
  BOOST_TEST(soon([&] { return folderBytes() <= 2 * 100000; }));
}

BOOST_AUTO_TEST_CASE(a_full_disk_refuses_new_mail_and_takes_it_again_with_room) {
  options.minFreeSpace = 1 << 20;
  open();
  queue->submitCopies({copy(1)});
  disk.free = 900 << 10;  // less than the reserve, more than its quarter
  BOOST_CHECK_EXCEPTION(queue->accept("x"), Error, isDiskFull);
  BOOST_CHECK_EXCEPTION(queue->submitCopies({copy(2)}), Error, isDiskFull);
  BOOST_TEST(queue->healthy());
  BOOST_TEST(queue->problems().size() == 1);
  record(1, Outcome::Deferred);  // what is under way is still recorded
  disk.free = 10000;
  BOOST_TEST(soon([&] { return !queue->healthy(); }));
  disk.free = -1;
  BOOST_TEST(soon([&] { return queue->healthy(); }));
  BOOST_TEST(queue->problems().empty());
  queue->accept("x");
  BOOST_TEST(take(1).size() == 1);
  BOOST_TEST(waiting().size() == 1);
}

BOOST_AUTO_TEST_CASE(when_the_disk_fails_nothing_is_acknowledged_events_wait_and_it_heals) {
  for (const int fault : {ENOSPC, EIO}) {
    const bool atSync = fault == EIO;
    Recorder recorder;
    queue->setListener(&recorder);
    const std::uint64_t base = atSync ? 100 : 10;
    queue->submitCopies({copy(base), copy(base + 1)});
    const auto waitingBefore = take(base).size();
    (atSync ? disk.syncError : disk.writeError) = fault;
    queue->record(event(base, Outcome::Delivered));
    BOOST_TEST(soon([&] { return !queue->healthy(); }));
    BOOST_CHECK_THROW(queue->accept("lost?"), Error);
    BOOST_CHECK_THROW(queue->submitCopies({copy(base + 2)}), Error);
    BOOST_CHECK_THROW(queue->flush(), Error);
    BOOST_TEST(queue->problems().size() == 1);
    queue->record(event(base + 1, Outcome::Deferred));
    disk.writeError = 0;
    disk.syncError = 0;
    BOOST_TEST(soon([&] { return queue->healthy(); }));
    queue->flush();
    BOOST_TEST(!queue->load(base));
    BOOST_TEST(queue->load(base + 1).has_value());
    BOOST_TEST(take(base + 1).size() == 0);
    BOOST_TEST(waitingBefore == 0);
    open();
    BOOST_TEST(!queue->load(base));
    BOOST_TEST(take(base + 2).size() == 0);
    const auto all = events();
    BOOST_TEST(all.size() == 2);
    events(all.back().sequence);
    BOOST_TEST(recorder.health == (std::vector<bool>{false, true}), boost::test_tools::per_element());
  }
}

BOOST_AUTO_TEST_CASE(a_missing_log_is_not_taken_for_an_empty_one) {
  queue->accept("x");
  queue.reset();
  std::filesystem::remove_all(options.folder / "segments");
  BOOST_CHECK_EXCEPTION(open(), Error, [](const Error& e) { return e.kind() == ErrorKind::Store; });
}

BOOST_AUTO_TEST_CASE(a_copy_is_taken_back_only_while_it_is_not_on_its_way) {
  Recorder recorder;
  recorder.out = {1};
  queue->setListener(&recorder);
  queue->submitCopies({copy(1), copy(2)});
  BOOST_TEST(act(Action::Withdraw, {1}) == 0);
  BOOST_TEST(act(Action::Withdraw, {2}) == 1);
  BOOST_TEST(act(Action::Withdraw, {2}) == 0, "it is gone");
  BOOST_TEST(waiting().size() == 1);
  queue->setListener(nullptr);
}

BOOST_AUTO_TEST_SUITE_END()
