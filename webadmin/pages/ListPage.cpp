#include "webadmin/pages/Pages.h"
#include "webadmin/RecordViews.h"
#include "webadmin/RecordWords.h"
#include "webadmin/Views.h"
#include "webadmin/Words.h"

#include <set>

namespace postern::webadmin::pages {

using nlohmann::json;
using enum app::Role;

namespace {

void addReadiness(json& view, const json& readiness) {
  std::vector<std::pair<std::string, std::uint64_t>> counts;
  for (const auto& item : views::part(readiness, "items"))
    counts.emplace_back(views::text(item, "protection"), views::number(item, "count"));
  json reasons = json::array();
  std::uint64_t withheld = 0;
  for (const auto& item : views::part(readiness, "withheld")) {
    withheld += views::number(item, "count");
    reasons.push_back({{"reason", words::reason(views::text(item, "reason"))},
                       {"count", words::count(views::number(item, "count"))}});
  }
  const bool counted = std::any_of(counts.begin(), counts.end(), [](const auto& c) { return c.first == "withheld"; });
  if (!counted) counts.emplace_back("withheld", withheld);
  view["readiness"] = views::protectionBar(counts);
  view["withheldReasons"] = reasons;
  view["anyWithheld"] = withheld > 0;
}

json authors(const std::string& chosen, bool secure) {
  const std::pair<const char*, std::string> via{"via", "the author's name, with the address of the list"};
  const std::pair<const char*, std::string> nobody{"nobody", "nobody: the list alone (anonymous)"};
  if (secure) return views::options(chosen, {via, nobody});
  return views::options(chosen, {via, {"own", "the author, where this site signs for the author's domain"}, nobody});
}

// The form of the settings: what is stored, or what was typed and refused.
json settings(const Visit& visit, const json& stored) {
  const auto& form = visit.request.form;
  const auto value = [&](std::string_view field) { return form.get(field, views::text(stored, field)); };
  return {{"displayName", value("displayName")},
          {"description", value("description")},
          {"classes", views::classOptions(value("class"))},
          {"postings", views::options(value("posting"),
                                      {{"members", words::posting("members")}, {"anyone", words::posting("anyone")}})},
          {"subjectPrefix", value("subjectPrefix")},
          {"footer", value("footer")},
          {"replies", views::options(value("replyTo"), {{"author", "the author"},
                                                        {"asked", "where the author asked for it, else the author"},
                                                        {"list", "the list"},
                                                        {"both", "the author and the list"}})},
          {"languages",
           views::options(
               value("language"),
               {{"", "the site's"}, {"en", "English"}, {"de", "Deutsch"}, {"fr", "Français"}, {"es", "Español"}})},
          {"authors", authors(value("author"), views::flag(stored, "secure"))}};
}

// Members by where their mail goes: how many domains, and how many of them are not the list's own.
constexpr int LookedAt = 1000;

void addDomains(const Visit& visit, const std::string& address, json& view) {
  std::set<std::string> all;
  std::uint64_t outside = 0;
  const auto own = address.substr(address.find('@') + 1);
  const auto listed = visit.order("member.list", {{"list", address}, {"limit", LookedAt}});
  for (const auto& member : views::part(listed, "items")) {
    const auto theirs = views::text(member, "address");
    const auto domain = theirs.substr(theirs.find('@') + 1);
    all.insert(domain);
    if (domain != own) ++outside;
  }
  const std::string atLeast = views::text(listed, "next").empty() ? "" : "at least ";
  view["outside"] = atLeast + words::plural(outside, "member", "members");
  all.erase(own);
  view["outsideDomains"] = words::plural(all.size(), "domain", "domains");
  view["anyOutside"] = outside > 0;
}

// The rules that name this list or all lists, for those who may read rules.
void addRetention(const Visit& visit, const std::string& address, json& view) {
  if (!views::may(visit, Admin | Officer | Approver | Auditor)) return;
  json rows = json::array();
  const auto listed = visit.order("rule.list");
  for (const auto& rule : views::part(listed, "items")) {
    const auto& lists = views::part(views::part(rule, "scope"), "lists");
    if (!views::flag(rule, "enabled")) continue;
    if (!lists.empty() && std::find(lists.begin(), lists.end(), json(address)) == lists.end()) continue;
    rows.push_back({{"sentence", views::text(rule, "sentence")},
                    {"tier", words::tier(views::text(rule, "tier"))},
                    {"path", views::may(visit, Officer | Approver | Auditor) ? views::rulePath(views::text(rule, "id"))
                                                                             : std::string()},
                    {"name", views::text(rule, "name")}});
  }
  const bool none = rows.empty();
  view["retention"] = {{"rules", rows}, {"none", none}};
}

Response drawList(const Visit& visit, int status, const json& refusal) {
  const auto& address = visit.param("list");
  const auto stored = visit.order("list.show", {{"address", address}});
  const auto recent = visit.order("post.list", {{"list", address}, {"limit", 20}});
  json posts = json::array();
  for (const auto& post : views::part(recent, "items")) posts.push_back(views::postRow(post, visit.now()));
  auto view = views::listSummary(stored, visit.now());
  addReadiness(view, visit.order("list.readiness", {{"address", address}}));
  addDomains(visit, address, view);
  addRetention(visit, address, view);
  view["roles"] = views::rolesOf(visit);
  view["maySeeAccess"] = views::may(visit, Owner | Auditor);
  view["mayChange"] = views::may(visit, Admin | Owner);
  view["deliveryPath"] = "/delivery?list=" + percentEncode(address);
  view["refusal"] = refusal;
  view["settings"] = settings(visit, stored);
  view["posts"] = posts;
  view["noPosts"] = posts.empty();
  return visit.page("list", {address, "lists", status}, std::move(view));
}

Response drawClose(const Visit& visit, int status, const json& refusal) {
  auto view = views::listSummary(visit.order("list.show", {{"address", visit.param("list")}}), visit.now());
  view["refusal"] = refusal;
  return visit.page("list-close", {"Close a list", "lists", status}, std::move(view));
}

Response drawDelete(const Visit& visit, int status, const json& refusal) {
  const auto& address = visit.param("list");
  auto view = views::listSummary(visit.order("list.show", {{"address", address}}), visit.now());
  const auto recent = visit.order("post.list", {{"list", address}, {"limit", 1}});
  const auto& posts = views::part(recent, "items");
  view["newest"] = posts.empty() ? json(nullptr) : views::moment(posts[0], "receivedAt", visit.now());
  addRetention(visit, address, view);
  view["refusal"] = refusal;
  return visit.page("list-delete", {"Delete a list", "lists", status}, std::move(view));
}

}  // namespace

Response list(Visit& visit) {
  return drawList(visit, 200, nullptr);
}

Response setList(Visit& visit) {
  const auto& form = visit.request.form;
  json args = {{"address", visit.param("list")}};
  for (const auto* field :
       {"displayName", "description", "class", "posting", "subjectPrefix", "footer", "replyTo", "author"})
    if (form.has(field)) args[field] = form.get(field);
  if (form.has("language")) args["language"] = form.get("language").empty() ? "site" : form.get("language");
  try {
    visit.order("list.set", args);
  } catch (const app::OrderRefused& refused) {
    return drawList(visit, 422, views::refusal(refused));
  }
  return Response::redirect(views::listPath(visit.param("list")) + "?done=list-saved");
}

Response confirmClose(Visit& visit) {
  return drawClose(visit, 200, nullptr);
}

Response closeList(Visit& visit) {
  const auto& address = visit.param("list");
  if (visit.request.form.get("confirm") != address)
    return drawClose(visit, 422,
                     views::refusal("The address did not match.", "Type " + address + " to close the list."));
  visit.order("list.close", {{"address", address}});
  return Response::redirect(views::listPath(address) + "?done=list-closed");
}

Response confirmDelete(Visit& visit) {
  return drawDelete(visit, 200, nullptr);
}

Response deleteList(Visit& visit) {
  const auto& address = visit.param("list");
  if (visit.request.form.get("confirm") != address)
    return drawDelete(visit, 422,
                      views::refusal("The address did not match.", "Type " + address + " to delete the list."));
  try {
    visit.order("list.delete", {{"address", address}});
  } catch (const app::OrderRefused& refused) {
    return drawDelete(visit, 422, views::refusal(refused));
  }
  return Response::redirect("/lists?done=list-deleted");
}

}  // namespace postern::webadmin::pages
