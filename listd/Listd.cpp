#include "listd/Listd.h"

#include "core/app/Orders.h"
#include "core/base/Error.h"
#include "core/base/Files.h"
#include "core/crypto/Random.h"
#include "core/pgp/Sealer.h"
#include "core/seal/SmimeSealer.h"
#include "listd/audit/AuditKeeper.h"
#include "listd/backup/BackupJob.h"
#include "listd/dkim/DkimDuties.h"
#include "listd/expand/GatewayControl.h"
#include "listd/expand/Intake.h"
#include "listd/expand/IntakeWorkers.h"
#include "listd/expand/ListPolicies.h"
#include "listd/expand/Outbox.h"
#include "listd/expand/SendWorkers.h"
#include "listd/expand/SubmitGate.h"
#include "listd/expand/TakeBacks.h"
#include "listd/export/Exporter.h"
#include "listd/Housekeeping.h"
#include "listd/jobs/JobRunner.h"
#include "listd/keys/KeyHealth.h"
#include "listd/keys/KeyJobs.h"
#include "listd/keys/KeyLookup.h"
#include "listd/ledger/EventWorker.h"
#include "listd/mailout/SiteMailWorker.h"
#include "listd/matters/HoldJournal.h"
#include "listd/orders/OrderDesk.h"
#include "listd/people/SignInWorker.h"
#include "listd/policy/PolicyReplay.h"
#include "listd/probe/DomainProbes.h"
#include "listd/reports/EvidencePack.h"
#include "listd/requests/MinuteWork.h"
#include "listd/retention/Retention.h"
#include "listd/search/IndexAnswers.h"
#include "listd/search/IndexWorker.h"
#include "listd/search/SearchOrders.h"
#include "listd/subscribe/MemberSources.h"
#include "listd/webhooks/WebhookWorker.h"

#include <future>

namespace postern::listd {
namespace {

// A new one each time: an old one in a backup opens nothing.
Secret makeCommandKey(const config::SiteConfig& config) {
  Secret key(crypto::randomToken());
  files::replaceDurably(config.commandKey(), key.view());
  return key;
}

}  // namespace

// In the order of dependence: the last one is stopped first.
struct Listd::Impl {
  Impl(const config::SiteConfig& config, std::unique_ptr<Clock> own, const Clock* given)
      : ownClock(std::move(own)),
        clock(given != nullptr ? *given : *ownClock),
        context(config, clock),
        gateway{config.gatewaySocket().string(), context.root.derive(vault::RootKey::QueueKey)},
        listPolicies(context, gateway.socketPath),
        auditKeeper(context,
                    [](SiteTables& tables, const SiteMail& mail, TimePoint now) { sendSiteMail(tables, mail, now); }),
        restoredHolds(replayHolds(context)),
        housekeeping(context),
        control(context, gateway),
        senders(context, gateway, gate),
        events(context, gateway, gate, [this] { senders.wake(); }),
        siteMail(context, gateway, gate),
        takeBacks(context, control),
        search(config.path("index"), context.root, clock),
        indexer(context, search),
        intake(context,
               [this] {
                 senders.wake();
                 indexer.wake();
               }),
        outbox(context, intake, judgeByGateway(gateway)),
        intakeWorkers(context, gateway, intake, troubles),
        answers(search),
        retention(context, &answers),
        jobs(context),
        tools{context,    control, troubles, passwords, clock.now(), &jobs,   &search,   &indexer,
              &retention, &probes, &outbox,  &lookups,  &dkim,       &intake, &policies, askByGateway(gateway)},
        minuteWork(tools),
        desk(tools, makeCommandKey(config)),
        webOrders(config.webSocket().string(), from(OrderDesk::Entrance::Web), net::LocalListener::For::FolderGroup),
        commandOrders(config.commandSocket().string(), from(OrderDesk::Entrance::CommandLine)) {}

  app::OrderServer::Handler from(OrderDesk::Entrance entrance) {
    return [this, entrance](std::string_view order, const app::Actor& actor, const nlohmann::json& args) {
      return desk.handleFrom(entrance, order, actor, args);
    };
  }

  // Every kind of job is named here, before the first order can come.
  bool runJobs() {
    addKeyJobs(jobs, context);
    addKeyHealth(jobs, context, gateway);
    addSearchJobs(jobs, context, search);
    addBackupJobs(jobs, context, gate, gateway);
    retention.addTo(jobs);
    jobs.add(EvidenceJob, evidenceWork(tools));
    jobs.add(ReplayJob, replayWork(context, policies.ask));
    jobs.add(std::string(SyncJob), syncWork(tools));
    jobs.run();
    return true;
  }

  std::unique_ptr<Clock> ownClock;
  const Clock& clock;
  SiteContext context;
  const GatewayAddress gateway;
  Troubles troubles;
  SubmitGate gate;
  crypto::PasswordHasher passwords;
  ListPolicies listPolicies;
  AuditKeeper auditKeeper;          // ends after all that may still record
  const std::size_t restoredHolds;  // before anything can be destroyed
  Housekeeping housekeeping;
  GatewayControl control;
  SignInWorker signIns{context, app::signInSocket(gateway.socketPath)};
  WebhookWorker webhooks{context, gateway};
  SendWorkers senders;
  EventWorker events;
  SiteMailWorker siteMail;
  TakeBacks takeBacks;
  SearchIndex search;
  IndexWorker indexer;
  ExportSweeper exportSweeper{context};
  EvidenceSweeper evidenceSweeper{context};
  Intake intake;
  Outbox outbox;
  IntakeWorkers intakeWorkers;
  IndexAnswers answers;
  Retention retention;
  DomainProbes probes{context, control};
  KeyLookups lookups{context, gateway};
  DkimDuties dkim{context, lookUpByGateway(gateway)};
  PolicyCare policies{askPoliciesByGateway(gateway), {}, {}};
  JobRunner jobs;  // after all that jobs use
  OrderTools tools;
  MinuteWork minuteWork;
  OrderDesk desk;
  const bool jobsRun{runJobs()};
  RetentionSchedule schedule{context, jobs};
  KeyHealthSchedule keyHealth{context, jobs};
  DkimSchedule dkimSchedule{dkim};
  app::OrderServer webOrders;
  app::OrderServer commandOrders;
};

Listd::Listd(const config::SiteConfig& config) {
  // Better no copy than one that nobody can open: before anything that could make one.
  auto openPgp = std::async(std::launch::async, pgp::selfTest);
  seal::selfTest();
  openPgp.get();
  impl_ = std::make_unique<Impl>(config, std::make_unique<SystemClock>(config.clockOffset), nullptr);
}

Listd::Listd(const config::SiteConfig& config, const Clock& clock)
    : impl_(std::make_unique<Impl>(config, nullptr, &clock)) {}

Listd::~Listd() = default;

bool Listd::alive() {
  try {
    impl_->context.site.write([](SiteTables&) {});
  } catch (const Error&) {
    // It answered. A full disk is no reason to start anew, which would not make room.
  }
  return true;
}

}  // namespace postern::listd
