// rooms: listd
// What it costs that an order of the web UI proves its person by the secret of a session: the same order that reads
// nothing, given by a visitor, with a session, and with a secret that is none; sessions of 10,000 people are there.
//   SessionBench [ROUNDS]
#include "core/base/Files.h"
#include "listd/orders/OrderDesk.h"

#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

using namespace postern;
using namespace postern::listd;
using nlohmann::json;

namespace {

constexpr int People = 10'000;
using Steady = std::chrono::steady_clock;

double microsPerOrder(int rounds, OrderDesk& desk, const app::Actor& actor) {
  const auto start = Steady::now();
  for (int i = 0; i < rounds; ++i) {
    try {
      desk.handle("session.show", actor, json::object());
    } catch (const app::OrderRefused&) {  // nobody is there
    }
  }
  return std::chrono::duration<double, std::micro>(Steady::now() - start).count() / rounds;
}

}  // namespace

int main(int argc, char** argv) {
  const int rounds = argc > 1 ? std::atoi(argv[1]) : 20'000;
  const auto folder = std::filesystem::temp_directory_path() / ("postern-sessions-" + std::to_string(::getpid()));
  files::makePrivateFolder(folder);
  config::SiteConfig config;
  config.dataFolder = folder;
  config.hostName = "mail.lists.example";
  const SystemClock clock;
  SiteContext context(config, clock);
  const GatewayAddress address{config.gatewaySocket().string(), Secret()};
  GatewayControl gateway(context, address);
  Troubles troubles;
  crypto::PasswordHasher passwords;
  OrderTools tools{context, gateway, troubles, passwords, clock.now()};
  OrderDesk desk(tools);
  std::string secret;
  context.site.write([&](SiteTables& tables) {
    for (int i = 0; i < People; ++i) {
      Account account;
      account.name = "person" + std::to_string(i);
      account.roles = app::Role::Helpdesk;
      account.userHandle = account.name;
      account.createdAt = clock.now();
      tables.accounts.add(account);
      secret = tables.sessions.open(SubjectKind::Account, account.name, "192.0.2.1", "Firefox", clock.now()).secret;
    }
  });
  const app::Actor visitor{"system", "webadmin"};
  const app::Actor person{"web", "", secret};
  const app::Actor stranger{"web", "", std::string(43, 'A')};
  microsPerOrder(rounds / 10, desk, person);
  const auto without = microsPerOrder(rounds, desk, visitor);
  const auto with = microsPerOrder(rounds, desk, person);
  const auto wrong = microsPerOrder(rounds, desk, stranger);
  std::printf(
      "order by a visitor %.1f us, with a session %.1f us, with a wrong secret %.1f us; the session costs %.1f us "
      "(must be under 100)\n",
      without, with, wrong, with - without);
  std::filesystem::remove_all(folder);
  return with - without < 100 ? 0 : 1;
}
