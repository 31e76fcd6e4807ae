#include "webadmin/pages/Pages.h"
#include "webadmin/RecordViews.h"
#include "webadmin/RecordWords.h"
#include "webadmin/Views.h"
#include "webadmin/Words.h"

#include <algorithm>

namespace postern::webadmin::pages {

using nlohmann::json;

namespace {

const std::string Path = "/quarantine";

std::string causeWords(const std::string& cause, const std::string& detail) {
  if (cause == "virus") return "Infected: " + detail;
  if (cause == "spam") return "Looks like spam: " + detail;
  if (cause == "milter") return "A milter asks: " + detail;
  return "A policy asks: " + detail;
}

std::string stateWords(const std::string& state, bool destroyed) {
  if (state == "held") return "Waits";
  if (state == "released") return "Released";
  if (state == "expired") return destroyed ? "Time over, destroyed" : "Time over, must be kept";
  return destroyed ? "Deleted, destroyed" : "Deleted, must be kept";
}

json rowOf(const json& held, TimePoint now) {
  const auto id = views::text(held, "id");
  const auto state = views::text(held, "state");
  const auto from = views::text(held, "mailFrom");
  json lists = json::array();
  for (const auto& list : views::part(held, "lists"))
    if (list.is_string())
      lists.push_back({{"address", list}, {"path", views::listPath(list.get_ref<const std::string&>())}});
  return {{"id", id},
          {"path", Path + "/" + percentEncode(id)},
          {"from", from.empty() ? std::string("nobody (a bounce or an automatic mail)") : from},
          {"lists", lists},
          {"recipients", words::plural(views::number(held, "recipients"), "recipient", "recipients")},
          {"size", words::size(views::number(held, "size"))},
          {"cause", causeWords(views::text(held, "cause"), views::text(held, "detail"))},
          {"infected", views::text(held, "cause") == "virus"},
          {"waits", state == "held"},
          {"badge",
           {{"text", stateWords(state, views::flag(held, "destroyed"))},
            {"tone", state == "held"       ? "wait"
                     : state == "released" ? "good"
                                           : "quiet"}}},
          {"heldAt", views::time(held, "heldAt", now)},
          {"expiresAt", views::time(held, "expiresAt", now)},
          {"decidedAt", views::time(held, "decidedAt", now)},
          {"decidedBy", views::text(held, "decidedBy")},
          {"queueId", views::text(held, "queueId")}};
}

json filterOf(const Fields& query) {
  json args = json::object();
  for (const auto* name : {"state", "cause", "list", "from", "after"})
    if (const auto value = query.get(name); !value.empty()) args[name] = value;
  return args;
}

bool mayDecide(const Visit& visit) {
  return views::may(visit, app::Role::Admin | app::Role::Owner);
}

// The messages that were ticked, shown again before anything happens to them.
Response drawDecision(const Visit& visit, int status, const json& refusal) {
  const auto& form = visit.request.form;
  const bool deletes = form.get("action") == "delete";
  json rows = json::array();
  bool infected = false;
  for (const auto& [name, value] : form.items()) {
    if (name != "id") continue;
    rows.push_back(rowOf(visit.order("quarantine.show", {{"id", value}}), visit.now()));
    infected = infected || rows.back().value("infected", false);
  }
  const auto count = rows.size();
  return visit.page("quarantine-decide", {deletes ? "Delete held mail" : "Release held mail", "quarantine", status},
                    {{"rows", rows},
                     {"none", count == 0},
                     {"deletes", deletes},
                     {"action", deletes ? "delete" : "release"},
                     {"count", words::plural(count, "message", "messages")},
                     {"number", std::to_string(count)},
                     {"infected", infected && !deletes},
                     {"mayInfected", infected && !deletes && views::may(visit, app::Role::Admin)},
                     {"trust", form.get("trust") == "yes"},
                     {"reason", form.get("reason")},
                     {"refusal", refusal}});
}

Response drawOne(const Visit& visit, int status, const json& refusal, const json& content) {
  const auto held = visit.order("quarantine.show", {{"id", visit.param("held")}});
  auto view = rowOf(held, visit.now());
  view["mayDecide"] = views::flag(held, "mayDecide") && mayDecide(visit) && view.value("waits", false);
  view["mayRead"] = views::may(visit, app::Role::Officer | app::Role::Owner) && !views::flag(held, "destroyed");
  view["readPath"] = view.value("path", "") + "/read";
  view["reason"] = visit.request.form.get("reason");
  view["refusal"] = refusal;
  view["content"] = content;
  return visit.page("quarantine-message", {"Held message", "quarantine", status}, std::move(view));
}

}  // namespace

Response quarantine(Visit& visit) {
  const auto& query = visit.request.query;
  const auto args = filterOf(query);
  const auto answer = visit.order("quarantine.list", args);
  json rows = json::array();
  for (const auto& held : views::part(answer, "items")) rows.push_back(rowOf(held, visit.now()));
  const auto next = views::text(answer, "next");
  std::string more;
  if (!next.empty()) {
    more = Path + "?after=" + percentEncode(next);
    for (const auto* name : {"state", "cause", "list", "from"})
      if (const auto value = query.get(name); !value.empty())
        more += std::string("&") + name + "=" + percentEncode(value);
  }
  const bool filtered = !args.empty();
  return visit.page("quarantine", {"Quarantine", "quarantine"},
                    {{"rows", rows},
                     {"hasRows", !rows.empty()},
                     {"empty", rows.empty() && !filtered},
                     {"noneFit", rows.empty() && filtered},
                     {"total", words::plural(views::number(answer, "total"), "message", "messages")},
                     {"states", views::options(query.get("state", "held"), {{"held", "Waiting"},
                                                                            {"released", "Released"},
                                                                            {"deleted", "Deleted"},
                                                                            {"expired", "Time over"},
                                                                            {"all", "All"}})},
                     {"causes", views::options(query.get("cause", "all"), {{"all", "Any cause"},
                                                                           {"spam", "Spam filter"},
                                                                           {"virus", "Infected"},
                                                                           {"policy", "Policy"},
                                                                           {"milter", "Milter"}})},
                     {"list", query.get("list")},
                     {"from", query.get("from")},
                     {"next", more},
                     {"mayDecide", mayDecide(visit) && query.get("state", "held") == "held" && !rows.empty()},
                     {"mayTrust", mayDecide(visit)},
                     {"noSubjects", !views::may(visit, app::Role::Officer | app::Role::Owner)}});
}

Response chooseHeld(Visit& visit) {
  return drawDecision(visit, 200, nullptr);
}

Response decideHeld(Visit& visit) {
  const auto& form = visit.request.form;
  json ids = json::array();
  for (const auto& [name, value] : form.items())
    if (name == "id") ids.push_back(value);
  const bool deletes = form.get("action") == "delete";
  if (deletes && form.get("confirm") != std::to_string(ids.size()))
    return drawDecision(visit, 422,
                        views::refusal("The number did not match.",
                                       "Type how many messages are deleted: " + std::to_string(ids.size())));
  json args = {{"ids", ids}, {"reason", form.get("reason")}};
  if (form.get("trust") == "yes") args["trust"] = true;
  if (form.get("infected") == "yes") args["infected"] = true;
  try {
    const auto done = visit.order(deletes ? "quarantine.delete" : "quarantine.release", args);
    if (!deletes) return Response::redirect(Path + "?done=held-released");
    return Response::redirect(Path +
                              (views::number(done, "mustBeKept") > 0 ? "?done=held-kept" : "?done=held-deleted"));
  } catch (const app::OrderRefused& refused) {
    return drawDecision(visit, 422, views::refusal(refused));
  }
}

Response heldMessage(Visit& visit) {
  return drawOne(visit, 200, nullptr, nullptr);
}

// The answer to the form itself and no redirect: each look is one order with its reason.
Response readHeldMessage(Visit& visit) {
  json shown;
  try {
    shown = visit.order("quarantine.read", {{"id", visit.param("held")}, {"reason", visit.request.form.get("reason")}});
  } catch (const app::OrderRefused& refused) {
    return drawOne(visit, 422, views::refusal(refused), nullptr);
  }
  json attachments = json::array();
  for (const auto& one : views::part(shown, "attachments"))
    attachments.push_back({{"name", views::text(one, "name")},
                           {"type", views::text(one, "type")},
                           {"size", words::size(views::number(one, "size"))}});
  const auto text = views::text(shown, "text");
  return drawOne(visit, 200, nullptr,
                 {{"subject", views::text(shown, "subject")},
                  {"author", views::text(shown, "from")},
                  {"to", views::text(shown, "to")},
                  {"date", views::text(shown, "date")},
                  {"sealed", views::flag(shown, "sealed")},
                  {"text", text},
                  {"hasText", !text.empty()},
                  {"attachments", attachments},
                  {"hasAttachments", !attachments.empty()}});
}

Response trustedSenders(Visit& visit) {
  const auto answer = visit.order("quarantine.trusted");
  json rows = json::array();
  for (const auto& sender : views::part(answer, "items"))
    rows.push_back({{"list", views::text(sender, "list")},
                    {"address", views::text(sender, "address")},
                    {"addedAt", views::time(sender, "addedAt", visit.now())},
                    {"addedBy", views::text(sender, "addedBy")}});
  return visit.page("quarantine-trusted", {"Trusted senders", "quarantine"},
                    {{"rows", rows}, {"hasRows", !rows.empty()}});
}

Response untrustSender(Visit& visit) {
  const auto& form = visit.request.form;
  visit.order("quarantine.untrust", {{"list", form.get("list")}, {"address", form.get("address")}});
  return Response::redirect(Path + "/trusted?done=sender-untrusted");
}

}  // namespace postern::webadmin::pages
