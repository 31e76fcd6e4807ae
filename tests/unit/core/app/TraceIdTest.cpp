#include "core/app/GatewayLink.h"
#include "core/app/TraceId.h"
#include "core/base/Codec.h"

#include <set>

using namespace postern;

BOOST_AUTO_TEST_SUITE(core_app_TraceId)

BOOST_AUTO_TEST_CASE(ids_have_the_form_of_trace_context_and_differ) {
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) {
    const auto id = app::newTraceId();
    BOOST_TEST_REQUIRE(app::isTraceId(id));
    BOOST_TEST_REQUIRE(seen.insert(id).second);
  }
}

BOOST_AUTO_TEST_CASE(what_is_asked_twice_has_one_id) {
  BOOST_TEST(app::traceIdOf("a") == app::traceIdOf("a"));
  BOOST_TEST(app::traceIdOf("a") != app::traceIdOf("b"));
  BOOST_TEST(app::isTraceId(app::traceIdOf("a")));
}

BOOST_AUTO_TEST_CASE(other_texts_are_none) {
  for (const auto* text : {"", "0af7651916cd43dd8448eb211c80319", "0AF7651916CD43DD8448EB211C80319C",
                           "00000000000000000000000000000000", "0af7651916cd43dd8448eb211c80319c0"})
    BOOST_TEST(!app::isTraceId(text), text);
}

BOOST_AUTO_TEST_CASE(a_copy_carries_it_to_the_gateway) {
  app::Copy copy;
  copy.trace = app::traceIdOf("x");
  Writer writer;
  copy.encode(writer);
  Reader reader(writer.bytes());
  BOOST_TEST(app::Copy::decode(reader).trace == copy.trace);
}

BOOST_AUTO_TEST_SUITE_END()
