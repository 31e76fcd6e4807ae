#include "webadmin/Chart.h"
#include "webadmin/pages/Pages.h"
#include "webadmin/pages/RecordPages.h"
#include "webadmin/Views.h"
#include "webadmin/Words.h"

namespace postern::webadmin::pages {

using nlohmann::json;

namespace {

constexpr std::array Spans = {60, 360, 1440};  // minutes

int spanOf(const Request& request) {
  for (const int minutes : Spans)
    if (request.query.get("minutes") == std::to_string(minutes)) return minutes;
  return Spans[0];
}

std::vector<FlowMinute> readFlow(const json& flow) {
  std::vector<FlowMinute> minutes;
  for (const auto& item : views::part(flow, "items")) {
    using views::number;
    minutes.push_back({fromMicros(static_cast<std::int64_t>(number(item, "at"))), number(item, "accepted"),
                       number(item, "refused"), number(item, "delivered"), number(item, "deferred"),
                       number(item, "failed")});
  }
  return minutes;
}

json refusalRows(const json& flow) {
  json rows = json::array();
  for (const auto& item : views::part(flow, "refusals"))
    rows.push_back({{"reason", words::refusal(views::text(item, "reason"))},
                    {"count", words::count(views::number(item, "count"))},
                    {"secureTag", views::text(item, "reason") == "secure-tag"}});
  return rows;
}

// Copies of secure lists that left without protection: must read 0. What listd does not report is never shown as 0.
struct Plaintext {
  std::string shown;
  std::string tone;
};

Plaintext plaintextOf(const json& status) {
  if (!status.contains("plaintextOnSecure")) return {"not reported", "wait"};
  const auto copies = views::number(status, "plaintextOnSecure");
  return {words::count(copies), copies == 0 ? "good" : "bad"};
}

// The figures that the page shows and its script keeps fresh, by the names of their places on the page.
json figures(const json& status, TimePoint now) {
  using views::number;
  const auto& today = views::part(status, "today");
  const auto& gateway = views::part(status, "gateway");
  json shown;
  for (const auto* name : {"accepted", "refused", "posts", "delivered", "deferred", "failed", "withheld"})
    shown[name] = words::count(number(today, name));
  shown["queued"] = words::count(number(gateway, "queued"));
  shown["held"] = words::count(number(gateway, "held"));
  shown["waiting"] = words::count(number(gateway, "waitingAccepted"));
  shown["sessions"] = words::count(number(gateway, "sessions"));
  const auto oldest = static_cast<std::int64_t>(number(gateway, "oldestQueuedAt"));
  shown["oldest"] = oldest ? words::duration(now - fromMicros(oldest)) : "none";
  shown["free"] = words::size(number(gateway, "freeBytes"));
  shown["plaintext"] = plaintextOf(status).shown;
  return shown;
}

// The copies of the last 24 hours, by what the ledger says of them. "none" are copies of open lists.
json protectionMix(const json& status) {
  const auto& counts = views::part(status, "deliveries");
  std::vector<std::pair<std::string, std::uint64_t>> mix;
  for (const auto* name : {"smime", "openpgp", "tls", "pickup", "withheld", "none"})
    mix.emplace_back(name, views::number(counts, name));
  auto bar = views::protectionBar(mix);
  for (auto& shown : bar["parts"])
    if (shown["name"] == "none") shown["title"] = "Plain, on open lists";
  return bar;
}

json daysLeft(TimePoint notAfter, TimePoint now) {
  const auto days = std::chrono::duration_cast<std::chrono::hours>(notAfter - now).count() / 24;
  return {{"days", words::count(static_cast<std::uint64_t>(std::max<std::int64_t>(days, 0)))},
          {"until", views::time(notAfter, now)},
          {"tone", days < 7    ? "bad"
                   : days < 30 ? "wait"
                               : "good"},
          {"advice", days < 7    ? "Renew it now"
                     : days < 30 ? "Renew it soon"
                                 : "In order"}};
}

json certificates(const Visit& visit, const json& lists) {
  json rows = json::array();
  if (const auto notAfter = visit.tools.certificate.notAfter()) {
    auto row = daysLeft(*notAfter, visit.now());
    row["name"] = "Server (" + visit.tools.config.hostName + ")";
    rows.push_back(std::move(row));
  }
  // Of the lists only the one that ends first: the lists' own pages show the rest.
  const json* first = nullptr;
  for (const auto& list : lists) {
    const auto ends = views::number(views::part(list, "signingCertificate"), "notAfterAt");
    if (ends && (!first || ends < views::number(views::part(*first, "signingCertificate"), "notAfterAt")))
      first = &list;
  }
  if (first) {
    const auto ends = views::number(views::part(*first, "signingCertificate"), "notAfterAt");
    auto row = daysLeft(fromMicros(static_cast<std::int64_t>(ends)), visit.now());
    row["name"] = "Signing, first to end (" + views::text(*first, "address") + ")";
    row["path"] = views::listPath(views::text(*first, "address"));
    rows.push_back(std::move(row));
  }
  return rows;
}

json problems(const json& status) {
  json rows = json::array();
  for (const auto& problem : views::part(status, "problems"))
    rows.push_back({{"what", views::text(problem, "what")},
                    {"do", views::text(problem, "do")},
                    {"kind", views::text(problem, "severity") == "error" ? "Error" : "Warning"}});
  return rows;
}

// What the disk does, and when only the reserve is left. Null: listd does not say.
json diskForecast(const json& status, TimePoint now) {
  const auto& disk = views::part(status, "disk");
  DiskLooks looks{
      {}, views::number(disk, "totalBytes"), views::number(disk, "reserveBytes"), views::number(disk, "growthPerDay")};
  json rows = json::array();
  for (const auto& day : views::part(disk, "days")) {
    const auto at = fromMicros(static_cast<std::int64_t>(views::number(day, "at")));
    looks.used.emplace_back(at, views::number(day, "usedBytes"));
    rows.insert(rows.begin(), {{"day", words::day(at)},
                               {"used", words::size(views::number(day, "usedBytes"))},
                               {"stored", words::count(views::number(day, "stored"))}});
  }
  if (looks.used.empty() || looks.total == 0) return nullptr;
  const auto state = views::text(disk, "forecast");
  const auto fullAt = fromMicros(static_cast<std::int64_t>(views::number(disk, "fullAt")));
  const bool ends = views::number(disk, "fullAt") > 0;
  const auto days = std::chrono::duration_cast<std::chrono::hours>(fullAt - now).count() / 24;
  const auto* tone = !ends || days >= 90 ? "good" : days >= 30 ? "wait" : "bad";
  return {{"chart", drawDisk(looks)},
          {"used", words::size(looks.used.back().second)},
          {"total", words::size(looks.total)},
          {"reserve", words::size(looks.reserve)},
          {"learning", state == "learning"},
          {"growth", state == "grows" ? words::size(looks.growthPerDay) : ""},
          {"steady", state == "steady"},
          {"ends", ends},
          {"fullDay", ends ? words::day(fullAt) : ""},
          {"inTime", ends && days <= 60 ? words::relative(fullAt, now) : ""},
          {"soon", ends && days < 90},
          {"tone", state == "learning" ? "quiet" : tone},
          {"rows", rows}};
}

json spanLinks(int chosen) {
  json links = json::array();
  for (const int minutes : Spans)
    links.push_back({{"path", "/?minutes=" + std::to_string(minutes)},
                     {"label", minutes == 60 ? "1 hour" : std::to_string(minutes / 60) + " hours"},
                     {"chosen", minutes == chosen}});
  return links;
}

}  // namespace

Response dashboard(Visit& visit) {
  const auto now = visit.now();
  const int minutes = spanOf(visit.request);
  const auto status = visit.order("status");
  const auto flow = visit.order("flow", {{"minutes", minutes}});
  const auto known = visit.order("list.list", {{"limit", views::AllLists}});
  const auto& lists = views::part(known, "items");
  const auto recent = visit.order("post.list", {{"limit", 8}});
  json posts = json::array();
  for (const auto& post : views::part(recent, "items")) posts.push_back(views::postRow(post, now));
  const auto plaintext = plaintextOf(status);
  const auto trouble = problems(status);
  return visit.page("dashboard", {"Dashboard", "dashboard"},
                    {{"shown", figures(status, now)},
                     {"minutes", minutes},
                     {"spans", spanLinks(minutes)},
                     {"chart", drawFlow(readFlow(flow), now, minutes)},
                     {"refusals", refusalRows(flow)},
                     {"protection", protectionMix(status)},
                     {"plaintextTone", plaintext.tone},
                     {"plaintextBad", plaintext.tone == "bad"},
                     {"problems", trouble},
                     {"problemCount", trouble.size()},
                     {"onePerson", views::flag(status, "onePersonSite")},
                     {"certificates", certificates(visit, lists)},
                     {"records", recordFacts(visit)},
                     {"disk", diskForecast(status, now)},
                     {"noLists", lists.empty()},
                     {"posts", posts},
                     {"anyPosts", !posts.empty()},
                     {"showList", true},
                     {"version", views::text(status, "version")},
                     {"startedAt", views::time(status, "startedAt", now)},
                     {"updatedAt", views::time(now, now)}});
}

// What the script of the dashboard fetches every two seconds while the page is visible.
Response flow(Visit& visit) {
  const auto now = visit.now();
  const int minutes = spanOf(visit.request);
  const auto status = visit.order("status");
  const auto flow = visit.order("flow", {{"minutes", minutes}});
  return jsonResponse(200, {{"at", toMicros(now)},
                            {"updatedAt", words::time(now)},
                            {"minutes", minutes},
                            {"items", views::part(flow, "items")},
                            {"refusals", refusalRows(flow)},
                            {"shown", figures(status, now)},
                            {"plaintextTone", plaintextOf(status).tone},
                            {"protection", protectionMix(status)},
                            {"problems", problems(status).size()},
                            {"chart", drawFlow(readFlow(flow), now, minutes)}});
}

}  // namespace postern::webadmin::pages
