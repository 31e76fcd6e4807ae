#pragma once
#include "core/base/Result.h"
#include "core/records/Predicate.h"

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace postern::records {

// The language of search and of query scopes, as people know it from mail programs:
//   dialysis kidney          both words, anywhere        "renal failure"      the words one after another
//   dialysis OR kidney       either                      -draft, NOT draft    without
//   subject:budget from:bob@x to:@y.org body:… attachment:report list:… header:x-record=clinical
//   after:2025-01-01 before:2025-02-01 larger:1M smaller:10k (…)
// AND binds closer than OR; - and NOT closest. after: and larger: include the day and size named, before: ends the day
// before, smaller: includes the size. "Anywhere" is subject, body, attachments, From and To (with Cc, Bcc and who got a
// copy). Words are matched whole, without regard to case, accents or width (core/records/Words.h); what is written as
// one but holds several words (kidney-stone) is a phrase. A phrase is there when each two neighbours stand one after
// the other: of three words or more it may find a text where the pairs stand apart.
// Immutable; safe for all threads.
class Query {
public:
  enum class Field { Any, Subject, Body, Attachment, From, To, Header };
  // One thing that the index or the content answers: a word, or two words one after another.
  struct Term {
    Field field = Field::Any;
    std::string header;              // for Field::Header: the field's name, lower case
    std::vector<std::string> words;  // normalised; several: a phrase. For From and To: an address, or "@domain"
  };
  struct Node;

  // What is wrong, in words for the person who typed it, and where: the byte at which it begins.
  struct Fault {
    std::size_t position = 0;
    std::string text;
  };
  static Result<Query, Fault> read(std::string_view text);
  // As read; the error says where: "at character 12: …".
  static Result<Query, std::string> parse(std::string_view text);
  Query(Query&&) noexcept;
  Query& operator=(Query&&) noexcept;
  ~Query();

  // Evaluates over any source of truth: `term` says whether a term is there, `fact` answers conditions that need no
  // content (dates, sizes, lists) as a Predicate.
  Truth evaluate(const std::function<Truth(const Term&)>& term,
                 const std::function<Truth(const Predicate&)>& fact) const;
  const Node& root() const { return *root_; }
  bool hasFacts() const;     // holds conditions that need no content. In a Predicate these have fields of their own
  std::string text() const;  // normalised; parses to the same query
  std::vector<Query> terms() const;             // each term once, as a query of its own
  static std::string textOf(const Term& term);  // as text() writes it

  // Trace and signature fields cannot be searched by header:…=…
  static bool isSearchableHeader(std::string_view lowerCaseName);

private:
  friend class QueryReader;
  explicit Query(std::unique_ptr<Node> root);
  std::unique_ptr<Node> root_;
};

struct Query::Node {
  enum class Kind { And, Or, Not, Term, Fact };
  Kind kind = Kind::And;
  std::vector<std::unique_ptr<Node>> children;  // And, Or, Not
  Query::Term term;
  Predicate fact;
};

}  // namespace postern::records
