#pragma once
#include <atomic>
#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// Numbers for Prometheus. Counters and histograms live as long as the process and are found by name and labels; gauges
// are read when somebody asks (Page). Never put an address, a name of a person or anything a stranger writes into a
// label: label values are words that Postern's own code chooses, and a name has 200 sets of labels at most, behind
// which all count as "other". Threads: safe for all, but a Page.
namespace postern::metrics {

struct Label {
  std::string_view name;
  std::string_view value;
};
using Labels = std::initializer_list<Label>;

class Counter {
public:
  void add(std::uint64_t count = 1) { value_.fetch_add(count, std::memory_order_relaxed); }
  std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

private:
  std::atomic<std::uint64_t> value_{0};
};

// Durations in seconds, from 0.5 ms to 10 s.
class Histogram {
public:
  static constexpr double Bounds[] = {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10};
  static constexpr std::size_t Buckets = std::size(Bounds) + 1;

  void observe(std::chrono::nanoseconds took);
  std::uint64_t count(std::size_t bucket) const { return counts_[bucket].load(std::memory_order_relaxed); }
  double sumSeconds() const { return static_cast<double>(sumNanos_.load(std::memory_order_relaxed)) / 1e9; }

private:
  std::atomic<std::uint64_t> counts_[Buckets]{};
  std::atomic<std::uint64_t> sumNanos_{0};
};

// The one by this name and these labels; made at its first use. The reference stays valid.
Counter& counter(std::string_view name, std::string_view help, Labels labels = {});
Histogram& histogram(std::string_view name, std::string_view help, Labels labels = {});

// Measures until it goes.
class Timing {
public:
  explicit Timing(Histogram& into) : into_(into) {}
  ~Timing() { into_.observe(std::chrono::steady_clock::now() - start_); }
  Timing(const Timing&) = delete;
  Timing& operator=(const Timing&) = delete;

private:
  Histogram& into_;
  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

// What one scrape shows: samples by name, which several processes may share. Threads: one.
class Page {
public:
  void gauge(std::string_view name, std::string_view help, double value, Labels labels = {});
  void total(std::string_view name, std::string_view help, double value, Labels labels = {});  // only ever grows
  // Everything of this process: its counters and histograms, lines of log, memory, CPU, descriptors.
  void addProcess(std::string_view process);

  nlohmann::json toJson() const;
  void merge(const nlohmann::json& other);  // leaves out what is malformed: another process may be of another release
  std::string text() const;                 // Prometheus text format 0.0.4

private:
  struct Sample {
    std::string suffix;
    std::string labels;  // as they stand between the braces
    double value = 0;
  };
  struct Family {
    std::string help;
    std::string type;
    std::vector<Sample> samples;
  };
  void add(std::string_view name, std::string_view help, const char* type, Sample sample);
  std::map<std::string, Family, std::less<>> families_;
};

}  // namespace postern::metrics
