#pragma once
#include <condition_variable>
#include <mutex>

// Locks whose contracts clang checks (-Wthread-safety). With other compilers the marks vanish.
#if defined(__clang__)
#define POSTERN_THREAD(x) __attribute__((x))
#else
#define POSTERN_THREAD(x)
#endif
#define GUARDED_BY(x) POSTERN_THREAD(guarded_by(x))
#define REQUIRES_LOCK(...) POSTERN_THREAD(requires_capability(__VA_ARGS__))
#define EXCLUDES_LOCK(...) POSTERN_THREAD(locks_excluded(__VA_ARGS__))

namespace postern {

class POSTERN_THREAD(capability("mutex")) Mutex {
public:
  void lock() POSTERN_THREAD(acquire_capability()) { mutex_.lock(); }
  void unlock() POSTERN_THREAD(release_capability()) { mutex_.unlock(); }

private:
  std::mutex mutex_;
};

class POSTERN_THREAD(scoped_lockable) MutexLock {
public:
  explicit MutexLock(Mutex& mutex) POSTERN_THREAD(acquire_capability(mutex)) : mutex_(mutex) { mutex_.lock(); }
  ~MutexLock() POSTERN_THREAD(release_capability()) { mutex_.unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

private:
  Mutex& mutex_;
};

// Waits on a Mutex that the caller holds through a MutexLock.
using Condition = std::condition_variable_any;

}  // namespace postern
