#include "core/records/Hold.h"
#include "tests/support/RecordsWorld.h"

using namespace postern;
using namespace postern::records;
using namespace postern::test;

namespace {

Hold dialysis() {
  Hold hold;
  hold.scope = scope(R"({"query":"dialysis"})");
  hold.placedAt = at("2025-01-01");
  return hold;
}

Message received(const char* when) {
  Message m;
  m.receivedAt = at(when);
  m.readableSince = m.receivedAt;
  return m;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(core_records_Hold)

BOOST_AUTO_TEST_CASE(is_in_force_from_the_moment_of_placing_for_mail_of_the_past_and_of_the_future) {
  Hold all;
  all.placedAt = at("2025-01-01");
  for (const auto* when : {"1999-01-01", "2025-01-01", "2030-01-01"}) {
    BOOST_TEST(!received(when).held({all}, at("2024-12-31T23:59:59")));
    BOOST_TEST(received(when).held({all}, at("2025-01-01")));
    BOOST_TEST(received(when).held({all}, at("9999-12-31")));
  }
}

BOOST_AUTO_TEST_CASE(a_message_that_was_readable_before_and_does_not_match_was_never_held) {
  const auto m = received("2024-01-01");
  BOOST_TEST((m.heldUntil(dialysis()) == TimePoint::min()));
}

BOOST_AUTO_TEST_CASE(new_mail_is_held_until_it_was_read_and_then_for_the_grace) {
  auto m = received("2025-05-01");
  m.readable = false;
  BOOST_TEST(m.held({dialysis()}, at("2025-05-01")));
  m.readable = true;
  m.readableSince = at("2025-05-01T00:00:05");
  BOOST_TEST(dayText(m.heldUntil(dialysis())) == "2025-05-31T00:00:05Z");
}

BOOST_AUTO_TEST_CASE(dropping_out_after_release_does_not_prolong_the_grace) {
  auto hold = dialysis();
  hold.releasedAt = at("2025-02-01");
  auto m = received("2024-01-01");
  m.readableSince = at("2025-02-20");
  BOOST_TEST(dayText(m.heldUntil(hold)) == "2025-03-03");
  m.readableSince = at("2025-01-10");
  BOOST_TEST(dayText(m.heldUntil(hold)) == "2025-02-09");
}

BOOST_AUTO_TEST_CASE(an_answer_without_an_index_is_not_believed) {
  const auto m = received("2024-01-01");
  auto view = m.view();
  view.facts.evaluableSince.reset();
  BOOST_TEST((heldUntil(dialysis(), view.facts, Truth::False) == TimePoint::max()));
  BOOST_TEST((heldUntil(dialysis(), view.facts, Truth::Unknown) == TimePoint::max()));
  view.facts.evaluableSince = at("2024-01-01");
  BOOST_TEST((heldUntil(dialysis(), view.facts, Truth::Unknown) == TimePoint::max()));
  BOOST_TEST((heldUntil(dialysis(), view.facts, Truth::False) == TimePoint::min()));
}

BOOST_AUTO_TEST_CASE(the_grace_never_overflows) {
  Hold hold;
  hold.releasedAt = TimePoint::max() - std::chrono::days(1);
  BOOST_TEST((hold.inForceUntil() == TimePoint::max()));
}

BOOST_AUTO_TEST_SUITE_END()
