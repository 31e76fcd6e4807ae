#include "core/records/Predicate.h"
#include "tests/support/RecordsWorld.h"

using namespace postern;
using namespace postern::records;
using namespace postern::test;
using nlohmann::json;

namespace {

std::string errorOf(const std::string& text) {
  const auto parsed = Predicate::parse(json::parse(text));
  return parsed ? "" : parsed.error();
}

Message onClinic() {
  Message m;
  m.receivedAt = at("2025-01-10");
  m.lists = {"high-clinic@x.example"};
  m.sensitivity = "moderate";
  m.labels = {"Clinical"};
  return m;
}

Truth factsOf(const Message& m, const std::string& scopeJson) {
  return scope(scopeJson).matchesFacts(m.view().facts);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(core_records_Predicate)

BOOST_AUTO_TEST_CASE(kleene_logic_never_guesses) {
  for (const auto other : {Truth::False, Truth::True, Truth::Unknown}) {
    BOOST_TEST((both(Truth::False, other) == Truth::False));
    BOOST_TEST((both(Truth::True, other) == other));
    BOOST_TEST((either(Truth::True, other) == Truth::True));
    BOOST_TEST((either(Truth::False, other) == other));
    BOOST_TEST((negation(negation(other)) == other));
  }
  BOOST_TEST((both(Truth::Unknown, Truth::Unknown) == Truth::Unknown));
  BOOST_TEST((either(Truth::Unknown, Truth::Unknown) == Truth::Unknown));
}

BOOST_AUTO_TEST_CASE(errors_name_the_field) {
  const std::map<std::string, std::string> wrong = {
      {"[]", "a scope must be an object"},
      {"null", "a scope must be an object"},
      {R"({"list":["a@x.example"]})", "\"list\" is not known"},
      {R"({"lists":"a@x.example"})", "lists: must be an array of texts"},
      {R"({"lists":[]})", "lists: is empty; leave it out"},
      {R"({"lists":[7]})", "lists: must hold texts only"},
      {R"({"lists":null})", "lists: must be an array of texts"},
      {R"({"listClasses":["secret"]})", "listClasses: a class is low, moderate or high"},
      {R"({"classes":[""]})", "classes: a class is low, moderate or high"},
      {R"({"labels":[" "]})", "labels: is empty; leave it out"},
      {R"({"labels":["a\u0000b"]})", "labels: holds characters that cannot be printed"},
      {R"({"headers":{"name":"x"}})", "headers: must be an array"},
      {R"({"headers":[{"name":"x"}]})", "headers.contains: is missing"},
      {R"({"headers":[{"contains":"x"}]})", "headers.name: is missing"},
      {R"({"headers":[{"name":"x","contains":"y","is":"z"}]})", "headers: \"is\" is not known"},
      {R"({"headers":[{"name":"x","contains":7}]})", "headers.contains: must be a text"},
      {R"({"headers":[{"name":"x","contains":"\""}]})", "headers.contains: has no word"},
      {R"({"headers":[{"name":"x","contains":"a --"}]})", "headers.contains: has a part without a letter or digit: --"},
      {R"({"minSize":-1})", "minSize: must be a whole number of bytes, 0 or more"},
      {R"({"minSize":1.5})", "minSize: must be a whole number of bytes, 0 or more"},
      {R"({"maxSize":"1"})", "maxSize: must be a whole number of bytes, 0 or more"},
      {R"({"minSize":2,"maxSize":1})", "maxSize: is smaller than minSize"},
      {R"({"from":"2025-02-29"})", "from: must be a day as \"2025-01-31\""},
      {R"({"until":"2025-1-1"})", "until: must be a day as \"2025-01-31\""},
      {R"({"until":20250101})", "until: must be a day as \"2025-01-31\""},
      {R"({"from":"2025-01-02","until":"2025-01-01"})", "until: lies before from"},
      {R"({"query":""})", "query: is empty; leave it out"},
      {R"-({"query":"a) OR (b"})-", "query: at character 2: this bracket closes nothing"},
      {R"-({"query":"(a"})-", "query: at character 1: this bracket is not closed"},
      {R"-({"query":"a \"b"})-", "query: at character 3: this quote is not closed"},
      {R"-({"query":"after:yesterday"})-", "query: at character 7: after: wants a day, as in after:2025-01-31"},
      {R"({"query":["x"]})", "query: must be a text"}};
  for (const auto& [text, error] : wrong) BOOST_TEST(errorOf(text) == error, text << ": " << errorOf(text));
  for (const auto* text : {R"({"lists":["clinic"]})", R"({"senders":["@"]})", R"({"domains":["a b"]})",
                           R"({"recipients":["\"a b\"@x.example"]})", R"({"headers":[{"name":"a b","contains":"x"}]})"})
    BOOST_TEST(!errorOf(text).empty(), text);
}

