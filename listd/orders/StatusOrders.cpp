#include "core/base/Files.h"
#include "listd/dkim/DkimOrders.h"
#include "listd/orders/OperationProblems.h"
#include "listd/orders/OrderTools.h"
#include "listd/orders/RecordProblems.h"
#include "listd/orders/Views.h"
#include "listd/people/LegalSite.h"
#include "listd/subscribe/MemberSourceStore.h"

namespace postern::listd {

using nlohmann::json;

namespace {

constexpr std::chrono::milliseconds GatewayWait{1000};
constexpr std::chrono::days SoonEnding{30};
constexpr std::uint64_t MinutesOfDay = 24 * 60;
constexpr std::uint32_t ShownTroubles = 20;
constexpr std::chrono::days ForecastFrom{60};  // what the disk did before says little

json problem(std::string what, std::string todo) {
  return {{"what", std::move(what)}, {"do", std::move(todo)}};
}

std::string counted(std::uint64_t number, const std::string& one, const std::string& many) {
  return std::to_string(number) + " " + (number == 1 ? one : many);
}

TimePoint startOfDay(TimePoint now) {
  return std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::floor<std::chrono::days>(now));
}

// Names the rule of docs/status.md by which the problems from `from` on were found.
void label(json& problems, std::size_t from, const char* rule, const char* severity) {
  for (auto i = from; i < problems.size(); ++i)
    if (!problems[i].contains("rule")) problems[i].update({{"rule", rule}, {"severity", severity}});
}

json gatewayView(const std::optional<app::GatewayStats>& stats, std::uint64_t freeBytes) {
  const auto shown = stats.value_or(app::GatewayStats());
  return {{"connected", stats.has_value()},
          {"sessions", shown.sessions},
          {"acceptedTotal", shown.acceptedTotal},
          {"refusedTotal", shown.refusedTotal},
          {"deliveredTotal", shown.deliveredTotal},
          {"deferredTotal", shown.deferredTotal},
          {"waitingAccepted", shown.waitingAccepted},
          {"queued", shown.queued},
          {"held", shown.held},
          {"freeBytes", stats ? shown.freeBytes : freeBytes},
          {"oldestQueuedAt", toMicros(shown.oldestQueued)}};
}

void addGatewayProblems(json& problems, const std::optional<app::GatewayStats>& stats) {
  if (!stats) {
    problems.push_back(problem("The gateway is not connected: no mail comes in or goes out.",
                               "Look whether postern-gateway runs, and into its log."));
    label(problems, 0, "gateway.away", "error");
    return;
  }
  for (const auto& text : stats->problems) problems.push_back(problem(text, "See the log of postern-gateway."));
  label(problems, 0, "gateway.problem", "error");
  for (const auto& finding : stats->findings)
    problems.push_back(
        {{"rule", finding.rule}, {"severity", finding.severity}, {"what", finding.what}, {"do", finding.todo}});
  if (stats->held > 0)
    problems.push_back(problem(counted(stats->held, "copy is", "copies are") + " held and will not be delivered.",
                               "See: postern queue list; let them go with: postern queue release --all"));
  label(problems, 0, "queue.held", "warning");
}

void addDiskProblem(json& problems, std::uint64_t freeBytes, std::uint64_t reserve) {
  if (freeBytes >= reserve * 4) return;
  problems.push_back(problem("The disk has " + std::to_string(freeBytes >> 20) + " MB free; below " +
                                 std::to_string(reserve >> 20) + " MB no mail is accepted.",
                             "Free space on the disk of the data folder, or give it a larger one."));
}

void addForecastProblem(json& problems, const DiskForecast& forecast, TimePoint now) {
  if (!forecast.fullAt || *forecast.fullAt >= now + SoonEnding) return;
  problems.push_back(problem("At the growth of the last weeks the disk is full on " +
                                 formatRfc3339(*forecast.fullAt).substr(0, 10) + "; then no mail is accepted.",
                             "Give the disk of the data folder more room before that day; see: postern status"));
}

json diskView(const std::vector<DiskDay>& days, const DiskForecast& forecast, const config::SiteConfig& config) {
  auto items = json::array();
  for (const auto& day : days)
    items.push_back({{"at", toMicros(day.at)}, {"usedBytes", day.used}, {"stored", day.stored}});
  const auto* last = days.empty() ? nullptr : &days.back();
  const auto* state = !forecast.known ? "learning" : forecast.growthPerDay > 0 ? "grows" : "steady";
  return {{"usedBytes", last ? last->used : 0},
          {"totalBytes", last ? last->used + last->free : 0},
          {"reserveBytes", config.minFreeSpace},
          {"forecast", state},
          {"growthPerDay", std::max<std::int64_t>(forecast.growthPerDay, 0)},
          {"fullAt", forecast.fullAt ? toMicros(*forecast.fullAt) : 0},
          {"days", std::move(items)}};
}

// Lists that do not follow their directory any more.
void addSourceProblems(json& problems, SiteTables& tables) {
  for (const auto& source : tables.subscriptions.sources().all()) {
    const auto list = tables.lists.find(source.listId);
    if (!list || !list->open || (source.state != "failed" && source.state != "stopped")) continue;
    problems.push_back(
        problem("The members of " + list->address + " do not follow the directory " + source.directory + ": " +
                    source.outcome + ".",
                source.state == "stopped"
                    ? "Look at it: postern source run " + list->address + " --dry-run; then with --confirmed"
                    : "It is asked again each hour; see: postern source show " + list->address));
  }
}

void addListProblems(json& problems, SiteTables& tables, TimePoint now) {
  for (const auto& list : tables.lists.all()) {
    if (!list.open) continue;
    std::uint64_t withheld = 0;
    for (const auto& count : tables.members.counts(list.id))
      if (count.standing == "withheld") withheld += count.members;
    if (withheld > 0)
      problems.push_back(problem(
          counted(withheld, "member", "members") + " of " + list.address + " would get no copy of the next post.",
          "See: postern list readiness " + list.address));
    if (list.certificateEnds < now + SoonEnding)
      problems.push_back(problem(
          "The certificate with which " + list.address + " signs ends on " + formatRfc3339(list.certificateEnds) + ".",
          "Plan its renewal, and tell the members that the list will sign with a new one."));
  }
  addSourceProblems(problems, tables);
  const auto ending = tables.keys.endingBefore(now, now + SoonEnding);
  if (ending > 0)
    problems.push_back(
        problem(counted(ending, "member has a certificate", "members have certificates") + " that ends within 30 days.",
                "Ask them for new ones; see: postern key list"));
}

void addStuckMail(json& problems, SiteTables& tables, const Troubles& troubles) {
  for (const auto& post : tables.posts.inTrouble(ShownTroubles))
    problems.push_back(problem(
        "Post " + std::to_string(post.id) + " is stuck: " + post.trouble,
        "It is tried again at " + formatRfc3339(post.retryAt) + "; see: postern trace " + std::to_string(post.id)));
  for (const auto& text : troubles.texts(ShownTroubles))
    problems.push_back(problem("Mail waits at the gateway: " + text, "See the log of postern-listd."));
}

json protectionView(SiteTables& tables) {
  json protection{{"smime", 0}, {"openpgp", 0}, {"tls", 0}, {"pickup", 0}, {"none", 0}, {"withheld", 0}};
  for (const auto& count : tables.members.countsOfSite()) {
    if (count.standing == "disabled") continue;
    auto& number = protection[count.protection];
    number = number.get<std::uint64_t>() + count.members;
  }
  return protection;
}

json deliveriesView(SiteTables& tables, TimePoint from) {
  json deliveries{{"smime", 0}, {"openpgp", 0}, {"tls", 0}, {"pickup", 0}, {"none", 0}};
  for (const auto& count : tables.flow.delivered(from)) deliveries[count.protection] = count.copies;
  deliveries["withheld"] = tables.flow.sum(from).withheld;
  return deliveries;
}

}  // namespace

