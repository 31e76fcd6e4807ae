#pragma once
#include "core/base/Mutex.h"
#include "core/mailauth/Dns.h"

#include <atomic>
#include <functional>
#include <map>

namespace postern::mailauth {

// Remembers what the checks of one message asked of TXT records, so that checks side by side ask once, and a question
// that was answered in time is not late afterwards. Counts, to tell a dead DNS. Threads: safe for all if `dns` is.
// Ownership: `dns` must outlive it.
class MemoDns : public Dns {
public:
  explicit MemoDns(Dns& dns) : dns_(dns) {}

  net::DnsAnswer<std::string> txt(std::string_view name) override;
  net::DnsAnswer<std::string> ipv4(std::string_view host) override { return noted(dns_.ipv4(host)); }
  net::DnsAnswer<std::string> ipv6(std::string_view host) override { return noted(dns_.ipv6(host)); }
  net::DnsAnswer<net::MxRecord> mx(std::string_view domain) override { return noted(dns_.mx(domain)); }
  net::DnsAnswer<std::string> pointers(std::string_view address) override { return noted(dns_.pointers(address)); }

  unsigned asked() const { return asked_; }
  unsigned answered() const { return answered_; }  // also that there is no such name

private:
  template <class Record>
  net::DnsAnswer<Record> noted(net::DnsAnswer<Record> answer) {
    ++asked_;
    if (answer.outcome != net::DnsOutcome::Failed) ++answered_;
    return answer;
  }

  Dns& dns_;
  Mutex mutex_;
  std::map<std::string, net::DnsAnswer<std::string>, std::less<>> texts_ GUARDED_BY(mutex_);
  std::atomic<unsigned> asked_ = 0;
  std::atomic<unsigned> answered_ = 0;
};

}  // namespace postern::mailauth
