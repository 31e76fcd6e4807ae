#pragma once
#include "core/net/Resolver.h"

#include <functional>
#include <map>
#include <mutex>
#include <string>

namespace postern::test {

// Answers from what a test put in; names that are not there do not exist. Threads: safe for all.
class FakeResolver : public net::Resolver {
public:
  std::map<std::string, net::DnsAnswer<net::MxRecord>> mxAnswers;
  std::map<std::string, net::DnsAnswer<std::string>> addressAnswers;
  std::map<std::string, net::DnsAnswer<std::string>> txtAnswers;
  std::map<std::string, net::DnsAnswer<net::TlsaRecord>> tlsaAnswers;

  std::function<void(const std::string& name)> before;  // called before each answer: a slow name server

  FakeResolver& mail(const std::string& domain, std::vector<net::MxRecord> records, bool secure = false) {
    mxAnswers[domain] = {net::DnsOutcome::Found, secure, std::chrono::seconds(60), std::move(records), ""};
    return *this;
  }
  FakeResolver& host(const std::string& name, std::vector<std::string> addresses) {
    addressAnswers[name] = {net::DnsOutcome::Found, false, std::chrono::seconds(60), std::move(addresses), ""};
    if (!mxAnswers.contains(name)) mxAnswers[name].outcome = net::DnsOutcome::NoData;
    return *this;
  }
  FakeResolver& broken(const std::string& domain) {
    mxAnswers[domain] = {net::DnsOutcome::Failed, false, {}, {}, "the DNS answered with error code 2 (SERVFAIL)"};
    return *this;
  }

  net::DnsAnswer<net::MxRecord> mx(std::string_view domain) override { return find(mxAnswers, domain); }
  net::DnsAnswer<std::string> addresses(std::string_view host) override { return find(addressAnswers, host); }
  net::DnsAnswer<std::string> txt(std::string_view name) override { return find(txtAnswers, name); }
  net::DnsAnswer<net::TlsaRecord> tlsa(std::string_view name) override { return find(tlsaAnswers, name); }

private:
  template <class Answers>
  typename Answers::mapped_type find(const Answers& answers, std::string_view name) {
    if (before) before(std::string(name));
    const auto found = answers.find(std::string(name));
    if (found != answers.end()) return found->second;
    typename Answers::mapped_type missing;
    missing.outcome = net::DnsOutcome::NoName;
    return missing;
  }
};

}  // namespace postern::test
