#include "listd/jobs/JobOrders.h"
#include "tests/unit/listd/ListdFixture.h"

using namespace postern;
using namespace postern::test;
using nlohmann::json;

namespace {

struct Stage {
  TempFolder folder;
  config::SiteConfig config = siteConfig(folder.path());
  SystemClock clock;
  SiteContext context{config, clock};
  std::unique_ptr<JobRunner> jobs = std::make_unique<JobRunner>(context);

  std::uint64_t start(const std::string& kind, const json& args = json::object()) {
    const auto id = context.site.write([&](SiteTables& tables) { return jobs->start(tables, kind, args, "olivia"); });
    jobs->wake();
    return id;
  }
  std::string state(std::uint64_t id) { return jobs->find(id)->state; }
  bool ends(std::uint64_t id, const std::string& as) {
    return eventually([&] { return jobs->find(id)->ended(); }) && state(id) == as;
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(listd_jobs_JobRunner)

BOOST_AUTO_TEST_CASE(runs_a_job_and_keeps_its_result) {
  Stage stage;
  stage.jobs->add("count", [](JobContext& job) {
    job.progress(3, 4, "counting");
    return json{{"sum", job.job().args.at("a").get<int>() + 1}};
  });
  stage.jobs->run();
  const auto id = stage.start("count", {{"a", 41}});
  BOOST_TEST(stage.ends(id, "done"));
  const auto job = *stage.jobs->find(id);
  BOOST_TEST(job.result.at("sum") == 42);
  BOOST_TEST(job.done == 3u);
  BOOST_TEST(job.message == "counting");
  BOOST_TEST(job.startedBy == "olivia");
  BOOST_TEST((job.finishedAt >= job.createdAt));
  BOOST_CHECK_THROW(stage.start("unknown"), Error);
}

BOOST_AUTO_TEST_CASE(a_failed_job_says_why) {
  Stage stage;
  stage.jobs->add("fail", [](JobContext&) -> json { throw Error(ErrorKind::DiskFull, "no room on the disk"); });
  stage.jobs->add("refuse", [](JobContext&) -> json { refuse("refused", "not now", "later"); });
  stage.jobs->run();
  const auto one = stage.start("fail"), two = stage.start("refuse");
  BOOST_TEST(stage.ends(one, "failed"));
  BOOST_TEST(stage.jobs->find(one)->message == "no room on the disk");
  BOOST_TEST(stage.ends(two, "failed"));
  BOOST_TEST(stage.jobs->find(two)->message == "not now; later");
}

BOOST_AUTO_TEST_CASE(jobs_of_a_kind_run_one_after_another_and_the_same_is_not_started_twice) {
  Stage stage;
  std::atomic<int> atOnce = 0, most = 0;
  std::atomic<bool> go = false;
  stage.jobs->add("slow", [&](JobContext&) {
    most = std::max(most.load(), ++atOnce);
    while (!go) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    --atOnce;
    return json();
  });
  stage.jobs->run();
  const auto first = stage.start("slow", {{"n", 1}});
  const auto second = stage.start("slow", {{"n", 2}});
  BOOST_TEST(first != second);
  BOOST_TEST(stage.start("slow", {{"n", 2}}) == second);
  BOOST_TEST(eventually([&] { return stage.state(first) == "running"; }));
  BOOST_TEST(stage.state(second) == "waiting");
  go = true;
  BOOST_TEST(stage.ends(second, "done"));
  BOOST_TEST(most == 1);
  BOOST_TEST(stage.start("slow", {{"n", 2}}) != second);
}

BOOST_AUTO_TEST_CASE(a_job_is_cancelled_while_it_waits_and_while_it_runs) {
  Stage stage;
  stage.jobs->add("long", [&](JobContext& job) {
    while (!job.stopRequested()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    return json();
  });
  stage.jobs->run();
  const auto first = stage.start("long", {{"n", 1}}), second = stage.start("long", {{"n", 2}});
  BOOST_TEST(eventually([&] { return stage.state(first) == "running"; }));
  BOOST_TEST(stage.jobs->cancel(second));
  BOOST_TEST(stage.state(second) == "cancelled");
  BOOST_TEST(stage.jobs->cancel(first));
  BOOST_TEST(stage.ends(first, "cancelled"));
  BOOST_TEST(!stage.jobs->cancel(first));
  BOOST_TEST(!stage.jobs->cancel(999));
}

BOOST_AUTO_TEST_CASE(what_was_running_goes_on_from_its_checkpoint_at_the_next_start) {
  Stage stage;
  std::atomic<int> saved = 0;
  std::vector<int> seen;
  const auto work = [&](JobContext& job) {
    const auto from = job.checkpoint().is_null() ? 0 : job.checkpoint().at("at").get<int>();
    seen.push_back(from);
    for (int i = from; i < 5 && seen.size() == 1; ++i) {
      if (i == 3) {
        saved = 1;
        while (!job.stopRequested()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
        return json();
      }
      job.saveCheckpoint({{"at", i + 1}});
    }
    return json{{"from", from}};
  };
  stage.jobs->add("steps", work);
  stage.jobs->run();
  const auto id = stage.start("steps");
  BOOST_TEST(eventually([&] { return saved == 1; }));
  stage.jobs = std::make_unique<JobRunner>(stage.context);  // the old one stops
  BOOST_TEST(stage.state(id) == "running");
  stage.jobs->add("steps", work);
  stage.jobs->run();
  BOOST_TEST(stage.ends(id, "done"));
  BOOST_TEST(stage.jobs->find(id)->result.at("from") == 3);
}

BOOST_AUTO_TEST_SUITE_END()
