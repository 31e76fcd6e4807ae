// rooms: listd
// An archive of many messages, made through the real stores, and what is asked of it: words, what-if, explanation, hold
// placement, the orders behind the pages, and at last the purge of what is due.
//   ArchiveBench --messages N --folder F [--fill] [--purge | --purge-only] [--json FILE]
// The folder is kept: a second call measures without filling. --fill only fills. --purge destroys about a tenth, so it
// is for once: the first half with no query in force, the second with a hold whose query must be asked of each content.
// As on a real site, ids of objects tell when mail came, and it came in the order of its dates.
#include "core/crypto/Digest.h"
#include "core/crypto/Encoding.h"
#include "listd/archive/ObjectId.h"
#include "listd/orders/OrderDesk.h"
#include "listd/retention/ArchiveCounts.h"
#include "listd/retention/Retention.h"
#include "listd/retention/WhatIfScan.h"
#include "listd/search/IndexAnswers.h"
#include "listd/search/IndexWorker.h"

#include <cmath>
#include <ctime>
#include <fstream>
#include <iostream>
#include <random>

using namespace postern;
using namespace postern::listd;
using nlohmann::json;
using Steady = std::chrono::steady_clock;

namespace {

constexpr std::uint64_t Lists = 50;
constexpr std::uint64_t BigList = 100'000;
constexpr std::uint64_t Batch = 5000;

json results = json::array();

double cpuSeconds() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

// "VmHWM" (peak) or "VmRSS" of this process in MB.
std::uint64_t memory(const std::string& field) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with(field + ":")) return std::stoull(line.substr(field.size() + 1)) / 1024;
  return 0;
}

std::string load() {
  std::string line;
  std::getline(std::ifstream("/proc/loadavg") >> std::ws, line);
  return line.substr(0, line.find(' '));
}

// Runs it `rounds` times; a line with the median, the spread, CPU, memory and the verdict. target 0: none.
template <class Work>
void measure(const std::string& what, double targetMs, int rounds, Work work) {
  std::vector<double> times;
  const auto cpu = cpuSeconds();
  try {
    for (int i = 0; i < rounds; ++i) {
      const auto start = Steady::now();
      work();
      times.push_back(std::chrono::duration<double, std::milli>(Steady::now() - start).count());
    }
  } catch (const app::OrderRefused& refused) {
    std::cout << "| " << what << " | refused: " << refused.error().message << " |\n";
    return;
  }
  std::sort(times.begin(), times.end());
  const auto median = times[times.size() / 2];
  std::cout << "| " << what << " | " << median << " | " << times.front() << " to " << times.back() << " | "
            << (cpuSeconds() - cpu) * 1000 / rounds << " | ";
  if (targetMs > 0) std::cout << targetMs;
  std::cout << " | " << (targetMs > 0 ? median <= targetMs ? "yes" : "NO" : "") << " | " << memory("VmRSS") << " | "
            << load() << " |\n"
            << std::flush;
  results.push_back({{"what", what},
                     {"median", median},
                     {"least", times.front()},
                     {"most", times.back()},
                     {"cpu", (cpuSeconds() - cpu) * 1000 / rounds},
                     {"target", targetMs},
                     {"rss", memory("VmRSS")},
                     {"load", std::stod(load())}});
}

class Site {
public:
  explicit Site(const std::filesystem::path& folder) : config_(configOf(folder)), context(config_, clock_) {}

