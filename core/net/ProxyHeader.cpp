#include "core/net/ProxyHeader.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <optional>

namespace postern::net {

namespace {

constexpr std::string_view Signature{"\r\n\r\n\0\r\nQUIT\n", 12};
constexpr std::size_t BinaryStart = 16;   // signature, command, family, length
constexpr std::size_t LongestText = 107;  // with CRLF
constexpr std::size_t FourBytes = 12;     // addresses and ports of IPv4
constexpr std::size_t SixBytes = 36;      // … of IPv6

std::optional<std::string> addressOf(int family, const void* bytes) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (::inet_ntop(family, bytes, text.data(), text.size()) == nullptr) return std::nullopt;
  return std::string(text.data());
}

std::string sixOf(const unsigned char* bytes) {
  constexpr std::array<unsigned char, 12> Mapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  if (std::equal(Mapped.begin(), Mapped.end(), bytes)) return addressOf(AF_INET, bytes + Mapped.size()).value_or("");
  return addressOf(AF_INET6, bytes).value_or("");
}

// As inet_pton reads it, in our one form.
std::optional<std::string> parseAddress(bool six, std::string_view text) {
  const std::string whole(text);
  if (whole.find('\0') != std::string::npos) return std::nullopt;
  std::array<unsigned char, 16> bytes{};
  if (::inet_pton(six ? AF_INET6 : AF_INET, whole.c_str(), bytes.data()) != 1) return std::nullopt;
  return six ? sixOf(bytes.data()) : addressOf(AF_INET, bytes.data());
}

std::optional<std::uint16_t> parsePort(std::string_view text) {
  if (text.empty() || text.size() > 5 || text.find_first_not_of("0123456789") != std::string_view::npos ||
      (text.size() > 1 && text.front() == '0'))
    return std::nullopt;
  const auto value = std::stoul(std::string(text));
  if (value > 65535) return std::nullopt;
  return static_cast<std::uint16_t>(value);
}

std::string_view nextField(std::string_view& rest) {
  const auto blank = rest.find(' ');
  const auto field = rest.substr(0, blank);
  rest.remove_prefix(blank == std::string_view::npos ? rest.size() : blank + 1);
  return field;
}

const unsigned char* unsignedBytes(const std::string& bytes, std::size_t at) {
  return reinterpret_cast<const unsigned char*>(bytes.data()) + at;
}

std::uint16_t portAt(const std::string& bytes, std::size_t at) {
  const auto* two = unsignedBytes(bytes, at);
  return static_cast<std::uint16_t>(two[0] << 8 | two[1]);
}

}  // namespace

std::size_t ProxyHeaderReader::feed(std::string_view bytes) {
  std::size_t used = 0;
  while (used < bytes.size() && state_ == State::Reading) take(bytes[used++]);
  return used;
}

void ProxyHeaderReader::breakOff(const char* why) {
  state_ = State::Broken;
  problem_ = why;
  bytes_.clear();
}

void ProxyHeaderReader::take(char byte) {
  bytes_ += byte;
  if (bytes_.front() == 'P') {
    constexpr std::string_view Start = "PROXY ";
    const auto length = std::min(bytes_.size(), Start.size());
    if (bytes_.compare(0, length, Start, 0, length) != 0) return breakOff("it does not begin with a PROXY header");
    if (byte == '\n') return takeText();
    if (bytes_.size() >= LongestText) breakOff("the line of a PROXY header of version 1 is too long");
    return;
  }
  const auto length = std::min(bytes_.size(), Signature.size());
  if (bytes_.compare(0, length, Signature, 0, length) != 0) return breakOff("it does not begin with a PROXY header");
  if (bytes_.size() == BinaryStart) takeBinaryStart();
  if (state_ == State::Reading && wanted_ > 0 && bytes_.size() == wanted_) takeBinary();
}

void ProxyHeaderReader::takeText() {
  std::string_view rest(bytes_);
  if (!rest.ends_with("\r\n")) return breakOff("a PROXY header of version 1 does not end with CR LF");
  rest = rest.substr(0, rest.size() - 2);
  nextField(rest);
  const auto family = nextField(rest);
  // What stands behind UNKNOWN is to be passed over.
  if (family == "UNKNOWN") {
    state_ = State::Done;
    return;
  }
  if (family != "TCP4" && family != "TCP6") return breakOff("a PROXY header names a family that it cannot have");
  const bool six = family == "TCP6";
  const auto client = parseAddress(six, nextField(rest));
  const auto destination = parseAddress(six, nextField(rest));
  const auto clientPort = parsePort(nextField(rest));
  const auto last = rest;
  const auto destinationPort = parsePort(last);
  if (!client || !destination || !clientPort || !destinationPort)
    return breakOff("addresses or ports of a PROXY header are none");
  header_ = {true, *client, *destination, *clientPort, *destinationPort};
  state_ = State::Done;
}

void ProxyHeaderReader::takeBinaryStart() {
  const auto command = static_cast<unsigned char>(bytes_[12]);
  if (command != 0x20 && command != 0x21) return breakOff("a PROXY header is of a version or command not known");
  const std::size_t length = portAt(bytes_, 14);
  if (BinaryStart + length > MaxBytes) return breakOff("a PROXY header of version 2 is too long");
  wanted_ = BinaryStart + length;
}

void ProxyHeaderReader::takeBinary() {
  state_ = State::Done;
  const bool local = bytes_[12] == 0x20;
  const auto family = static_cast<unsigned char>(bytes_[13]);
  const auto length = bytes_.size() - BinaryStart;
  if (local || family == 0x00 || family == 0x31) return;  // nothing is said; 0x31: a socket of that machine
  if (family == 0x11 && length >= FourBytes) {
    header_ = {true, addressOf(AF_INET, unsignedBytes(bytes_, 16)).value_or(""),
               addressOf(AF_INET, unsignedBytes(bytes_, 20)).value_or(""), portAt(bytes_, 24), portAt(bytes_, 26)};
  } else if (family == 0x21 && length >= SixBytes) {
    header_ = {true, sixOf(unsignedBytes(bytes_, 16)), sixOf(unsignedBytes(bytes_, 32)), portAt(bytes_, 48),
               portAt(bytes_, 50)};
  } else {
    breakOff("a PROXY header of version 2 has no addresses of TCP");
  }
}

}  // namespace postern::net
