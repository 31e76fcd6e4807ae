#pragma once
#include "core/base/Mutex.h"
#include "core/net/IpRange.h"
#include "gateway/queue/RoutingFile.h"
#include "gateway/smtp/Ports.h"

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace postern::gateway {

// The routing view in force, indexed for RCPT. Threads: safe for all; a session sees one view per question.
class RoutingDirectory : public Directory {
public:
  explicit RoutingDirectory(const RoutingFile& routing);
  // `clock` says whether a certificate is in time.
  RoutingDirectory(const RoutingFile& routing, const Clock& clock);

  // Takes the view that is in force in the routing file now.
  void refresh();

  bool ready() const override { return snapshot() != nullptr; }
  bool isLocalDomain(std::string_view domain) const override;
  std::optional<app::RoutedAddress> find(const mail::Address& address) const override;
  std::optional<app::RoutedAddress> outbound(const ClientFacts& client, const mail::Address& from,
                                             const mail::Address& to) const override;
  std::optional<app::RoutedAddress> outboundOfPerson(const mail::Address& from, const mail::Address& to) const override;
  bool isRelay(const ClientFacts& client) const override;
  bool asksCertificate(std::string_view address) const override;
  bool pinsCertificate(std::string_view fingerprint) const override;
  std::string helpLink() const override;

private:
  struct Index {
    std::unordered_set<std::string> domains;
    std::unordered_map<std::string, app::RoutedAddress> addresses;
    struct Relay {
      std::optional<net::IpRange> range;  // none: anywhere, with a certificate
      app::Relay facts;
      bool covers(std::string_view address) const { return !range || range->contains(address); }
    };
    std::vector<Relay> relays;
    std::string helpLink;
  };
  std::shared_ptr<const Index> snapshot() const;
  static void add(Index& index, const app::Relay& relay);
  bool fits(const Index::Relay& relay, const ClientFacts& client) const;

  const RoutingFile& routing_;
  const Clock& clock_;
  mutable Mutex mutex_;
  std::shared_ptr<const Index> index_ GUARDED_BY(mutex_);
};

}  // namespace postern::gateway
