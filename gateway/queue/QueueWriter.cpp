#include "gateway/queue/QueueWriter.h"

#include "core/base/Error.h"
#include "core/base/Log.h"
#include "gateway/queue/QueueRecords.h"

#include <algorithm>

namespace postern::gateway {

namespace {

constexpr std::size_t MaxBatchBytes = 16u << 20;
constexpr std::chrono::seconds Tick{1};

std::string textOf(const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const std::exception& error) {
    return error.what();
  }
}

}  // namespace

QueueWriter::QueueWriter(store::SegmentLog& log, std::uint64_t minFreeSpace, Applied applied,
                         HealthChanged healthChanged)
    : log_(log), minFreeSpace_(minFreeSpace), applied_(std::move(applied)), healthChanged_(std::move(healthChanged)) {
  thread_ = std::thread([this] { loop(); });
}

QueueWriter::~QueueWriter() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void QueueWriter::submit(WriteJob job, const std::function<void(WriteJob&)>& place) {
  {
    std::lock_guard lock(mutex_);
    if (failure_ && !job.untilDone) std::rethrow_exception(failure_);
    if (place) place(job);
    waiting_.push_back(std::move(job));
    if (waiting_.size() > 1) return;  // it has been woken for the first already
  }
  wake_.notify_one();
}

std::string QueueWriter::problem() const {
  std::lock_guard lock(mutex_);
  return failure_ ? textOf(failure_) : std::string();
}

// The next jobs, or none after a tick; false when all is written and the thread is to end.
bool QueueWriter::take(Jobs& jobs) {
  std::unique_lock lock(mutex_);
  // While the disk fails, what comes waits for the next try.
  wake_.wait_for(lock, Tick, [this] { return stopping_ || (!waiting_.empty() && !failure_); });
  std::size_t bytes = 0;
  while (!waiting_.empty() && bytes < MaxBatchBytes) {
    for (const auto& record : waiting_.front().records) bytes += record.meta.size() + record.body.size();
    jobs.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
  }
  return !(stopping_ && jobs.empty());
}

void QueueWriter::loop() {
  Jobs jobs;
  for (bool more = true; more;) {
    jobs = std::move(kept_);
    kept_.clear();
    more = take(jobs);
    checkSpace();
    if (jobs.empty() && !problem().empty()) {
      WriteJob probe;  // finds out whether the disk has healed; acknowledges nothing
      probe.records.push_back({static_cast<std::uint8_t>(RecordType::Acknowledged), encodeNumber(0), {}});
      probe.useReserve = true;
      jobs.push_back(std::move(probe));
    }
    if (!jobs.empty()) write(jobs);
    updateHealth();
    if (stopsBroken()) more = false;
  }
  const auto stopping = std::make_exception_ptr(Error(ErrorKind::Unavailable, "the queue is stopping"));
  refuse(kept_, stopping, false);
  take(jobs);
  refuse(jobs, stopping, false);
}

// What cannot be written now is lost with the process: a delivery that is not recorded is made again.
bool QueueWriter::stopsBroken() const {
  std::lock_guard lock(mutex_);
  return stopping_ && failure_;
}

bool QueueWriter::append(std::span<WriteJob> jobs, store::SegmentLog::Reserve reserve, std::exception_ptr& failure) {
  std::vector<store::SegmentLog::NewRecord> records;
  for (const auto& job : jobs)
    for (const auto& record : job.records) records.push_back({record.type, record.meta, record.body});
  std::vector<store::RecordRef> refs;
  try {
    if (!records.empty()) refs = log_.append(records, reserve);
  } catch (const Error&) {
    failure = std::current_exception();
    return false;
  }
  complete(jobs, refs);
  return true;
}

void QueueWriter::complete(std::span<WriteJob> jobs, std::span<const store::RecordRef> refs) {
  applied_(jobs, refs);
  for (const auto& job : jobs) {
    std::exception_ptr failure;
    try {
      if (job.still) job.still();
    } catch (const std::exception&) {  // of the one who asked for it; the queue goes on
      failure = std::current_exception();
    }
    if (job.waiter) job.waiter->finish(failure);
  }
}

void QueueWriter::refuse(Jobs& jobs, const std::exception_ptr& failure, bool keepPersistent) {
  for (auto& job : jobs) {
    if (keepPersistent && job.untilDone)
      kept_.push_back(std::move(job));
    else if (job.waiter)
      job.waiter->finish(failure);
  }
  jobs.clear();
}

void QueueWriter::setFailure(std::exception_ptr failure) {
  const bool isNew = problem().empty();
  if (isNew) log::error("queue", "the queue cannot be written; deliveries pause", {{"reason", textOf(failure)}});
  std::lock_guard lock(mutex_);
  failure_ = std::move(failure);
}

void QueueWriter::write(Jobs& jobs) {
  using Reserve = store::SegmentLog::Reserve;
  const bool allUseReserve = std::all_of(jobs.begin(), jobs.end(), [](const WriteJob& job) { return job.useReserve; });
  std::exception_ptr failure;
  bool written = append(jobs, allUseReserve ? Reserve::Use : Reserve::Keep, failure);
  if (!written && !allUseReserve) {
    // Perhaps only the reserve is touched: refuse what must keep it, write the rest.
    Jobs refused, rest;
    for (auto& job : jobs) (job.useReserve ? rest : refused).push_back(std::move(job));
    const auto reason = failure;
    refuse(refused, reason, true);
    // With nothing else to write, a disk that has more than the reserve and still refused has failed.
    if (rest.empty() && log_.freeSpace() < minFreeSpace_) return;
    written = !rest.empty() && append(rest, Reserve::Use, failure);
    jobs = std::move(rest);
  }
  if (!written) {
    setFailure(failure);
    refuse(jobs, failure, true);
    return;
  }
  std::lock_guard lock(mutex_);
  if (failure_) log::info("queue", "the queue can be written again");
  failure_ = nullptr;
}

// Below a quarter of the reserve no new attempt starts, so that what is under way can still be recorded.
void QueueWriter::checkSpace() {
  const auto floor = std::min<std::uint64_t>(minFreeSpace_ / 4, 16u << 20);
  lowSpace_ = floor > 0 && log_.freeSpace() < floor;
}

void QueueWriter::updateHealth() {
  const bool now = !lowSpace_ && problem().empty();
  if (healthy_.exchange(now) != now) healthChanged_(now);
}

}  // namespace postern::gateway
