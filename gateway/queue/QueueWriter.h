#pragma once
#include "core/store/SegmentLog.h"

#include <atomic>
#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <span>
#include <string>
#include <thread>
#include <vector>

namespace postern::gateway {

// Where a caller waits for its job. No semaphore of the standard library: it spins before it sleeps, and a disk takes
// longer.
class WriteWaiter {
public:
  void finish(std::exception_ptr failure) {
    const std::lock_guard lock(mutex_);
    failure_ = std::move(failure);
    finished_ = true;
    ready_.notify_one();  // under the lock: the waiter may be gone right after it
  }
  void wait() {
    std::unique_lock lock(mutex_);
    ready_.wait(lock, [this] { return finished_; });
    if (failure_) std::rethrow_exception(failure_);
  }

private:
  std::mutex mutex_;
  std::condition_variable ready_;
  bool finished_ = false;
  std::exception_ptr failure_;
};

struct WriteRecord {
  std::uint8_t type = 0;
  std::string meta;
  std::string body;
};

struct WriteJob {
  std::vector<WriteRecord> records;
  bool useReserve = false;  // frees space in the end, so it may use what is kept free
  bool untilDone = false;   // kept and tried again when it cannot be written
  WriteWaiter* waiter = nullptr;
  std::function<void()> still = {};  // called once the job is applied: nothing is written until it returns
};

// The one thread that writes to the queue's log: all that waits is appended with one sync, then handed to `applied`,
// then its waiters go on. Jobs are written and applied in order of submission. When the disk fails, jobs fail at once,
// except those to be kept until done, and the thread tries again every second; so nothing is acknowledged that is not
// durable, and it heals without a restart. Threads: submit and problem are safe for all.
class QueueWriter {
public:
  using Applied = std::function<void(std::span<const WriteJob> jobs, std::span<const store::RecordRef> refs)>;
  using HealthChanged = std::function<void(bool)>;

  QueueWriter(store::SegmentLog& log, std::uint64_t minFreeSpace, Applied applied, HealthChanged healthChanged);
  ~QueueWriter();  // writes what is left

  // `place` is called under the writer's lock just before the job takes its place in the order. Throws at once while
  // the disk fails, unless the job is to be kept until done.
  void submit(WriteJob job, const std::function<void(WriteJob&)>& place = {});
  // Why nothing can be written, or empty.
  std::string problem() const;
  bool healthy() const { return healthy_.load(); }

private:
  using Jobs = std::vector<WriteJob>;
  void loop();
  bool take(Jobs& jobs);
  void write(Jobs& jobs);
  bool append(std::span<WriteJob> jobs, store::SegmentLog::Reserve reserve, std::exception_ptr& failure);
  void complete(std::span<WriteJob> jobs, std::span<const store::RecordRef> refs);
  void refuse(Jobs& jobs, const std::exception_ptr& failure, bool keepPersistent);
  void setFailure(std::exception_ptr failure);
  void checkSpace();
  void updateHealth();
  bool stopsBroken() const;

  store::SegmentLog& log_;
  const std::uint64_t minFreeSpace_;
  const Applied applied_;
  const HealthChanged healthChanged_;
  Jobs kept_;  // of the thread: jobs that wait for the disk to heal
  bool lowSpace_ = false;

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<WriteJob> waiting_;
  std::exception_ptr failure_;
  bool stopping_ = false;
  std::atomic<bool> healthy_{true};
  std::thread thread_;
};

}  // namespace postern::gateway
