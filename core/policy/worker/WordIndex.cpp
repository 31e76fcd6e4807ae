#include "core/policy/worker/WordIndex.h"

#include "core/records/Words.h"

#include <algorithm>
#include <functional>
#include <set>
#include <unordered_set>

namespace postern::policy::worker {

WordText::WordText(std::string_view text) {
  joined_.reserve(text.size());
  records::eachWord(text, [this](std::string_view word) {
    if (!joined_.empty()) joined_ += ' ';
    starts_.push_back(joined_.size());
    joined_ += word;
    ends_.push_back(joined_.size());
  });
}

std::string_view WordText::run(std::size_t first, std::size_t count) const {
  const auto start = starts_[first];
  return std::string_view(joined_).substr(start, ends_[first + count - 1] - start);
}

WordIndex::WordIndex(const std::vector<std::string>& words) {
  std::set<std::size_t, std::greater<>> lengths;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const WordText phrase(words[i]);
    const auto count = std::min(phrase.size(), MaxWords);
    if (count == 0) continue;
    places_.emplace(phrase.run(0, count), i);
    lengths.insert(count);
  }
  lengths_.assign(lengths.begin(), lengths.end());
}

std::vector<std::size_t> WordIndex::find(const WordText& text, std::size_t limit) const {
  std::vector<std::size_t> found;
  std::unordered_set<std::size_t> seen;
  std::string key;
  for (std::size_t first = 0; first < text.size() && found.size() < limit; ++first)
    for (const auto length : lengths_) {
      if (first + length > text.size()) continue;
      key = text.run(first, length);
      const auto place = places_.find(key);
      if (place != places_.end() && seen.insert(place->second).second) found.push_back(place->second);
    }
  return found;
}

}  // namespace postern::policy::worker
