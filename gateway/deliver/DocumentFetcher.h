#pragma once
#include "core/app/GatewayLink.h"
#include "core/net/HttpsClient.h"
#include "core/net/Resolver.h"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace postern::gateway {

// The parts of an http or https URL.
struct WebAddress {
  bool plain = false;
  std::string host;  // lower case; an IPv6 address without its brackets
  std::uint16_t port = 0;
  std::string path;
};
std::optional<WebAddress> parseWebAddress(std::string_view url, std::uint16_t httpsPort = 443);

// False for addresses of this machine, of private and of local networks, and for what is no address.
bool isPublicAddress(const std::string& address);

// Fetches documents that are signed themselves, for listd, which has no network. Their URLs stand in certificates that
// others made, so that each address is looked at before it is asked, also behind a redirect: only public ones are,
// unless `Private` says otherwise. The client asks just the addresses that were looked at. Webhooks are called by the
// same rules. Ownership: resolver and client must outlive it. Threads: safe for all.
class DocumentFetcher {
public:
  static constexpr std::uint32_t MaxBytes = 8u << 20;
  static constexpr int MaxRedirects = 2;

  struct Private {  // whether private addresses may be asked
    bool documents = false;
    bool webhooks = false;
  };
  // `httpsPort`: of https addresses that name no port.
  DocumentFetcher(net::Resolver& resolver, net::HttpsClient& client, Private allowed, std::uint16_t httpsPort = 443,
                  std::chrono::milliseconds limit = std::chrono::milliseconds(15000))
      : resolver_(resolver), client_(client), allowed_(allowed), httpsPort_(httpsPort), limit_(limit) {}

  app::FetchedDocument fetch(const app::DocumentRequest& request) const;

private:
  Result<std::vector<std::string>, app::FetchedDocument> addressesOf(const std::string& host, bool webhook) const;

  net::Resolver& resolver_;
  net::HttpsClient& client_;
  const Private allowed_;
  const std::uint16_t httpsPort_;
  const std::chrono::milliseconds limit_;
};

}  // namespace postern::gateway
