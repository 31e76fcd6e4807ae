#include "core/base/Files.h"
#include "tests/unit/webadmin/FakeSite.h"
#include "webadmin/api/Api.h"

#include <set>

using namespace postern;
using namespace postern::webadmin;
using nlohmann::json;

BOOST_AUTO_TEST_SUITE(webadmin_api_Api)

namespace {

struct Caller : test::FakeSite {
  Response call(Method method, std::string path, const std::string& body = "",
                const std::string& token = "pst_secret") {
    auto made = request(method, std::move(path));
    if (const auto question = made.path.find('?'); question != std::string::npos) {
      made.query = *parseUrlEncoded(made.path.substr(question + 1));
      made.path.resize(question);
    }
    made.body = body;
    if (!token.empty()) made.authorization = "Bearer " + token;
    return site.answer(made);
  }
  json body(const Response& response) { return json::parse(response.body); }
};

// Orders that no program gives, each with its reason; "x." stands for all of a subject.
constexpr std::pair<std::string_view, std::string_view> NoOperation[] = {
    {"user.", "signing in is done by webadmin for a browser"},
    {"passkey.", "a passkey answers in a browser only"},
    {"totp.", "factors are set up in a browser's session"},
    {"factor.remove", "as above"},
    {"recovery.make", "as above"},
    {"password.change", "as above"},
    {"session.step-up", "a step-up belongs to a browser's session; a token never has one"},
    {"session.show", "a token has no browser's session"},
    {"break-glass.open", "it opens a browser's session"},
    {"health", "it is /healthz, which needs no token"},
    {"metrics", "they are /metrics, in the form that Prometheus reads"},
    {"audit.checkpoint", "for the command line that carries checkpoints away"},
    {"audit.anchored", "as above"},
    {"audit.declare-rollback", "the command line reads the anchors that it needs"},
    {"audit.change-key", "for whoever also carries the new key to the auditor"},
    {"pickup.link", "for the pages of recipients, who have no tokens"},
    {"pickup.open", "as above"},
    {"pickup.ask", "as above"},
    {"pickup.who", "as above"},
    {"pickup.set-up-options", "as above"},
    {"pickup.set-up", "as above"},
    {"pickup.sign-in-options", "as above"},
    {"pickup.sign-in", "as above"},
    {"pickup.question", "as above"},
    {"pickup.question-set", "as above"},
    {"pickup.question-answer", "as above"},
    {"pickup.sign-out", "as above"},
    {"pickup.inbox", "as above"},
    {"pickup.message", "as above"},
    {"pickup.read", "as above"},
    {"pickup.key", "as above"},
    {"pickup.content", "as above"},
    {"pickup.part", "as above"},
    {"pickup.whole", "as above"},
    {"pickup.reply", "as above"},
    {"pickup.report", "as above"},
    {"pickup.account", "as above"},
    {"pickup.passkey-options", "as above"},
    {"pickup.passkey-add", "as above"},
    {"pickup.passkey-remove", "as above"},
    {"pickup.password", "as above"},
    {"pickup.session-end", "as above"},
    {"pickup.account-delete", "as above"},
    {"pickup.sent", "as above"},
    {"pickup.sent-recall", "as above"},
};

std::set<std::string> wordsOf(const std::string& text, char open, char close) {
  std::set<std::string> words;
  for (auto at = text.find(open); at != std::string::npos; at = text.find(open, at)) {
    const auto end = text.find(close, at + 1);
    if (end == std::string::npos) break;
    std::istringstream stream(text.substr(at + 1, end - at - 1));
    for (std::string word; stream >> word;) words.insert(word.substr(0, word.find_first_of("[{,")));
    at = end + 1;
  }
  return words;
}

// The rows of docs/orders.md: order -> the arguments that its row names.
std::map<std::string, std::set<std::string>> documentedOrders() {
  std::map<std::string, std::set<std::string>> documented;
  std::istringstream page(files::read(POSTERN_SOURCE_DIR "/docs/orders.md"));
  for (std::string line; std::getline(page, line);) {
    if (!line.starts_with("| `")) continue;
    const auto first = line.find('|', 1);
    const auto second = line.find('|', first + 1);
    const auto third = line.find('|', second + 1);
    const auto arguments = wordsOf(line.substr(second, third - second), '`', '`');
    for (const auto& order : wordsOf(line.substr(0, first), '`', '`')) documented[order] = arguments;
  }
  return documented;
}

}  // namespace

