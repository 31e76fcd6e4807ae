#include "core/records/Query.h"

#include "core/mail/Address.h"
#include "core/mail/Header.h"
#include "core/mail/Text.h"
#include "core/records/Words.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>

namespace postern::records {
namespace {

constexpr std::size_t MaxText = 4000;
constexpr std::size_t MaxDepth = 40;  // of the tree; its text has no deeper brackets
constexpr std::size_t MaxBrackets = 2 * MaxDepth;
constexpr std::size_t MaxTerms = 200;
constexpr const char* FieldHelp =
    "the fields are subject, body, attachment, from, to, list, header, after, before, larger and smaller";

using Node = Query::Node;
using NodePtr = std::unique_ptr<Node>;
using Kind = Node::Kind;

std::optional<std::chrono::sys_days> dayOf(std::string_view text) {
  const auto number = [&](std::size_t at, std::size_t count) -> int {
    int value = -1;
    const auto [end, error] = std::from_chars(text.data() + at, text.data() + at + count, value);
    return error == std::errc() && end == text.data() + at + count ? value : -1;
  };
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return std::nullopt;
  const int year = number(0, 4), month = number(5, 2), day = number(8, 2);
  if (year < 1900 || month < 1 || day < 1) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days(date);
}

std::string dayText(std::chrono::sys_days day) {
  return formatRfc3339(std::chrono::time_point_cast<std::chrono::microseconds>(day)).substr(0, 10);
}

// "10k", "1M", "512": bytes in powers of 1024.
std::optional<std::uint64_t> sizeOf(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end == text.data()) return std::nullopt;
  const auto unit = mail::lowerAscii(text.substr(static_cast<std::size_t>(end - text.data())));
  constexpr std::array<std::pair<std::string_view, unsigned>, 7> Units = {
      {{"", 0}, {"k", 10}, {"kb", 10}, {"m", 20}, {"mb", 20}, {"g", 30}, {"gb", 30}}};
  for (const auto& [name, shift] : Units)
    if (unit == name && value <= (std::uint64_t{1} << 50) >> shift) return value << shift;
  return std::nullopt;
}

bool isOperator(std::string_view word) {
  return word == "OR" || word == "AND" || word == "NOT";
}

const char* fieldWord(Query::Field field) {
  switch (field) {
    case Query::Field::Any:
      return "";
    case Query::Field::Subject:
      return "subject:";
    case Query::Field::Body:
      return "body:";
    case Query::Field::Attachment:
      return "attachment:";
    case Query::Field::From:
      return "from:";
    case Query::Field::To:
      return "to:";
    case Query::Field::Header:
      return "header:";
  }
  return "";
}

std::optional<Query::Field> fieldOf(std::string_view word) {
  for (const auto field : {Query::Field::Subject, Query::Field::Body, Query::Field::Attachment, Query::Field::From,
                           Query::Field::To, Query::Field::Header}) {
    const std::string_view name = fieldWord(field);
    if (word == name.substr(0, name.size() - 1)) return field;
  }
  return std::nullopt;
}

std::string termText(const Query::Term& term) {
  std::string text = fieldWord(term.field);
  if (term.field == Query::Field::Header) text += term.header + "=";
  std::string words;
  for (const auto& word : term.words) words += (words.empty() ? "" : " ") + word;
  const bool plain = term.words.size() == 1 && words.find_first_of(" \t\"():*") == std::string::npos;
  return text + (plain ? words : "\"" + words + "\"");
}

std::string factText(const Predicate& fact) {
  if (!fact.lists.empty()) return "list:" + fact.lists.front();
  if (fact.from) return "after:" + dayText(*fact.from);
  if (fact.until) return "before:" + dayText(*fact.until + std::chrono::days(1));
  if (fact.minSize) return "larger:" + std::to_string(*fact.minSize);
  if (fact.maxSize) return "smaller:" + std::to_string(*fact.maxSize);
  return {};
}

void write(const Node& node, std::string& out, bool inner) {
  switch (node.kind) {
    case Kind::Term:
      out += termText(node.term);
      return;
    case Kind::Fact:
      out += factText(node.fact);
      return;
    case Kind::Not:
      out += '-';
      return write(*node.children.front(), out, true);
    case Kind::And:
    case Kind::Or:
      break;
  }
  if (inner) out += '(';
  bool first = true;
  for (const auto& child : node.children) {
    if (!first) out += node.kind == Kind::Or ? " OR " : " ";
    first = false;
    write(*child, out, true);
  }
  if (inner) out += ')';
}

Truth truthOf(const Node& node, const std::function<Truth(const Query::Term&)>& term,
              const std::function<Truth(const Predicate&)>& fact) {
  switch (node.kind) {
    case Kind::Term:
      return term(node.term);
    case Kind::Fact:
      return fact(node.fact);
    case Kind::Not:
      return negation(truthOf(*node.children.front(), term, fact));
    case Kind::And: {
      auto all = Truth::True;
      for (const auto& child : node.children) all = both(all, truthOf(*child, term, fact));
      return all;
    }
    case Kind::Or: {
      auto any = Truth::False;
      for (const auto& child : node.children) any = either(any, truthOf(*child, term, fact));
      return any;
    }
  }
  return Truth::Unknown;
}

std::size_t depthOf(const Node& node) {
  std::size_t depth = 0;
  for (const auto& child : node.children) depth = std::max(depth, depthOf(*child));
  return depth + 1;
}

void collectTerms(const Node& node, std::map<std::string, const Query::Term*>& terms) {
  if (node.kind == Kind::Term) terms.emplace(termText(node.term), &node.term);
  for (const auto& child : node.children) collectTerms(*child, terms);
}

bool hasFact(const Node& node) {
  if (node.kind == Kind::Fact) return true;
  return std::any_of(node.children.begin(), node.children.end(), [](const NodePtr& child) { return hasFact(*child); });
}

}  // namespace

