#pragma once
#include <atomic>
#include <chrono>
#include <string>

namespace postern {

// Wall-clock time in microseconds since the epoch, UTC: what is stored, shown and signed.
using TimePoint = std::chrono::sys_time<std::chrono::microseconds>;

inline std::int64_t toMicros(TimePoint time) {
  return time.time_since_epoch().count();
}
inline TimePoint fromMicros(std::int64_t micros) {
  return TimePoint(std::chrono::microseconds(micros));
}

// "2026-03-01T12:00:00Z", RFC 3339 in UTC with whole seconds.
std::string formatRfc3339(TimePoint time);

// Where time comes from. Threads: safe for all.
class Clock {
public:
  virtual ~Clock() = default;
  virtual TimePoint now() const = 0;
};

// The machine's clock plus a fixed offset (the testing seam `testing.clock_offset`).
class SystemClock : public Clock {
public:
  explicit SystemClock(std::chrono::seconds offset = {}) : offset_(offset) {}
  TimePoint now() const override {
    return std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now()) + offset_;
  }

private:
  std::chrono::seconds offset_;
};

// Time that stands still until a test moves it.
class FakeClock : public Clock {
public:
  explicit FakeClock(TimePoint start) : micros_(toMicros(start)) {}
  TimePoint now() const override { return fromMicros(micros_.load()); }
  void advance(std::chrono::microseconds by) { micros_ += by.count(); }

private:
  std::atomic<std::int64_t> micros_;
};

}  // namespace postern
