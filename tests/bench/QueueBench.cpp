// rooms: gateway
// The gateway's queue: durable accept beside a raw append with group sync in the same run, and copies through the
// queue.
//   QueueBench [folder on the disk to measure]
#include "core/base/Files.h"
#include "core/store/SegmentLog.h"
#include "gateway/queue/QueueStore.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <barrier>
#include <cstdio>
#include <filesystem>
#include <semaphore>
#include <thread>

using namespace postern;
using namespace postern::gateway;
using SteadyClock = std::chrono::steady_clock;

namespace {

double cpuSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

struct Figures {
  double perSecond = 0;
  double cpuMicros = 0;
};

// Runs `work` in so many threads for a while.
Figures measure(int threads, std::chrono::milliseconds time, const std::function<void()>& work) {
  std::atomic<std::uint64_t> done{0};
  std::atomic<bool> stop{false};
  const auto cpu = cpuSeconds();
  const auto start = SteadyClock::now();
  {
    std::vector<std::jthread> running;
    for (int i = 0; i < threads; ++i)
      running.emplace_back([&] {
        while (!stop) {
          work();
          ++done;
        }
      });
    std::this_thread::sleep_for(time);
    stop = true;
  }
  const auto wall = std::chrono::duration<double>(SteadyClock::now() - start).count();
  return {static_cast<double>(done) / wall, (cpuSeconds() - cpu) * 1e6 / static_cast<double>(done)};
}

// The limit: waiting threads' bytes appended to a preallocated file with one write and one fdatasync a group.
class RawAppend {
public:
  explicit RawAppend(const std::filesystem::path& path)
      : fd_(::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC, 0600)), thread_([this](std::stop_token s) { loop(s); }) {}
  ~RawAppend() {
    thread_.request_stop();
    wake_.notify_one();
  }

  void append(std::string_view bytes) {
    std::binary_semaphore ready{0};
    {
      std::lock_guard lock(mutex_);
      buffer_.append(bytes);
      waiting_.push_back(&ready);
    }
    wake_.notify_one();
    ready.acquire();
  }

private:
  void loop(const std::stop_token& stop) {
    off_t end = 0, allocated = 0;
    std::string bytes;
    std::vector<std::binary_semaphore*> ready;
    while (!stop.stop_requested()) {
      {
        std::unique_lock lock(mutex_);
        wake_.wait(lock, stop, [this] { return !waiting_.empty(); });
        bytes.swap(buffer_);
        ready.swap(waiting_);
      }
      if (end + static_cast<off_t>(bytes.size()) > allocated) {
        if (::fallocate(fd_.get(), 0, allocated, 64 << 20) != 0) std::abort();
        allocated += 64 << 20;
      }
      if (::pwrite(fd_.get(), bytes.data(), bytes.size(), end) != static_cast<ssize_t>(bytes.size())) std::abort();
      if (::fdatasync(fd_.get()) != 0) std::abort();
      end += static_cast<off_t>(bytes.size());
      for (auto* one : ready) one->release();
      bytes.clear();
      ready.clear();
    }
  }

  FileDescriptor fd_;
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::string buffer_;
  std::vector<std::binary_semaphore*> waiting_;
  std::jthread thread_;
};

void benchAccept(const std::filesystem::path& folder) {
  std::printf("%-8s %-8s %12s %12s %8s %12s %12s\n", "size", "threads", "raw op/s", "accept op/s", "ratio",
              "raw us CPU", "accept us CPU");
  for (const std::size_t size : {4000u, 20000u}) {
    const std::string body(size, 'b');
    for (const int threads : {1, 10, 50, 100}) {
      std::vector<Figures> raw, ours;
      for (int round = 0; round < 3; ++round) {  // A B A B
        {
          RawAppend append(folder / "raw");
          raw.push_back(measure(threads, std::chrono::milliseconds(700), [&] { append.append(body); }));
        }
        std::filesystem::remove(folder / "raw");
        {
          SystemClock clock;
          QueueStore::Options options;
          options.folder = folder / "accept";
          QueueStore queue(options, clock);
          ours.push_back(measure(threads, std::chrono::milliseconds(700), [&] { queue.accept(body); }));
        }
        std::filesystem::remove_all(folder / "accept");
      }
      const auto median = [](std::vector<Figures>& of) {
        std::sort(of.begin(), of.end(), [](const auto& a, const auto& b) { return a.perSecond < b.perSecond; });
        return of[of.size() / 2];
      };
      const auto a = median(raw), b = median(ours);
      std::printf("%-8zu %-8d %12.0f %12.0f %7.0f%% %12.1f %12.1f\n", size, threads, a.perSecond, b.perSecond,
                  100 * b.perSecond / a.perSecond, a.cpuMicros, b.cpuMicros);
    }
  }
}

