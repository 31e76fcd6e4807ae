#pragma once
#include "core/store/Database.h"
#include "listd/requests/Requests.h"

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace postern::listd {

// Rows of requests; the rules are in Requests. Threads: those of the connection. Errors: Error(Store).
class RequestStore {
public:
  struct Words {
    TimePoint at;
    std::string person;
    std::string words;
  };

  explicit RequestStore(store::Database& database) : database_(database) {}

  std::uint64_t add(const Request& request);
  std::optional<Request> find(std::uint64_t id) const;
  // Newest first, those older than `before` (0: all); `state` empty: of every state.
  std::vector<Request> page(std::string_view state, std::uint64_t before, std::uint32_t limit) const;
  std::vector<Request> waiting() const;
  // Those for which the clock has something to do: lone ones to decide, approved ones to carry out.
  std::vector<std::uint64_t> due(TimePoint now) const;
  void update(const Request& request);  // writes state, decision and times

  void addWords(std::uint64_t id, const Words& words);
  std::vector<Words> wordsOf(std::uint64_t id) const;
  // True, and noted, when the person was not reminded for a week.
  bool takeReminder(std::string_view person, TimePoint now);

private:
  store::Database& database_;
};

}  // namespace postern::listd
