#include "gateway/Gateway.h"

#include "core/app/GatewayLink.h"
#include "core/base/Log.h"
#include "core/net/Resolver.h"
#include "core/net/TlsClient.h"
#include "core/net/TlsServerContext.h"
#include "core/policy/PolicyHost.h"
#include "gateway/deliver/Deliverer.h"
#include "gateway/deliver/DocumentFetcher.h"
#include "gateway/deliver/DomainProber.h"
#include "gateway/deliver/StsPolicies.h"
#include "gateway/GatewayCounters.h"
#include "gateway/inspect/TransactionInspector.h"
#include "gateway/queue/QueueService.h"
#include "gateway/RoutingDirectory.h"
#include "gateway/SealingAcceptor.h"
#include "gateway/smtp/SmtpServer.h"

#include <algorithm>

namespace postern::gateway {

namespace {

QueueStore::Options queueOptions(const config::SiteConfig& config) {
  QueueStore::Options options;
  options.folder = config.path("gateway");
  options.minFreeSpace = config.minFreeSpace;
  return options;
}

policy::PolicyHostOptions policyOptions(const config::SiteConfig& config) {
  policy::PolicyHostOptions options;
  options.folder = config.path(config.policyFolder);
  options.workers = config.policyWorkers;
  options.limits.timeout = config.policyTimeout;
  return options;
}

net::ResolverConfig resolverOptions(const config::SiteConfig& config) {
  net::ResolverConfig options;
  options.server = config.resolver;
  options.trustAnchor = config.dnsTrustAnchor;
  return options;
}

StsPolicies::Options stsOptions(const config::SiteConfig& config) {
  StsPolicies::Options options;
  options.folder = config.path("gateway/mta-sts");
  return options;
}

// People wait for a probe, so a server gets less time than for mail.
smtp::ClientSettings probeSettings(const config::SiteConfig& config) {
  constexpr std::chrono::milliseconds Longest{15000};
  auto settings = DelivererOptions::from(config).client;
  settings.connectTimeout = std::min(settings.connectTimeout, Longest);
  settings.replyTimeout = std::min(settings.replyTimeout, Longest);
  return settings;
}

// A set that does not load is not fatal: what is queued must still go out, and `postern status` says what is wrong.
void addPolicyProblems(const policy::PolicyHost& policies, app::GatewayStats& stats) {
  const auto status = policies.status();
  if (!status.hasSet)
    stats.problems.emplace_back(
        "No policies are in force, so that every message is deferred: run postern policy test.");
}

}  // namespace

// In the order of making; destroyed the other way round.
struct Gateway::Parts {
  explicit Parts(const config::SiteConfig& config)
      : clock(config.clockOffset),
        queue(queueOptions(config), clock),
        routing(config.path("gateway/routing.bin")),
        directory(routing),
        acceptor(queue, routing),
        counters(queue),
        policies(policyOptions(config)),
        hostPolicies(policies),
        inspector(hostPolicies, directory),
        serverTls(config.path(config.certificate), config.path(config.certificateKey)),
        server(serverSettingsOf(config), Ports{directory, inspector, acceptor, counters, clock}, &serverTls),
        resolver(resolverOptions(config)),
        clientTls(config.path(config.trustAnchors)),
        https(config.path(config.trustAnchors)),
        sts(stsOptions(config), resolver, https, clock),
        deliverer(DelivererOptions::from(config), queue, resolver, clientTls, clock, &sts),
        prober(probeSettings(config), NextHopFinder(DelivererOptions::from(config).hops, resolver, &sts), clientTls,
               clock),
        fetcher(resolver, https, config.revocationHosts == "private"),
        service(
            queue, routing, [this](app::GatewayStats& stats) { fillIn(stats); }, [this] { takeRouting(); },
            [this](std::string_view domain, bool fresh, std::chrono::milliseconds wait) {
              return prober.probe(std::string(domain), fresh, wait);
            },
            [this](const app::DocumentRequest& request) { return fetcher.fetch(request); }) {
    takeRouting();
    deliverer.start();
    server.start();
    link.emplace(config.gatewaySocket().string(), service);
  }

  ~Parts() {
    server.stop();
    queue.wakeAll();
    link.reset();
    deliverer.stop();
  }

  void takeRouting() {
    directory.refresh();
    acceptor.refresh();
    const auto view = routing.current();
    if (!view) return;
    const RouteTable routes(view->routes, view->trustedDomains, view->distrustedDomains);
    deliverer.setRoutes(routes);
    prober.setRoutes(routes);
  }

  void fillIn(app::GatewayStats& stats) {
    counters.fillIn(stats);
    addPolicyProblems(policies, stats);
    for (auto& problem : deliverer.problems()) stats.problems.push_back(std::move(problem));
  }

  SystemClock clock;
  QueueStore queue;
  RoutingFile routing;
  RoutingDirectory directory;
  SealingAcceptor acceptor;
  GatewayCounters counters;
  policy::PolicyHost policies;
  HostPolicies hostPolicies;
  TransactionInspector inspector;
  net::TlsServerContext serverTls;
  SmtpServer server;
  net::UnboundResolver resolver;
  net::TlsClient clientTls;
  net::CurlHttpsClient https;
  StsPolicies sts;
  Deliverer deliverer;
  DomainProber prober;
  DocumentFetcher fetcher;
  QueueService service;
  std::optional<app::GatewayLinkServer> link;
};

Gateway::Gateway(const config::SiteConfig& config) : parts_(std::make_unique<Parts>(config)) {}
Gateway::~Gateway() = default;

}  // namespace postern::gateway
