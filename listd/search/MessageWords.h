#pragma once
#include "core/records/Query.h"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace postern::listd {

// One thing of a message that a query can ask for. Views: valid during the call that gives it.
struct WordMark {
  enum class Kind : std::uint8_t { Word = 1, Pair = 2, Address = 3 };
  Kind kind;
  records::Query::Field field;  // never Any
  std::string_view header;      // Field::Header only: lower case
  std::string_view first;       // the word, the first of two neighbours, an address or "@domain"
  std::string_view second;      // Pair only
};

// The words of a message: subject, people, other header fields, text and HTML parts, names of attachments and the text
// of text attachments.
// Unreadable, so not evaluable: end-to-end encrypted parts anywhere, a structure that readers may see differently, and
// what is beyond the limits (text that had to be cut, too many different words).
class MessageWords {
public:
  static constexpr std::size_t MaxMarks = 500'000;

  // Never throws for what a stranger wrote. `recipients`: who got copies, beside To, Cc and Bcc.
  static MessageWords read(std::string_view content, const std::vector<std::string>& recipients);

  bool isReadable() const { return readable_; }
  // Calls `mark` for each, repeated ones too.
  void each(const std::function<void(const WordMark&)>& mark) const;

private:
  friend class MessageReader;
  // Words in their order within one header value or one part.
  struct Run {
    records::Query::Field field;
    std::string header;
    std::vector<std::string> words;
  };
  bool readable_ = false;
  std::vector<Run> runs_;
  std::vector<std::pair<records::Query::Field, std::string>> addresses_;  // each also as "@domain"
};

// The marks that a term asks for, in one field: all must be there. Field::Any: in one of the fields of `anywhere`.
std::vector<WordMark> marksOf(const records::Query::Term& term, records::Query::Field field);
std::vector<records::Query::Field> fieldsOf(const records::Query::Term& term);

}  // namespace postern::listd
