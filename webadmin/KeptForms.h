#pragma once
#include "core/base/Clock.h"
#include "core/base/Mutex.h"
#include "webadmin/Http.h"

#include <chrono>
#include <cstddef>
#include <list>
#include <optional>
#include <string>
#include <string_view>

namespace postern::webadmin {

// What people sent that needs a step-up first, until they have proven who they are. Kept in memory only, so that
// passwords and reasons stand in no page, address or file. Each is for the session that sent it, for ten minutes and
// for one use; the page carries a random name of it, which opens nothing in another session. At most four of a session
// and 16 MiB in all are kept: of a session the oldest gives way, and when all room is taken newcomers are not kept.
// Threads: safe for all.
class KeptForms {
public:
  static constexpr std::chrono::minutes Lifetime{10};
  static constexpr std::size_t PerSession = 4;
  static constexpr std::size_t MaxBytes = 16u << 20;

  struct Form {
    std::string path;
    Fields query;
    Fields fields;  // without the form token
  };

  explicit KeptForms(const Clock& clock) : clock_(clock) {}
  ~KeptForms();
  KeptForms(const KeptForms&) = delete;
  KeptForms& operator=(const KeptForms&) = delete;

  // The name under which take() finds the form; empty when there is no room.
  std::string keep(std::string_view sessionRef, Form form);
  // The path of what is kept; nothing when it is not of this session, too old or used.
  std::optional<std::string> pathOf(std::string_view sessionRef, std::string_view name);
  std::optional<Form> take(std::string_view sessionRef, std::string_view name);

private:
  struct Kept {
    std::string session;
    std::string name;
    TimePoint until;
    std::size_t bytes;
    Form form;
  };
  using Place = std::list<Kept>::iterator;
  Place find(std::string_view sessionRef, std::string_view name) REQUIRES_LOCK(mutex_);
  void forget(Place place) REQUIRES_LOCK(mutex_);
  void forgetOld(std::string_view sessionRef) REQUIRES_LOCK(mutex_);

  const Clock& clock_;
  Mutex mutex_;
  std::list<Kept> kept_ GUARDED_BY(mutex_);  // oldest first
  std::size_t bytes_ GUARDED_BY(mutex_) = 0;
};

}  // namespace postern::webadmin