struct Step {
  explicit Step(const char* name, std::uint64_t count) : name_(name), count_(static_cast<double>(count)) {}
  ~Step() {
    const auto wall = std::chrono::duration<double>(SteadyClock::now() - start_).count();
    std::printf("%-34s %10.0f /s  %6.1f us CPU each\n", name_, count_ / wall, (cpuSeconds() - cpu_) * 1e6 / count_);
  }
  const char* name_;
  double count_;
  double cpu_ = cpuSeconds();
  SteadyClock::time_point start_ = SteadyClock::now();
};

void benchCopies(const std::filesystem::path& folder) {
  constexpr std::uint64_t Count = 100000, Batch = 500;
  SystemClock clock;
  QueueStore::Options options;
  options.folder = folder / "copies";
  std::optional<QueueStore> queue(std::in_place, options, clock);
  queue->setQueueKey(std::string(32, 'k'));
  queue->storeTail(1, std::string(20000, 't'));
  const std::string head(3000, 'h');
  std::printf("\n%llu copies, heads of %zu bytes, one tail of 20 kB\n", static_cast<unsigned long long>(Count),
              head.size());
  {
    Step step("submitted, in batches of 500", Count);
    for (std::uint64_t key = 1; key <= Count;) {
      std::vector<app::Copy> copies(Batch);
      for (auto& copy : copies) {
        copy.key = key++;
        copy.tail = 1;
        copy.mailFrom = "list-bounces+aGVsbG8gd29ybGQ@lists.example";
        copy.recipient = "member" + std::to_string(copy.key) + "@dest.example";
        copy.head = head;
      }
      queue->submitCopies(std::move(copies));
    }
  }
  {
    Step step("loaded", Count);
    for (std::uint64_t key = 1; key <= Count; ++key)
      if (!queue->load(key)) std::abort();
  }
  {
    Step step("recorded, flushed at the end", Count);
    for (std::uint64_t key = 1; key <= Count; ++key) {
      app::DeliveryEvent event;
      event.copyKey = key;
      event.at = clock.now();
      event.attempt = 1;
      event.remoteHost = "mx.dest.example";
      event.remoteAddress = "192.0.2.1";
      event.replyCode = 250;
      event.replyText = "2.0.0 Ok: queued as 4XyZ123456z9";
      event.tls = {"TLSv1.3", "TLS_AES_256_GCM_SHA384", 256, "verified", "mx.dest.example"};
      queue->record(std::move(event));
    }
    queue->flush();
  }
  {
    Step step("events taken and acknowledged", Count);
    for (std::uint64_t acknowledged = 0, seen = 0; seen < Count;) {
      const auto events = queue->takeEvents(acknowledged, 1000, std::chrono::milliseconds(1000));
      seen += events.size();
      acknowledged = events.back().sequence;
    }
  }
  {
    Step step("closed (rest of the index written)", Count);
    queue.reset();
  }
  std::filesystem::remove_all(folder / "copies");
}

void benchRestart(const std::filesystem::path& folder) {
  constexpr std::uint64_t Count = 100000;
  SystemClock clock;
  QueueStore::Options options;
  options.folder = folder / "restart";
  {
    QueueStore queue(options, clock);
    queue.setQueueKey(std::string(32, 'k'));
    for (std::uint64_t key = 1; key <= Count;) {
      std::vector<app::Copy> copies(1000);
      for (auto& copy : copies) {
        copy.key = key++;
        copy.recipient = "member@dest.example";
        copy.head = std::string(1000, 'h');
      }
      queue.submitCopies(std::move(copies));
    }
  }
  {
    Step step("started with so many waiting", Count);
    QueueStore queue(options, clock);
  }
  std::filesystem::remove_all(folder / "restart");
}

}  // namespace

int main(int argc, char** argv) {
  const std::filesystem::path folder = argc > 1 ? argv[1] : "/tmp/postern-queue-bench";
  std::filesystem::create_directories(folder);
  benchAccept(folder);
  benchCopies(folder);
  benchRestart(folder);
}
