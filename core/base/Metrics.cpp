#include "core/base/Metrics.h"

#include "core/base/Log.h"
#include "core/base/Mutex.h"

#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>

namespace postern::metrics {

namespace {

constexpr std::size_t MostSets = 200;

std::string escaped(std::string_view value) {
  std::string text;
  for (const char c : value) {
    if (c == '\\' || c == '"') text += '\\';
    text += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  }
  return text;
}

std::string rendered(Labels labels) {
  std::string text;
  for (const auto& label : labels)
    text.append(text.empty() ? "" : ",").append(label.name).append("=\"").append(escaped(label.value)).append("\"");
  return text;
}

template <class Kind>
struct Registered {
  std::string help;
  std::map<std::string, std::unique_ptr<Kind>, std::less<>> sets;
};

template <class Kind>
class Registry {
public:
  Kind& find(std::string_view name, std::string_view help, Labels labels) {
    auto set = rendered(labels);
    const MutexLock lock(mutex_);
    auto found = all_.find(name);
    if (found == all_.end()) found = all_.emplace(std::string(name), Registered<Kind>{std::string(help), {}}).first;
    auto& sets = found->second.sets;
    if (sets.size() >= MostSets && sets.find(set) == sets.end()) {
      set.clear();
      for (const auto& label : labels) set.append(set.empty() ? "" : ",").append(label.name).append("=\"other\"");
    }
    auto& made = sets[set];
    if (!made) made = std::make_unique<Kind>();
    return *made;
  }