  void fill(std::uint64_t messages) {
    total_ = messages;
    if (context.site.read([](SiteTables& tables) { return tables.lists.count(); }) == 0) makeLists();
    auto done = context.site.read([](SiteTables& tables) { return tables.archive.count(); });
    while (done < messages) {
      const auto count = std::min(Batch, messages - done);
      fillBatch(done + 1, count);
      done += count;
      if (done % 50'000 == 0) std::cerr << done << " messages, load " << load() << '\n';
    }
  }

  void pages() {
    const auto last = context.site.read([](SiteTables& tables) { return tables.archive.count(); });
    const auto middle = objectOfPost(last / 2);
    for (const auto& [order, args] : std::vector<std::pair<std::string, json>>{
             {"status", {}},
             {"flow", {}},
             {"list.list", {}},
             {"list.show", {{"address", address(1)}}},
             {"member.list", {{"list", address(1)}}},
             {"member.list", {{"list", address(1)}, {"filter", "member99"}}},
             {"post.list", {}},
             {"post.list", {{"list", address(2)}}},
             {"trace", {{"id", std::to_string(last / 2)}}},
             {"object.read", {{"matter", "1"}, {"object", middle}, {"reason", "bench"}}},
             {"audit.list", {}},
             {"audit.status", {}},
             {"matter.list", {}},
             {"matter.show", {{"id", "1"}}},
             {"hold.list", {}},
             {"rule.list", {}},
             {"retention.forecast", {}},
             {"retention.status", {}},
             {"retention.runs", {}},
             {"certificate.list", {}},
             {"review.list", {}},
             {"request.list", {}},
             {"job.list", {}},
             {"index.status", {}},
             {"search", {{"matter", "1"}, {"query", "w3"}}},
             {"search", {{"matter", "1"}, {"query", "w3"}, {"count", true}}},
             {"search", {{"matter", "1"}, {"query", "w150000"}}},
             {"search", {{"matter", "1"}, {"query", "w400 w3"}}},
             {"search", {{"matter", "1"}, {"query", "w400 after:2025-01-01"}}},
         })
      measure("order " + order + " " + (args.empty() ? "" : args.dump()), 50, 20, [&] { give(order, args); });
  }

  std::string objectOfPost(std::uint64_t post) {
    const auto found = context.site.read([&](SiteTables& tables) { return tables.posts.find(post); });
    return std::to_string(found.value().vaultObject);
  }

  void questions() {
    for (const auto* text : {"w150000", "w3", "w3 w50"})
      measure(std::string("word search ") + text, 50, 9, [&] { index_.find(*records::Query::parse(text)); });
    const auto last = context.site.read([](SiteTables& tables) { return tables.archive.count(); });
    measure("explain one", 10, 21, [&] { give("retention.explain", {{"object", objectOfPost(last / 2)}}); });
    measure("hold placement (list)", 100, 9, [&] {
      give("hold.place", {{"matter", "1"}, {"name", "bench"}, {"scope", {{"lists", {address(3)}}}}, {"silent", true}});
    });
    measure("what-if for a date", 2000, 3, [&] {
      whatIf(context, &answers_, {clock_.now() + std::chrono::days(30), {}, 20});
    });
    measure("counts for pages (each hour)", 0, 1, [&] { countArchive(context, &answers_, clock_.now()); });
    lookAfterCounts(tools_, clock_.now());
    pages();
  }

  void questionsWithQueryHolds() {
    measure("hold placement (query)", 100, 9, [&] {
      give("hold.place", {{"matter", "1"}, {"name", "bench"}, {"scope", {{"query", "w150001"}}}, {"silent", true}});
    });
    const auto last = context.site.read([](SiteTables& tables) { return tables.archive.count(); });
    measure("explain one, query holds in force", 10, 21, [&] {
      give("retention.explain", {{"object", objectOfPost(last / 2)}});
    });
    measure("search w3, query holds in force", 50, 9, [&] { give("search", {{"matter", "1"}, {"query", "w3"}}); });
    measure("what-if for a date, query holds in force", 2000, 3, [&] {
      whatIf(context, &answers_, {clock_.now() + std::chrono::days(30), {}, 20});
    });
  }

  void purge(const std::string& what, std::chrono::days ago, double target) {
    // Exactly as an approved run does; nothing but the approval is left out.
    Run run;
    run.caller = "retention-run";
    run.startedAt = clock_.now();
    run.at = run.startedAt - ago;
    run.startedBy = "bench";
    run.approved = UINT32_MAX;
    const auto id = context.site.write([&](SiteTables& tables) {
      tables.retention.trustClock(clock_.now());
      return tables.retention.addRun(run);
    });
    const auto cpu = cpuSeconds();
    const auto start = Steady::now();
    const auto ended = RetentionRun(context, gate_, &answers_).go(id, [](auto, auto) { return true; });
    const auto seconds = std::chrono::duration<double>(Steady::now() - start).count();
    const auto rate = static_cast<double>(ended.destroyed) / seconds;
    const auto used = cpuSeconds() - cpu;
    std::cout << "| " << what << " | " << ended.state << ' ' << ended.words << ", " << ended.destroyed << " objects in "
              << seconds << " s, " << rate << "/s, " << used << " s CPU | target " << target << " | "
              << (rate >= target ? "yes" : "NO") << " | peak " << memory("VmHWM") << " MB | " << load() << " |\n";
    results.push_back({{"what", what},
                       {"destroyed", ended.destroyed},
                       {"seconds", seconds},
                       {"perSecond", rate},
                       {"cpuMicrosEach", used * 1e6 / static_cast<double>(std::max<std::uint64_t>(1, ended.destroyed))},
                       {"target", target},
                       {"rss", memory("VmRSS")},
                       {"load", std::stod(load())}});
    for (const auto& [reason, count] : ended.kept) std::cout << "  kept " << reason << ": " << count << '\n';
  }

private:
  static config::SiteConfig configOf(const std::filesystem::path& folder) {
    config::SiteConfig config;
    config.dataFolder = folder;
    return config;
  }
  static std::string address(std::uint64_t list) { return "list" + std::to_string(list) + "@lists.example"; }

  // The handler itself: who may give an order is shown elsewhere.
  json give(const std::string& order, const json& args) {
    app::Actor actor{"web", "officer"};
    actor.roles = app::Roles::fromBits(0xFF);
    Person person;
    person.account = "officer";
    person.roles = actor.roles;
    const json given = args.is_null() ? json::object() : args;
    const OrderCall call{order, actor, Args(given), {}, person};
    return findOrder(order)->handler(tools_, call);
  }

  void makeLists() {
    context.site.write([&](SiteTables& tables) {
      tables.domains.add({"lists.example", "list", clock_.now(), 0});
      for (std::uint64_t i = 1; i <= Lists; ++i) {
        List list;
        list.address = address(i);
        list.domain = "lists.example";
        list.displayName = "List " + std::to_string(i);
        list.secure = false;
        list.createdAt = clock_.now();
        tables.lists.add(list);
      }
      Matter matter;
      matter.name = "bench";
      matter.createdAt = clock_.now();
      matter.createdBy = "officer";
      tables.matters.add(matter);
      tables.matters.setTeam(1, {"officer"});
      records::Rule rule;
      rule.name = "everything";
      rule.tier = records::Tier::Default;
      rule.period = *records::Period::parse("9 years");
      tables.rules.add({rule, false, clock_.now(), "officer", "bench", 0});
      rule.name = "cardiology";
      rule.tier = records::Tier::Label;
      rule.period = *records::Period::parse("12 years");
      rule.scope.labels = {"clinical"};
      tables.rules.add({rule, false, clock_.now(), "officer", "bench", 0});
    });
    for (std::uint64_t list = 1, made = 0; list <= Lists; ++list, made = 0) {
      const auto size = list == 1 ? BigList : 200;
      for (; made < size; made += std::min(size, Batch))
        context.site.write([&](SiteTables& tables) {
          for (auto i = made; i < made + std::min(size, Batch); ++i) {
            Member member;
            member.listId = list;
            member.address = "member" + std::to_string(i) + "@example.org";
            member.name = "Member " + std::to_string(i);
            member.joinedAt = clock_.now();
            tables.members.add(member, {});
          }
        });
    }
  }

  std::string word() {
    const auto rank = static_cast<std::uint64_t>(std::exp(std::uniform_real_distribution<double>(0, 12)(engine_)));
    return "w" + std::to_string(rank);
  }

  std::string mailOf(std::uint64_t id, const std::string& to) {
    const auto sender = std::to_string(id % 5000);
    auto mail = "From: Sender " + sender + " <s" + sender + "@x.example>\r\nTo: " + to + "\r\nSubject: " + word() +
                " " + word() + "\r\nMessage-ID: <" + std::to_string(id) + "@x.example>\r\n\r\n";
    for (int i = 0; i < 20; ++i) mail += word() + " ";
    return mail + "\r\n";
  }

  // Dates are spread over ten years up to now, in the order of coming.
  TimePoint receivedAt(std::uint64_t number) const {
    constexpr auto TenYears = std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::days(3650));
    return filling_ - TenYears + TenYears / static_cast<std::int64_t>(total_) * static_cast<std::int64_t>(number);
  }

