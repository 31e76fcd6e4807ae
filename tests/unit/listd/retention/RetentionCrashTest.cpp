// kill -9 of the real postern-listd in a retention run, again and again, at random moments. Whatever the moment: what
// is held or not due is readable and unchanged, what is gone has exactly one line, and the run ends.
#include "tests/unit/listd/matters/RecordsFixture.h"
#include "tests/unit/listd/retention/RetentionFixture.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

#include <random>
#include <set>

extern char** environ;

using namespace postern;
using namespace postern::test;

namespace {

constexpr std::uint64_t Objects = 400;

class Program {
public:
  explicit Program(const std::filesystem::path& data) {
    const auto program = std::string(POSTERN_BINARY_DIR) + "/bin/postern-listd";
    const auto folder = data.string();
    std::array<char*, 4> arguments{const_cast<char*>(program.c_str()), const_cast<char*>("--data"),
                                   const_cast<char*>(folder.c_str()), nullptr};
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
    BOOST_REQUIRE_EQUAL(posix_spawn(&pid_, program.c_str(), &actions, nullptr, arguments.data(), environ), 0);
    posix_spawn_file_actions_destroy(&actions);
  }
  ~Program() {
    ::kill(pid_, SIGKILL);
    int status = 0;
    ::waitpid(pid_, &status, 0);
  }
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

private:
  pid_t pid_ = 0;
};

std::string contentOf(std::uint64_t id) {
  return "From: ann@example.org\r\nSubject: canary\r\n\r\ncanary-body " + std::to_string(id) + "\r\n";
}

// Of each eight objects: two on the held list, two not due, four due.
bool isHeld(std::uint64_t id) {
  return id % 8 < 2;
}
bool isYoung(std::uint64_t id) {
  return id % 8 == 2 || id % 8 == 3;
}

struct Stage {
  TempFolder folder;
  config::SiteConfig config = siteConfig(folder.path());
  SystemClock clock;
  std::uint64_t runId = 0;

  Stage() {
    files::replaceDurably(folder / "postern.toml", "[site]\nhost_name = \"mail.lists.example\"\n");
    SiteContext context(config, clock);
    const auto free = makeList(context, "free@lists.example", true);
    const auto held = makeList(context, "held@lists.example", true);
    const auto now = clock.now();
    std::vector<std::string> contents;
    for (std::uint64_t id = 1; id <= Objects; ++id) contents.push_back(contentOf(id));
    std::vector<vault::Vault::NewObject> objects;
    for (std::uint64_t id = 1; id <= Objects; ++id) objects.push_back({id, free.id, contents[id - 1]});
    context.vault.putAll(objects);
    context.site.write([&](SiteTables& tables) {
      for (std::uint64_t id = 1; id <= Objects; ++id) {
        StoredObject object;
        object.id = id;
        object.receivedAt = now - std::chrono::days(isYoung(id) ? 10 : 1000);
        object.size = contents[id - 1].size();
        object.sensitivity = "low";
        tables.archive.add(object, isHeld(id) ? held.id : free.id, 0);
      }
      auto rule =
          records::Rule::parse({{"name", "default"}, {"tier", "default"}, {"effect", "both"}, {"period", "1 year"}});
      rule->effectiveFrom = now - std::chrono::days(2000);
      tables.rules.add({*rule, false, now, "olga", "test", 0});
      Matter matter;
      matter.name = "Case";
      matter.createdBy = "olga";
      HoldRow hold;
      hold.hold.matterId = tables.matters.add(matter);
      hold.hold.name = "H";
      hold.hold.scope.lists = {held.address};
      hold.hold.placedAt = now;
      tables.holds.add(hold);
      tables.retention.trustClock(now);
      Run run;
      run.caller = callerWord(DestructionCaller::RetentionRun);
      run.at = run.startedAt = now;
      run.startedBy = "olga";
      run.approved = Objects;
      runId = tables.retention.addRun(run);
      tables.jobs.add("retention.run", {{"run", runId}}, "olga", now);
    });
  }

  struct Result {
    std::string state;
    std::uint64_t lines = 0;
    std::uint64_t destroyed = 0;
  };
  // After the program is gone and what it began is settled.
  Result check(const std::string& when) {
    SiteContext context(config, clock);
    DestructionGate gate(context);
    gate.finishBegun();
    Result result;
    context.site.read([&](SiteTables& tables) {
      BOOST_TEST(tables.retention.begun(10).empty(), when);
      for (std::uint64_t id = 1; id <= Objects; ++id) {
        const auto line = tables.retention.disposal(id);
        const bool gone = line && line->done;
        const auto content = context.vault.get(id);
        const auto state = tables.archive.find(id)->state;
        BOOST_TEST(content.has_value() == !gone, when << ": object " << id);
        BOOST_TEST((state == ObjectState::Destroyed) == gone, when << ": object " << id);
        if (content) BOOST_TEST((*content == contentOf(id)), when << ": object " << id);
        if (isHeld(id) || isYoung(id)) BOOST_TEST(!gone, when << ": object " << id << " went early");
        if (gone) ++result.destroyed;
      }
      for (const auto& run : tables.retention.runs(1000)) result.lines += tables.retention.lineCount(run.id);
      result.state = tables.retention.run(runId)->state;
    });
    BOOST_TEST(result.lines == result.destroyed, when);
    return result;
  }
};

int rounds() {
  const auto* wanted = std::getenv("POSTERN_CRASH_ROUNDS");
  return wanted == nullptr ? 20 : std::atoi(wanted);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(listd_retention_Crash)

BOOST_AUTO_TEST_CASE(killed_at_random_moments_of_a_run_nothing_goes_early_and_each_has_one_line) {
  std::mt19937 random(20261122);
  BOOST_TEST_MESSAGE("seed 20261122, rounds " << rounds());
  std::optional<Stage> stage;
  std::set<std::uint64_t> between;  // how much was gone when it died
  int runs = 0;
  // The moment is drawn from the time that a whole start and run takes here.
  std::chrono::microseconds whole{400'000};
  for (int round = 0; round < rounds(); ++round) {
    if (!stage) stage.emplace(), ++runs;
    {
      const Program program(stage->folder.path());
      std::this_thread::sleep_for(whole * (random() % 1000) / 1000);
    }
    const auto result = stage->check("round " + std::to_string(round));
    between.insert(result.destroyed);
    if (result.state != "running") stage.reset();
    whole = result.state == "running" ? whole + std::chrono::milliseconds(20) : whole - std::chrono::milliseconds(40);
    whole = std::clamp(whole, std::chrono::microseconds(100'000), std::chrono::microseconds(3'000'000));
  }
  if (!stage) stage.emplace(), ++runs;
  {
    const Program program(stage->folder.path());
    const auto done = [&] {
      auto reader = store::Database::openReader(stage->config.dataFolder / "listd/site.db");
      auto select = reader.prepare("SELECT state FROM retention_runs WHERE id = ?");
      return select.bind(stage->runId).step() && select.view(0) == "done";
    };
    BOOST_TEST(eventually(done));
  }
  const auto result = stage->check("at the end");
  BOOST_TEST(result.state == "done");
  BOOST_TEST(result.destroyed == Objects / 2);
  BOOST_TEST(filesWith(stage->folder.path() / "vault", "canary").empty());
  BOOST_TEST_MESSAGE("archives used " << runs << ", different counts seen at a kill " << between.size());
}

BOOST_AUTO_TEST_SUITE_END()
