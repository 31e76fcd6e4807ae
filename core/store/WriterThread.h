#pragma once
#include "core/store/Database.h"

#include <chrono>
#include <exception>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <type_traits>

namespace postern::store {

// The one thread that writes to a database: group commit.
// Jobs that wait together share one transaction and one sync; each runs in its own savepoint, so that a job that throws
// leaves nothing behind and the others stand. A job is completed after COMMIT returned; if COMMIT (or the disk) fails,
// every job of the batch is completed with that Error and nothing of the batch is stored. Jobs run in order of
// submission. A job that succeeded may still be completed with an error (COMMIT failed), so it must not change state
// outside the database: do that in `done`.
// Ownership: owns the database. Threads: submit, run and call are safe for all, but never from inside a job.
// Destruction completes what was submitted.
class WriterThread {
public:
  using Work = std::function<void(Database&)>;
  using Done = std::function<void(std::exception_ptr)>;  // null: durable. Called in the writer thread; must not throw

  explicit WriterThread(Database database, std::size_t maxBatch = 1000);
  ~WriterThread();
  WriterThread(const WriterThread&) = delete;
  WriterThread& operator=(const WriterThread&) = delete;

  void submit(Work work, Done done);
  std::future<void> submit(Work work);
  // Waits until durable; throws what the job or the commit threw.
  void run(Work work) { submit(std::move(work)).get(); }
  // As run, and gives back what `work` returned: `auto id = writer.call([&](Database& db) { …; return
  // db.lastInsertId(); });`
  template <class F>
  auto call(F work) -> std::invoke_result_t<F, Database&> {
    std::optional<std::invoke_result_t<F, Database&>> result;
    run([&](Database& database) { result.emplace(work(database)); });
    return std::move(*result);
  }
  // Waits until all that was submitted before is completed.
  void flush();
  // Moves the write-ahead log into the file and empties it, between two transactions; false when readers were in the
  // way. What was deleted is nowhere in the files after that.
  bool checkpoint(std::optional<std::chrono::milliseconds> wait = {});

private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace postern::store
