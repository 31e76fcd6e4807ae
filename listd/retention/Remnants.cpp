#include "listd/retention/Remnants.h"

#include "core/base/Log.h"
#include "listd/retention/DestructionGate.h"
#include "listd/retention/Recording.h"

#include <utility>

namespace postern::listd {
namespace {

// True when the work could not be done: it is left, and the next one is tried all the same.
template <class Work>
bool isLeft(const char* what, Work work) {
  try {  // the boundary of one store
    return work();
  } catch (const std::exception& error) {
    log::error("retention", "remnants of destroyed mail are still there", {{"where", what}, {"error", error.what()}});
    return true;
  }
}

}  // namespace

std::string Remnants::text() const {
  std::string text;
  const auto add = [&](bool is, const char* what) {
    if (is) text += (text.empty() ? "" : ", ") + std::string(what);
  };
  add(keys, "the write-ahead log of keys.db");
  add(contents, "the vault");
  add(rows, "the write-ahead log of site.db");
  add(words, "the search index");
  return text;
}

Remnants RemnantWiper::wipe(const std::vector<std::uint64_t>& gone) {
  const MutexLock one(wiping_);
  Remnants before;
  std::vector<std::uint64_t> toForget;
  {
    const MutexLock lock(mutex_);
    before = left_;
    toForget = std::exchange(toForget_, {});
  }
  toForget.insert(toForget.end(), gone.begin(), gone.end());
  Remnants now;
  now.words = parts_.answers != nullptr && (!gone.empty() || before.words) && isLeft("index", [&] {
                parts_.answers->forget(toForget);
                return false;
              });
  bool destroyed = false;
  now.contents = isLeft("vault", [&] {
    parts_.destroy({});
    destroyed = true;
    return !context_.keys.freedPlaces(1).empty();
  });
  now.keys = context_.keys.remnants();
  // The writer waits for readers once, and not again while they stay: nobody's mail may wait for a long report.
  now.rows = isLeft("site.db", [&] {
    return !(before.rows ? context_.site.checkpoint(std::chrono::milliseconds(0)) : context_.site.checkpoint());
  });
  {
    const MutexLock lock(mutex_);
    left_ = now;
    tried_ = true;
    if (now.words) toForget_ = std::move(toForget);
  }
  note(before, now);
  return now;
}

Remnants RemnantWiper::wipeAgain() {
  {
    const MutexLock lock(mutex_);
    if (tried_ && !left_.any()) return {};
  }
  return wipe();
}

Remnants RemnantWiper::left() const {
  const MutexLock lock(mutex_);
  return left_;
}

void RemnantWiper::note(const Remnants& before, const Remnants& now) {
  if (now.any() == before.any()) return;
  if (now.any()) log::warning("retention", "remnants of destroyed mail are left for now", {{"where", now.text()}});
  isLeft("audit log", [&] {
    audit::Event event;
    event.actorKind = "system";
    event.action = now.any() ? "retention.remnants" : "retention.cleaned";
    event.objectType = "store";
    if (now.any()) event.outcome = audit::Outcome::Error;
    event.text("where", (now.any() ? now : before).text());
    context_.site.write([&](SiteTables& tables) { parts_.record(tables, event, context_.clock.now()); });
    return false;
  });
}

}  // namespace postern::listd
