#include "core/records/Query.h"

#include <set>

using namespace postern;
using namespace postern::records;

namespace {

std::string normal(std::string_view text) {
  const auto query = Query::parse(text);
  if (!query) return "! " + query.error();
  const auto again = Query::parse(query->text());
  BOOST_REQUIRE_MESSAGE(again && again->text() == query->text(), query->text());
  return query->text();
}

// Words that are there; facts as given.
bool matches(std::string_view text, std::set<std::string> words) {
  const auto query = Query::parse(text);
  BOOST_REQUIRE(query);
  return query->evaluate(
             [&](const Query::Term& term) { return words.contains(term.words.front()) ? Truth::True : Truth::False; },
             [](const Predicate&) { return Truth::True; }) == Truth::True;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(core_records_Query)

BOOST_AUTO_TEST_CASE(reads_what_people_know_from_mail_programs) {
  BOOST_TEST(normal("Dialysis  KIDNEY") == "dialysis kidney");
  BOOST_TEST(normal("\"Renal failure\"") == "\"renal failure\"");
  BOOST_TEST(normal("dialysis OR kidney") == "dialysis OR kidney");
  BOOST_TEST(normal("plan -draft NOT Copy") == "plan -draft -copy");
  BOOST_TEST(normal("a b OR c AND d") == "(a b) OR (c d)");
  BOOST_TEST(normal("(a OR b) c") == "(a OR b) c");
  BOOST_TEST(normal("((a))") == "a");
  BOOST_TEST(normal("- -a") == "a");
  BOOST_TEST(normal("-(a OR (b c))") == "-(a OR (b c))");
  BOOST_TEST(normal("kidney-stone") == "\"kidney stone\"");
  BOOST_TEST(normal("subject:Budget from:Bob@X.example to:@Y.org body:é attachment:report") ==
             "subject:budget from:bob@x.example to:@y.org body:e attachment:report");
  BOOST_TEST(normal("from:\"Ann Miller\"") == "from:\"ann miller\"");
  BOOST_TEST(normal("header:X-Record=Clinical") == "header:x-record=clinical");
  BOOST_TEST(normal("header:Subject=x") == "subject:x");
  BOOST_TEST(normal("list:Board@Lists.example") == "list:board@lists.example");
  BOOST_TEST(normal("after:2025-01-01 before:2025-02-01") == "after:2025-01-01 before:2025-02-01");
  BOOST_TEST(normal("larger:1M smaller:10k") == "larger:1048576 smaller:10240");
  BOOST_TEST(normal("or and not") == "or and not");
}

BOOST_AUTO_TEST_CASE(says_where_and_what_is_wrong) {
  BOOST_TEST(normal("") == "! at character 1: type at least one word");
  BOOST_TEST(normal("a OR") == "! at character 5: a word is missing here");
  BOOST_TEST(normal("OR a") == "! at character 1: there is nothing before OR");
  BOOST_TEST(normal("a AND") == "! at character 6: there is nothing behind AND");
  BOOST_TEST(normal("(a b") == "! at character 1: this bracket is not closed");
  BOOST_TEST(normal("a b)") == "! at character 4: this bracket closes nothing");
  BOOST_TEST(normal("x \"a b") == "! at character 3: this quote is not closed");
  BOOST_TEST(normal("dial*") == "! at character 1: words are matched whole: there is no *");
  BOOST_TEST(normal("a ---") == "! at character 5: there is nothing to leave out");
  BOOST_TEST(normal("x ...") == "! at character 3: there is no word in this");
  BOOST_TEST(normal("after:yesterday") == "! at character 7: after: wants a day, as in after:2025-01-31");
  BOOST_TEST(normal("after:2025-02-30").starts_with("! at character 7"));
  BOOST_TEST(normal("larger:big").starts_with("! at character 8"));
  BOOST_TEST(normal("list:board").starts_with("! at character 6"));
  BOOST_TEST(normal("http://x").starts_with("! at character 1: there is no field \"http\""));
  BOOST_TEST(normal("header:received=x").starts_with("! at character 8: the field received cannot be searched"));
  BOOST_TEST(normal("header:x").starts_with("! at character 8: write header:NAME=WORD"));
  BOOST_TEST(normal(std::string(3000, '(') + "a").starts_with("! "));
  BOOST_TEST(normal(std::string(5000, 'a')).starts_with("! "));
}

BOOST_AUTO_TEST_CASE(words_and_conditions_become_terms_and_facts) {
  const auto query = Query::parse("header:x-record=\"two words\" after:2025-01-01 before:2025-02-01 list:a@x.example");
  BOOST_REQUIRE(query);
  const auto& all = query->root().children;
  BOOST_REQUIRE(all.size() == 4u);
  BOOST_TEST(all[0]->term.header == "x-record");
  BOOST_TEST(all[0]->term.words.size() == 2u);
  using namespace std::chrono;
  BOOST_TEST((all[1]->fact.from == sys_days(2025y / 1 / 1)));
  BOOST_TEST((all[2]->fact.until == sys_days(2025y / 1 / 31)));
  BOOST_TEST(all[3]->fact.lists.front() == "a@x.example");
  BOOST_TEST(query->hasFacts());
  BOOST_TEST(!Query::parse("a OR -b")->hasFacts());
}

BOOST_AUTO_TEST_CASE(and_binds_closer_than_or_and_not_closest) {
  BOOST_TEST(matches("a b OR c", {"c"}));
  BOOST_TEST(!matches("a b OR c", {"a"}));
  BOOST_TEST(matches("a -b", {"a"}));
  BOOST_TEST(!matches("a -b", {"a", "b"}));
  BOOST_TEST(matches("-(a b)", {"a"}));
}

BOOST_AUTO_TEST_CASE(what_cannot_be_computed_stays_unknown_unless_the_rest_decides) {
  const auto of = [](std::string_view text) {
    return Query::parse(text)->evaluate(
        [](const Query::Term& term) {
          const auto& word = term.words.front();
          return word == "yes" ? Truth::True : word == "no" ? Truth::False : Truth::Unknown;
        },
        [](const Predicate&) { return Truth::Unknown; });
  };
  BOOST_TEST((of("maybe yes") == Truth::Unknown));
  BOOST_TEST((of("maybe no") == Truth::False));
  BOOST_TEST((of("maybe OR yes") == Truth::True));
  BOOST_TEST((of("-maybe") == Truth::Unknown));
  BOOST_TEST((of("yes after:2025-01-01") == Truth::Unknown));
}

BOOST_AUTO_TEST_SUITE_END()
