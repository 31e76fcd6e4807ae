#pragma once
#include "core/base/Mutex.h"
#include "core/net/TlsClient.h"
#include "gateway/deliver/DocumentFetcher.h"
#include "gateway/deliver/NextHop.h"
#include "gateway/report/TlsReporter.h"

#include <memory>

namespace postern::gateway {

// Hands reports over itself, past the queue: they are no copies of anything, have no floor, and must arrive also where
// the TLS that they report of fails (RFC 8460 §3). What it does is not counted. Ownership: what it is given must
// outlive it. Threads: safe for all.
class DirectSender : public ReportSender {
public:
  DirectSender(smtp::ClientSettings settings, NextHopFinder finder, const net::TlsClient& tls,
               const DocumentFetcher& fetcher)
      : settings_(std::move(settings)), finder_(std::move(finder)), tls_(tls), fetcher_(fetcher) {}

  void setRoutes(RouteTable routes);
  std::optional<std::string> mail(const std::string& from, const std::string& to, const std::string& message) override;
  std::optional<std::string> post(const std::string& url, const std::string& compressed) override;

private:
  const smtp::ClientSettings settings_;
  const NextHopFinder finder_;
  const net::TlsClient& tls_;
  const DocumentFetcher& fetcher_;
  Mutex mutex_;
  std::shared_ptr<const RouteTable> routes_ GUARDED_BY(mutex_) = std::make_shared<RouteTable>();
};

}  // namespace postern::gateway
