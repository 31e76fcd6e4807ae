#pragma once
#include "core/base/Secret.h"
#include "core/records/Query.h"
#include "listd/search/Postings.h"

#include <cstdint>
#include <functional>
#include <vector>

namespace postern::listd {

// What a query says of some objects that are searched together, each known by its place among them. Views only: what is
// given must outlive it. Threads: one at a time. Errors: those of what is given.
class QueryAnswers {
public:
  // Whether a condition that needs no content is true for an object; none: unknown.
  using Facts = std::function<bool(const records::Predicate&, std::uint64_t objectId)>;
  using Lookup = std::function<Bits(Token)>;  // the objects that have a token
  QueryAnswers(const Secret& key, const Facts& facts, const std::vector<std::uint64_t>& objects, Lookup lookup)
      : key_(key), facts_(facts), objects_(objects), lookup_(std::move(lookup)) {}

  // For which it is not false. Of the others than `wanted` it may be anything; null: all are wanted.
  Bits maybe(const records::Query& query, const Bits* wanted = nullptr) const {
    return answer(query.root(), wanted).maybe;
  }

private:
  struct Answer {
    Bits sure;
    Bits maybe;
  };
  // Facts are asked for `wanted` alone; null: for all. For the others any answer will do.
  Answer answer(const records::Query::Node& node, const Bits* wanted) const;
  Answer all(const records::Query::Node& node, const Bits* wanted) const;
  Answer any(const records::Query::Node& node, const Bits* wanted) const;
  Bits term(const records::Query::Term& term) const;
  Answer fact(const records::Predicate& fact, const Bits* wanted) const;

  const Secret& key_;
  const Facts& facts_;
  const std::vector<std::uint64_t>& objects_;
  const Lookup lookup_;
};

}  // namespace postern::listd
