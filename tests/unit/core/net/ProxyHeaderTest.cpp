#include "core/net/ProxyHeader.h"

using namespace postern;
using net::ProxyHeaderReader;
using namespace std::string_literals;

namespace {

using State = ProxyHeaderReader::State;

const std::string Signature = "\r\n\r\n\0\r\nQUIT\n"s;

std::string binary(char command, char family, const std::string& rest) {
  return Signature + command + family + static_cast<char>(rest.size() >> 8) + static_cast<char>(rest.size() & 0xff) +
         rest;
}

const std::string Four = binary(0x21, 0x11, "\xc6\x33\x64\x07\xc0\x00\x02\x19\x9c\x40\x00\x19"s);

// As one piece and byte by byte: both must come to the same end and leave the same rest.
State read(const std::string& bytes, net::ProxyHeader* header = nullptr, std::size_t* used = nullptr) {
  ProxyHeaderReader whole;
  const auto taken = whole.feed(bytes);
  ProxyHeaderReader slow;
  std::size_t slowly = 0;
  for (const char byte : bytes) slowly += slow.feed({&byte, 1});
  BOOST_TEST(taken == slowly);
  BOOST_TEST((whole.state() == slow.state()));
  if (whole.state() == State::Broken) BOOST_TEST(!whole.problem().empty());
  if (header != nullptr) *header = whole.header();
  if (used != nullptr) *used = taken;
  return whole.state();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(core_net_ProxyHeader)

BOOST_AUTO_TEST_CASE(reads_both_versions_and_not_a_byte_more) {
  const std::string behind = "EHLO client.example\r\n";
  net::ProxyHeader header;
  std::size_t used = 0;
  const std::string text = "PROXY TCP4 198.51.100.7 192.0.2.25 40000 25\r\n";
  BOOST_TEST((read(text + behind, &header, &used) == State::Done));
  BOOST_TEST(used == text.size());
  BOOST_TEST((header.known && header.client == "198.51.100.7" && header.destination == "192.0.2.25"));
  BOOST_TEST(header.clientPort == 40000);
  BOOST_TEST(header.destinationPort == 25);

  BOOST_TEST((read(Four + behind, &header, &used) == State::Done));
  BOOST_TEST(used == Four.size());
  BOOST_TEST((header.known && header.client == "198.51.100.7" && header.destination == "192.0.2.25"));
  BOOST_TEST(header.clientPort == 40000);

  BOOST_TEST((read("PROXY TCP6 2001:DB8::0:1 ::ffff:192.0.2.25 1 2\r\n", &header) == State::Done));
  BOOST_TEST(header.client == "2001:db8::1");
  BOOST_TEST(header.destination == "192.0.2.25", "a mapped address is the IPv4 address");
  const auto six = binary(0x21, 0x21,
                          "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x07"
                          "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x08\x00\x01\x00\x02"s);
  BOOST_TEST((read(six + behind, &header, &used) == State::Done));
  BOOST_TEST(used == six.size());
  BOOST_TEST(header.client == "2001:db8::7");
}

BOOST_AUTO_TEST_CASE(fields_behind_the_addresses_are_passed_over) {
  net::ProxyHeader header;
  std::size_t used = 0;
  const auto tls = binary(0x21, 0x11, "\xc6\x33\x64\x07\xc0\x00\x02\x19\x9c\x40\x00\x19\x20\x00\x05\x07\0\0\0\0"s);
  BOOST_TEST((read(tls + "x", &header, &used) == State::Done));
  BOOST_TEST(used == tls.size());
  BOOST_TEST(header.client == "198.51.100.7");
}

BOOST_AUTO_TEST_CASE(what_says_nothing_is_done_and_unknown) {
  for (const auto& bytes : {"PROXY UNKNOWN\r\n"s, "PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n"s, binary(0x20, 0x00, ""),
                            binary(0x20, 0x11, std::string(12, '\x01')), binary(0x21, 0x00, "abc"),
                            binary(0x21, 0x31, std::string(216, 'x'))}) {
    net::ProxyHeader header;
    BOOST_TEST((read(bytes, &header) == State::Done));
    BOOST_TEST(!header.known);
    BOOST_TEST(header.client.empty());
  }
}

BOOST_AUTO_TEST_CASE(what_is_no_header_breaks_off) {
  for (const auto& bytes : {"EHLO client.example\r\n"s,
                            "P\r\n"s,
                            "PROXYTCP4 "s,
                            "proxy TCP4 1.2.3.4 1.2.3.4 1 2\r\n"s,
                            "\n"s,
                            "\r\n\r\nX"s,
                            "PROXY TCP4 198.51.100.7 192.0.2.25 40000 25\n"s,
                            "PROXY TCP4 198.51.100.7 192.0.2.25 40000\r\n"s,
                            "PROXY TCP4 198.51.100.7  192.0.2.25 40000 25\r\n"s,
                            "PROXY TCP4 198.51.100.7 192.0.2.25 40000 25 \r\n"s,
                            "PROXY TCP4 198.51.100.7 192.0.2.25 040000 25\r\n"s,
                            "PROXY TCP4 198.51.100.7 192.0.2.25 65536 25\r\n"s,
                            "PROXY TCP4 198.51.100.7 192.0.2.25 -1 25\r\n"s,
                            "PROXY TCP4 2001:db8::1 2001:db8::2 1 2\r\n"s,
                            "PROXY TCP6 198.51.100.7 192.0.2.25 1 2\r\n"s,
                            "PROXY TCP4 198.51.100.7\0 192.0.2.25 1 2\r\n"s,
                            "PROXY TCP4 300.1.1.1 192.0.2.25 1 2\r\n"s,
                            "PROXY UDP4 198.51.100.7 192.0.2.25 1 2\r\n"s,
                            "PROXY TCP4 198.51.100.7 192.0.2.25 1 2\rX\n"s,
                            "PROXY " + std::string(200, 'A'),
                            binary(0x22, 0x11, "abc"),
                            binary(0x11, 0x11, "abc"),
                            binary(0x21, 0x11, "abc"),
                            binary(0x21, 0x21, std::string(35, 'x')),
                            binary(0x21, 0x12, std::string(12, 'x')),
                            binary(0x21, 0xff, std::string(36, 'x')),
                            Signature + "\x21\x11\xff\xff"})
    BOOST_TEST((read(bytes) == State::Broken), bytes);
}

BOOST_AUTO_TEST_CASE(a_header_that_does_not_end_costs_little) {
  ProxyHeaderReader text;
  text.feed("PROXY TCP4 198.51.100.7 192.0.2.25");
  BOOST_TEST((text.state() == State::Reading));
  BOOST_TEST(text.feed(std::string(1'000'000, '1')) <= 107u);
  BOOST_TEST((text.state() == State::Broken));
  ProxyHeaderReader largest;
  const auto length = ProxyHeaderReader::MaxBytes - 16;
  const auto bytes = binary(0x21, 0x11, std::string(length, '\x01'));
  BOOST_TEST(largest.feed(bytes + "behind") == bytes.size());
  BOOST_TEST((largest.state() == State::Done));
  BOOST_TEST((read(binary(0x21, 0x11, std::string(length + 1, '\x01'))) == State::Broken));
}

BOOST_AUTO_TEST_SUITE_END()