// Recursive descent over the text; depth, terms and length are limited.
class QueryReader {
public:
  explicit QueryReader(std::string_view text) : text_(text) {}

  Result<Query, Query::Fault> read() {
    if (text_.size() > MaxText) return fault(MaxText, "the query is longer than 4000 bytes");
    if (!mail::isUtf8(text_)) return fault(0, "the query is no valid UTF-8");
    auto root = readOr(0);
    if (!failed_ && at_ < text_.size()) fail(at_, "this bracket closes nothing");
    if (failed_) return Unexpected(*failed_);
    if (depthOf(*root) > MaxDepth) return fault(0, "brackets and NOT are nested too deeply");
    Query query(std::move(root));
    if (query.text().size() > MaxText) return fault(MaxText, "the query is longer than 4000 bytes");
    return query;
  }

private:
  // A piece of text up to a blank or bracket, or within quotes.
  struct Piece {
    std::size_t at = 0;
    std::string text;
    bool quoted = false;
  };

  static Unexpected<Query::Fault> fault(std::size_t at, std::string text) {
    return Unexpected(Query::Fault{at, std::move(text)});
  }
  NodePtr fail(std::size_t at, std::string text) {
    if (!failed_) failed_ = Query::Fault{at, std::move(text)};
    return nullptr;
  }

  void skipBlanks() {
    while (at_ < text_.size() && std::string_view(" \t\r\n").find(text_[at_]) != std::string_view::npos) ++at_;
  }
  bool atEnd() {
    skipBlanks();
    return at_ >= text_.size();
  }
  // Takes an operator that stands as a word of its own.
  bool take(std::string_view word) {
    skipBlanks();
    if (!text_.substr(at_).starts_with(word)) return false;
    const auto next = at_ + word.size();
    if (next < text_.size() && std::string_view(" \t\r\n()\"").find(text_[next]) == std::string_view::npos)
      return false;
    at_ = next;
    return true;
  }
  bool nextIs(std::string_view word) {
    const auto before = at_;
    const bool is = take(word);
    at_ = before;
    return is;
  }

  NodePtr join(Kind kind, std::vector<NodePtr> children) {
    if (children.size() == 1) return std::move(children.front());
    auto node = std::make_unique<Node>();
    node->kind = kind;
    for (auto& child : children) {
      if (child->kind != kind) {
        node->children.push_back(std::move(child));
        continue;
      }
      for (auto& grandchild : child->children) node->children.push_back(std::move(grandchild));
    }
    return node;
  }

  NodePtr readOr(std::size_t depth) {
    std::vector<NodePtr> children;
    do {
      auto child = readAnd(depth);
      if (!child) return nullptr;
      children.push_back(std::move(child));
    } while (take("OR"));
    return join(Kind::Or, std::move(children));
  }

