#include "core/hops/ReceivedField.h"

#include "core/mail/Date.h"
#include "core/mail/Header.h"
#include "core/mail/Text.h"

#include <algorithm>
#include <array>
#include <utility>

namespace postern::hops {
namespace {

constexpr std::size_t MaxComments = 16;
constexpr std::size_t MaxClause = 300;

bool isBlank(char c) {
  return c == ' ' || c == '\t';
}

// Splits a field at blanks, parentheses, quotes and the last semicolon.
class FieldReader {
public:
  explicit FieldReader(std::string_view text) : text_(text) {}

  ReceivedField read() {
    while (at_ < text_.size() && text_[at_] != ';') {
      if (isBlank(text_[at_]))
        ++at_;
      else if (text_[at_] == '(')
        addComment(takeComment());
      else
        addWord(takeWord());
    }
    if (at_ < text_.size()) field_.at = mail::parseDate(text_.substr(text_.rfind(';') + 1));
    return std::move(field_);
  }

private:
  Clause* clauseOf(std::string_view word) {
    const std::array<std::pair<std::string_view, Clause*>, 7> keywords{{{"from", &field_.from},
                                                                        {"by", &field_.by},
                                                                        {"via", &field_.via},
                                                                        {"with", &field_.with},
                                                                        {"tls", &field_.tls},
                                                                        {"id", &field_.id},
                                                                        {"for", &field_.recipient}}};
    for (const auto& [keyword, clause] : keywords)
      if (mail::equalsIgnoreCase(word, keyword)) return clause;
    return nullptr;
  }

  void addWord(std::string_view word) {
    // A keyword opens its clause once, and not directly behind another keyword: "for for@example.org", "by
    // with.example".
    if (auto* const clause = clauseOf(word); clause != nullptr && clause->words.empty() && !expectsWord_) {
      current_ = clause;
      expectsWord_ = true;
      return;
    }
    expectsWord_ = false;
    if (current_ == nullptr || current_->words.size() + word.size() >= MaxClause) return;
    if (!current_->words.empty()) current_->words += ' ';
    current_->words += word;
  }

  void addComment(std::string_view comment) {
    auto& comments = current_ == nullptr ? field_.leadingComments : current_->comments;
    if (comments.size() < MaxComments) comments.emplace_back(mail::cutUtf8(comment, MaxClause));
  }

  // The text of the comment that starts here (RFC 5322 §3.2.2); an unfinished one goes to the end.
  std::string_view takeComment() {
    const auto start = at_ + 1;
    std::size_t depth = 0;
    for (; at_ < text_.size(); ++at_) {
      if (text_[at_] == '\\')
        ++at_;
      else if (text_[at_] == '(')
        ++depth;
      else if (text_[at_] == ')' && --depth == 0)
        return text_.substr(start, at_++ - start);
    }
    at_ = text_.size();
    return text_.substr(start);
  }

  std::string_view takeWord() {
    const auto start = at_;
    bool quoted = false;
    for (; at_ < text_.size(); ++at_) {
      const auto c = text_[at_];
      if (quoted && c == '\\')
        ++at_;
      else if (c == '"')
        quoted = !quoted;
      else if (!quoted && (isBlank(c) || c == '(' || c == ';'))
        break;
    }
    at_ = std::min(at_, text_.size());
    return text_.substr(start, at_ - start);
  }

  std::string_view text_;
  std::size_t at_ = 0;
  bool expectsWord_ = false;
  Clause* current_ = nullptr;
  ReceivedField field_;
};

}  // namespace

ReceivedField ReceivedField::parse(std::string_view value) {
  auto line = mail::repairUtf8(mail::unfold(value));
  std::replace_if(
      line.begin(), line.end(), [](unsigned char c) { return c < ' ' || c == 0x7f; }, ' ');
  return FieldReader(line).read();
}

std::vector<std::string> ReceivedField::allComments() const {
  std::vector<std::string> all;
  for (const auto* const clause : {&with, &tls, &by, &via, &id, &recipient})
    all.insert(all.end(), clause->comments.begin(), clause->comments.end());
  all.insert(all.end(), leadingComments.begin(), leadingComments.end());
  all.insert(all.end(), from.comments.begin(), from.comments.end());
  return all;
}

}  // namespace postern::hops