BOOST_AUTO_TEST_CASE(what_is_read_is_normal_and_reads_back) {
  const auto p = scope(R"({"lists":["Clinic@X.Example","clinic@x.example"],"senders":["@Y.Example","Bob@x.example"],
    "headers":[{"name":"X-Record","contains":" clinical record "}],"labels":["Clinical"],"minSize":1,"maxSize":2,
    "from":"2024-02-29","until":"2025-03-31","query":" dialysis "})");
  BOOST_TEST((p.lists == std::vector<std::string>{"clinic@x.example"}));
  BOOST_TEST((p.senders == std::vector<std::string>{"@y.example", "bob@x.example"}));
  BOOST_TEST(p.headers.front().name == "x-record");
  BOOST_TEST((scope(p.json().dump()) == p));
  BOOST_TEST(p.json()["from"] == "2024-02-29");
  BOOST_TEST(scope("{}").json().dump() == "{}");
}

BOOST_AUTO_TEST_CASE(all_conditions_must_hold_and_values_are_alternatives) {
  const auto m = onClinic();
  BOOST_TEST((factsOf(m, "{}") == Truth::True));
  BOOST_TEST((factsOf(m, R"({"lists":["other@x.example","HIGH-clinic@x.example"]})") == Truth::True));
  BOOST_TEST((factsOf(m, R"({"lists":["other@x.example"]})") == Truth::False));
  BOOST_TEST((factsOf(m, R"({"listClasses":["high"],"domains":["x.example"],"classes":["moderate"]})") == Truth::True));
  BOOST_TEST((factsOf(m, R"({"listClasses":["high"],"classes":["high"]})") == Truth::False));
  BOOST_TEST((factsOf(m, R"({"labels":["clinical"]})") == Truth::True));
  BOOST_TEST((factsOf(m, R"({"labels":["budget"]})") == Truth::False));
  BOOST_TEST((factsOf(m, R"({"minSize":1000,"maxSize":1000})") == Truth::True));
  BOOST_TEST((factsOf(m, R"({"minSize":1001})") == Truth::False));
  BOOST_TEST((factsOf(m, R"({"maxSize":999})") == Truth::False));
}

BOOST_AUTO_TEST_CASE(an_object_on_no_list_is_on_none_of_the_wanted) {
  auto m = onClinic();
  m.lists.clear();
  BOOST_TEST((factsOf(m, R"({"lists":["high-clinic@x.example"]})") == Truth::False));
  BOOST_TEST((factsOf(m, "{}") == Truth::True));
}

