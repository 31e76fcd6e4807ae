#include "webadmin/pages/SubscribePages.h"

#include "webadmin/api/Api.h"
#include "webadmin/Views.h"
#include "webadmin/Words.h"

// For people without an account. Opening a page changes nothing, since mail scanners follow links; only a button acts.
// Works without JavaScript. What a page says is the same for members and others, unless a token proves the mailbox.
namespace postern::webadmin::pages {

using nlohmann::json;

namespace {

constexpr std::string_view UnsubscribePath = "/lists/unsubscribe";

bool leadsNowhere(const app::OrderRefused& refused) {
  return refused.error().code == "not-found" || refused.error().code == "invalid";
}

Response drawGone(const Visit& visit) {
  return visit.page("subscribe-gone", {"This link is over", "", 410}, json::object());
}

json listView(const json& list) {
  const auto joining = views::text(list, "joining");
  const bool open = views::flag(list, "open");
  const auto name = views::text(list, "displayName");
  return {{"address", views::text(list, "address")},
          {"name", name.empty() ? views::text(list, "address") : name},
          {"description", views::text(list, "description")},
          {"secure", views::flag(list, "secure")},
          {"closed", !open},
          {"path", views::listPath(views::text(list, "address")) + "/subscribe"},
          {"mayJoin", open && joining != "closed" && joining != "invitation"},
          {"byInvitation", open && joining == "invitation"},
          {"byDecision", joining == "moderate" || joining == "confirm-moderate"},
          {"mayLeave", open && views::text(list, "leaving") != "closed"},
          {"leaveByDecision", views::text(list, "leaving") == "moderate"}};
}

Response drawList(const Visit& visit, const json& list, int status, const json& refusal, bool asked) {
  auto view = listView(list);
  const auto& form = visit.request.form;
  view.update({{"refusal", refusal},
               {"asked", asked},
               {"typedAddress", asked ? "" : form.get("address")},
               {"typedName", asked ? "" : form.get("name")}});
  const auto title = views::text(view, "name");
  return visit.page("subscribe", {title, "", status}, std::move(view));
}

// What came of a confirmation, in words.
std::string outcomeWords(std::string_view outcome) {
  if (outcome == "joined") return "The address is on the list now.";
  if (outcome == "left") return "The address is not on the list any more.";
  if (outcome == "waiting")
    return "Thank you. The people who look after the list decide now; a mail tells you what they say.";
  if (outcome == "moved")
    return "The new address is on the list in the place of the old one. Keys do not follow: give the "
           "new address one of its own where the list needs it.";
  if (outcome == "other-mailbox") return "Thank you. The other address has to confirm it, too.";
  if (outcome == "not-member") return "The address is not on this list. Nothing was changed.";
  if (outcome == "taken") return "The new address is on the list already. Nothing was changed.";
  if (outcome == "declined") return "The invitation was declined. Nothing was changed.";
  return "The list does not take this. Nothing was changed.";
}

Response drawDone(const Visit& visit, const json& result) {
  return visit.page("subscribe-done", {"Mailing list", ""},
                    {{"list", views::text(result, "list")},
                     {"text", outcomeWords(views::text(result, "outcome"))},
                     {"needsKey", views::flag(result, "needsKey")}});
}

struct Question {
  const char* heading;
  const char* button;
};

Question questionOf(std::string_view action) {
  if (action == "leave" || action == "one-click") return {"Leave this list?", "Leave the list"};
  if (action == "address") return {"Change of address", "Confirm the change"};
  if (action == "invite") return {"You are invited", "Join the list"};
  return {"Join this list?", "Join the list"};
}

Response drawConfirm(const Visit& visit, std::string_view path, const std::string& token, const json& found) {
  const auto action = views::text(found, "action");
  const auto state = views::text(found, "state");
  const auto question = questionOf(action);
  const auto reason = views::text(found, "reason");
  auto view = listView(views::part(found, "list"));
  view.update({{"action", path},
               {"token", token},
               {"heading", question.heading},
               {"button", question.button},
               {"who", views::text(found, "address")},
               {"change", action == "address"},
               {"invited", action == "invite"},
               {"from", views::text(found, "from")},
               {"to", views::text(found, "to")},
               {"asked", state == "asked"},
               {"waiting", state == "waiting"},
               {"done", state == "done"},
               {"refused", state == "refused"},
               {"expired", state == "expired"},
               {"reason", reason},
               {"until", views::time(found, "endsAt", visit.now())}});
  return visit.page("subscribe-confirm", {question.heading, ""}, std::move(view));
}

Response drawByToken(const Visit& visit, std::string_view path, const std::string& token, bool oneClick) {
  try {
    const auto found = visit.order("subscribe.show", {{"token", token}});
    const auto action = views::text(found, "action");
    if ((action == "one-click") != oneClick || action == "member") return drawGone(visit);
    return drawConfirm(visit, path, token, found);
  } catch (const app::OrderRefused& refused) {
    if (!leadsNowhere(refused)) throw;
    return drawGone(visit);
  }
}

// Days of a form (YYYY-MM-DD, UTC) as microseconds; empty is 0, and nothing for what is no day.
std::optional<std::int64_t> dayOf(const std::string& text, int plusDays) {
  if (text.empty()) return 0;
  const auto at = microsFromRfc3339(text + "T00:00:00Z");
  if (!at) return std::nullopt;
  return toMicros(fromMicros(*at) + std::chrono::hours(24 * plusDays));
}

// The day of a moment for a form; empty for 0.
std::string dayText(const json& member, std::string_view field, int minusDays) {
  const auto micros = views::number(member, field);
  if (micros == 0) return {};
  return formatRfc3339(fromMicros(static_cast<std::int64_t>(micros)) - std::chrono::hours(24 * minusDays))
      .substr(0, 10);
}

Response drawMembership(const Visit& visit, const std::string& token, int status, const json& refusal, bool saved,
                        bool asked) {
  json found;
  try {
    found = visit.order("subscribe.show", {{"token", token}});
  } catch (const app::OrderRefused& refused) {
    if (!leadsNowhere(refused)) throw;
    return drawGone(visit);
  }
  if (views::text(found, "action") != "member") return drawGone(visit);
  auto view = listView(views::part(found, "list"));
  const auto member = found.find("member");
  const bool isMember = member != found.end() && member->is_object();
  const auto delivery = isMember ? views::text(*member, "delivery") : std::string("each");
  view.update({{"token", token},
               {"who", views::text(found, "address")},
               {"isMember", isMember},
               {"refusal", refusal},
               {"saved", saved},
               {"changeAsked", asked},
               {"deliveries", views::options(delivery, {{"each", "Each message as it comes"},
                                                        {"none", "No messages; I can still write"}})},
               {"paused", isMember && views::flag(*member, "paused")},
               {"fromDay", isMember ? dayText(*member, "pausedFrom", 0) : ""},
               {"untilDay", isMember ? dayText(*member, "pausedUntil", 1) : ""},
               {"linkUntil", views::time(found, "endsAt", visit.now())}});
  return visit.page("membership", {"Your membership", "", status}, std::move(view));
}

}  // namespace

bool isOneClick(const Request& request) {
  return request.method == Method::Post && request.path == UnsubscribePath &&
         request.form.get("List-Unsubscribe") == "One-Click";
}

Response publicLists(Visit& visit) {
  json rows = json::array();
  const auto listed = visit.order("subscribe.lists");
  for (const auto& list : views::part(listed, "items")) rows.push_back(listView(list));
  const bool none = rows.empty();
  return visit.page("subscribe-lists", {"Mailing lists", ""}, {{"rows", rows}, {"none", none}});
}

Response aboutList(Visit& visit) {
  try {
    return drawList(visit, visit.order("subscribe.about", {{"token", visit.request.query.get("token")}}), 200, nullptr,
                    false);
  } catch (const app::OrderRefused& refused) {
    if (!leadsNowhere(refused)) throw;
    return drawGone(visit);
  }
}

Response subscribeForm(Visit& visit) {
  return drawList(visit, visit.order("subscribe.about", {{"list", visit.param("list")}}), 200, nullptr, false);
}

Response subscribe(Visit& visit) {
  const auto list = visit.order("subscribe.about", {{"list", visit.param("list")}});
  const auto& form = visit.request.form;
  try {
    visit.order("subscribe.ask", {{"list", visit.param("list")},
                                  {"action", form.get("action", "join")},
                                  {"address", form.get("address")},
                                  {"name", form.get("name")}});
  } catch (const app::OrderRefused& refused) {
    return drawList(visit, list, 422, views::refusal(refused), false);
  }
  return drawList(visit, list, 200, nullptr, true);
}

Response confirmForm(Visit& visit) {
  return drawByToken(visit, "/lists/confirm", visit.request.query.get("token"), false);
}

Response confirm(Visit& visit) {
  const auto& form = visit.request.form;
  try {
    return drawDone(visit, visit.order("subscribe.use",
                                       {{"token", form.get("token")}, {"refuse", form.get("answer") == "refuse"}}));
  } catch (const app::OrderRefused& refused) {
    if (!leadsNowhere(refused)) throw;
    return drawGone(visit);
  }
}

Response unsubscribeForm(Visit& visit) {
  return drawByToken(visit, UnsubscribePath, visit.request.query.get("token"), true);
}

// By the button of the page, or as RFC 8058 says by a mail program: then the token stands in the address alone.
Response unsubscribe(Visit& visit) {
  const auto token = isOneClick(visit.request) ? visit.request.query.get("token") : visit.request.form.get("token");
  try {
    return drawDone(visit, visit.order("subscribe.one-click", {{"token", token}}));
  } catch (const app::OrderRefused& refused) {
    if (!leadsNowhere(refused)) throw;
    return drawGone(visit);
  }
}

Response membership(Visit& visit) {
  return drawMembership(visit, visit.request.query.get("token"), 200, nullptr, false, false);
}

Response setMembership(Visit& visit) {
  const auto& form = visit.request.form;
  const auto token = form.get("token");
  json args{{"token", token}};
  const bool change = form.get("what") == "address";
  if (change) {
    args["newAddress"] = form.get("newAddress");
  } else {
    const auto from = dayOf(form.get("from"), 0), until = dayOf(form.get("until"), 1);
    if (!from || !until)
      return drawMembership(visit, token, 422, views::refusal("That is no day.", "Write days as in 2026-12-24."), false,
                            false);
    args["delivery"] = form.get("delivery", "each");
    args["pausedFrom"] = *from;
    args["pausedUntil"] = *until;
  }
  try {
    visit.order("subscribe.settings", args);
  } catch (const app::OrderRefused& refused) {
    if (refused.error().code == "not-found") return drawGone(visit);
    return drawMembership(visit, token, 422, views::refusal(refused), false, false);
  }
  return drawMembership(visit, token, 200, nullptr, !change, change);
}

}  // namespace postern::webadmin::pages
