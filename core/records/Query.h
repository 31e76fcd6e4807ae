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
// Words are matched whole, without regard to case, accents or width (core/records/Words.h).
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

  // The error says where and what is wrong, in words for the person who typed it.
  static Result<Query, std::string> parse(std::string_view text);
  Query(Query&&) noexcept;
  Query& operator=(Query&&) noexcept;
  ~Query();

  // Evaluates over any source of truth: `term` says whether a term is there, `fact` answers conditions that need no
  // content (dates, sizes, lists) as a Predicate.
  Truth evaluate(const std::function<Truth(const Term&)>& term,
                 const std::function<Truth(const Predicate&)>& fact) const;
  const Node& root() const { return *root_; }
  std::string text() const;  // normalised; parses to the same query

private:
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
