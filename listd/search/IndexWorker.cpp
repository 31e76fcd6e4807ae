#include "listd/search/IndexWorker.h"

#include "core/base/Error.h"
#include "core/base/Log.h"
#include "listd/archive/Archive.h"

#include <algorithm>
#include <iterator>

namespace postern::listd {
namespace {

constexpr std::chrono::hours Interval{1};
constexpr std::size_t Batch = 100;
constexpr std::size_t BatchBytes = 32u << 20;

using Ids = std::vector<std::uint64_t>;

// Ascending, behind `mark`, which moves with them.
Ids storedSince(SiteContext& context, std::uint64_t& mark) {
  auto ids = context.site.read([&](SiteTables& tables) { return tables.archive.idsSince(mark); });
  std::sort(ids.begin(), ids.end());
  return ids;
}

Ids storedIds(SiteContext& context) {
  std::uint64_t fromTheFirst = 0;
  return storedSince(context, fromTheFirst);
}

Ids without(const Ids& all, const Ids& some) {
  Ids rest;
  std::set_difference(all.begin(), all.end(), some.begin(), some.end(), std::back_inserter(rest));
  return rest;
}

// Reads objects in batches and hands them to `add`. What was destroyed since is removed again: whoever destroyed it
// told the index before it was in. Gives how many were taken.
template <class Add>
std::size_t addInBatches(SiteContext& context, SearchIndex& index, const Ids& ids, Add add,
                         const std::function<bool(std::size_t done)>& goesOn) {
  const Archive archive(context);
  std::size_t at = 0;
  while (at < ids.size() && goesOn(at)) {
    std::vector<SearchIndex::NewObject> batch;
    Ids taken;
    for (std::size_t bytes = 0; at < ids.size() && batch.size() < Batch && bytes < BatchBytes; ++at) {
      try {  // one object that cannot be read must not keep the others out
        auto content = archive.open(ids[at]);
        if (!content) continue;
        bytes += content->size();
        auto recipients = context.site.read([&](SiteTables& tables) { return tables.archive.recipientsOf(ids[at]); });
        batch.push_back({ids[at], std::move(*content), std::move(recipients)});
        taken.push_back(ids[at]);
      } catch (const Error& error) {
        log::error("search", "an object cannot be read and is not searchable",
                   {{"object", std::to_string(ids[at])}, {"error", error.what()}});
      }
    }
    add(batch);
    const auto gone = context.site.read([&](SiteTables& tables) {
      Ids left;
      for (const auto id : taken) {
        const auto object = tables.archive.find(id);
        if (!object || object->state == ObjectState::Destroyed) left.push_back(id);
      }
      return left;
    });
    if (!gone.empty()) index.remove(gone);
  }
  return at;
}

}  // namespace

IndexWorker::IndexWorker(SiteContext& context, SearchIndex& index) : context_(context), index_(index) {
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

IndexWorker::~IndexWorker() {
  thread_.request_stop();
  changed_.notify_all();
}

void IndexWorker::wake() {
  {
    const MutexLock lock(mutex_);
    woken_ = true;
  }
  changed_.notify_all();
}

std::uint64_t IndexWorker::pending() const {
  return without(storedIds(context_), index_.known()).size();
}

void IndexWorker::takeNew(const std::stop_token& stop) {
  const MutexLock lock(pass_);
  auto mark = mark_;
  const auto fresh = storedSince(context_, mark);
  const auto taken = addInBatches(
      context_, index_, fresh, [this](const std::vector<SearchIndex::NewObject>& batch) { index_.addAll(batch); },
      [&](std::size_t) { return !stop.stop_requested(); });
  if (taken == fresh.size()) mark_ = mark;
}

void IndexWorker::runOnce(const std::stop_token& stop) {
  const MutexLock lock(pass_);
  std::uint64_t mark = 0;
  const auto stored = storedSince(context_, mark);
  const auto known = index_.known();
  const auto gone = without(known, stored);
  // Only what is destroyed for good: an object that came after the list was read is no loss.
  Ids destroyed;
  context_.site.read([&](SiteTables& tables) {
    for (const auto id : gone) {
      const auto object = tables.archive.find(id);
      if (!object || object->state == ObjectState::Destroyed) destroyed.push_back(id);
    }
  });
  if (!destroyed.empty()) index_.remove(destroyed);
  const auto missing = without(stored, known);
  const auto taken = addInBatches(
      context_, index_, missing, [this](const std::vector<SearchIndex::NewObject>& batch) { index_.addAll(batch); },
      [&](std::size_t) { return !stop.stop_requested(); });
  if (taken == missing.size()) mark_ = mark;
}

void IndexWorker::run(const std::stop_token& stop) {
  bool onlyNew = false;
  auto compared = std::chrono::steady_clock::now();  // the whole archive, at first and each hour
  while (!stop.stop_requested()) {
    try {  // the boundary of a queue job: it is tried again
      if (onlyNew)
        takeNew(stop);
      else
        runOnce(stop);
    } catch (const std::exception& error) {
      log::error("search", "the search index cannot be brought up to date", {{"error", error.what()}});
    }
    awaitNews(stop);
    const auto now = std::chrono::steady_clock::now();
    onlyNew = now - compared < Interval;
    if (!onlyNew) compared = now;
  }
}

void IndexWorker::awaitNews(const std::stop_token& stop) {
  std::unique_lock<Mutex> lock(mutex_);
  changed_.wait_for(lock, stop, Interval, [this]() POSTERN_THREAD(no_thread_safety_analysis) { return woken_; });
  woken_ = false;
}

JobRunner::Work rebuildWork(SiteContext& context, SearchIndex& index) {
  return [&context, &index](JobContext& job) -> nlohmann::json {
    index.beginRebuild();
    const auto stored = storedIds(context);
    const auto missing = without(stored, index.rebuilt());
    const auto before = stored.size() - missing.size();
    const auto done = addInBatches(
        context, index, missing, [&](const std::vector<SearchIndex::NewObject>& batch) { index.addRebuilt(batch); },
        [&](std::size_t at) {
          job.progress(before + at, stored.size(), "reading stored mail");
          return !job.stopRequested();
        });
    if (done < missing.size()) return nullptr;  // goes on from the new file
    index.finishRebuild();
    const auto counts = index.counts();
    return {{"indexed", counts.indexed}, {"unreadable", counts.unreadable}};
  };
}

}  // namespace postern::listd
