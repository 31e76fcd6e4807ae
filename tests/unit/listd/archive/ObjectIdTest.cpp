#include "listd/archive/ObjectId.h"

using namespace postern;
using namespace postern::listd;

BOOST_AUTO_TEST_SUITE(listd_archive_ObjectId)

BOOST_AUTO_TEST_CASE(ids_follow_the_receipt_and_no_two_messages_or_contents_share_one) {
  const TimePoint now{std::chrono::seconds(1'800'000'000)};
  const auto first = objectIdOf(now, 41, ContentKind::AsItCame);
  BOOST_TEST(first == objectIdOf(now, 41, ContentKind::AsItCame));
  BOOST_TEST(first < objectIdOf(now, 41, ContentKind::Opened));
  BOOST_TEST(objectIdOf(now, 41, ContentKind::Opened) < objectIdOf(now, 42, ContentKind::AsItCame));
  BOOST_TEST(objectIdOf(now, 1'000'000, ContentKind::Opened) <
             objectIdOf(now + std::chrono::seconds(1), 1, ContentKind::AsItCame));
  BOOST_TEST(objectIdOf(TimePoint{std::chrono::seconds(8'000'000'000)}, UINT64_MAX, ContentKind::Opened) <=
             static_cast<std::uint64_t>(INT64_MAX));
}

BOOST_AUTO_TEST_SUITE_END()
