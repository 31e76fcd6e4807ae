#include "core/base/Error.h"
#include "listd/compose/ListFacts.h"
#include "listd/compose/Verp.h"

#include <random>

using namespace postern;
using namespace postern::listd;

namespace {

mail::Address address(std::string_view text) {
  return *mail::Address::parse(text);
}
const mail::Address Board = address("board@lists.example");
const Verp Tags{Secret("0123456789abcdef0123456789abcdef")};

bool refused(std::string_view text, ListNameError why) {
  const auto checked = checkListAddress(address(text));
  return !checked && checked.error() == why;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(listd_compose_Verp)

BOOST_AUTO_TEST_CASE(gives_back_the_copy_key_of_any_tag) {
  std::mt19937_64 random(6);
  for (int i = 0; i < 1000; ++i) {
    const std::uint64_t key = i < 3 ? static_cast<std::uint64_t>(i) : random();
    const auto bounce = Tags.make(Board, key);
    BOOST_REQUIRE(Tags.verify(Board, bounce) == key);
    BOOST_REQUIRE(bounce.localPart().size() == std::string("board-bounces+").size() + Verp::TagLength);
  }
  BOOST_TEST((Tags.verify(Board, Tags.make(Board, ~0ull)) == ~0ull));
}

BOOST_AUTO_TEST_CASE(takes_any_letter_case) {
  auto text = Tags.make(Board, 42).text();
  for (char& c : text) c = static_cast<char>(std::toupper(c));
  BOOST_TEST((Tags.verify(Board, address(text)) == 42u));
}

BOOST_AUTO_TEST_CASE(refuses_every_other_address) {
  const auto text = Tags.make(Board, 42).text();
  const auto tagStart = text.find('+') + 1;
  for (std::size_t i = tagStart; i < tagStart + Verp::TagLength; ++i) {
    auto changed = text;
    changed[i] = changed[i] == 'a' ? 'b' : 'a';
    BOOST_TEST(!Tags.verify(Board, address(changed)).has_value());
  }
  BOOST_TEST(!Tags.verify(address("other@lists.example"), address(text)).has_value());
  BOOST_TEST(!Tags.verify(address("board@other.example"), Tags.make(Board, 42)).has_value());
  BOOST_TEST(!Tags.verify(address("bord@lists.example"), Tags.make(Board, 42)).has_value());
  BOOST_TEST(!Verp(Secret("another key of 16 octets")).verify(Board, address(text)).has_value());
  for (const auto* bad :
       {"board-bounces@lists.example", "board-bounces+@lists.example", "board-bounces+short@lists.example",
        "board-bounces+111111111111111111111111@lists.example", "board@lists.example"})
    BOOST_TEST(!Tags.verify(Board, address(bad)).has_value());
}

BOOST_AUTO_TEST_CASE(tags_tell_neither_order_nor_number) {
  const auto one = Tags.make(Board, 1).localPart();
  const auto two = Tags.make(Board, 2).localPart();
  std::size_t same = 0;
  for (std::size_t i = one.find('+') + 1; i < one.size(); ++i) same += one[i] == two[i] ? 1 : 0;
  BOOST_TEST(same < 8u);
}

BOOST_AUTO_TEST_CASE(the_longest_list_name_fits) {
  const std::string name(MaxListName, 'x');
  const auto longest = checkListAddress(address(name + "@lists.example"));
  BOOST_REQUIRE(longest.has_value());
  BOOST_TEST(Tags.make(*longest, 7).localPart().size() == 64u);
  BOOST_TEST(refused(name + "x@lists.example", ListNameError::TooLong));
}

BOOST_AUTO_TEST_CASE(list_names_are_checked_when_they_are_given) {
  BOOST_TEST(checkListAddress(address("Board.of-2026_x@Lists.example"))->text() == "board.of-2026_x@lists.example");
  BOOST_TEST(refused("\"a b\"@x.example", ListNameError::Quoted));
  BOOST_TEST(refused("a@[192.0.2.1]", ListNameError::Literal));
  BOOST_TEST(refused("\xc3\xbc@x.example", ListNameError::NotAscii));
  BOOST_TEST(refused("a+b@x.example", ListNameError::BadCharacter));
  BOOST_TEST(refused("a%b@x.example", ListNameError::BadCharacter));
  BOOST_TEST(refused("-a@x.example", ListNameError::BadCharacter));
  BOOST_TEST(refused("board-owner@x.example", ListNameError::Reserved));
  BOOST_TEST(refused("Board-Bounces@x.example", ListNameError::Reserved));
  BOOST_TEST(refused("postmaster@x.example", ListNameError::Reserved));
}

BOOST_AUTO_TEST_CASE(a_short_key_is_refused) {
  BOOST_CHECK_THROW(Verp(Secret("short")), Error);
}

BOOST_AUTO_TEST_CASE(domains_are_aligned_when_equal_or_one_below_the_other) {
  BOOST_TEST(alignedDomains("example.org", "example.org"));
  BOOST_TEST(alignedDomains("Example.org", "lists.example.ORG"));
  BOOST_TEST(alignedDomains("a.b.example.org", "example.org"));
  BOOST_TEST(!alignedDomains("notexample.org", "example.org"));
  BOOST_TEST(!alignedDomains("example.com", "example.org"));
  BOOST_TEST(!alignedDomains("lists.example.org", "mail.example.org"));
  BOOST_TEST(!alignedDomains("example.org", "org"));
  BOOST_TEST(!alignedDomains("", ""));
  BOOST_TEST(!alignedDomains("example.org", ""));
}

BOOST_AUTO_TEST_SUITE_END()
