#include "listd/compose/ListShape.h"

#include "core/base/Error.h"

#include <algorithm>
#include <array>

namespace postern::listd {
namespace {

constexpr std::array ReplyWords = {"author", "asked", "list", "both"};
constexpr std::array AuthorWords = {"via", "own", "nobody"};

template <class Enum, std::size_t Count>
Enum read(const std::array<const char*, Count>& words, std::string_view word) {
  const auto found = std::find(words.begin(), words.end(), word);
  if (found == words.end()) throw Error(ErrorKind::Store, "site.db says of a list: " + std::string(word));
  return static_cast<Enum>(found - words.begin());
}

}  // namespace

const char* replyGoesWord(ReplyGoes where) {
  return ReplyWords.at(static_cast<std::size_t>(where));
}

const char* authorShownWord(AuthorShown whom) {
  return AuthorWords.at(static_cast<std::size_t>(whom));
}

ReplyGoes readReplyGoes(std::string_view word) {
  return read<ReplyGoes>(ReplyWords, word);
}

AuthorShown readAuthorShown(std::string_view word) {
  return read<AuthorShown>(AuthorWords, word);
}

std::string footerLines(std::string_view typed) {
  std::string lines;
  while (!typed.empty()) {
    const auto end = std::min(typed.find('\n'), typed.size());
    auto line = typed.substr(0, end);
    typed.remove_prefix(std::min(end + 1, typed.size()));
    line = line.substr(0, line.find_last_not_of(" \t\r") + 1);
    lines.append(line).append("\n");
  }
  lines.erase(lines.find_last_not_of('\n') + 1);
  return lines.empty() ? lines : lines.append("\n");
}

}  // namespace postern::listd
