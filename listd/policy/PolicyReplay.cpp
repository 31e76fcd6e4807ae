#include "listd/policy/PolicyReplay.h"

#include "core/base/Error.h"
#include "core/base/Log.h"
#include "listd/policy/StoredMail.h"

#include <nlohmann/json.hpp>
#include <optional>
#include <thread>

namespace postern::listd {

using nlohmann::json;

namespace {

constexpr std::uint32_t Batch = 50;
constexpr std::size_t MaxListed = 1'000;
constexpr std::size_t MaxKinds = 200;
constexpr std::chrono::milliseconds Pause{10};
constexpr std::chrono::milliseconds GatewayPause{250};
constexpr std::chrono::minutes LongestWait{5};

json emptyReport(const json& args) {
  return {{"revision", args.at("revision")},
          {"from", args.at("from")},
          {"until", args.at("until")},
          {"compared", 0},
          {"different", 0},
          {"failed", 0},
          {"unreadable", 0},
          {"kinds", json::array()},
          {"messages", json::array()},
          {"after", 0}};
}

void count(json& report, const char* name) {
  report[name] = report[name].get<std::uint64_t>() + 1;
}

json& kindOf(json& report, const json& difference) {
  for (auto& kind : report["kinds"])
    if (kind["hook"] == difference["hook"] && kind["now"] == difference["now"] && kind["then"] == difference["then"])
      return kind;
  auto made = difference;
  if (report["kinds"].size() >= MaxKinds) made = {{"hook", "other"}, {"now", "other"}, {"then", "other"}};
  made["messages"] = 0;
  made["recipients"] = 0;
  report["kinds"].push_back(std::move(made));
  return report["kinds"].back();
}

void add(json& report, const PolicyStore::StoredPost& post, const json& answer) {
  count(report, "compared");
  if (answer.value("failed", false)) count(report, "failed");
  const auto differences = answer.value("differences", json::array());
  if (differences.empty()) return;
  count(report, "different");
  std::vector<const json*> seen;
  for (const auto& difference : differences) {
    count(kindOf(report, difference), "recipients");
    const bool again = std::any_of(seen.begin(), seen.end(), [&](const json* one) { return *one == difference; });
    if (!again) count(kindOf(report, difference), "messages");
    seen.push_back(&difference);
  }
  if (report["messages"].size() < MaxListed)
    report["messages"].push_back({{"post", post.id},
                                  {"queueId", post.queueId},
                                  {"now", differences.front()["now"]},
                                  {"then", differences.front()["then"]}});
}

class Replay {
public:
  Replay(SiteContext& context, const AskPolicies& ask, JobContext& job)
      : context_(context),
        ask_(ask),
        job_(job),
        args_(job.job().args),
        from_(fromMicros(args_.at("from").get<std::int64_t>())),
        until_(fromMicros(args_.at("until").get<std::int64_t>())),
        report_(job.checkpoint().is_object() ? job.checkpoint() : emptyReport(args_)) {}

  json run() {
    const auto revision = context_.site.read(
        [&](SiteTables& tables) { return tables.policies.find(args_.at("revision").get<std::uint64_t>()); });
    if (!revision) throw Error(ErrorKind::Config, "the policy set is kept no longer; store it again");
    request_ = filesOf(*revision).dump();
    const auto total =
        context_.site.read([&](SiteTables& tables) { return tables.policies.countPosts(from_, until_); });
    while (!job_.stopRequested()) {
      const auto posts = context_.site.read([&](SiteTables& tables) {
        return tables.policies.posts(from_, until_, report_["after"].get<std::uint64_t>(), Batch);
      });
      if (posts.empty()) break;
      for (const auto& post : posts) {
        if (job_.stopRequested() || !judge(post)) break;
        job_.progress(report_["compared"].get<std::uint64_t>(), total);
        std::this_thread::sleep_for(Pause);
      }
      job_.saveCheckpoint(report_);
    }
    auto result = report_;
    result.erase("after");
    return result;
  }

private:
  // False: the job was asked to stop before there was an answer.
  bool judge(const PolicyStore::StoredPost& post) {
    const auto submission = submissionOf(context_, post);
    if (!submission || submission->recipients.empty()) {
      leave(post);
      return true;
    }
    const auto bytes = asked(submission->encode());
    if (!bytes) return false;
    const auto answer = json::parse(*bytes, nullptr, false);
    if (!answer.is_object())
      throw Error(ErrorKind::Malformed, "the gateway answers about policies with no JSON object");
    if (answer.contains("report"))
      throw Error(ErrorKind::Config, "the policy set does not load, or a case of it fails");
    if (!answer.value("unclear", "").empty()) {
      leave(post);
      return true;
    }
    report_["after"] = post.id;
    add(report_, post, answer);
    return true;
  }

  void leave(const PolicyStore::StoredPost& post) {
    report_["after"] = post.id;
    count(report_, "unreadable");
  }

  // A gateway that starts anew is waited for: the work of hours does not end by it. Nothing when the job is to stop.
  std::optional<std::string> asked(const std::string& submission) {
    for (std::chrono::milliseconds waited{0}; !job_.stopRequested(); waited += GatewayPause) {
      try {  // the boundary to another process
        return ask_("compare", request_, submission);
      } catch (const Error& error) {
        const bool isAway = error.kind() == ErrorKind::Unavailable || error.kind() == ErrorKind::Io;
        if (!isAway || waited >= LongestWait) throw;
        if (waited.count() == 0)
          log::warning("policy", "the gateway is away; stored mail is judged on when it is back",
                       {{"job", job_.job().id}, {"error", error.message()}});
      }
      std::this_thread::sleep_for(GatewayPause);
    }
    return std::nullopt;
  }

  SiteContext& context_;
  const AskPolicies& ask_;
  JobContext& job_;
  const json args_;
  const TimePoint from_;
  const TimePoint until_;
  json report_;
  std::string request_;
};

}  // namespace

JobRunner::Work replayWork(SiteContext& context, const AskPolicies& ask) {
  return [&context, &ask](JobContext& job) { return Replay(context, ask, job).run(); };
}

}  // namespace postern::listd