json status(OrderTools& tools, const OrderCall&) {
  const auto now = tools.now();
  const auto& config = tools.context.config;
  const auto stats = tools.gateway.ask([](app::GatewayLink& link) { return link.stats(); }, GatewayWait);
  const auto freeBytes = files::freeSpace(config.dataFolder);
  return tools.context.site.read([&](SiteTables& tables) {
    auto problems = json::array();
    addGatewayProblems(problems, stats);
    auto from = problems.size();
    addDiskProblem(problems, freeBytes, config.minFreeSpace);
    label(problems, from, "disk.low", freeBytes < config.minFreeSpace ? "error" : "warning");
    const auto days = tables.disk.days(now - ForecastFrom);
    const auto forecast = forecastOf(days, now, config.minFreeSpace);
    from = problems.size();
    addForecastProblem(problems, forecast, now);
    label(problems, from, "disk.forecast", "warning");
    addOperationProblems(problems, tools.context.config, tables, stats, now);
    from = problems.size();
    addListProblems(problems, tables, now);
    label(problems, from, "list", "warning");
    addStuckMail(problems, tables, tools.troubles);
    label(problems, from, "mail.stuck", "error");
    addRecordProblems(problems, tools, tables, now);
    label(problems, from, "records", "warning");
    addDkimProblems(problems, tools.context, tables, now);
    label(problems, from, "dkim", "warning");
    worstFirst(problems);
    auto today = viewOf(tables.flow.sum(startOfDay(now)));
    today.erase("at");
    return json{{"hostName", config.hostName},
                {"version", POSTERN_VERSION},
                {"startedAt", toMicros(tools.startedAt)},
                {"gateway", gatewayView(stats, freeBytes)},
                {"lists", tables.lists.count()},
                {"members", tables.members.countAll()},
                {"today", std::move(today)},
                {"protection", protectionView(tables)},
                {"deliveries", deliveriesView(tables, now - std::chrono::hours(24))},
                {"plaintextOnSecure", tables.counters.get(CounterStore::Plaintext)},
                {"disk", diskView(days, forecast, config)},
                {"onePersonSite", !twoPersonRules(tables)},
                {"problems", std::move(problems)}};
  });
}

json flow(OrderTools& tools, const OrderCall& call) {
  const auto minutes = call.args.number("minutes", 60, 1, 7 * MinutesOfDay);
  const auto end = std::chrono::floor<std::chrono::minutes>(tools.now());
  const TimePoint from = end - std::chrono::minutes(minutes - 1);
  return tools.context.site.read([&](SiteTables& tables) {
    std::map<std::int64_t, Flow> known;
    for (auto& minute : tables.flow.minutes(from)) known.emplace(toMicros(minute.at), minute);
    auto items = json::array();
    for (TimePoint at = from; at <= end; at += std::chrono::minutes(1)) {
      const auto found = known.find(toMicros(at));
      items.push_back(viewOf(found == known.end() ? Flow{.at = at} : found->second));
    }
    auto refusals = json::array();
    for (const auto& refusal : tables.flow.refusals(from))
      refusals.push_back({{"reason", refusal.reason}, {"count", refusal.count}});
    return json{{"items", std::move(items)}, {"refusals", std::move(refusals)}};
  });
}

}  // namespace postern::listd