BOOST_AUTO_TEST_CASE(an_operation_becomes_the_order_of_the_tokens_person) {
  Caller c;
  c.orders.answers["list.show"] = {{"address", "board@x.example"}, {"createdAt", 1'772'366'400'000'000}};
  const auto response = c.call(Method::Get, "/api/v1/lists/board%40x.example");
  BOOST_TEST(response.status == 200);
  BOOST_TEST(response.contentType == "application/json");
  BOOST_TEST(c.body(response)["createdAt"] == "2026-03-01T12:00:00Z");
  BOOST_REQUIRE_EQUAL(c.orders.given.size(), 1u);
  const auto& given = c.orders.given[0];
  BOOST_TEST(given.order == "list.show");
  BOOST_TEST(given.actor.kind == "api");
  BOOST_TEST(given.actor.name == "");
  BOOST_TEST(given.actor.token == "pst_secret");
  BOOST_TEST(given.actor.client == "192.0.2.1");
  BOOST_TEST(given.args["address"] == "board@x.example");
}

BOOST_AUTO_TEST_CASE(a_message_is_sent_by_json_or_whole_with_a_key_of_its_own) {
  Caller c;
  BOOST_TEST(c.call(Method::Post, "/api/v1/messages", R"({"from":"a@x","to":["b@y"],"text":"x"})").status == 400);
  BOOST_TEST(c.orders.given.empty());
  auto request = c.request(Method::Post, "/api/v1/messages");
  request.authorization = "Bearer pst_secret";
  request.idempotencyKey = "0123456789abcdef";
  request.contentType = "application/json";
  request.body = R"({"from":"a@x","to":["b@y"],"text":"x"})";
  BOOST_TEST(c.site.answer(request).status == 200);
  BOOST_TEST(c.orders.given.back().order == "mail.submit");
  BOOST_TEST(c.orders.given.back().args ==
             (nlohmann::json{{"from", "a@x"}, {"to", {"b@y"}}, {"text", "x"}, {"key", "0123456789abcdef"}}));
  request.contentType = "message/rfc822";
  request.body = "From: a@x\r\n\r\nx\r\n";
  request.query.add("from", "a@x");
  request.query.add("to", "b@y");
  request.query.add("to", "c@y");
  BOOST_TEST(c.site.answer(request).status == 200);
  const auto& args = c.orders.given.back().args;
  BOOST_TEST(args.at("to") == (nlohmann::json{"b@y", "c@y"}));
  BOOST_TEST(args.at("message") == "RnJvbTogYUB4DQoNCngNCg==");
  request.query.add("key", "x");
  BOOST_TEST(c.site.answer(request).status == 400);
}

BOOST_AUTO_TEST_CASE(made_up_tokens_reach_listd_a_hundred_times_and_not_more) {
  Caller c;
  c.orders.refusals["list.list"] = {"signed-out", "this access token is unknown", "make a new token"};
  for (int i = 0; i < 100; ++i) BOOST_TEST(c.call(Method::Get, "/api/v1/lists").status == 401);
  BOOST_TEST(c.call(Method::Get, "/api/v1/lists").status == 429);
  BOOST_TEST(c.orders.given.size() == 100u);
}

BOOST_AUTO_TEST_CASE(a_body_nested_without_end_is_refused_and_stalls_nobody) {
  Caller c;
  constexpr std::size_t Depth = 500'000;
  const auto bomb =
      "{\"address\":\"a@x.example\",\"reason\":" + std::string(Depth, '[') + std::string(Depth, ']') + "}";
  BOOST_TEST(c.call(Method::Post, "/api/v1/erasure-answers", bomb).status == 400);
  BOOST_TEST(c.orders.given.empty());
  const auto text = R"({"address":"a@x.example","reason":"[[[[\"{{"})";
  BOOST_TEST(c.call(Method::Post, "/api/v1/erasure-answers", text).status == 200);
}

BOOST_AUTO_TEST_CASE(without_a_token_nothing_is_asked_whatever_cookies_come) {
  Caller c;
  const auto session = c.sessions.open("ada", "admin");
  for (const auto& operation : operations()) {
    auto made = c.request(operation.method, "/api/v1" + operation.path, session);
    const auto response = c.site.answer(made);
    BOOST_TEST_CONTEXT(operation.path) BOOST_TEST(response.status == 401);
    BOOST_TEST(test::headerOf(response, "WWW-Authenticate") == "Bearer");
    made.authorization = "Basic YTpi";
    BOOST_TEST(c.site.answer(made).status == 401);
  }
  BOOST_TEST(c.orders.given.empty());
}

BOOST_AUTO_TEST_CASE(arguments_have_the_types_that_orders_take) {
  Caller c;
  c.call(Method::Get, "/api/v1/lists?limit=25&after=a%40x");
  BOOST_TEST(c.orders.given.back().args == json({{"limit", 25}, {"after", "a@x"}}));
  c.call(Method::Post, "/api/v1/lists", R"({"address":"a@x.example","secure":true})");
  BOOST_TEST(c.orders.given.back().args == json({{"address", "a@x.example"}, {"secure", true}}));
  c.call(Method::Get, "/api/v1/retention/rules?at=2026-03-01T12:00:00%2B01:00");
  BOOST_TEST(c.orders.given.back().args["at"] == 1'772'362'800'000'000);
  c.call(Method::Post, "/api/v1/retention/what-ifs", R"({"at":"2026-03-01T12:00:00Z"})");
  BOOST_TEST(c.orders.given.back().args["at"] == 1'772'366'400'000'000);
}

BOOST_AUTO_TEST_CASE(what_cannot_be_understood_is_a_problem_and_no_order) {
  Caller c;
  const auto expect = [&](Method method, const std::string& path, const std::string& body, int status) {
    const auto response = c.call(method, path, body);
    BOOST_TEST_CONTEXT(path + " " + body) {
      BOOST_TEST(response.status == status);
      BOOST_TEST(response.contentType == "application/problem+json");
      BOOST_TEST(c.body(response)["status"] == status);
      BOOST_TEST(!c.body(response)["detail"].get<std::string>().empty());
    }
  };
  expect(Method::Get, "/api/v1/nothing", "", 404);
  expect(Method::Get, "/api/v1/", "", 404);
  expect(Method::Patch, "/api/v1/lists", "{}", 405);
  expect(Method::Get, "/api/v1/lists?limit=many", "", 400);
  expect(Method::Get, "/api/v1/lists?unknown=1", "", 400);
  expect(Method::Get, "/api/v1/flow", "", 400);
  expect(Method::Post, "/api/v1/lists", "no json", 400);
  expect(Method::Post, "/api/v1/lists", "[]", 400);
  expect(Method::Post, "/api/v1/lists", "{}", 400);
  expect(Method::Post, "/api/v1/lists", R"({"address":"a@x","owner":"me"})", 400);
  expect(Method::Get, "/api/v1/retention/rules?at=yesterday", "", 400);
  BOOST_TEST(c.orders.given.empty());
}

BOOST_AUTO_TEST_CASE(refusals_keep_their_words_and_faults_do_not) {
  Caller c;
  for (const auto& [code, status] : {std::pair{"not-found", 404},
                                     {"invalid", 422},
                                     {"exists", 409},
                                     {"refused", 409},
                                     {"denied", 403},
                                     {"step-up", 403},
                                     {"signed-out", 401},
                                     {"unavailable", 503}}) {
    c.orders.refusals["list.show"] = {code, "so it is", "do that"};
    const auto response = c.call(Method::Get, "/api/v1/lists/a");
    BOOST_TEST(response.status == status, code);
    BOOST_TEST(c.body(response)["code"] == code);
    BOOST_TEST(c.body(response)["detail"] == "so it is");
    BOOST_TEST(c.body(response)["hint"] == "do that");
  }
  c.orders.refusals["list.show"] = {"broken", "cannot open site.db", ""};
  const auto response = c.call(Method::Get, "/api/v1/lists/a");
  BOOST_TEST(response.status == 500);
  BOOST_TEST(response.body.find("site.db") == std::string::npos);
  c.orders.refusals.clear();
  c.orders.down = true;
  BOOST_TEST(c.call(Method::Get, "/api/v1/lists/a").status == 503);
}

BOOST_AUTO_TEST_CASE(what_needs_a_second_person_is_accepted_and_not_done) {
  Caller c;
  c.orders.answers["hold.release"] = {{"request", {{"id", 7}, {"createdAt", 0}}}};
  const auto response = c.call(Method::Post, "/api/v1/holds/3/release", R"({"reason":"settled","whatIf":"5"})");
  BOOST_TEST(response.status == 202);
  BOOST_TEST(c.body(response)["request"]["createdAt"].is_null());
  BOOST_TEST(c.orders.given.back().args["id"] == "3");
}

BOOST_AUTO_TEST_CASE(what_is_signed_comes_as_it_was_signed) {
  Caller c;
  const json document = {{"form", "postern-report-v1"},
                         {"madeAt", 1'772'366'400'000'000},
                         {"signature", "c2ln"},
                         {"posts", {{{"arrival", {{"journey", {{"hops", {{{"at", 1'772'366'400'000'000}}}}}}}}}}}};
  c.orders.answers["report.delivery"] = document;
  BOOST_TEST(c.body(c.call(Method::Get, "/api/v1/reports/delivery?post=7")) == document);
}

BOOST_AUTO_TEST_CASE(a_fixed_segment_goes_before_a_name) {
  Caller c;
  c.call(Method::Get, "/api/v1/reports/delivery?post=7");
  BOOST_TEST(c.orders.given.back().order == "report.delivery");
  c.call(Method::Get, "/api/v1/searches/check?query=a");
  BOOST_TEST(c.orders.given.back().order == "search.check");
  c.call(Method::Post, "/api/v1/lists/a@x/members/import", R"({"csv":"b@x"})");
  BOOST_TEST(c.orders.given.back().order == "member.import");
}

BOOST_AUTO_TEST_CASE(no_two_operations_share_a_method_and_path_or_a_name) {
  std::set<std::string> places, names;
  for (const auto& operation : operations()) {
    BOOST_TEST(places.insert(std::to_string(static_cast<int>(operation.method)) + operation.path).second,
               operation.path);
    BOOST_TEST(names.insert(operation.order).second, operation.order);
  }
}

BOOST_AUTO_TEST_CASE(every_order_of_the_page_is_an_operation_or_has_a_reason_not_to_be) {
  const auto documented = documentedOrders();
  std::set<std::string> known;
  for (const auto& operation : operations()) known.insert(operation.order);
  for (const auto& [order, arguments] : documented) {
    const bool excepted = std::any_of(std::begin(NoOperation), std::end(NoOperation), [&](const auto& exception) {
      const std::string_view name = exception.first;
      return name.ends_with('.') ? order.starts_with(name) : order == name;
    });
    BOOST_TEST(known.contains(order) != excepted, order << " is an operation, or in the list of exceptions");
  }
  BOOST_TEST(documented.size() > 100);
}

BOOST_AUTO_TEST_CASE(every_argument_of_an_operation_is_one_that_its_order_takes) {
  const auto documented = documentedOrders();
  const std::set<std::string> types = {"text", "count", "id", "flag", "time", "texts", "ids", "object", "objects"};
  for (const auto& operation : operations()) {
    const auto order = documented.find(operation.order);
    if (order == documented.end()) continue;
    for (const auto& argument : operation.arguments) {
      BOOST_TEST(types.contains(argument.type), operation.order << " " << argument.type);
      BOOST_TEST(order->second.contains(argument.name), operation.order << " has no argument " << argument.name);
    }
    for (const auto& name : wordsOf(operation.path, '{', '}'))
      BOOST_TEST(order->second.contains(name), operation.order << " has no argument " << name << " of the path");
  }
}

BOOST_AUTO_TEST_CASE(every_schema_that_is_named_is_there) {
  const auto document = openApi("https://postern.example", "1");
  const auto& schemas = document["components"]["schemas"];
  const auto text = document.dump();
  constexpr std::string_view Prefix = "\"#/components/schemas/";
  std::size_t references = 0;
  for (auto at = text.find(Prefix); at != std::string::npos; at = text.find(Prefix, at + 1)) {
    const auto name = text.substr(at + Prefix.size(), text.find('"', at + 1) - at - Prefix.size());
    BOOST_TEST(schemas.contains(name), name);
    ++references;
  }
  BOOST_TEST(references > operations().size());
}

BOOST_AUTO_TEST_CASE(times_are_read_as_rfc_3339_writes_them) {
  BOOST_TEST(*microsFromRfc3339("1970-01-01T00:00:00Z") == 0);
  BOOST_TEST(*microsFromRfc3339("2026-03-01T12:00:00.25Z") == 1'772'366'400'250'000);
  BOOST_TEST(*microsFromRfc3339("2026-03-01t10:30:00-01:30") == 1'772'366'400'000'000);
  for (const auto* bad : {"", "2026-03-01", "2026-02-30T00:00:00Z", "2026-03-01T24:00:00Z", "2026-03-01T12:00:00",
                          "2026-03-01 12:00:00Z", "x2026-03-01T12:00:00Z", "2026-03-01T12:00:00+25:00"})
    BOOST_TEST(!microsFromRfc3339(bad).has_value(), bad);
}

BOOST_AUTO_TEST_SUITE_END()
