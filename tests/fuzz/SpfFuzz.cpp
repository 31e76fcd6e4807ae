// rooms: mailauth net crypto mail
// A record is a syntax error or within its limits, and its evaluation ends after few questions, whatever it says.
#include "core/mailauth/Spf.h"

#include <cstdlib>

namespace {

using namespace postern;

// Every name has the record; every other question is answered by its name's length.
class EchoDns : public mailauth::Dns {
public:
  explicit EchoDns(std::string record) : record_(std::move(record)) {}
  unsigned asked = 0;

  net::DnsAnswer<std::string> txt(std::string_view) override { return found(record_); }
  net::DnsAnswer<std::string> ipv4(std::string_view host) override { return maybe(host, "192.0.2.7"); }
  net::DnsAnswer<std::string> ipv6(std::string_view host) override { return maybe(host, "2001:db8::7"); }
  net::DnsAnswer<std::string> pointers(std::string_view) override { return found("mail.example.org"); }
  net::DnsAnswer<net::MxRecord> mx(std::string_view) override {
    ++asked;
    net::DnsAnswer<net::MxRecord> answer;
    answer.outcome = net::DnsOutcome::Found;
    answer.records.assign(9, {10, "mail.example.org"});
    return answer;
  }

private:
  net::DnsAnswer<std::string> found(std::string text) {
    ++asked;
    net::DnsAnswer<std::string> answer;
    answer.outcome = net::DnsOutcome::Found;
    answer.records = {std::move(text)};
    return answer;
  }
  net::DnsAnswer<std::string> maybe(std::string_view host, const char* address) {
    if (host.size() > 253) std::abort();
    auto answer = found(address);
    if (host.size() % 3 == 0) answer = {};
    return answer;
  }
  std::string record_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const std::string record(reinterpret_cast<const char*>(data), size);
  for (const auto* address : {"192.0.2.1", "2001:db8::1"}) {
    EchoDns dns(record);
    const auto result = mailauth::checkSpf(dns, {address, "ann@example.org", "h.example.org", "mx.example"});
    if (dns.asked > 130) std::abort();
    for (const char c : result.explanation)
      if (c < ' ' || c > '~') std::abort();
    if (mailauth::parseSpfRecord(record) && !mailauth::isSpfRecord(record)) std::abort();
  }
  return 0;
}
