#include "core/base/Error.h"
#include "core/base/Files.h"
#include "core/crypto/Digest.h"
#include "core/vault/KeyBackup.h"
#include "listd/backup/BackupJob.h"
#include "listd/backup/Rehearsal.h"
#include "listd/keys/KeyJobs.h"
#include "tests/unit/listd/ListdFixture.h"

#include <sqlite3.h>

#include <thread>

using namespace postern;
using namespace postern::test;
using nlohmann::json;

namespace {

struct Quiet : JobContext {
  Job now;
  const Job& job() const override { return now; }
  void progress(std::uint64_t, std::uint64_t, std::string_view) override {}
  json checkpoint() const override { return {}; }
  void saveCheckpoint(const json&) override {}
  bool stopRequested() const override { return false; }
};

struct World {
  TempFolder folder;
  config::SiteConfig config = siteConfig(folder.path());
  FakeClock clock{realNow()};
  SubmitGate gate;
  std::optional<SiteContext> context;
  std::uint64_t list = 0;

  World() {
    context.emplace(config, clock);
    list = makeList(*context, "board@lists.example", true).id;
  }

  void keep(std::uint64_t id, const std::string& content) {
    context->vault.put(id, list, content);
    context->site.write([&](SiteTables& tables) {
      StoredObject object;
      object.id = id;
      object.receivedAt = clock.now();
      object.size = content.size();
      object.sensitivity = "low";
      object.digest = crypto::sha256(content);
      tables.archive.add(object, list, id);
    });
  }

  json prepare(const std::function<void()>& copyQueue = [] {}) {
    Quiet job;
    return prepareBackup(job, *context, gate, copyQueue);
  }

  // As `postern backup restore` puts it into place.
  config::SiteConfig restored(const json& made) {
    const auto target = folder / "restored";
    auto copy = siteConfig(target);
    files::makePrivateFolder(target / "listd");
    std::filesystem::copy_file(folder / "listd/backup/site.db", target / "listd/site.db");
    std::filesystem::copy(folder / "vault", target / "vault", std::filesystem::copy_options::recursive);
    files::makePrivateFolder(target / "keys");
    std::filesystem::copy_file(config.path(config.rootKey), copy.path(copy.rootKey));
    vault::restoreKeyBackup(folder / made.at("keys").get<std::string>(), *context->rootSource, target / "keys/keys.db",
                            target / "journal/register.log", false);
    return copy;
  }
};

void execute(const std::filesystem::path& file, const char* sql) {
  sqlite3* database = nullptr;
  BOOST_REQUIRE(sqlite3_open(file.c_str(), &database) == SQLITE_OK);
  BOOST_REQUIRE(sqlite3_exec(database, sql, nullptr, nullptr, nullptr) == SQLITE_OK);
  sqlite3_close(database);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(listd_backup_Backup)

BOOST_AUTO_TEST_CASE(what_was_prepared_opens_as_it_was_at_that_moment) {
  World world;
  for (std::uint64_t id = 1; id <= 5; ++id) world.keep(id, "content " + std::to_string(id));
  const auto made = world.prepare();
  BOOST_TEST(made.at("objects") == 5);
  world.keep(6, "too late");
  const auto report = rehearse(world.restored(made), world.clock, {{"samples", 0}});
  BOOST_TEST(report.at("objects") == 5);
  BOOST_TEST(report.at("opened") == 5);
  BOOST_TEST(report.at("unreadable").empty());
  BOOST_TEST(report.at("withoutKey") == 0);
}

BOOST_AUTO_TEST_CASE(the_queue_is_copied_before_the_site_and_nothing_is_handed_over_meanwhile) {
  World world;
  std::atomic<bool> handedOver = false;
  std::jthread sender;
  const auto made = world.prepare([&] {
    sender = std::jthread([&] {
      const SubmitGate::HandingOver inside(world.gate);
      handedOver = true;
    });
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    BOOST_TEST(!handedOver);
    world.keep(1, "planned after the queue was copied");
  });
  sender.join();
  BOOST_TEST(handedOver);
  BOOST_TEST(made.at("objects") == 1);
}

BOOST_AUTO_TEST_CASE(a_message_without_its_key_stops_the_backup_and_a_destroyed_one_does_not) {
  World world;
  for (std::uint64_t id = 1; id <= 3; ++id) world.keep(id, "content");
  world.context->vault.destroy(1);
  world.context->site.write(
      [&](SiteTables& tables) { tables.archive.setState(1, ObjectState::Destroyed, world.clock.now()); });
  BOOST_TEST(world.prepare().at("objects") == 2);
  world.clock.advance(std::chrono::hours(24));
  world.context.reset();
  execute(world.folder / "keys/keys.db", "DELETE FROM object_keys WHERE object_id = 2");
  world.context.emplace(world.config, world.clock);
  BOOST_CHECK_EXCEPTION(world.prepare(), Error,
                        [](const Error& error) { return error.message().find("objects 2)") != std::string::npos; });
  BOOST_TEST(!std::filesystem::exists(world.folder / "listd/backup"));
}

BOOST_AUTO_TEST_CASE(a_missing_epoch_key_stops_the_backup) {
  World world;
  world.keep(1, "content");
  world.context.reset();
  execute(world.folder / "keys/keys.db", "DELETE FROM epochs");
  world.context.emplace(world.config, world.clock);
  BOOST_CHECK_THROW(world.prepare(), Error);
}

BOOST_AUTO_TEST_CASE(what_was_destroyed_after_the_backup_is_not_readable_after_it_came_back) {
  World world;
  world.keep(1, "destroyed later");
  world.keep(2, "stays");
  const auto made = world.prepare();
  world.context->vault.destroy(1);
  const auto config = world.restored(made);
  // The register of the lost machine survived.
  std::filesystem::copy_file(world.folder / "journal/register.log", config.path("journal/register.log"),
                             std::filesystem::copy_options::overwrite_existing);
  const auto report = rehearse(config, world.clock, {{"samples", 0}});
  BOOST_TEST(report.at("objects") == 1);
  BOOST_TEST(report.at("opened") == 1);
  BOOST_TEST(report.at("tombstones") == 1);
}

BOOST_AUTO_TEST_CASE(a_changed_content_is_told_and_the_restore_stands_in_the_log) {
  World world;
  world.keep(1, "content");
  const auto made = world.prepare();
  const auto config = world.restored(made);
  execute(config.dataFolder / "listd/site.db", "UPDATE objects SET digest = x'00'");
  const auto report = rehearse(
      config, world.clock,
      {{"samples", 1},
       {"declare",
        {{"reason", "the disk died"}, {"requester", "ada"}, {"approver", "bob"}, {"checkpoints", json::array()}}}});
  BOOST_TEST(report.at("changed") == json::array({1}));
  BOOST_TEST(report.at("opened") == 0);
  const SiteContext context(config, world.clock);
  auto& site = const_cast<SiteStore&>(context.site);
  site.read([](SiteTables& tables) {
    AuditFilter filter;
    filter.action = std::string(audit::RollbackAction);
    BOOST_TEST(tables.audit.list(filter).size() == 1u);
  });
}

BOOST_AUTO_TEST_SUITE_END()
