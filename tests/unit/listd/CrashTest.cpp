// kill -9 of the real postern-listd at every step of its work with the gateway. Whatever the moment: after a restart
// every member has every copy exactly once, notices and reports too, and nothing is left over.
#include "core/app/Orders.h"
#include "tests/unit/listd/FakeGateway.h"
#include "tests/unit/listd/ListdFixture.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

#include <nlohmann/json.hpp>
#include <random>

extern char** environ;

using namespace postern;
using namespace postern::test;
using nlohmann::json;

namespace {

constexpr int Members = 40;  // more than the first batch holds

// The program, killed by the destructor at the latest.
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
    pid_t pid = 0;
    BOOST_REQUIRE_EQUAL(posix_spawn(&pid, program.c_str(), &actions, nullptr, arguments.data(), environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    pid_ = pid;
  }
  ~Program() {
    kill();
    int status = 0;
    ::waitpid(pid_, &status, 0);
  }
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  void kill() const { ::kill(pid_, SIGKILL); }

private:
  pid_t pid_ = 0;
};

struct Stage {
  TempFolder folder;
  config::SiteConfig config = siteConfig(folder.path());
  SystemClock clock;
  FakeGateway gateway;
  std::unique_ptr<app::GatewayLinkServer> server;
  std::unique_ptr<Program> program;

  Stage() {
    files::replaceDurably(folder / "postern.toml", "[site]\nhost_name = \"mail.lists.example\"\n");
    SiteContext context(config, clock);
    const auto board = makeList(context, "board@lists.example", true);
    for (int i = 0; i < Members; ++i) {
      const auto address = "m" + std::to_string(100 + i) + "@example.org";
      if (i % 10 != 0) addKey(context, memberCertificate(address, clock.now()));
      addMember(context, board, address);
    }
    files::makePrivateFolder(config.gatewaySocket().parent_path());
    server = std::make_unique<app::GatewayLinkServer>(config.gatewaySocket().string(), gateway);
  }

  void start() { program = std::make_unique<Program>(folder.path()); }

  bool done() {
    try {
      const auto posts = app::OrderClient(config.commandSocket().string())
                             .give("post.list", {"cli", "test", files::read(config.commandKey())}, json::object());
      const auto& items = posts.at("items");
      return !items.empty() && items.front().at("state") == "done" && gateway.unfinished() == 0 &&
             gateway.unacknowledged() == 0;
    } catch (const std::exception&) {
      return false;  // not up yet
    }
  }

  // How often each address got what.
  std::map<std::string, int> counts(app::Copy::Kind kind) const {
    std::map<std::string, int> counts;
    for (const auto& item : gateway.delivered())
      if (item.copy.kind == kind) ++counts[item.copy.recipient];
    return counts;
  }

  void expectAllOnce(const std::string& when) {
    const auto copies = counts(app::Copy::Kind::Content);
    BOOST_TEST(copies.size() == 36u, when);
    for (const auto& [address, count] : copies) BOOST_TEST(count == 1, when << ": " << address);
    const auto notices = counts(app::Copy::Kind::Notice);
    BOOST_TEST(notices.size() == 4u, when);
    for (const auto& [address, count] : notices) BOOST_TEST(count == 1, when << ": notice to " << address);
    BOOST_TEST(counts(app::Copy::Kind::Report)["m101@example.org"] == 1, when);
  }
};

// Kills the program the `nth` time that it comes to the step, then starts it again.
void killAt(const std::string& wanted, int nth) {
  const auto when = wanted + " " + std::to_string(nth);
  Stage stage;
  std::atomic<int> seen = 0;
  std::atomic<bool> reached = false;
  std::atomic<bool> killed = false;
  stage.gateway.onStep = [&](const std::string& step) {
    if (step == wanted && ++seen == nth && !reached.exchange(true)) {
      stage.program->kill();
      killed = true;
      throw Error(ErrorKind::Unavailable, "the program was killed here");
    }
  };
  stage.start();
  BOOST_REQUIRE(eventually([&] { return !stage.gateway.routing().vaultPublicKey.empty(); }));
  stage.gateway.accept(submissionTo({"board@lists.example"}, "m101@example.org", "x", "Hello"));
  BOOST_REQUIRE_MESSAGE(eventually([&] { return killed.load(); }), when << " was never reached");
  stage.program.reset();
  stage.start();
  BOOST_TEST_REQUIRE(eventually([&] { return stage.done(); }), when);
  stage.expectAllOnce(when);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(listd_Crash)

BOOST_AUTO_TEST_CASE(killed_when_it_takes_a_message_or_finishes_it) {
  killAt("take", 1);
  killAt("finish", 1);
  killAt("finished", 1);
}

BOOST_AUTO_TEST_CASE(killed_before_and_after_each_batch) {
  killAt("tail", 1);
  for (int batch = 1; batch <= 3; ++batch) {
    killAt("submit", batch);
    killAt("submitted", batch);
  }
}

BOOST_AUTO_TEST_CASE(killed_when_it_takes_events) {
  killAt("events", 1);
  killAt("events", 2);
}

// The narrowest place: a batch reached the gateway, the note of that was lost in the crash, and the outcome is told,
// recorded and about to be acknowledged just while the batch is handed over again. See SubmitGate.
BOOST_AUTO_TEST_CASE(an_outcome_that_comes_while_copies_are_handed_over_again_makes_no_duplicate) {
  Stage stage;
  std::atomic<int> submits = 0;
  std::atomic<bool> killed = false;
  std::atomic<bool> restarted = false;
  std::atomic<bool> again = false;
  stage.gateway.onStep = [&](const std::string& step) {
    if (step == "events" && !restarted) throw Error(ErrorKind::Unavailable, "not yet");
    if (step == "submitted" && ++submits == 1) {
      stage.program->kill();
      killed = true;
      throw Error(ErrorKind::Unavailable, "the program was killed here");
    }
    if (step == "events" && restarted) eventually([&] { return again.load(); });
    if (step == "submit" && restarted && !again.exchange(true)) {
      const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(1);
      while (stage.gateway.unacknowledged() > 0 && std::chrono::steady_clock::now() < end)
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  };
  stage.start();
  BOOST_REQUIRE(eventually([&] { return !stage.gateway.routing().vaultPublicKey.empty(); }));
  stage.gateway.accept(submissionTo({"board@lists.example"}, "m101@example.org", "x", "Hello"));
  BOOST_REQUIRE(eventually([&] { return killed.load(); }));
  stage.program.reset();
  restarted = true;
  stage.start();
  BOOST_TEST_REQUIRE(eventually([&] { return stage.done(); }));
  BOOST_TEST(again.load());
  stage.expectAllOnce("handed over again");
}

BOOST_AUTO_TEST_CASE(killed_at_random_moments_again_and_again) {
  Stage stage;
  stage.start();
  BOOST_REQUIRE(eventually([&] { return !stage.gateway.routing().vaultPublicKey.empty(); }));
  stage.gateway.accept(submissionTo({"board@lists.example"}, "m101@example.org", "x", "Hello"));
  std::mt19937 random(20260301);
  for (int round = 0; round < 25 && !stage.done(); ++round) {
    std::this_thread::sleep_for(std::chrono::milliseconds(random() % 120));
    stage.program.reset();
    stage.start();
  }
  BOOST_TEST_REQUIRE(eventually([&] { return stage.done(); }));
  stage.expectAllOnce("random");
}

BOOST_AUTO_TEST_SUITE_END()