  template <class Show>
  void each(Show show) {
    const MutexLock lock(mutex_);
    for (const auto& [name, registered] : all_)
      for (const auto& [labels, one] : registered.sets) show(name, registered.help, labels, *one);
  }

private:
  Mutex mutex_;
  std::map<std::string, Registered<Kind>, std::less<>> all_ GUARDED_BY(mutex_);
};

// Never destroyed: threads may still count while the process ends.
Registry<Counter>& counters() {
  static auto* all = new Registry<Counter>;
  return *all;
}
Registry<Histogram>& histograms() {
  static auto* all = new Registry<Histogram>;
  return *all;
}

std::string number(double value) {
  if (std::isnan(value)) return "NaN";
  if (value == std::floor(value) && std::abs(value) < 9e15) return std::to_string(static_cast<std::int64_t>(value));
  std::array<char, 40> text{};
  const bool plain = std::abs(value) >= 1e-6 && std::abs(value) < 1e15;
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value,
                                 plain ? std::chars_format::fixed : std::chars_format::scientific)
                       .ptr;
  return {text.data(), end};
}

double residentBytes() {
  std::ifstream file("/proc/self/statm");
  double pages = 0, resident = 0;
  file >> pages >> resident;
  return resident * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

double cpuSeconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

double openDescriptors() {
  std::error_code none;
  double count = 0;
  for (auto at = std::filesystem::directory_iterator("/proc/self/fd", none);
       !none && at != std::filesystem::directory_iterator(); at.increment(none))
    ++count;
  return count;
}

const auto started = std::chrono::system_clock::now();

std::string with(std::string_view process, std::string_view labels) {
  return rendered({{"process", process}}).append(labels.empty() ? "" : ",").append(labels);
}

}  // namespace

void Histogram::observe(std::chrono::nanoseconds took) {
  const auto seconds = static_cast<double>(took.count()) / 1e9;
  std::size_t bucket = 0;
  while (bucket < std::size(Bounds) && seconds > Bounds[bucket]) ++bucket;
  counts_[bucket].fetch_add(1, std::memory_order_relaxed);
  sumNanos_.fetch_add(static_cast<std::uint64_t>(std::max<std::int64_t>(took.count(), 0)), std::memory_order_relaxed);
}

Counter& counter(std::string_view name, std::string_view help, Labels labels) {
  return counters().find(name, help, labels);
}

Histogram& histogram(std::string_view name, std::string_view help, Labels labels) {
  return histograms().find(name, help, labels);
}

void Page::add(std::string_view name, std::string_view help, const char* type, Sample sample) {
  auto& family = families_[std::string(name)];
  if (family.type.empty()) family = {std::string(help), type, {}};
  family.samples.push_back(std::move(sample));
}

void Page::gauge(std::string_view name, std::string_view help, double value, Labels labels) {
  add(name, help, "gauge", {"", rendered(labels), value});
}

void Page::total(std::string_view name, std::string_view help, double value, Labels labels) {
  add(name, help, "counter", {"", rendered(labels), value});
}

void Page::addProcess(std::string_view process) {
  counters().each([&](const auto& name, const auto& help, const auto& labels, const Counter& one) {
    add(name, help, "counter", {"", labels, static_cast<double>(one.value())});
  });
  histograms().each([&](const auto& name, const auto& help, const auto& labels, const Histogram& one) {
    std::uint64_t sum = 0;
    const auto bucket = [&](const std::string& bound) {
      add(name, help, "histogram",
          {"_bucket", std::string(labels).append(labels.empty() ? "" : ",").append("le=\"" + bound + "\""),
           static_cast<double>(sum)});
    };
    for (std::size_t i = 0; i < std::size(Histogram::Bounds); ++i) {
      sum += one.count(i);
      bucket(number(Histogram::Bounds[i]));
    }
    sum += one.count(Histogram::Buckets - 1);
    bucket("+Inf");
    add(name, help, "histogram", {"_sum", labels, one.sumSeconds()});
    add(name, help, "histogram", {"_count", labels, static_cast<double>(sum)});
  });
  const std::chrono::duration<double> start = started.time_since_epoch();
  add("postern_process_resident_memory_bytes", "Memory in use, in bytes.", "gauge",
      {"", with(process, ""), residentBytes()});
  add("postern_process_cpu_seconds_total", "CPU time used, in seconds.", "counter",
      {"", with(process, ""), cpuSeconds()});
  add("postern_process_open_fds", "Open file descriptors.", "gauge", {"", with(process, ""), openDescriptors()});
  add("postern_process_start_time_seconds", "When the process started, in seconds since 1970.", "gauge",
      {"", with(process, ""), std::floor(start.count())});
  for (const auto& [level, word] : {std::pair(log::Level::Warning, "warning"), std::pair(log::Level::Error, "error")})
    add("postern_log_lines_total", "Lines of log by level.", "counter",
        {"", with(process, rendered({{"level", word}})), static_cast<double>(log::written(level))});
}

nlohmann::json Page::toJson() const {
  auto all = nlohmann::json::object();
  for (const auto& [name, family] : families_) {
    auto samples = nlohmann::json::array();
    for (const auto& sample : family.samples) samples.push_back({sample.suffix, sample.labels, sample.value});
    all[name] = {{"help", family.help}, {"type", family.type}, {"samples", std::move(samples)}};
  }
  return all;
}

void Page::merge(const nlohmann::json& other) {
  if (!other.is_object()) return;
  for (const auto& [name, family] : other.items()) {
    const auto samples = family.find("samples");
    if (!family.is_object() || samples == family.end() || !samples->is_array()) continue;
    auto& known = families_[name];
    if (known.type.empty()) known = {family.value("help", name), family.value("type", "untyped"), {}};
    for (const auto& sample : *samples)
      if (sample.is_array() && sample.size() == 3 && sample[0].is_string() && sample[1].is_string() &&
          sample[2].is_number())
        known.samples.push_back({sample[0], sample[1], sample[2]});
  }
}

std::string Page::text() const {
  std::string text;
  for (const auto& [name, family] : families_) {
    text += "# HELP " + name + " " + family.help + "\n# TYPE " + name + " " + family.type + "\n";
    for (const auto& sample : family.samples)
      text += name + sample.suffix + (sample.labels.empty() ? "" : "{" + sample.labels + "}") + " " +
              number(sample.value) + "\n";
  }
  return text;
}

}  // namespace postern::metrics
