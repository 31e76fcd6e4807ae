#include "listd/Listd.h"

#include "core/app/Orders.h"
#include "core/base/Files.h"
#include "core/seal/SmimeSealer.h"
#include "listd/audit/AuditKeeper.h"
#include "listd/expand/GatewayControl.h"
#include "listd/expand/Intake.h"
#include "listd/expand/IntakeWorkers.h"
#include "listd/expand/SendWorkers.h"
#include "listd/expand/SubmitGate.h"
#include "listd/Housekeeping.h"
#include "listd/ledger/EventWorker.h"
#include "listd/orders/OrderDesk.h"

namespace postern::listd {
namespace {

std::string socketFor(const config::SiteConfig& config) {
  files::makePrivateFolder(config.listdSocket().parent_path());
  return config.listdSocket().string();
}

}  // namespace

// In the order of dependence: the last one is stopped first.
struct Listd::Impl {
  Impl(const config::SiteConfig& config, std::unique_ptr<Clock> own, const Clock* given)
      : ownClock(std::move(own)),
        clock(given != nullptr ? *given : *ownClock),
        context(config, clock),
        gateway{config.gatewaySocket().string(), context.root.derive(vault::RootKey::QueueKey)},
        auditKeeper(context, {}),
        housekeeping(context),
        control(context, gateway),
        senders(context, gateway, gate),
        events(context, gateway, gate, [this] { senders.wake(); }),
        intake(context, [this] { senders.wake(); }),
        intakeWorkers(context, gateway, intake, troubles),
        tools{context, control, troubles, passwords, clock.now()},
        desk(tools),
        orders(socketFor(config), [this](std::string_view order, const app::Actor& actor, const nlohmann::json& args) {
          return desk.handle(order, actor, args);
        }) {}

  std::unique_ptr<Clock> ownClock;
  const Clock& clock;
  SiteContext context;
  const GatewayAddress gateway;
  Troubles troubles;
  SubmitGate gate;
  crypto::PasswordHasher passwords;
  AuditKeeper auditKeeper;  // ends after all that may still record
  Housekeeping housekeeping;
  GatewayControl control;
  SendWorkers senders;
  EventWorker events;
  Intake intake;
  IntakeWorkers intakeWorkers;
  OrderTools tools;
  OrderDesk desk;
  app::OrderServer orders;
};

Listd::Listd(const config::SiteConfig& config) {
  seal::selfTest();  // better no copy than one that nobody can open
  impl_ = std::make_unique<Impl>(config, std::make_unique<SystemClock>(config.clockOffset), nullptr);
}

Listd::Listd(const config::SiteConfig& config, const Clock& clock)
    : impl_(std::make_unique<Impl>(config, nullptr, &clock)) {}

Listd::~Listd() = default;

}  // namespace postern::listd
