#include "core/base/Error.h"
#include "gateway/queue/QueueStore.h"
#include "tests/support/TempFolder.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <random>

using namespace postern;
using namespace postern::gateway;

namespace {

constexpr std::uint64_t CopiesPerPost = 5;

// What the child says it has seen or was promised, told over a pipe that survives it.
struct Note {
  enum Kind : std::uint64_t { Accepted, Submitted, Finished, Attempted, Recorded, Event } kind;
  std::uint64_t number = 0;    // accepted id, or copy key
  std::uint64_t sequence = 0;  // of an event
};

// The gateway, a miniature listd and a miniature deliverer around one queue, until killed.
class Child {
public:
  Child(const std::filesystem::path& folder, int pipe, std::uint64_t acknowledged)
      : pipe_(pipe), acknowledged_(acknowledged) {
    QueueStore::Options options;
    options.folder = folder;
    options.indexInterval = std::chrono::milliseconds(15);
    options.segmentSize = 100000;
    queue_.emplace(options, clock_);
    queue_->setQueueKey(std::string(32, 'k'));
  }

  [[noreturn]] void run(bool acceptMore, std::chrono::milliseconds life) {
    std::vector<std::jthread> threads;
    for (int i = 0; acceptMore && i < 4; ++i)
      threads.emplace_back([this] {
        while (true) accept();
      });
    threads.emplace_back([this] {
      while (true) expand();
    });
    threads.emplace_back([this] {
      while (true) deliver();
    });
    threads.emplace_back([this] {
      while (true) takeEvents();
    });
    std::this_thread::sleep_for(life);
    kill(getpid(), SIGKILL);
    while (true) pause();
  }

private:
  void tell(Note note) {
    if (::write(pipe_, &note, sizeof note) != sizeof note) _exit(1);
  }

  void accept() {
    tell({Note::Accepted, queue_->accept(std::string(300, 'x'))});
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }

  void expand() {
    for (const auto& item : queue_->takeAccepted(1, 5, std::chrono::milliseconds(100))) {
      queue_->storeTail(item.id, "tail " + std::to_string(item.id));
      submit(item.id, 0, 2);
      submit(item.id, 2, CopiesPerPost);
      queue_->finish(item.id);
      tell({Note::Finished, item.id});
    }
  }

  void submit(std::uint64_t id, std::uint64_t from, std::uint64_t to) {
    std::vector<app::Copy> copies(to - from);
    for (auto& copy : copies) {
      copy.key = id * 10 + from++;
      copy.tail = id;
      copy.recipient = "r@dest.example";
      copy.head = "head " + std::to_string(copy.key);
    }
    queue_->submitCopies(copies);
    for (const auto& copy : copies) tell({Note::Submitted, copy.key});
  }

  void deliver() {
    std::vector<std::uint64_t> keys;
    queue_->forEachWaiting([&](const CopySummary& copy) { keys.push_back(copy.key); });
    for (const auto key : keys) {
      const auto loaded = queue_->load(key);
      if (!loaded || loaded->head != "head " + std::to_string(key) ||
          *loaded->tail != "tail " + std::to_string(key / 10))
        _exit(2);
      tell({Note::Attempted, key});
      app::DeliveryEvent event;
      event.copyKey = key;
      queue_->record(event);
    }
    queue_->flush();
    for (const auto key : keys) tell({Note::Recorded, key});
    if (keys.empty()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }

  // As listd: what an event says is written down before it is acknowledged.
  void takeEvents() {
    for (const auto& event : queue_->takeEvents(acknowledged_, 50, std::chrono::milliseconds(50))) {
      tell({Note::Event, std::get<app::DeliveryEvent>(event.what).copyKey, event.sequence});
      acknowledged_ = event.sequence;
    }
  }

  int pipe_;
  std::uint64_t acknowledged_;
  SystemClock clock_;
  std::optional<QueueStore> queue_;
};

// What must hold, whatever the moment of the kill.
struct Model {
  std::set<std::uint64_t> accepted, submitted, recorded;
  std::map<std::uint64_t, std::uint64_t> eventOf;  // copy key -> sequence
  std::uint64_t acknowledged = 0;
  std::string fault;

