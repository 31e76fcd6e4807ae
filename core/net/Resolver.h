#pragma once
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace postern::net {

// What a DNS question came to. Failed and Bogus are for a later try, NoName and NoData are answers.
enum class DnsOutcome : std::uint8_t {
  Found,
  NoData,  // the name exists, this type does not
  NoName,  // NXDOMAIN
  Failed,  // SERVFAIL, no answer within the deadline, an answer that does not parse
  Bogus,   // DNSSEC says that the answer is forged or broken
};

template <class Record>
struct DnsAnswer {
  DnsOutcome outcome = DnsOutcome::Failed;
  bool secure = false;  // validated by DNSSEC; also for NoData and NoName
  std::chrono::seconds ttl{0};
  std::vector<Record> records;
  std::string problem;         // for Failed and Bogus: why, for the administrator
  std::string canonical = {};  // the name that the records are of, if aliases lead there; lower case, no final dot
};

struct MxRecord {
  std::uint16_t preference = 0;
  std::string host;  // lower case, no final dot; empty: the root, a null MX
  bool operator==(const MxRecord&) const = default;
};

struct TlsaRecord {
  std::uint8_t usage = 0;
  std::uint8_t selector = 0;
  std::uint8_t matching = 0;
  std::string data;
  bool operator==(const TlsaRecord&) const = default;
};

// RFC 7672 §3.1: DANE-TA and DANE-EE with a known selector and matching type and data of the right length.
bool isUsable(const TlsaRecord& record);

// Asks the DNS. Names are ASCII (A-labels) without a final dot.
// Threads: safe for all. Errors: never throws for what the network does, see DnsOutcome.
class Resolver {
public:
  virtual ~Resolver() = default;
  virtual DnsAnswer<MxRecord> mx(std::string_view domain) = 0;
  virtual DnsAnswer<std::string> addresses(std::string_view host) = 0;  // IPv6 then IPv4, as text
  virtual DnsAnswer<std::string> txt(std::string_view name) = 0;        // strings of one record joined
  virtual DnsAnswer<TlsaRecord> tlsa(std::string_view name) = 0;        // "_25._tcp.mx.example"
  // Names that an address is said to have; the name asked is of in-addr.arpa or ip6.arpa. Whoever has no use for
  // them need not answer.
  virtual DnsAnswer<std::string> pointers(std::string_view reverseName);
};

// Where the DNS says that mail for a domain goes (RFC 5321 §5.1).
struct MailHosts {
  enum class Outcome : std::uint8_t {
    Found,
    NullMx,        // RFC 7505: the domain takes no mail
    NoSuchDomain,  // neither MX nor address
    TryLater,
  };
  struct Host {
    std::string name;
    std::uint16_t preference = 0;
  };
  Outcome outcome = Outcome::TryLater;
  bool secure = false;      // the names are validated by DNSSEC
  bool implicit = false;    // no MX: the domain itself is the host
  std::vector<Host> hosts;  // best first; hosts of equal preference in an order that `shuffle` chose
  std::string problem;
};

// `shuffle(n)` gives a number below n; it spreads load over hosts of equal preference.
MailHosts findMailHosts(Resolver& resolver, std::string_view domain,
                        const std::function<std::size_t(std::size_t)>& shuffle);

struct ResolverConfig {
  std::string server;                         // "127.0.0.1:53"; empty: /etc/resolv.conf
  std::filesystem::path trustAnchor;          // empty or missing: nothing is ever `secure`
  std::chrono::milliseconds deadline{30000};  // for one question
};

// The validating resolver: libunbound with one context, one cache and one thread for the process.
// With a configured server the zones that libunbound answers locally (test., the reverse zones of private networks,
// localhost servers) are asked like any other, since an administrator who names a server means it.
// Errors: the constructor throws Error(Config) for a server or anchor that cannot be used.
class UnboundResolver : public Resolver {
public:
  explicit UnboundResolver(const ResolverConfig& config);
  ~UnboundResolver() override;

  DnsAnswer<MxRecord> mx(std::string_view domain) override;
  DnsAnswer<std::string> addresses(std::string_view host) override;
  DnsAnswer<std::string> txt(std::string_view name) override;
  DnsAnswer<TlsaRecord> tlsa(std::string_view name) override;
  DnsAnswer<std::string> pointers(std::string_view reverseName) override;

private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace postern::net
