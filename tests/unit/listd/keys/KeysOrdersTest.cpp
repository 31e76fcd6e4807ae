#include "core/vault/KeyBackup.h"
#include "listd/jobs/JobOrders.h"
#include "listd/keys/KeyJobs.h"
#include "listd/orders/OrderDesk.h"
#include "tests/unit/listd/ListdFixture.h"

using namespace postern;
using namespace postern::test;
using nlohmann::json;

namespace {

struct Desk {
  TempFolder folder;
  config::SiteConfig config = siteConfig(folder.path());
  FakeClock clock{realNow()};
  SiteContext context{config, clock};
  const GatewayAddress address{config.gatewaySocket().string(), Secret()};
  GatewayControl gateway{context, address};
  Troubles troubles;
  crypto::PasswordHasher passwords;
  JobRunner jobs{context};
  OrderTools tools{context, gateway, troubles, passwords, clock.now(), &jobs};
  OrderDesk desk{tools};

  Desk() {
    addKeyJobs(jobs, context);
    jobs.run();
  }
  json give(const std::string& order, const json& args = json::object(), const app::Actor& actor = {"cli", "root"}) {
    return desk.handle(order, actor, args);
  }
  std::string refusal(const std::string& order, const json& args, const app::Actor& actor) {
    try {
      give(order, args, actor);
    } catch (const app::OrderRefused& refused) {
      return refused.error().code;
    }
    return {};
  }
  json finished(std::uint64_t id) {
    BOOST_REQUIRE(eventually([&] { return jobs.find(id)->ended(); }));
    return give("job.show", {{"id", id}});
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(listd_keys_KeysOrders)

BOOST_AUTO_TEST_CASE(rotation_of_lists_and_root_is_a_job_with_counts_and_is_recorded) {
  Desk desk;
  const auto board = makeList(desk.context, "board@lists.example", true);
  for (std::uint64_t id = 1; id <= 2500; ++id) desk.context.vault.put(id, board.id, "content");
  auto status = desk.give("keys.status");
  BOOST_TEST(status["current"] == 2500);
  BOOST_TEST(status["total"] == 2500);
  BOOST_TEST(status["rootKey"]["source"] == "file");
  BOOST_TEST(status["rootKey"]["epoch"] == 1);
  BOOST_TEST(status["epochs"][0]["list"] == "board@lists.example");
  BOOST_TEST(status["rotation"]["job"].is_null());
  const auto before = status["epochs"][0]["epoch"].get<std::uint64_t>();

  const auto lists = desk.finished(desk.give("keys.rotate", {{"what", "lists"}})["job"]);
  BOOST_TEST(lists["state"] == "done");
  BOOST_TEST(lists["message"] == "2500 of 2500 objects under the current epoch");
  status = desk.give("keys.status");
  BOOST_TEST(status["epochs"].size() == 1u);
  BOOST_TEST(status["epochs"][0]["epoch"].get<std::uint64_t>() > before);
  BOOST_TEST(status["current"] == 2500);

  const auto root = desk.finished(desk.give("keys.rotate", {{"what", "root"}})["job"]);
  BOOST_TEST(root["state"] == "done");
  BOOST_TEST(desk.give("keys.status")["rootKey"]["epoch"] == 2);
  BOOST_TEST(desk.context.vault.get(2500).value() == "content");
  const auto acts = desk.context.site.read([](SiteTables& tables) { return tables.acts.newest(100); });
  BOOST_TEST(std::count_if(acts.begin(), acts.end(), [](const Act& act) { return act.order == "keys.rotated"; }) == 2);
  BOOST_TEST(desk.refusal("keys.rotate", {{"what", "all"}}, {"cli", "root"}) == "invalid");
}

BOOST_AUTO_TEST_CASE(a_list_rotation_that_was_stopped_goes_on_and_makes_no_second_epoch) {
  Desk desk;
  for (std::uint64_t id = 1; id <= 10; ++id) desk.context.vault.put(id, 7, "content");
  struct Stopped : JobContext {
    Job now;
    json saved;
    int steps = 0;
    const Job& job() const override { return now; }
    void progress(std::uint64_t, std::uint64_t, std::string_view) override { ++steps; }
    json checkpoint() const override { return saved; }
    void saveCheckpoint(const json& checkpoint) override { saved = checkpoint; }
    bool stopRequested() const override { return steps == 1; }
  } job;
  rotateLists(job, desk.context);
  BOOST_TEST(desk.context.keys.epochs().size() == 2u);
  const auto result = rotateLists(job, desk.context);
  BOOST_TEST(result.at("objects") == 10);
  BOOST_TEST(desk.context.keys.epochs().size() == 1u);
  BOOST_TEST(desk.context.keys.epochs().front().id == 2u);
}

BOOST_AUTO_TEST_CASE(a_backup_is_made_noted_and_old_ones_go_after_35_days) {
  Desk desk;
  desk.context.vault.put(1, 7, "content");
  const auto made = desk.give("keys.backup");
  BOOST_TEST(made["keys"] == 1);
  const std::filesystem::path path = made["path"].get<std::string>();
  BOOST_TEST(vault::verifyKeyBackup(path, *desk.context.rootSource).objects == 1u);
  BOOST_TEST(desk.give("keys.status")["backup"]["keepDays"] == 35);
  BOOST_TEST(desk.give("keys.status")["backup"]["age"] == 0);
  desk.clock.advance(std::chrono::days(34));
  desk.give("keys.backup");
  BOOST_TEST(std::filesystem::exists(path));
  desk.clock.advance(std::chrono::days(2));
  desk.give("keys.backup");
  BOOST_TEST(!std::filesystem::exists(path));
}

BOOST_AUTO_TEST_CASE(people_see_the_jobs_that_concern_them) {
  Desk desk;
  using app::Role;
  const app::Actor custodian{.kind = "web", .name = "kim", .roles = Role::Custodian};
  const app::Actor officer{.kind = "web", .name = "olivia", .roles = Role::Officer};
  const app::Actor auditor{.kind = "web", .name = "uma", .roles = Role::Auditor};
  const auto id = desk.give("keys.rotate", {{"what", "lists"}}, custodian)["job"].get<std::uint64_t>();
  desk.finished(id);
  BOOST_TEST(desk.give("job.list", json::object(), custodian)["items"].size() == 1u);
  BOOST_TEST(desk.give("job.list", json::object(), auditor)["items"].size() == 1u);
  BOOST_TEST(desk.give("job.list", json::object(), officer)["items"].empty());
  BOOST_TEST(desk.refusal("job.show", {{"id", id}}, officer) == "not-found");
  BOOST_TEST(desk.refusal("job.cancel", {{"id", id}}, auditor) == "refused");
  BOOST_TEST(desk.refusal("job.cancel", {{"id", id}}, custodian) == "refused");  // it has ended
  BOOST_TEST(!jobReaders("export").has(Role::Admin));
}

BOOST_AUTO_TEST_SUITE_END()
