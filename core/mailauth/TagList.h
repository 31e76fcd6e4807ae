#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::mailauth {

// "v=1; a=rsa-sha256; …" of RFC 6376 §3.2, as DKIM, ARC and DMARC use it. Values are views into the text, folds and
// blanks at their ends taken off. Ownership: the text must outlive it.
class TagList {
public:
  // Nothing for a list that breaks the grammar or names a tag twice, which makes the whole list invalid.
  static std::optional<TagList> parse(std::string_view text);

  std::optional<std::string_view> find(std::string_view name) const;
  std::string_view value(std::string_view name, std::string_view otherwise = {}) const;
  std::string compact(std::string_view name) const;  // without any blank or fold
  const std::vector<std::pair<std::string_view, std::string_view>>& tags() const { return tags_; }

private:
  std::vector<std::pair<std::string_view, std::string_view>> tags_;
};

std::string withoutBlanks(std::string_view text);
std::vector<std::string> splitCompact(std::string_view text, char separator);  // parts without blanks, lower case

// Digits only, at most twelve of them.
std::optional<long long> readNumber(std::string_view text);

}  // namespace postern::mailauth