BOOST_AUTO_TEST_CASE(days_are_inclusive_and_either_date_counts) {
  auto m = onClinic();
  m.receivedAt = at("2025-03-31T23:59:59") + std::chrono::microseconds(999'999);
  BOOST_TEST((factsOf(m, R"({"until":"2025-03-31"})") == Truth::True));
  m.receivedAt += std::chrono::microseconds(1);
  BOOST_TEST((factsOf(m, R"({"until":"2025-03-31"})") == Truth::False));
  BOOST_TEST((factsOf(m, R"({"from":"2025-04-01"})") == Truth::True));
  m.headerDate = at("2025-03-15");
  BOOST_TEST((factsOf(m, R"({"until":"2025-03-31"})") == Truth::True));
  BOOST_TEST(!scope(R"({"until":"2025-03-31"})").receivedWithin(m.receivedAt));
}

BOOST_AUTO_TEST_CASE(content_counts_only_where_it_is_needed) {
  const auto facts = onClinic();
  const auto view = facts.view();
  BOOST_TEST((scope("{}").matches(view.facts, Truth::Unknown) == Truth::True));
  BOOST_TEST((scope(R"({"query":"x"})").matches(view.facts, Truth::Unknown) == Truth::Unknown));
  BOOST_TEST((scope(R"({"query":"x","minSize":9999})").matches(view.facts, Truth::Unknown) == Truth::False));
}

BOOST_AUTO_TEST_CASE(the_content_query_is_written_in_the_language_of_search) {
  const auto query = [](const std::string& text) { return scope(text).contentQuery(); };
  BOOST_TEST(query(R"({"lists":["a@x.example"],"minSize":1})") == "");
  BOOST_TEST(query(R"({"query":"dialysis OR kidney"})") == "dialysis OR kidney");
  BOOST_TEST(query(R"-({"query":"\"x)(y\" OR (a b)"})-") == R"-("x)(y" OR (a b))-");
  BOOST_TEST(query(R"({"senders":["bob@x.example"]})") == "from:bob@x.example");
  BOOST_TEST(query(R"({"senders":["bob@x.example","@y.example"],"query":"a OR b"})") ==
             "(from:bob@x.example OR from:@y.example) (a OR b)");
  BOOST_TEST(query(R"({"addresses":["bob@x.example"]})") == "(from:bob@x.example OR to:bob@x.example)");
  BOOST_TEST(query(R"({"recipients":["o'neil@x.example"]})") == R"(to:"o'neil@x.example")");
  BOOST_TEST(query(R"({"headers":[{"name":"X-Record","contains":"clinical e/mail"}]})") ==
             R"((header:x-record=clinical header:x-record="e/mail"))");
  BOOST_TEST(query(R"({"headers":[{"name":"a","contains":"x"},{"name":"b","contains":"y) OR (z"}]})") ==
             R"-((header:a=x OR (header:b="y)" header:b="OR" header:b="(z")))-");
}

BOOST_AUTO_TEST_CASE(a_scope_that_no_search_could_answer_is_refused) {
  json many = {{"addresses", json::array()}};
  for (int i = 0; i < 75; ++i) many["addresses"].push_back("p" + std::to_string(i) + "@x.example");
  BOOST_TEST(Predicate::parse(many).has_value());
  many["addresses"].push_back("one-more@x.example");
  BOOST_TEST(Predicate::parse(many).error().starts_with("too many senders"));
  json lists = {{"lists", json::array()}};
  for (int i = 0; i < 2000; ++i) lists["lists"].push_back("list" + std::to_string(i) + "@x.example");
  BOOST_TEST(Predicate::parse(lists).has_value());
}

BOOST_AUTO_TEST_CASE(sentences_read_as_such) {
  BOOST_TEST(Predicate().sentence() == "every message");
  BOOST_TEST(
      scope(R"({"lists":["a@x.example","b@x.example"],"classes":["high"],"from":"2025-01-01","until":"2025-03-31"})")
          .sentence() == "on a@x.example or b@x.example, of class high, received or dated 2025-01-01 to 2025-03-31");
  BOOST_TEST(
      scope(R"({"senders":["@x.example"],"minSize":1048576,"headers":[{"name":"X-A","contains":"b"}],"query":"q"})")
          .sentence() ==
      "from anyone at x.example, with a header field x-a with the words \"b\", of at least 1,048,576 bytes, found by "
      "the search q");
}

BOOST_AUTO_TEST_SUITE_END()
