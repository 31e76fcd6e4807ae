#include "gateway/Gateway.h"

#include "core/app/GatewayLink.h"
#include "core/base/Error.h"
#include "core/base/Log.h"
#include "core/base/Systemd.h"
#include "core/net/Resolver.h"
#include "core/net/TlsClient.h"
#include "core/net/TlsServerContext.h"
#include "core/policy/PolicyHost.h"
#include "gateway/deliver/Deliverer.h"
#include "gateway/deliver/DirectoryClient.h"
#include "gateway/deliver/DocumentFetcher.h"
#include "gateway/deliver/DomainProber.h"
#include "gateway/deliver/StsPolicies.h"
#include "gateway/GatewayCounters.h"
#include "gateway/GatewayMetrics.h"
#include "gateway/inspect/Companions.h"
#include "gateway/inspect/Dnsbl.h"
#include "gateway/inspect/OwnMail.h"
#include "gateway/inspect/TransactionInspector.h"
#include "gateway/names/NameBook.h"
#include "gateway/policy/PolicyDesk.h"
#include "gateway/queue/QueueDesk.h"
#include "gateway/queue/QueueService.h"
#include "gateway/report/DirectSender.h"
#include "gateway/report/TlsReporter.h"
#include "gateway/RoutingDirectory.h"
#include "gateway/SealingAcceptor.h"
#include "gateway/signin/SignInDesk.h"
#include "gateway/SiteWatch.h"
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

