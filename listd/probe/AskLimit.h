#pragma once
#include <chrono>
#include <cstddef>
#include <deque>
#include <map>
#include <string>

namespace postern::listd {

// At most `most` times in `within` for each name. Forgets names that have not asked for that long. Threads: one.
class AskLimit {
public:
  using Time = std::chrono::steady_clock::time_point;

  AskLimit(std::size_t most, std::chrono::minutes within) : most_(most), within_(within) {}

  bool full(const std::string& name, Time now) {
    while (!byAge_.empty() && byAge_.front().first <= now - within_) {
      const auto count = counts_.find(byAge_.front().second);
      if (--count->second == 0) counts_.erase(count);
      byAge_.pop_front();
    }
    const auto count = counts_.find(name);
    return count != counts_.end() && count->second >= most_;
  }
  void take(const std::string& name, Time now) {
    byAge_.emplace_back(now, name);
    ++counts_[name];
  }

private:
  std::size_t most_;
  std::chrono::minutes within_;
  std::deque<std::pair<Time, std::string>> byAge_;
  std::map<std::string, std::size_t> counts_;
};

}  // namespace postern::listd
