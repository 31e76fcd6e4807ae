#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace postern::net {

// What a load balancer says of the connection that it passes on.
struct ProxyHeader {
  bool known = false;       // false: it says nothing (UNKNOWN, LOCAL, a family that is none of ours)
  std::string client;       // "192.0.2.1", "2001:db8::1"; a mapped IPv4 address is the IPv4 address
  std::string destination;  // the address that the client connected to
  std::uint16_t clientPort = 0;
  std::uint16_t destinationPort = 0;
};

// The header of the PROXY protocol, versions 1 and 2 (haproxy's proxy-protocol.txt), from bytes as they come.
// Additional fields (TLV) are read and not believed: nothing of TLS is taken from a balancer.
// Invariants:
//  1. No byte behind the header is taken, so that what follows may be read by whoever comes next, TLS among them.
//  2. At most MaxBytes are kept; what is longer, or is none, is Broken at its first wrong byte.
// Threads: one at a time. Errors: values.
class ProxyHeaderReader {
public:
  static constexpr std::size_t MaxBytes = 4096;

  enum class State : std::uint8_t { Reading, Done, Broken };

  std::size_t feed(std::string_view bytes);  // how many of them belong to the header
  State state() const { return state_; }
  const ProxyHeader& header() const { return header_; }    // REQUIRES: Done
  const std::string& problem() const { return problem_; }  // once Broken, for the log

private:
  void take(char byte);
  void takeText();
  void takeBinaryStart();
  void takeBinary();
  void breakOff(const char* why);

  State state_ = State::Reading;
  std::string bytes_;
  std::size_t wanted_ = 0;  // of version 2, once its length is known
  ProxyHeader header_;
  std::string problem_;
};

}  // namespace postern::net
