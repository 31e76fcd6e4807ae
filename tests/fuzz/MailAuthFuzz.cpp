// rooms: mailauth net crypto mail
// Signature fields, key and policy records, sets of ARC and forged results: no message proves an author without a key,
// and what is written of them is one field.
#include "core/mailauth/Authentication.h"

#include <cstdlib>

namespace {

using namespace postern;

class SilentDns : public mailauth::Dns {
public:
  explicit SilentDns(std::string record) : record_(std::move(record)) {}
  net::DnsAnswer<std::string> txt(std::string_view) override {
    net::DnsAnswer<std::string> answer;
    answer.outcome = net::DnsOutcome::Found;
    answer.records = {record_};
    return answer;
  }
  net::DnsAnswer<std::string> ipv4(std::string_view) override { return {}; }
  net::DnsAnswer<std::string> ipv6(std::string_view) override { return {}; }
  net::DnsAnswer<std::string> pointers(std::string_view) override { return {}; }
  net::DnsAnswer<net::MxRecord> mx(std::string_view) override { return {}; }

private:
  std::string record_;
};

void check(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const std::string message(reinterpret_cast<const char*>(data), size);
  const auto header = mail::HeaderBlock::scan(message);
  if (!header) return 0;
  SilentDns dns(message.substr(0, message.find('\n')));
  const auto results =
      mailauth::authenticate(dns, *header, {{"192.0.2.1", "a@b.test", "h.test", "mx.test"}, message, "example.org", 1});
  check(results.dkim.size() <= 9);
  const auto field = mailauth::authenticationResults("mx.test", results, message.substr(0, 80), "h.test");
  const auto written = mail::HeaderBlock::scan(field);
  check(written && written->fields().size() == 1);
  const auto clean = mailauth::withoutForged(message, *header, "mx.test");
  check(clean.size() <= message.size());
  mailauth::parseDmarcRecord(message);
  mailauth::readKeyRecord(message);
  for (const auto form : {mailauth::Canonical::Simple, mailauth::Canonical::Relaxed}) {
    mailauth::BodyHasher pieces(form);
    pieces.update(std::string_view(message).substr(0, size / 2));
    pieces.update(std::string_view(message).substr(size / 2));
    check(pieces.finish() == mailauth::bodyHash(message, form));
  }
  return 0;
}
