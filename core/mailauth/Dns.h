#pragma once
#include "core/net/Resolver.h"

#include <chrono>
#include <string>
#include <string_view>

namespace postern::mailauth {

// The questions of mail authentication. Names are ASCII without a final dot. Calls block; they never throw for what
// the network does. Bogus answers (DNSSEC) count as failed ones.
class Dns {
public:
  virtual ~Dns() = default;
  virtual net::DnsAnswer<std::string> txt(std::string_view name) = 0;
  virtual net::DnsAnswer<std::string> ipv4(std::string_view host) = 0;
  virtual net::DnsAnswer<std::string> ipv6(std::string_view host) = 0;
  virtual net::DnsAnswer<net::MxRecord> mx(std::string_view domain) = 0;
  virtual net::DnsAnswer<std::string> pointers(std::string_view address) = 0;
};

// Asks the process's resolver until a moment that holds for all questions together, so that no sender can make a
// session wait: what is asked later fails at once. Threads: one at a time; the resolver may be shared.
// Ownership: the resolver must outlive it.
class ResolverDns : public Dns {
public:
  ResolverDns(net::Resolver& resolver, std::chrono::steady_clock::time_point until)
      : resolver_(resolver), until_(until) {}

  net::DnsAnswer<std::string> txt(std::string_view name) override;
  net::DnsAnswer<std::string> ipv4(std::string_view host) override;
  net::DnsAnswer<std::string> ipv6(std::string_view host) override;
  net::DnsAnswer<net::MxRecord> mx(std::string_view domain) override;
  net::DnsAnswer<std::string> pointers(std::string_view address) override;

private:
  bool isLate() const { return std::chrono::steady_clock::now() >= until_; }
  net::DnsAnswer<std::string> addresses(std::string_view host, bool v6);

  net::Resolver& resolver_;
  std::chrono::steady_clock::time_point until_;
};

// An IP address as bytes: 4 or 16 of them; an IPv4 address mapped into IPv6 is the IPv4 address. Empty for what is
// none.
std::string addressBytes(std::string_view text);
// "1.2.0.192.in-addr.arpa", or the nibbles under ip6.arpa; empty for what is no address.
std::string reverseName(std::string_view address);
// "192.0.2.1", or for IPv6 all 32 nibbles with dots: macro "i" of RFC 7208 §7.3.
std::string dottedAddress(const std::string& bytes);

// Labels of 1 to 63 octets, 253 in all, no controls; at least `minLabels` of them.
bool isDomainName(std::string_view name, std::size_t minLabels = 1);

}  // namespace postern::mailauth
