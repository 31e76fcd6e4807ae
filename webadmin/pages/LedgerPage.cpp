#include "webadmin/JourneyViews.h"
#include "webadmin/pages/Pages.h"
#include "webadmin/RecordViews.h"
#include "webadmin/Views.h"
#include "webadmin/Words.h"

namespace postern::webadmin::pages {

using nlohmann::json;

namespace {

constexpr std::size_t PageSize = 100;

// TLS of one hop in words: {"plain"} or {"version", "cipher", "bits", "verification", "peerName"}.
json tlsView(const json& tls) {
  const auto version = views::text(tls, "version");
  if (version.empty()) return {{"plain", true}};
  return {{"version", version},
          {"cipher", views::text(tls, "cipher")},
          {"bits", views::text(tls, "bits")},
          {"verification", words::verification(views::text(tls, "verification"))},
          {"peerName", views::text(tls, "peerName")}};
}

json attemptView(const json& attempt, TimePoint now) {
  const auto code = views::text(attempt, "replyCode");
  const auto host = views::text(attempt, "remoteHost");
  return {{"at", views::time(attempt, "at", now)},
          {"badge", views::badge(views::text(attempt, "outcome"))},
          {"remoteHost", host},
          {"remoteAddress", views::text(attempt, "remoteAddress")},
          {"replyCode", code == "0" ? "" : code},
          {"replyText", views::text(attempt, "replyText")},
          {"tls", host.empty() ? json(nullptr) : tlsView(views::part(attempt, "tls"))}};
}

// A withheld member got a notice in place of a copy: the state is the notice's, and the badge says so.
json stateBadge(const std::string& protection, const std::string& state) {
  if (protection != "withheld" || state == "withheld") return views::badge(state);
  return {{"text", "Notice: " + words::state(state)}, {"tone", state == "delivered" ? "quiet" : words::toneOf(state)}};
}

// The last attempt in a line: "250 over TLSv1.3".
std::string lastLine(const json& attempts) {
  if (!attempts.is_array() || attempts.empty()) return {};
  const auto& last = attempts.back();
  const auto code = views::text(last, "replyCode");
  const auto version = views::text(views::part(last, "tls"), "version");
  auto line = code.empty() || code == "0" ? words::state(views::text(last, "outcome")) : code;
  if (!views::text(last, "remoteHost").empty()) line += version.empty() ? " without TLS" : " over " + version;
  return line;
}

json recipientView(const json& recipient, bool secure, TimePoint now) {
  const auto protection = views::text(recipient, "protection");
  json attempts = json::array();
  for (const auto& attempt : views::part(recipient, "attempts")) attempts.push_back(attemptView(attempt, now));
  const auto count = attempts.size();
  return {{"address", views::text(recipient, "address")},
          {"protection", words::protection(protection)},
          {"tone", protection == "withheld" ? "wait"
                   : protection == "none"   ? (secure ? "bad" : "quiet")
                                            : "good"},
          {"reason", words::reason(views::text(recipient, "reason"))},
          {"fingerprint", words::fingerprint(views::text(recipient, "keyFingerprint"))},
          {"badge", stateBadge(protection, views::text(recipient, "state"))},
          {"deliveredAt", views::time(recipient, "deliveredAt", now)},
          {"readAt", views::time(views::part(recipient, "pickup"), "openedAt", now)},
          {"unread", protection == "pickup" && views::number(views::part(recipient, "pickup"), "openedAt") == 0},
          {"pickupPath", protection == "pickup" ? "/waiting/" + views::text(recipient, "copy") : ""},
          {"attempts", attempts},
          {"lastLine", lastLine(views::part(recipient, "attempts"))},
          {"attemptCount", std::to_string(count) + (count == 1 ? " attempt" : " attempts")},
          {"hasAttempts", count > 0}};
}

struct Counts {
  std::map<std::string, std::uint64_t> protections;
  std::map<std::pair<std::string, std::string>, std::uint64_t>
      states;  // by what was sent ("copy" "withheld") and state
};

Counts countRecipients(const json& recipients) {
  Counts counts;
  for (const auto& recipient : recipients) {
    ++counts.protections[views::text(recipient, "protection")];
    const bool withheld = views::text(recipient, "protection") == "withheld";
    ++counts.states[{withheld ? "withheld" : "copy", views::text(recipient, "state")}];
  }
  return counts;
}

// The steps of the post, oldest first; what has not happened yet is left out.
json timeLine(const json& post, const json& recipients, const Counts& counts, TimePoint now) {
  json steps = json::array();
  const auto& client = views::part(post, "client");
  steps.push_back({{"title", "Received"},
                   {"at", views::time(post, "receivedAt", now)},
                   {"client", {{"address", views::text(client, "address")}, {"name", views::text(client, "name")}}},
                   {"tls", tlsView(views::part(client, "tls"))}});
  json parts = json::array();
  for (const auto& [protection, count] : counts.protections)
    parts.push_back({{"title", words::protection(protection)}, {"count", words::count(count)}});
  steps.push_back({{"title", "Fan-out planned"},
                   {"planned", words::count(recipients.size())},
                   {"oneRecipient", recipients.size() == 1},
                   {"parts", parts}});
  std::uint64_t first = UINT64_MAX, last = 0;
  for (const auto& recipient : recipients)
    if (const auto at = views::number(recipient, "deliveredAt")) {
      first = std::min(first, at);
      last = std::max(last, at);
    }
  json states = json::array();
  for (const auto& [state, count] : counts.states)
    states.push_back({{"badge", stateBadge(state.first, state.second)}, {"count", words::count(count)}});
  json delivery = {{"title", "Delivery"}, {"states", states}};
  if (last) {
    delivery["at"] = views::time(fromMicros(static_cast<std::int64_t>(first)), now);
    delivery["until"] = views::time(fromMicros(static_cast<std::int64_t>(last)), now);
  }
  steps.push_back(std::move(delivery));
  return steps;
}

bool fits(const json& recipient, const std::string& show, const std::string& wanted) {
  if (!wanted.empty() && views::text(recipient, "address").find(wanted) == std::string::npos) return false;
  const auto state = views::text(recipient, "state");
  const bool withheld = views::text(recipient, "protection") == "withheld";
  if (show == "delivered") return state == "delivered" && !withheld;
  if (show == "waiting") return state != "delivered" && !withheld;
  if (show == "withheld") return withheld;
  return true;
}

json showLinks(const std::string& path, const std::string& chosen) {
  json links = json::array();
  for (const auto& [value, label] :
       {std::pair{"", "All"}, {"delivered", "Delivered"}, {"waiting", "Not delivered"}, {"withheld", "Withheld"}})
    links.push_back({{"path", *value ? path + "?show=" + value : path}, {"label", label}, {"chosen", chosen == value}});
  return links;
}

std::size_t pageOf(const Visit& visit) {
  const auto text = visit.request.query.get("page");
  if (text.empty() || text.size() > 6 || text.find_first_not_of("0123456789") != std::string::npos) return 1;
  return std::max<std::size_t>(1, static_cast<std::size_t>(std::stoul(text)));
}

std::string isoOf(const json& time) {
  return time.is_null() ? std::string() : views::text(time, "iso");
}

std::string ledgerLine(const json& recipient, TimePoint now) {
  const auto& attempts = views::part(recipient, "attempts");
  const json last = attempts.is_array() && !attempts.empty() ? attempts.back() : json::object();
  const auto& tls = views::part(last, "tls");
  const auto& pickup = views::part(recipient, "pickup");
  return views::csvLine({views::text(recipient, "address"), views::text(recipient, "protection"),
                         views::text(recipient, "reason"), views::text(recipient, "keyFingerprint"),
                         views::text(recipient, "state"), isoOf(views::time(recipient, "deliveredAt", now)),
                         std::to_string(attempts.size()), views::text(last, "remoteHost"),
                         views::text(last, "replyCode") + " " + views::text(last, "replyText"),
                         views::text(tls, "version"), views::text(tls, "cipher"), views::text(tls, "verification"),
                         views::text(pickup, "state"), isoOf(views::time(pickup, "openedAt", now)),
                         isoOf(views::time(pickup, "expiresAt", now))});
}

}  // namespace

// Who may see the retention panel of a message.
constexpr app::Roles Panel = app::Role::Officer | app::Role::Auditor | app::Role::Helpdesk;

Response ledger(Visit& visit) {
  const auto trace = visit.order("trace", {{"id", visit.param("post")}});
  const auto& post = views::part(trace, "post");
  const auto& recipients = views::part(trace, "recipients");
  const bool secure = views::flag(visit.order("list.show", {{"address", views::text(post, "list")}}), "secure");
  const bool cut = !views::text(trace, "next").empty();
  const auto counts = countRecipients(recipients);
  const auto show = visit.request.query.get("show");
  const auto wanted = visit.request.query.get("q");
  const auto path = views::postPath(views::text(post, "id"));
  const auto number = pageOf(visit);
  json rows = json::array();
  std::size_t fitting = 0;
  for (const auto& recipient : recipients) {
    if (!fits(recipient, show, wanted)) continue;
    if (fitting++ / PageSize + 1 == number) rows.push_back(recipientView(recipient, secure, visit.now()));
  }
  json pager;
  const auto pagePath = [&](std::size_t page) {
    return path + "?page=" + std::to_string(page) + (show.empty() ? "" : "&show=" + percentEncode(show)) +
           (wanted.empty() ? "" : "&q=" + percentEncode(wanted));
  };
  const auto pages = std::max<std::size_t>(1, (fitting + PageSize - 1) / PageSize);
  if (pages > 1) pager["position"] = "Page " + std::to_string(number) + " of " + std::to_string(pages);
  if (number > 1) pager["previous"] = pagePath(number - 1);
  if (number < pages) pager["next"] = pagePath(number + 1);
  const auto stateWord = views::text(post, "state");
  auto view = views::postRow(post, visit.now());
  const auto plain = counts.protections.find("none");
  const auto unprotected = secure && plain != counts.protections.end() ? plain->second : 0;
  view.update(
      {{"secure", secure},
       {"class", views::text(post, "class")},
       {"badge", views::badge(stateWord)},
       {"steps", timeLine(post, recipients, counts, visit.now())},
       {"rows", rows},
       {"noneFit", rows.empty()},
       {"total", words::count(std::max<std::uint64_t>(recipients.size(), views::number(post, "recipients")))},
       {"cut", cut ? json(words::count(recipients.size())) : json(nullptr)},
       {"trouble", stateWord == "stuck" || stateWord == "rejected" ? words::refusal(views::text(post, "reason")) : ""},
       {"shows", showLinks(path, show)},
       {"show", show},
       {"q", wanted},
       {"csvPath", path + "/ledger.csv"},
       {"reportPath", "/delivery?post=" + percentEncode(views::text(post, "id"))},
       {"accepted", stateWord != "rejected" && stateWord != "ignored"},
       {"sender", views::senderDomain(views::part(post, "client"))},
       {"check", secure ? views::senderCheck(views::part(post, "senderCheck")) : json(nullptr)},
       {"journey", views::journey(views::part(post, "journey"), visit.now())},
       {"panelPath", views::may(visit, Panel) ? "/messages?q=" + percentEncode(views::text(post, "id")) : ""},
       {"pager", pager},
       {"unprotected", unprotected ? json(words::count(unprotected)) : json(nullptr)}});
  return visit.page("ledger", {"Ledger of a post", "posts"}, std::move(view));
}

Response ledgerCsv(Visit& visit) {
  auto trace = visit.order("trace", {{"id", visit.param("post")}});
  Response response;
  response.contentType = "text/csv; charset=utf-8";
  response.headers.emplace_back("Content-Disposition", "attachment; filename=\"ledger.csv\"");
  response.body = views::csvLine({"recipient", "protection", "reason", "key", "state", "delivered_at", "attempts",
                                  "last_host", "last_reply", "tls_version", "tls_cipher", "tls_verification", "pickup",
                                  "read_at", "available_until"});
  for (;;) {
    for (const auto& recipient : views::part(trace, "recipients")) response.body += ledgerLine(recipient, visit.now());
    const auto next = views::text(trace, "next");
    if (next.empty()) return response;
    trace = visit.order("trace", {{"id", visit.param("post")}, {"after", next}});
  }
}

}  // namespace postern::webadmin::pages
