#include "listd/compose/LoopGuard.h"
#include "listd/compose/PostComposer.h"

using namespace postern;
using namespace postern::listd;

namespace {

ListFacts board() {
  return {*mail::Address::parse("board@lists.example"), "The Board", "", false, ""};
}

std::string reason(const std::string& fields, std::string_view mailFrom = "a@x.example",
                   const LoopLimits& limits = {}) {
  const auto message = mail::Message::parse("From: a@x.example\r\n" + fields + "\r\nbody\r\n");
  const auto found = findLoop(*message, mailFrom, board(), limits);
  return found ? loopReasonName(*found) : "";
}

}  // namespace

BOOST_AUTO_TEST_SUITE(listd_compose_LoopGuard)

BOOST_AUTO_TEST_CASE(lets_peoples_mail_pass) {
  BOOST_TEST(reason("") == "");
  BOOST_TEST(reason("Auto-Submitted: no\r\nPrecedence: first-class\r\nX-Loop: other@x.example\r\n") == "");
  BOOST_TEST(reason("Auto-Submitted: no (a person)\r\n") == "");
}

BOOST_AUTO_TEST_CASE(knows_its_own_marks_in_any_shape) {
  BOOST_TEST(reason("List-Id: The Board <board.lists.example>\r\n") == "own-list-id");
  BOOST_TEST(reason("list-id: <a>\r\n <BOARD.lists.EXAMPLE>\r\n") == "own-list-id");
  BOOST_TEST(reason("List-Id: board.lists.example\r\n") == "own-list-id");
  BOOST_TEST(reason("X-Loop: other\r\nX-LOOP:  Board@lists.example\r\n") == "own-x-loop");
  BOOST_TEST(reason("X-BeenThere: board@lists.example\r\n") == "own-x-loop");
}

BOOST_AUTO_TEST_CASE(stops_automatic_and_bulk_mail) {
  BOOST_TEST(reason("", "") == "null-sender");
  BOOST_TEST(reason("", "<>") == "null-sender");
  BOOST_TEST(reason("Auto-Submitted: auto-replied (vacation)\r\n") == "auto-submitted");
  BOOST_TEST(reason("Auto-Submitted: \r\n") == "auto-submitted");
  BOOST_TEST(reason("Auto-Submitted: no\r\nAuto-Submitted: auto-generated\r\n") == "auto-submitted");
  BOOST_TEST(reason("Precedence: Bulk\r\n") == "bulk");
  BOOST_TEST(reason("Precedence: junk\r\n") == "bulk");
  BOOST_TEST(reason("Precedence: list\r\n") == "bulk");
  BOOST_TEST(reason("List-Id: <foreign.example>\r\n") == "bulk");
}

BOOST_AUTO_TEST_CASE(foreign_lists_may_be_let_in_but_never_our_own) {
  const LoopLimits limits{.maxHops = 50, .acceptForeignLists = true};
  BOOST_TEST(reason("Precedence: list\r\nList-Id: <foreign.example>\r\n", "a@x", limits) == "");
  BOOST_TEST(reason("List-Id: <foreign.example>\r\nX-Loop: board@lists.example\r\n", "a@x", limits) == "own-x-loop");
}

BOOST_AUTO_TEST_CASE(counts_hops) {
  std::string hops;
  for (int i = 0; i < 50; ++i) hops += "Received: x\r\n";
  BOOST_TEST(reason(hops) == "");
  BOOST_TEST(reason(hops + "Received: x\r\n") == "too-many-hops");
}

BOOST_AUTO_TEST_CASE(whatever_we_send_is_recognised_when_it_comes_back) {
  const auto post = mail::Message::parse("From: a@x.example\r\n\r\nx\r\n");
  const PostStamp stamp{"<abcdefghijklmnopqrstuvwxyz@lists.example>", TimePoint{}};
  const PostComposer composer(board());
  BOOST_TEST(findLoop(*mail::Message::parse(*composer.composeOpen(*post, stamp)), "a@x", board()).has_value());
  const auto secure = composer.composeSecure(*post, stamp);
  BOOST_TEST(findLoop(*mail::Message::parse(secure->outerHeader + "\r\n"), "a@x", board()).has_value());
  BOOST_TEST(findLoop(*mail::Message::parse(secure->inner), "a@x", board()).has_value());
}

BOOST_AUTO_TEST_SUITE_END()
