#include "core/store/WriterThread.h"

#include "core/base/Error.h"
#include "core/base/Mutex.h"

#include <condition_variable>
#include <deque>
#include <thread>
#include <vector>

namespace postern::store {

struct WriterThread::Impl {
  struct Job {
    Work work;
    Done done;
    std::exception_ptr failure;
    bool alone = false;  // outside of any transaction
  };

  Impl(Database opened, std::size_t limit) : database(std::move(opened)), maxBatch(limit) {}

  // Takes one job; false when there is none, or, if `wait`, when the thread is to end.
  bool take(Job& job, bool wait) {
    std::unique_lock lock(mutex);
    if (wait) wake.wait(lock, [this] { return stopping || !jobs.empty(); });
    if (jobs.empty() || (!wait && jobs.front().alone)) return false;
    job = std::move(jobs.front());
    jobs.pop_front();
    return true;
  }

  void runOne(Job& job) {
    try {
      Savepoint savepoint(database);
      job.work(database);
      savepoint.release();
    } catch (...) {  // handed to whoever submitted the job, whatever it is
      job.failure = std::current_exception();
      // SQLite gave up the whole transaction (disk full, I/O error): the batch is gone with it.
      if (!database.inTransaction()) throw;
    }
  }

  // The jobs of one transaction: all that waits, and what comes while they run, up to the limit. The first one needs no
  // savepoint, for nothing stands before it that its failure could take along. Within a savepoint SQLite keeps a copy
  // of each page that changes and walks them all after many a statement: large jobs took several times as long.
  std::exception_ptr runBatch(std::vector<Job>& batch) {
    try {
      Transaction transaction(database);
      for (std::size_t i = 0; i < batch.size(); ++i) {
        if (i == 0)
          batch[i].work(database);
        else
          runOne(batch[i]);
        Job next;
        if (i + 1 == batch.size() && batch.size() < maxBatch && take(next, false)) batch.push_back(std::move(next));
      }
      transaction.commit();
      return nullptr;
    } catch (...) {
      return std::current_exception();
    }
  }

  std::exception_ptr runAlone(Job& job) {
    try {
      job.work(database);
      return nullptr;
    } catch (...) {  // handed to whoever submitted the job
      return std::current_exception();
    }
  }

  void loop() {
    std::vector<Job> batch;
    for (Job first; take(first, true); first = Job()) {
      batch.clear();
      batch.push_back(std::move(first));
      const auto failure = batch.front().alone ? runAlone(batch.front()) : runBatch(batch);
      for (auto& job : batch) job.done(job.failure ? job.failure : failure);
    }
  }

  Database database;
  const std::size_t maxBatch;
  std::mutex mutex;
  std::condition_variable wake;
  std::deque<Job> jobs;
  bool stopping = false;
  std::thread thread;
};

WriterThread::WriterThread(Database database, std::size_t maxBatch)
    : impl_(std::make_unique<Impl>(std::move(database), maxBatch)) {
  impl_->thread = std::thread([impl = impl_.get()] { impl->loop(); });
}

WriterThread::~WriterThread() {
  {
    std::lock_guard lock(impl_->mutex);
    impl_->stopping = true;
  }
  impl_->wake.notify_one();
  impl_->thread.join();
}

void WriterThread::submit(Work work, Done done) {
  {
    std::lock_guard lock(impl_->mutex);
    impl_->jobs.push_back({std::move(work), std::move(done), nullptr, false});
  }
  impl_->wake.notify_one();
}

std::future<void> WriterThread::submit(Work work) {
  auto promise = std::make_shared<std::promise<void>>();
  auto future = promise->get_future();
  submit(std::move(work), [promise](std::exception_ptr failure) {
    if (failure)
      promise->set_exception(failure);
    else
      promise->set_value();
  });
  return future;
}

bool WriterThread::checkpoint(std::optional<std::chrono::milliseconds> wait) {
  std::promise<void> done;
  bool emptied = false;
  {
    std::lock_guard lock(impl_->mutex);
    impl_->jobs.push_back({[&](Database& database) { emptied = database.checkpoint(wait); },
                           [&](std::exception_ptr failure) {
                             if (failure)
                               done.set_exception(failure);
                             else
                               done.set_value();
                           },
                           nullptr, true});
  }
  impl_->wake.notify_one();
  done.get_future().get();
  return emptied;
}

void WriterThread::flush() {
  run([](Database&) {});
}

}  // namespace postern::store
