#include "listd/search/QueryAnswers.h"

#include "core/base/Error.h"
#include "listd/search/IndexStore.h"

namespace postern::listd {

using records::Query;

QueryAnswers::Answer QueryAnswers::answer(const Query::Node& node, const Bits* wanted) const {
  switch (node.kind) {
    case Query::Node::Kind::Term: {
      const auto found = term(node.term);
      return {found, found};
    }
    case Query::Node::Kind::Fact:
      return fact(node.fact, wanted);
    case Query::Node::Kind::Not: {
      auto inner = answer(*node.children.front(), wanted);
      inner.sure.flip();
      inner.maybe.flip();
      return {std::move(inner.maybe), std::move(inner.sure)};
    }
    case Query::Node::Kind::And:
      return all(node, wanted);
    case Query::Node::Kind::Or:
      return any(node, wanted);
  }
  throw Error(ErrorKind::Invariant, "a query has a node of no kind");
}

// Words first: they leave few for which facts must be asked.
QueryAnswers::Answer QueryAnswers::all(const Query::Node& node, const Bits* wanted) const {
  Answer result{Bits(objects_.size(), true), Bits(objects_.size(), true)};
  if (wanted != nullptr) result.sure = result.maybe = *wanted;
  for (const bool words : {true, false})
    for (const auto& child : node.children) {
      if ((child->kind == Query::Node::Kind::Term) != words) continue;
      if (result.maybe.none()) return result;
      const auto one = answer(*child, &result.maybe);
      result.sure &= one.sure;
      result.maybe &= one.maybe;
    }
  return result;
}

QueryAnswers::Answer QueryAnswers::any(const Query::Node& node, const Bits* wanted) const {
  Answer result{Bits(objects_.size()), Bits(objects_.size())};
  for (const auto& child : node.children) {
    const auto one = answer(*child, wanted);
    result.sure |= one.sure;
    result.maybe |= one.maybe;
  }
  return result;
}

Bits QueryAnswers::term(const Query::Term& term) const {
  Bits any(objects_.size());
  for (const auto field : fieldsOf(term)) {
    Bits all(objects_.size(), true);
    for (const auto& mark : marksOf(term, field)) {
      all &= lookup_(tokenOf(key_, mark));
      if (all.none()) break;
    }
    any |= all;
  }
  return any;
}

QueryAnswers::Answer QueryAnswers::fact(const records::Predicate& fact, const Bits* wanted) const {
  if (!facts_) return {Bits(objects_.size()), Bits(objects_.size(), true)};
  Bits found(objects_.size());
  for (std::size_t i = 0; i < objects_.size(); ++i)
    if ((wanted == nullptr || wanted->test(i)) && facts_(fact, objects_[i])) found.set(i);
  return {found, found};
}

}  // namespace postern::listd