  void note(const Note& note) {
    switch (note.kind) {
      case Note::Accepted:
        if (!accepted.insert(note.number).second) fault = "an id was used twice";
        break;
      case Note::Submitted:
        submitted.insert(note.number);
        break;
      case Note::Finished:
        break;
      case Note::Attempted:
        if (recorded.contains(note.number)) fault = "a copy was delivered again after its delivery was durable";
        break;
      case Note::Recorded:
        recorded.insert(note.number);
        break;
      case Note::Event:
        if (note.sequence > acknowledged && eventOf.contains(note.number)) fault = "two last events for one copy";
        eventOf.emplace(note.number, note.sequence);
        acknowledged = std::max(acknowledged, note.sequence);
        break;
    }
  }
};

int runRound(const std::filesystem::path& folder, Model& model, bool acceptMore, std::chrono::milliseconds life) {
  int pipes[2];
  if (pipe(pipes) != 0) return -1;
  const auto child = fork();
  if (child == 0) {
    try {
      Child(folder, pipes[1], model.acknowledged).run(acceptMore, life);
    } catch (const std::exception&) {
      _exit(3);
    }
  }
  close(pipes[1]);
  for (Note note; read(pipes[0], &note, sizeof note) == sizeof note;) model.note(note);
  close(pipes[0]);
  int status = 0;
  waitpid(child, &status, 0);
  return WIFSIGNALED(status) ? 0 : WEXITSTATUS(status);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(gateway_queue_QueueCrash)

BOOST_AUTO_TEST_CASE(kills_at_random_moments_lose_nothing_and_repeat_only_what_was_in_flight) {
  const postern::test::TempFolder folder;
  std::mt19937 random(99);
  Model model;
  for (int round = 0; round < 50; ++round) {
    const std::chrono::milliseconds life(5 + random() % 60);
    BOOST_TEST_REQUIRE(runRound(folder / "gateway", model, true, life) == 0, "round " << round);
    BOOST_TEST_REQUIRE(model.fault == "");
  }
  BOOST_TEST(model.accepted.size() > 50);
  // Let everything go through, then take stock: each post that was acknowledged reached each of its recipients.
  const auto missing = [&] {
    std::size_t count = 0;
    for (const auto id : model.accepted)
      for (std::uint64_t i = 0; i < CopiesPerPost; ++i) count += model.eventOf.contains(id * 10 + i) ? 0 : 1;
    // Of those whose acceptance was not told before the kill, too.
    for (const auto key : model.submitted) count += model.eventOf.contains(key) ? 0 : 1;
    return count;
  };
  for (int round = 0; round < 100 && missing() > 0; ++round) {
    BOOST_TEST_REQUIRE(runRound(folder / "gateway", model, false, std::chrono::milliseconds(500)) == 0);
    BOOST_TEST_REQUIRE(model.fault == "");
  }
  BOOST_TEST(missing() == 0u);
  for (const auto key : model.submitted) BOOST_TEST_REQUIRE(model.eventOf.contains(key));
}

BOOST_AUTO_TEST_CASE(what_queue_db_does_not_know_yet_is_replayed_from_segments_that_are_kept_for_it) {
  const postern::test::TempFolder folder;
  QueueStore::Options options;
  options.folder = folder / "gateway";
  options.segmentSize = 50000;
  options.indexInterval = std::chrono::hours(1);
  SystemClock clock;
  constexpr std::uint64_t Count = 30;
  const auto child = fork();
  if (child == 0) {
    QueueStore queue(options, clock);
    queue.setQueueKey(std::string(32, 'k'));
    for (std::uint64_t i = 1; i <= Count; ++i) {
      const auto id = queue.accept(std::string(20000, 'x'));
      app::Copy copy;
      copy.key = i;
      copy.recipient = "r@dest.example";
      queue.submitCopies({copy});
      app::DeliveryEvent event;
      event.copyKey = i;
      queue.record(event);
      queue.finish(id);
    }
    kill(getpid(), SIGKILL);
  }
  waitpid(child, nullptr, 0);
  QueueStore queue(options, clock);
  queue.setQueueKey(std::string(32, 'k'));
  BOOST_TEST(queue.takeEvents(0, 1000, std::chrono::milliseconds(0)).size() == Count);
  BOOST_TEST(queue.stats().queued == 0u);
  BOOST_TEST(queue.stats().waitingAccepted == 0u);
  BOOST_TEST(queue.accept("x") > Count);
}

BOOST_AUTO_TEST_SUITE_END()