  void fillBatch(std::uint64_t first, std::uint64_t count) {
    std::vector<SearchIndex::NewObject> contents;
    std::vector<vault::Vault::NewObject> sealed;
    std::vector<std::uint64_t> lists;
    for (auto number = first; number < first + count; ++number) {
      lists.push_back(engine_() % Lists + 1);
      contents.push_back(
          {objectIdOf(receivedAt(number), number, ContentKind::AsItCame), mailOf(number, address(lists.back())), {}});
    }
    for (std::size_t i = 0; i < count; ++i) sealed.push_back({contents[i].objectId, lists[i], contents[i].content});
    context.vault.putAll(sealed);
    context.site.write([&](SiteTables& tables) {
      for (std::size_t i = 0; i < count; ++i) addRows(tables, first + i, contents[i], lists[i]);
    });
    index_.addAll(contents);
  }

  void addRows(SiteTables& tables, std::uint64_t number, const SearchIndex::NewObject& content, std::uint64_t list) {
    Post post;
    post.acceptedId = number;
    post.queueId = "Q" + std::to_string(number);
    post.listId = list;
    post.messageId = "<" + std::to_string(number) + "@x.example>";
    post.outMessageId = post.messageId;
    post.mailFrom = "s" + std::to_string(number % 5000) + "@x.example";
    post.receivedAt = receivedAt(number);
    post.plannedAt = post.receivedAt;
    post.size = content.content.size();
    post.sensitivity = "moderate";
    post.vaultObject = content.objectId;
    post.client = R"({"address":"192.0.2.1","name":"mail.x.example"})";
    post.verdict = "accepted";
    post.state = PostState::Done;
    post.counts = {2, 2, 0, 0, 0, 0};
    const auto id = tables.posts.add(post);
    StoredObject object;
    object.id = content.objectId;
    object.receivedAt = post.receivedAt;
    object.headerDate = post.receivedAt;
    object.size = post.size;
    object.sensitivity = post.sensitivity;
    object.digest = crypto::sha256(content.content);
    tables.archive.add(object, list, id);
    if (number % 20 == 0) tables.archive.addLabel(object.id, "clinical", post.receivedAt);
    for (std::uint64_t copy = 0; copy < 2; ++copy) {
      LedgerRow row;
      row.id = number * 2 + copy;
      row.postId = id;
      row.recipient = "member" + std::to_string((number + copy) % 200) + "@example.org";
      row.protection = "none";
      row.state = CopyState::Delivered;
      tables.ledger.add(row);
    }
  }