  NodePtr readAnd(std::size_t depth) {
    std::vector<NodePtr> children;
    bool wanted = false;
    while (!atEnd() && text_[at_] != ')' && !nextIs("OR")) {
      if (take("AND")) {
        if (children.empty() || wanted) return fail(at_ - 3, "there is nothing before AND");
        wanted = true;
        continue;
      }
      auto child = readNot(depth);
      if (!child) return nullptr;
      children.push_back(std::move(child));
      wanted = false;
    }
    if (wanted) return fail(at_, "there is nothing behind AND");
    if (!children.empty()) return join(Kind::And, std::move(children));
    if (nextIs("OR")) return fail(at_, "there is nothing before OR");
    if (text_.substr(0, at_).find_first_not_of(" \t\r\n") == std::string_view::npos)
      return fail(at_, "type at least one word");
    return fail(at_, "a word is missing here");
  }

  NodePtr readNot(std::size_t depth) {
    if (depth > MaxBrackets) return fail(at_, "brackets and NOT are nested too deeply");
    skipBlanks();
    const auto start = at_;
    if (take("NOT") || takeMinus()) {
      if (atEnd() || text_[at_] == ')' || nextIs("OR") || nextIs("AND"))
        return fail(start, "there is nothing to leave out");
      auto child = readNot(depth + 1);
      if (!child) return nullptr;
      if (child->kind == Kind::Not) return std::move(child->children.front());
      auto node = std::make_unique<Node>();
      node->kind = Kind::Not;
      node->children.push_back(std::move(child));
      return node;
    }
    return readPrimary(depth);
  }

  bool takeMinus() {
    if (at_ >= text_.size() || text_[at_] != '-') return false;
    ++at_;
    return true;
  }

  NodePtr readPrimary(std::size_t depth) {
    const auto start = at_;
    if (text_[at_] == '(') {
      ++at_;
      auto node = readOr(depth + 1);
      if (!node) return nullptr;
      if (atEnd() || text_[at_] != ')') return fail(start, "this bracket is not closed");
      ++at_;
      return node;
    }
    if (++terms_ > MaxTerms) return fail(start, "there are more than 200 words and conditions");
    auto first = readPiece(":");
    if (failed_) return nullptr;
    if (first.quoted || at_ >= text_.size() || text_[at_] != ':') return word(Query::Field::Any, {}, first);
    ++at_;
    return condition(mail::lowerAscii(first.text), first.at);
  }

  // Up to a blank, a bracket or one of `stops`; in quotes up to the next quote.
  Piece readPiece(std::string_view stops) {
    Piece piece{at_, {}, false};
    if (at_ < text_.size() && text_[at_] == '"') {
      const auto end = text_.find('"', at_ + 1);
      if (end == std::string_view::npos) {
        fail(at_, "this quote is not closed");
        return piece;
      }
      piece.text = text_.substr(at_ + 1, end - at_ - 1);
      piece.quoted = true;
      at_ = end + 1;
      return piece;
    }
    const auto end = std::min(text_.find_first_of(std::string(" \t\r\n()\"").append(stops), at_), text_.size());
    piece.text = text_.substr(at_, end - at_);
    at_ = end;
    return piece;
  }

  NodePtr condition(const std::string& field, std::size_t start) {
    if (field == "header") return headerCondition();
    const auto value = readPiece("");
    if (failed_) return nullptr;
    if (const auto known = fieldOf(field)) return word(*known, {}, value);
    if (field == "list" || field == "after" || field == "before" || field == "larger" || field == "smaller")
      return fact(field, value);
    return fail(start,
                "there is no field \"" + field + "\": " + FieldHelp + "; put the text in quotes to search for it");
  }

  NodePtr headerCondition() {
    const auto name = readPiece("=");
    if (failed_) return nullptr;
    const auto lower = mail::lowerAscii(name.text);
    if (at_ >= text_.size() || text_[at_] != '=' || !mail::isFieldName(lower))
      return fail(name.at, "write header:NAME=WORD, as in header:x-record=clinical");
    ++at_;
    const auto value = readPiece("");
    if (failed_) return nullptr;
    if (!Query::isSearchableHeader(lower))
      return fail(name.at, "the field " + lower + " cannot be searched: it holds traces or signatures, not words");
    if (lower == "subject") return word(Query::Field::Subject, {}, value);
    if (lower == "from") return word(Query::Field::From, {}, value);
    return word(Query::Field::Header, lower, value);
  }

