#include "core/app/JsonText.h"
#include "core/app/Orders.h"
#include "core/base/Error.h"
#include "core/net/LocalSocket.h"
#include "tests/support/TempFolder.h"

#include <unistd.h>

#include <chrono>
#include <future>
#include <thread>

using namespace postern;
using nlohmann::json;

namespace {

json answer(std::string_view order, const app::Actor& actor, const json& args) {
  if (order == "echo") return {{"actor", actor.name}, {"args", args}};
  if (order == "refuse") throw app::OrderRefused({"not-found", "no such list", "see postern list list"});
  if (order == "break") throw Error(ErrorKind::Store, "the database is damaged");
  return args.at("missing");
}

}  // namespace

BOOST_AUTO_TEST_SUITE(core_app_Orders)

BOOST_AUTO_TEST_CASE(an_order_carries_actor_and_arguments_and_brings_back_the_result) {
  test::TempFolder folder;
  app::OrderServer server(folder / "s", answer);
  app::OrderClient client(folder / "s");
  const auto result = client.give("echo", {"cli", "root"}, {{"list", "board@lists.example"}});
  BOOST_TEST(result["actor"] == "root");
  BOOST_TEST(result["args"]["list"] == "board@lists.example");
}

BOOST_AUTO_TEST_CASE(a_refusal_keeps_its_code_and_hint_and_the_connection_goes_on) {
  test::TempFolder folder;
  app::OrderServer server(folder / "s", answer);
  app::OrderClient client(folder / "s");
  BOOST_CHECK_EXCEPTION(client.give("refuse", {}, json::object()), app::OrderRefused, [](const auto& refused) {
    return refused.error().code == "not-found" && refused.error().hint == "see postern list list";
  });
  BOOST_TEST(client.give("echo", {"web", "ann"}, json::object())["actor"] == "ann");
}

BOOST_AUTO_TEST_CASE(a_broken_order_and_a_missing_argument_are_told_apart) {
  test::TempFolder folder;
  app::OrderServer server(folder / "s", answer);
  app::OrderClient client(folder / "s");
  const auto code = [&](const char* order) {
    try {
      client.give(order, {}, json::object());
    } catch (const app::OrderRefused& refused) {
      return refused.error().code;
    }
    return std::string("none");
  };
  BOOST_TEST(code("break") == "broken");
  BOOST_TEST(code("needs-argument") == "usage");
}

BOOST_AUTO_TEST_CASE(says_that_postern_does_not_run_when_nobody_listens) {
  test::TempFolder folder;
  BOOST_CHECK_EXCEPTION(app::OrderClient(folder / "nobody"), Error,
                        [](const Error& error) { return error.kind() == ErrorKind::Unavailable; });
}

BOOST_AUTO_TEST_CASE(gives_up_on_a_listd_that_does_not_answer_and_takes_no_late_answer_for_another) {
  test::TempFolder folder;
  std::promise<void> release;
  const auto released = release.get_future().share();
  app::OrderServer server(folder / "s", [&](std::string_view order, const app::Actor&, const json&) {
    if (order == "slow") released.wait();
    return json{{"order", order}};
  });
  app::OrderClient client(folder / "s", std::chrono::milliseconds(100));
  BOOST_CHECK_EXCEPTION(client.give("slow", {}, json::object()), Error, [](const Error& error) {
    return error.kind() == ErrorKind::Unavailable &&
           error.displayText().find("did not answer within") != std::string::npos;
  });
  release.set_value();
  BOOST_TEST(client.give("quick", {}, json::object())["order"] == "quick");
}

BOOST_AUTO_TEST_CASE(gives_up_on_an_answer_that_stops_half_way_and_on_a_peer_that_takes_nothing) {
  test::TempFolder folder;
  net::LocalListener listener(folder / "s");
  app::OrderClient client(folder / "s", std::chrono::milliseconds(100));
  auto peer = listener.accept();
  BOOST_REQUIRE(::write(peer->descriptor(), "\0\0\1\0{", 5) == 5);
  const auto isLate = [](const Error& error) { return error.kind() == ErrorKind::Unavailable; };
  BOOST_CHECK_EXCEPTION(client.give("half", {}, json::object()), Error, isLate);
  BOOST_CHECK_EXCEPTION(client.give("huge", {}, {{"csv", std::string(16u << 20, 'x')}}), Error, isLate);
}

BOOST_AUTO_TEST_CASE(stops_while_a_client_is_connected) {
  test::TempFolder folder;
  app::OrderServer server(folder / "s", answer);
  app::OrderClient client(folder / "s");
  server.stop();
  BOOST_CHECK_THROW(client.give("echo", {}, json::object()), Error);
}

BOOST_AUTO_TEST_CASE(json_from_others_is_limited_in_depth_and_nothing_else) {
  const auto nested = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  BOOST_TEST(app::parseJson(nested(app::MostNested)).is_array());
  BOOST_TEST(app::parseJson(nested(app::MostNested + 1)).is_discarded());
  BOOST_TEST(app::parseJson("[]]").is_discarded());
  BOOST_TEST(app::parseJson("\"" + std::string(100, '[') + "\\\"[\"").is_string());
  std::string wide = "[0";
  for (int i = 0; i < 1000; ++i) wide += ",{}";
  BOOST_TEST(app::parseJson(wide + "]").size() == 1001u);
}

BOOST_AUTO_TEST_SUITE_END()