// With the set that listd put in force; on the first start with that of the folder.
policy::PolicyHostOptions policyOptions(const config::SiteConfig& config, const KeptPolicies& kept) {
  policy::PolicyHostOptions options;
  options.initial = kept.texts;
  options.sets = kept.values;
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

// A question of the checks must not outlast them: people's mail servers wait for the reply.
net::ResolverConfig checkResolverOptions(const config::SiteConfig& config) {
  auto options = resolverOptions(config);
  options.deadline = std::min(options.deadline, config.senderCheckTime);
  return options;
}

Dnsbl::Settings dnsblSettings(const config::SiteConfig& config) {
  Dnsbl::Settings settings;
  settings.timeLimit = config.dnsblTime;
  for (const auto& zone : config.dnsbls) {
    Dnsbl::Zone& known = settings.zones.emplace_back(Dnsbl::Zone{zone.zone, static_cast<int>(zone.weight), {}});
    for (const auto& text : zone.replies) {
      const auto reply = DnsblReply::parse(text);
      if (!reply)
        throw Error(ErrorKind::Config, "[[inspection.dnsbl]] replies of " + zone.zone + ": \"" + text +
                                           "\" is no address as in 127.0.0.2 or 127.0.0.4-11");
      known.replies.push_back(*reply);
    }
  }
  return settings;
}

// A zone that hangs must not hold up mail: what it could say is worth little.
net::ResolverConfig dnsblResolverOptions(const config::SiteConfig& config) {
  auto options = resolverOptions(config);
  options.deadline = std::min(options.deadline, config.dnsblTime);
  return options;
}

SenderChecks::Settings senderCheckSettings(const config::SiteConfig& config) {
  const auto scope = parseSenderCheckScope(config.senderChecks);
  if (!scope)
    throw Error(ErrorKind::Config,
                "[gateway] sender_checks is \"" + config.senderChecks + "\"; say off, outside or all");
  return {*scope, config.hostName, config.senderCheckTime};
}

StsPolicies::Options stsOptions(const config::SiteConfig& config) {
  StsPolicies::Options options;
  options.folder = config.path("gateway/mta-sts");
  options.port = static_cast<std::uint16_t>(config.httpsPort);
  return options;
}

TlsReporter::Options reporterOptions(const config::SiteConfig& config) {
  TlsReporter::Options options;
  options.folder = config.path("gateway/tls-reports");
  options.hostName = config.hostName;
  options.contact = config.tlsReportContact;
  // With ports of its own the site is a test, where nobody waits for hours.
  if (config.mxPort != 25) {
    options.spread = std::chrono::minutes(1);
    options.pause = std::chrono::milliseconds(500);
  }
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

// A set that does not load is not fatal: what is queued waits, and `postern status` says what is wrong.
void addPolicyProblems(const policy::PolicyHost& policies, app::GatewayStats& stats) {
  const auto status = policies.status();
  if (!status.hasSet)
    stats.problems.emplace_back(
        "No policies are in force, so that every message is deferred and nothing is delivered: run postern policy "
        "test.");
}

app::TextAnswer textOf(net::DnsAnswer<std::string> answer) {
  using Outcome = app::TextAnswer::Outcome;
  const bool failed = answer.outcome == net::DnsOutcome::Failed || answer.outcome == net::DnsOutcome::Bogus;
  const bool found = answer.outcome == net::DnsOutcome::Found;
  return {found    ? Outcome::Found
          : failed ? Outcome::Failed
                   : Outcome::None,
          std::move(answer.records), std::move(answer.problem)};
}

}  // namespace

// In the order of making; destroyed the other way round.
struct Gateway::Parts {
  explicit Parts(const config::SiteConfig& settings)
      : config(settings),
        clock(config.clockOffset),
        queue(queueOptions(config), clock),
        routing(config.path("gateway/routing.bin")),
        directory(routing, clock),
        acceptor(queue, routing),
        counters(queue),
        policyFile(config.path("gateway/policies.bin")),
        keptPolicies(policyFile.readOrNone()),
        policies(policyOptions(config, keptPolicies)),
        hostPolicies(policies),
        shadow(hostPolicies, clock),
        checkResolver(checkResolverOptions(config)),
        senderChecks(senderCheckSettings(config), checkResolver, directory, clock),
        companions(Companions::Settings::of(config)),
        dnsblResolver(dnsblResolverOptions(config)),
        dnsbl(dnsblSettings(config), dnsblResolver),
        inspector(shadow, directory, &senderChecks, &companions, config.dnsbls.empty() ? nullptr : &dnsbl,
                  config.dnsblReject),
        policyDesk(policies, policyOptions(config, {}), policyFile, keptPolicies, inspector, directory, shadow),
        signIns(clock),
        names(config, clock),
        serverTls(config.path(config.certificate), config.path(config.certificateKey),
                  config.clientAuthorities.empty() ? std::filesystem::path() : config.path(config.clientAuthorities)),
        server(serverSettingsOf(config), Ports{directory, inspector, acceptor, counters, clock, &signIns, &names},
               &serverTls),
        resolver(resolverOptions(config)),
        clientTls(config.path(config.trustAnchors)),
        https(config.path(config.trustAnchors)),
        sts(stsOptions(config), resolver, https, clock),
        tlsCounters(config.path("gateway/tls-reports"), clock),
        deliverer(DelivererOptions::from(config), queue, resolver, clientTls, clock, &sts,
                  config.tlsReportContact.empty() ? nullptr : &tlsCounters),
        queueDesk(queue, deliverer),
        prober(probeSettings(config), NextHopFinder(DelivererOptions::from(config).hops, resolver, &sts), clientTls,
               clock),
        fetcher(resolver, https, {config.revocationHosts == "private", config.webhookHosts == "private"},
                static_cast<std::uint16_t>(config.httpsPort)),
        directories(resolver, config.path(config.trustAnchors)),
        reportSender(probeSettings(config), NextHopFinder(DelivererOptions::from(config).hops, resolver), clientTls,
                     fetcher),
        reporter(reporterOptions(config), tlsCounters, resolver, reportSender, clock, &reportKeys),
        watch(
            config, resolver, [this] { return ownDomains(); }, clock),
        service(
            queue, routing, [this](app::GatewayStats& stats) { fillIn(stats); }, [this] { takeRouting(); },
            [this](std::string_view domain, bool fresh, std::chrono::milliseconds wait) {
              return prober.probe(std::string(domain), fresh, wait);
            },
            [this](const app::DocumentRequest& request) { return fetcher.fetch(request); },
            [this](const app::LdapQuestion& question) { return directories.ask(question); },
            [this](const app::Submission& submission) { return judgeOwnMail(inspector, counters, submission); },
            [this] { return metricsPage(); }) {
    serverTls.setNames(NameBook::certificatesOf(config));
    service.answerNamesBy([this] { return names.uses(serverTls.problems()); });
    service.answerTextBy([this](std::string_view name) { return textOf(checkResolver.txt(name)); });
    service.judgeListsBy(policies);
    service.giveReportKeysTo([this](std::vector<app::ReportKey> keys) { reportKeys.set(std::move(keys)); });
    service.answerQueueBy(
        [this](std::string_view action, std::string_view request) { return queueDesk.answer(action, request); });
    service.answerPoliciesBy([this](std::string_view action, std::string_view request, std::string_view submission) {
      return policyDesk.answer(action, request, submission);
    });
    takeRouting();
    deliverer.judgeBy(policies);
    deliverer.start();
    server.adopt(systemd::takeSockets("smtp"), systemd::takeSockets("smtps"), systemd::takeSockets("submission"),
                 systemd::takeSockets("submissions"));
    if (!config.tlsReportContact.empty()) reporter.start();
    server.start();
    link.emplace(config.gatewaySocket().string(), service);
    signInServer.emplace(app::signInSocket(config.gatewaySocket()), signIns);
  }

  ~Parts() {
    server.stop();
    signIns.stop();
    signInServer.reset();
    queue.wakeAll();
    link.reset();
    deliverer.stop();
  }

  void takeRouting() {
    directory.refresh();
    acceptor.refresh();
    const auto view = routing.current();
    if (!view) return;
    const RouteTable routes(view->routes, view->trustedDomains, view->distrustedDomains, view->shapes);
    deliverer.setRoutes(routes);
    prober.setRoutes(routes);
    reportSender.setRoutes(routes);
  }

  std::vector<std::string> ownDomains() {
    const auto view = routing.current();
    return view ? view->listDomains : std::vector<std::string>();
  }

  std::string metricsPage() {
    auto stats = queue.stats();
    fillIn(stats);
    return gateway::metricsPage(stats, config, names.uses(serverTls.problems()), clock.now());
  }

  void fillIn(app::GatewayStats& stats) {
    counters.fillIn(stats);
    addPolicyProblems(policies, stats);
    stats.findings = watch.findings();
    for (auto& finding : findingsOf(names.uses(serverTls.problems()), clock.now()))
      stats.findings.push_back(std::move(finding));
    for (auto& problem : senderChecks.problems()) stats.problems.push_back(std::move(problem));
    for (auto& problem : deliverer.problems()) stats.problems.push_back(std::move(problem));
  }

  const config::SiteConfig config;
  SystemClock clock;
  QueueStore queue;
  RoutingFile routing;
  RoutingDirectory directory;
  SealingAcceptor acceptor;
  GatewayCounters counters;
  const PolicyFile policyFile;
  const KeptPolicies keptPolicies;
  policy::PolicyHost policies;
  HostPolicies hostPolicies;
  Shadow shadow;
  net::UnboundResolver checkResolver;
  SenderChecks senderChecks;
  Companions companions;
  net::UnboundResolver dnsblResolver;
  Dnsbl dnsbl;
  TransactionInspector inspector;
  PolicyDesk policyDesk;
  SignInDesk signIns;
  NameBook names;
  net::TlsServerContext serverTls;
  SmtpServer server;
  net::UnboundResolver resolver;
  net::TlsClient clientTls;
  net::CurlHttpsClient https;
  StsPolicies sts;
  TlsCounters tlsCounters;
  Deliverer deliverer;
  QueueDesk queueDesk;
  DomainProber prober;
  DocumentFetcher fetcher;
  DirectoryClient directories;
  DirectSender reportSender;
  ReportKeys reportKeys;
  TlsReporter reporter;
  SiteWatch watch;
  QueueService service;
  std::optional<app::GatewayLinkServer> link;
  std::optional<app::SignInServer> signInServer;
};

Gateway::Gateway(const config::SiteConfig& config) : parts_(std::make_unique<Parts>(config)) {}
Gateway::~Gateway() = default;

void Gateway::reload(const config::SiteConfig& config) {
  parts_->server.reload(serverSettingsOf(config));
  parts_->names.set(config);
  parts_->serverTls.setNames(NameBook::certificatesOf(config));
  if (const auto problem = parts_->serverTls.reload(); !problem.empty())
    log::error("tls", "the certificate was not read again", {{"reason", problem}});
}

bool Gateway::alive() {
  parts_->queue.stats();  // waits for the queue's lock
  return parts_->server.turns();
}

}  // namespace postern::gateway