  const config::SiteConfig config_;
  const SystemClock clock_;
  std::mt19937_64 engine_{42};
  std::uint64_t total_ = 1;
  const TimePoint filling_ = clock_.now();

public:
  SiteContext context;

private:
  SearchIndex index_{config_.path("index"), context.root, clock_};
  IndexAnswers answers_{index_};
  IndexWorker indexer_{context, index_};
  Retention retention_{context, &answers_};
  DestructionGate& gate_ = retention_.gate();
  JobRunner jobs_{context};
  const GatewayAddress address_{config_.gatewaySocket().string(), context.root.derive(vault::RootKey::QueueKey)};
  GatewayControl gateway_{context, address_};
  Troubles troubles_;
  crypto::PasswordHasher passwords_;
  OrderTools tools_{context, gateway_, troubles_, passwords_, clock_.now(), &jobs_, &index_, &indexer_, &retention_};
};

}  // namespace

struct Options {
  std::uint64_t messages = 50'000;
  std::filesystem::path folder, report;
  bool fillOnly = false, purge = false, purgeOnly = false;
};

std::optional<Options> optionsFrom(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string option = argv[i];
    if (option == "--purge")
      options.purge = true;
    else if (option == "--purge-only")
      options.purge = options.purgeOnly = true;
    else if (option == "--fill")
      options.fillOnly = true;
    else if (option == "--messages" && i + 1 < argc)
      options.messages = std::stoull(argv[++i]);
    else if (option == "--folder" && i + 1 < argc)
      options.folder = argv[++i];
    else if (option == "--json" && i + 1 < argc)
      options.report = argv[++i];
    else
      return std::nullopt;
  }
  if (options.folder.empty()) return std::nullopt;
  return options;
}

int main(int argc, char** argv) {
  const auto options = optionsFrom(argc, argv);
  if (!options) {
    std::cerr << "usage: ArchiveBench --messages N --folder F [--fill] [--purge | --purge-only] [--json FILE]\n";
    return 64;
  }
  std::filesystem::create_directories(options->folder);
  const auto start = Steady::now();
  Site site(options->folder);
  const auto opened = std::chrono::duration<double, std::milli>(Steady::now() - start).count();
  std::cout << "opened in " << opened << " ms\n";
  const auto filling = Steady::now();
  site.fill(options->messages);
  std::cout << "filled in " << std::chrono::duration<double>(Steady::now() - filling).count() << " s\n";
  if (options->fillOnly) return 0;
  std::cout << "| what | median ms | spread | CPU ms | target | met | MB | load |\n";
  if (!options->purgeOnly) site.questions();
  if (options->purge) {
    site.purge("purge, certificate included", std::chrono::days(182), 10'000);
    site.questionsWithQueryHolds();
    site.purge("purge, each content asked", std::chrono::days(0), 0);
  }
  std::cout << "peak memory " << memory("VmHWM") << " MB\n";
  if (!options->report.empty())
    std::ofstream(options->report) << json{{"messages", options->messages},
                                           {"openMs", opened},
                                           {"peakMb", memory("VmHWM")},
                                           {"results", results}}
                                          .dump(1)
                                   << '\n';
}
