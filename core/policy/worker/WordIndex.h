#pragma once
#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace postern::policy::worker {

// A text cut into words as the search does it (core/records/Words.h): case, accents and marks between words do not
// count, and nothing that cannot be seen splits a word.
class WordText {
public:
  explicit WordText(std::string_view text);

  std::size_t size() const { return starts_.size(); }
  // The words from `first` on, with one blank between them. REQUIRES: first + count <= size().
  std::string_view run(std::size_t first, std::size_t count) const;

private:
  std::string joined_;
  std::vector<std::size_t> starts_;
  std::vector<std::size_t> ends_;
};

// Words and phrases to look for. Looking is linear in the text, whatever is in the index.
// Phrases of more than MaxWords words are cut to these, so that they are found rather than lost.
class WordIndex {
public:
  static constexpr std::size_t MaxWords = 8;

  explicit WordIndex(const std::vector<std::string>& words);

  // Places in `words` of those that occur in the text, each once, in the order of the text.
  std::vector<std::size_t> find(const WordText& text, std::size_t limit) const;

private:
  std::unordered_map<std::string, std::size_t> places_;
  std::vector<std::size_t> lengths_;  // how many words entries have, longest first
};

}  // namespace postern::policy::worker