  NodePtr word(Query::Field field, std::string header, const Piece& piece) {
    if (!piece.quoted && isOperator(piece.text)) return fail(piece.at, piece.text + " stands where a word is wanted");
    if (!piece.quoted && piece.text.find('*') != std::string::npos)
      return fail(piece.at, "words are matched whole: there is no *");
    auto node = std::make_unique<Node>();
    node->kind = Kind::Term;
    node->term.field = field;
    node->term.header = std::move(header);
    const bool people = field == Query::Field::From || field == Query::Field::To;
    if (people && piece.text.find('@') != std::string::npos) {
      auto address = addressWord(piece.text);
      if (address.find_first_of(" \t\r\n\"") != std::string::npos || mail::hasControl(address) || address == "@")
        return fail(piece.at, "this is no address: write bob@example.org, @example.org or a name");
      node->term.words.push_back(std::move(address));
    } else {
      node->term.words = wordsOf(piece.text);
    }
    if (node->term.words.empty()) return fail(piece.at, "there is no word in this");
    return node;
  }

  NodePtr fact(const std::string& field, const Piece& value) {
    auto node = std::make_unique<Node>();
    node->kind = Kind::Fact;
    auto& fact = node->fact;
    if (field == "list") {
      const auto address = mail::Address::parse(value.text);
      if (!address || address->key().find_first_of(" \"():") != std::string::npos)
        return fail(value.at, "list: wants the address of a list");
      fact.lists.push_back(address->key());
    } else if (field == "after" || field == "before") {
      const auto day = dayOf(value.text);
      if (!day) return fail(value.at, field + ": wants a day, as in " + field + ":2025-01-31");
      (field == "after" ? fact.from : fact.until) = field == "after" ? *day : *day - std::chrono::days(1);
    } else {
      const auto size = sizeOf(value.text);
      if (!size) return fail(value.at, field + ": wants a size, as in " + field + ":10k or " + field + ":1M");
      (field == "larger" ? fact.minSize : fact.maxSize) = *size;
    }
    return node;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t terms_ = 0;
  std::optional<Query::Fault> failed_;
};

Query::Query(std::unique_ptr<Node> root) : root_(std::move(root)) {}
Query::Query(Query&&) noexcept = default;
Query& Query::operator=(Query&&) noexcept = default;
Query::~Query() = default;

Result<Query, Query::Fault> Query::read(std::string_view text) {
  return QueryReader(text).read();
}

Result<Query, std::string> Query::parse(std::string_view text) {
  auto query = read(text);
  if (query) return std::move(*query);
  return Unexpected("at character " + std::to_string(query.error().position + 1) + ": " + query.error().text);
}

Truth Query::evaluate(const std::function<Truth(const Term&)>& term,
                      const std::function<Truth(const Predicate&)>& fact) const {
  return truthOf(*root_, term, fact);
}

std::vector<Query> Query::terms() const {
  std::map<std::string, const Term*> found;
  collectTerms(*root_, found);
  std::vector<Query> terms;
  for (const auto& [text, term] : found) {
    auto node = std::make_unique<Node>();
    node->kind = Kind::Term;
    node->term = *term;
    terms.push_back(Query(std::move(node)));
  }
  return terms;
}

std::string Query::textOf(const Term& term) {
  return termText(term);
}

bool Query::hasFacts() const {
  return hasFact(*root_);
}

std::string Query::text() const {
  std::string text;
  write(*root_, text, false);
  return text;
}

bool Query::isSearchableHeader(std::string_view name) {
  constexpr std::array<std::string_view, 10> Noise = {"received",
                                                      "dkim-signature",
                                                      "domainkey-signature",
                                                      "arc-seal",
                                                      "arc-message-signature",
                                                      "arc-authentication-results",
                                                      "authentication-results",
                                                      "received-spf",
                                                      "autocrypt",
                                                      "return-path"};
  return std::find(Noise.begin(), Noise.end(), name) == Noise.end();
}

}  // namespace postern::records
