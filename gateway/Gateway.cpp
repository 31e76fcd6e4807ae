#include "gateway/Gateway.h"

#include "core/app/GatewayLink.h"
#include "core/base/Log.h"
#include "core/net/Resolver.h"
#include "core/net/TlsClient.h"
#include "core/net/TlsServerContext.h"
#include "core/policy/PolicyHost.h"
#include "gateway/deliver/Deliverer.h"
#include "gateway/GatewayCounters.h"
#include "gateway/inspect/TransactionInspector.h"
#include "gateway/queue/QueueService.h"
#include "gateway/RoutingDirectory.h"
#include "gateway/SealingAcceptor.h"
#include "gateway/smtp/SmtpServer.h"

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
        deliverer(DelivererOptions::from(config), queue, resolver, clientTls, clock),
        service(
            queue, routing, [this](app::GatewayStats& stats) { fillIn(stats); }, [this] { takeRouting(); }) {
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
    if (const auto view = routing.current()) deliverer.setRoutes(view->routes);
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
  Deliverer deliverer;
  QueueService service;
  std::optional<app::GatewayLinkServer> link;
};

Gateway::Gateway(const config::SiteConfig& config) : parts_(std::make_unique<Parts>(config)) {}
Gateway::~Gateway() = default;

}  // namespace postern::gateway
