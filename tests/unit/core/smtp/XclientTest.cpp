#include "core/smtp/Command.h"
#include "core/smtp/Xclient.h"

using namespace postern;
using smtp::parseXclient;
using namespace std::string_literals;

BOOST_AUTO_TEST_SUITE(core_smtp_Xclient)

BOOST_AUTO_TEST_CASE(reads_all_attributes) {
  const auto parsed = parseXclient(
      " NAME=spike.example ADDR=198.51.100.7 PORT=40000 PROTO=ESMTP HELO=spike LOGIN=a+20b "
      "DESTADDR=IPV6:2001:DB8::25 destport=25");
  BOOST_REQUIRE(parsed.has_value());
  BOOST_TEST(parsed->name.value() == "spike.example");
  BOOST_TEST(parsed->address.value() == "198.51.100.7");
  BOOST_TEST(parsed->port.value() == 40000);
  BOOST_TEST(parsed->helo.value() == "spike");
  BOOST_TEST(parsed->login.value() == "a b");
  BOOST_TEST(parsed->destination.value() == "2001:db8::25");
  BOOST_TEST(parsed->destinationPort.value() == 25);
  BOOST_TEST(parsed->saysProtocol);
}

BOOST_AUTO_TEST_CASE(what_the_filter_does_not_know_is_empty_and_what_it_does_not_say_is_missing) {
  const auto parsed = parseXclient("NAME=[UNAVAILABLE] ADDR=[tempunavail]");
  BOOST_REQUIRE(parsed.has_value());
  BOOST_TEST(parsed->name.value().empty());
  BOOST_TEST(parsed->address.value().empty());
  BOOST_TEST(!parsed->helo.has_value());
}

BOOST_AUTO_TEST_CASE(xtext_is_decoded_and_nothing_can_be_smuggled_in_it) {
  BOOST_TEST(parseXclient("HELO=+5B192.0.2.1+5D")->helo.value() == "[192.0.2.1]");
  for (const auto& bad : {"LOGIN=a+0D+0AMAIL"s,
                          "LOGIN=a+00"s,
                          "LOGIN=a+7F"s,
                          "LOGIN=+C3"s,
                          "LOGIN=+0d"s,
                          "LOGIN=a+"s,
                          "LOGIN=a+2"s,
                          "LOGIN=a=b"s,
                          "LOGIN=a\tb"s,
                          "LOGIN=\xc3\xa9"s,
                          "LOGIN=" + std::string(256, 'a'),
                          "NAME=a+20b"s,
                          "NAME=<a>"s,
                          "NAME=a+0D"s,
                          "HELO=a+28b+29"s,
                          "ADDR=198.51.100.7/24"s,
                          "ADDR=198.51.100.7+20"s,
                          "ADDR=2001:db8::1"s,
                          "ADDR=IPV6:192.0.2.1"s,
                          "ADDR=example.org"s,
                          "ADDR=[198.51.100.7]"s,
                          "DESTADDR=x"s,
                          "PORT=65536"s,
                          "PORT=x"s,
                          "PORT=-1"s,
                          "PROTO=LMTP"s,
                          "NAME="s,
                          "=a"s,
                          "NAME"s,
                          "EVIL=1"s,
                          "NAME=a NAME=b"s,
                          "NAME=a name=b"s,
                          ""s,
                          "  "s})
    BOOST_TEST(!parseXclient(bad).has_value(), bad);
}

BOOST_AUTO_TEST_CASE(a_mapped_address_is_the_ipv4_address) {
  BOOST_TEST(parseXclient("ADDR=IPV6:::ffff:198.51.100.7")->address.value() == "198.51.100.7");
}

BOOST_AUTO_TEST_CASE(is_a_command_like_others) {
  const auto command = smtp::parseCommand("xclient ADDR=198.51.100.7");
  BOOST_REQUIRE(command.has_value());
  BOOST_TEST((command->verb == smtp::Verb::Xclient));
  const auto wrong = smtp::parseCommand("XCLIENT ADDR=nobody");
  BOOST_REQUIRE(!wrong.has_value());
  BOOST_TEST(wrong.error().reply.code == 501);
}

BOOST_AUTO_TEST_SUITE_END()
