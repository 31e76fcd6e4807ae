#include "core/mail/Address.h"

using namespace postern::mail;
using namespace std::string_literals;

namespace {

std::string parsed(std::string_view text) {
  const auto address = Address::parse(text);
  return address ? address->text() : "refused: "s + addressErrorText(address.error());
}

bool refused(std::string_view text, AddressError why) {
  const auto address = Address::parse(text);
  return !address && address.error() == why;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(core_mail_Address)

BOOST_AUTO_TEST_CASE(takes_ordinary_addresses_and_lowers_the_domain) {
  BOOST_TEST(parsed("Alice@Example.COM") == "Alice@example.com");
  BOOST_TEST(Address::parse("Alice@Example.COM")->key() == "alice@example.com");
  BOOST_TEST(parsed("a.b+tag=x@sub.example") == "a.b+tag=x@sub.example");
  BOOST_TEST(parsed("x@localhost") == "x@localhost");
}

BOOST_AUTO_TEST_CASE(percent_and_bang_are_ordinary_characters_of_the_local_part) {
  BOOST_TEST(parsed("user%other.example@lists.example") == "user%other.example@lists.example");
  BOOST_TEST(parsed("host!user@lists.example") == "host!user@lists.example");
  BOOST_TEST(Address::parse("user%other.example@lists.example")->domain() == "lists.example");
}

BOOST_AUTO_TEST_CASE(quotes_stay_only_where_they_are_needed) {
  BOOST_TEST(parsed("\"board\"@lists.example") == "board@lists.example");
  BOOST_TEST(parsed("\"bo\\ard\"@lists.example") == "board@lists.example");
  BOOST_TEST(parsed("\"a b\"@x.example") == "\"a b\"@x.example");
  BOOST_TEST(parsed("\"a@b\"@x.example") == "\"a@b\"@x.example");
  BOOST_TEST(parsed("\"a\\\"b\"@x.example") == "\"a\\\"b\"@x.example");
  BOOST_TEST(parsed("\"\"@x.example") == "\"\"@x.example");
  BOOST_TEST(Address::parse("\"A B\"@x.example")->key() == "\"a b\"@x.example");
}

BOOST_AUTO_TEST_CASE(refuses_what_is_no_mailbox) {
  BOOST_TEST(refused("", AddressError::Empty));
  BOOST_TEST(refused("nobody", AddressError::NoAt));
  BOOST_TEST(refused("@relay.example:user@x.example", AddressError::SourceRoute));
  BOOST_TEST(refused("@x.example", AddressError::SourceRoute));
  BOOST_TEST(refused("a b@x.example", AddressError::BadLocalPart));
  BOOST_TEST(refused(".a@x.example", AddressError::BadLocalPart));
  BOOST_TEST(refused("a..b@x.example", AddressError::BadLocalPart));
  BOOST_TEST(refused("a@b@x.example", AddressError::BadDomain));
  BOOST_TEST(refused("\"unclosed@x.example", AddressError::NoAt));
  BOOST_TEST(refused("\"a\"b@x.example", AddressError::NoAt));
  BOOST_TEST(refused("a@", AddressError::BadDomain));
  BOOST_TEST(refused("a@x.example.", AddressError::BadDomain));
  BOOST_TEST(refused("a@.x", AddressError::BadDomain));
  BOOST_TEST(refused("a@x..y", AddressError::BadDomain));
  BOOST_TEST(refused("a@-x.example", AddressError::BadDomain));
  BOOST_TEST(refused("a@x-.example", AddressError::BadDomain));
  BOOST_TEST(refused("a@x_y.example", AddressError::BadDomain));
  BOOST_TEST(refused("a@x y", AddressError::BadDomain));
  BOOST_TEST(refused("<a@x.example>", AddressError::BadLocalPart));
  BOOST_TEST(refused("a@x.example>", AddressError::BadDomain));
  BOOST_TEST(refused("a(c)@x.example", AddressError::BadLocalPart));
}

BOOST_AUTO_TEST_CASE(refuses_controls_anywhere_quoted_or_not) {
  for (const char control : {'\0', '\r', '\n', '\t', '\x1b', '\x7f'}) {
    BOOST_TEST(refused("a"s + control + "@x.example", AddressError::ControlCharacter));
    BOOST_TEST(refused("\"a\\"s + control + "\"@x.example", AddressError::ControlCharacter));
    BOOST_TEST(refused("a@x"s + control + ".example", AddressError::ControlCharacter));
  }
  BOOST_TEST(refused("a@x.example\r\nRCPT TO:<b@y>", AddressError::ControlCharacter));
  BOOST_TEST(refused("a\xc2\x85z@x.example", AddressError::BadLocalPart));  // NEL, a C1 control
}

BOOST_AUTO_TEST_CASE(holds_the_limits_of_the_rfc) {
  const std::string label(63, 'a');
  BOOST_TEST(parsed(std::string(64, 'l') + "@x.example") == std::string(64, 'l') + "@x.example");
  BOOST_TEST(refused(std::string(65, 'l') + "@x.example", AddressError::LocalPartTooLong));
  BOOST_TEST(refused("\"" + std::string(63, 'l') + "\"@x.example", AddressError::LocalPartTooLong));
  BOOST_TEST(parsed("a@" + label + ".example") == "a@" + label + ".example");
  BOOST_TEST(refused("a@" + label + "a.example", AddressError::DomainTooLong));
  const std::string longest = label + "." + label + "." + label + "." + label;
  BOOST_TEST(parsed("a@" + longest) == "a@" + longest);
  BOOST_TEST(refused("a@" + longest + ".b", AddressError::DomainTooLong));
  BOOST_TEST(refused("a@" + std::string(1 << 20, 'x'), AddressError::DomainTooLong));
}

BOOST_AUTO_TEST_CASE(flags_address_literals) {
  BOOST_TEST(parsed("a@[192.0.2.1]") == "a@[192.0.2.1]");
  BOOST_TEST(parsed("a@[IPv6:2001:DB8:0:0::1]") == "a@[ipv6:2001:db8::1]");
  BOOST_TEST(Address::parse("a@[192.0.2.1]")->isLiteral());
  BOOST_TEST(!Address::parse("a@x.example")->isLiteral());
  for (const auto* bad :
       {"a@[]", "a@[1.2.3]", "a@[1.2.3.4", "a@[300.1.1.1]", "a@[IPv6:xyz]", "a@[x.example]", "a@[1.2.3.4] "})
    BOOST_TEST(refused(bad, AddressError::BadLiteral), bad);
}

BOOST_AUTO_TEST_CASE(stores_internationalised_domains_as_a_labels) {
  BOOST_TEST(parsed("a@b\xc3\xbc\x63her.example") == "a@xn--bcher-kva.example");
  BOOST_TEST(parsed("a@B\xc3\x9c\x43HER.example") == "a@xn--bcher-kva.example");
  BOOST_TEST(parsed("a@xn--bcher-kva.example") == "a@xn--bcher-kva.example");
  BOOST_TEST(parsed("a@XN--BCHER-KVA.example") == "a@xn--bcher-kva.example");
  // A full-width dot and letters are the ordinary ones under IDNA: one address, not two.
  BOOST_TEST(parsed("a@\xef\xbd\x85xample\xe3\x80\x82"
                    "com") == "a@example.com");
  BOOST_TEST(refused("a@xn--a.example", AddressError::BadDomain));
  BOOST_TEST(refused("a@b\xfc\x63her.example", AddressError::BadDomain));
  BOOST_TEST(refused("a@a\xe2\x80\xae\x62.example", AddressError::BadDomain));  // right-to-left override
}

BOOST_AUTO_TEST_CASE(takes_utf8_local_parts_and_says_so) {
  const auto address = Address::parse("j\xc3\xbcrgen@x.example");
  BOOST_REQUIRE(address.has_value());
  BOOST_TEST(!address->isAscii());
  BOOST_TEST(Address::parse("a@b\xc3\xbc\x63her.example")->isAscii());
  BOOST_TEST(refused("j\xfcrgen@x.example", AddressError::BadLocalPart));
  BOOST_TEST(refused("a\xc0\xafz@x.example", AddressError::BadLocalPart));  // overlong slash
}

BOOST_AUTO_TEST_CASE(reading_what_was_written_gives_the_same_address) {
  for (const auto* text : {"a@x.example", "\"a b\"@x.example", "\"a\\\\b\"@x.example", "\"\\\"\"@[192.0.2.1]",
                           "j\xc3\xbcrgen@b\xc3\xbc\x63her.example", "a@[IPv6:::1]", "!#$%&'*+-/=?^_`{|}~@x.example"}) {
    const auto once = Address::parse(text);
    BOOST_REQUIRE_MESSAGE(once.has_value(), text);
    const auto twice = Address::parse(once->text());
    BOOST_REQUIRE(twice.has_value());
    BOOST_TEST(twice->text() == once->text());
    BOOST_TEST(twice->key() == once->key());
  }
}

BOOST_AUTO_TEST_SUITE_END()
