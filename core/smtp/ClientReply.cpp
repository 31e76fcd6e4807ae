#include "core/smtp/ClientReply.h"

#include <algorithm>
#include <array>

namespace postern::smtp {

std::string printable(std::string_view text, std::size_t limit) {
  std::string shown(text.substr(0, limit));
  std::replace_if(
      shown.begin(), shown.end(), [](unsigned char c) { return c < 0x20 || c > 0x7e; }, '?');
  return shown;
}

std::string ClientReply::text() const {
  std::string joined;
  for (const auto& line : lines) {
    if (!joined.empty()) joined += ' ';
    joined += line;
    if (joined.size() >= 512) break;
  }
  return printable(joined);
}

Result<std::optional<ClientReply>, std::string> ClientReplyParser::next() {
  if (!problem_.empty()) return Unexpected(problem_);
  for (;;) {
    const auto end = unread_.find('\n');
    if (end == std::string::npos) {
      if (unread_.size() < MaxLine) return std::optional<ClientReply>();
      problem_ = "a reply line is longer than " + std::to_string(MaxLine) + " bytes";
      return Unexpected(problem_);
    }
    bool last = false;
    if (auto problem = addLine(std::string_view(unread_).substr(0, end + 1), last)) {
      problem_ = std::move(*problem);
      return Unexpected(problem_);
    }
    unread_.erase(0, end + 1);
    if (last) return std::optional(std::exchange(reply_, {}));
  }
}

std::optional<std::string> ClientReplyParser::addLine(std::string_view line, bool& last) {
  if (line.size() > MaxLine) return "a reply line is longer than " + std::to_string(MaxLine) + " bytes";
  if (reply_.lines.size() == MaxLines) return "a reply has more than " + std::to_string(MaxLines) + " lines";
  if (line.size() < 5 || line[line.size() - 2] != '\r')
    return "a reply line does not end in CRLF: " + printable(line, 80);
  line.remove_suffix(2);
  const auto digit = [&](std::size_t i) { return line[i] >= '0' && line[i] <= '9'; };
  if (line[0] < '2' || line[0] > '5' || !digit(1) || !digit(2) || (line.size() > 3 && line[3] != ' ' && line[3] != '-'))
    return "a reply line does not begin with a reply code: " + printable(line, 80);
  if (line.find_first_of(std::string_view("\r\0", 2)) != std::string_view::npos)
    return "a reply line holds a bare CR or a NUL: " + printable(line, 80);
  const auto code = static_cast<std::uint16_t>((line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0'));
  if (!reply_.lines.empty() && code != reply_.code) return "the lines of one reply have different codes";
  reply_.code = code;
  reply_.lines.emplace_back(line.substr(std::min<std::size_t>(4, line.size())));
  last = line.size() == 3 || line[3] == ' ';
  return std::nullopt;
}

void ClientReplyParser::clear() {
  unread_.clear();
  reply_ = {};
}

}  // namespace postern::smtp
