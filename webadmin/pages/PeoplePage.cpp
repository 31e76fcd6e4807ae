#include "webadmin/pages/Pages.h"
#include "webadmin/RecordViews.h"
#include "webadmin/Views.h"

namespace postern::webadmin::pages {

using nlohmann::json;

namespace {

struct RoleWords {
  const char* word;
  const char* title;
  const char* text;
};
constexpr RoleWords Roles[] = {
    {"admin", "Appliance admin", "network, users, backup, queue, policies; never mail, holds or retention"},
    {"officer", "Compliance officer", "retention, matters, holds, search, export; never the machine or people"},
    {"approver", "Approver", "approves or refuses what others ask for"},
    {"auditor", "Auditor", "reads the audit log, reports and certificates; changes nothing"},
    {"custodian", "Key custodian", "unseals keys and keeps a share of them"},
    {"owner", "List owner", "members and settings of the lists named below"},
    {"helpdesk", "Helpdesk", "what became of a message, ends sessions"},
    {"member", "Member", "own messages"}};

bool holds(const json& roles, std::string_view word) {
  for (const auto& role : roles)
    if (role.is_string() && role.get<std::string>() == word) return true;
  return false;
}

json roleChoices(const json& chosen) {
  auto choices = json::array();
  for (const auto& role : Roles)
    choices.push_back(
        {{"word", role.word}, {"title", role.title}, {"text", role.text}, {"chosen", holds(chosen, role.word)}});
  return choices;
}

json titlesOf(const json& words) {
  auto titles = json::array();
  for (const auto& role : Roles)
    if (holds(words, role.word)) titles.push_back({{"title", role.title}});
  return titles;
}

// The ticked boxes of the form.
json chosenRoles(const Fields& form) {
  auto chosen = json::array();
  for (const auto& role : Roles)
    if (form.has(std::string("role-") + role.word)) chosen.push_back(role.word);
  return chosen;
}

std::string joined(const json& words) {
  std::string text;
  for (const auto& word : words)
    if (word.is_string()) text += (text.empty() ? "" : " ") + word.get<std::string>();
  return text;
}

std::string stateTitle(const std::string& state) {
  if (state == "enabled") return "Enabled";
  if (state == "disabled") return "Disabled";
  if (state == "invited") return "Invited";
  return state;
}

json summary(const json& account, TimePoint now) {
  const auto state = views::text(account, "state");
  const auto factors = views::part(account, "factors").size();
  return {{"name", views::text(account, "name")},
          {"path", "/people/" + percentEncode(views::text(account, "name"))},
          {"roles", titlesOf(views::part(account, "roles"))},
          {"lists", joined(views::part(account, "lists"))},
          {"mail", views::text(account, "mail")},
          {"state", stateTitle(state)},
          {"tone", state == "enabled"    ? "good"
                   : state == "disabled" ? "bad"
                                         : "wait"},
          {"invited", state == "invited"},
          {"disabled", state == "disabled"},
          {"emergency", views::flag(account, "breakGlass")},
          {"factors", factors},
          {"codesLeft", views::text(account, "recoveryCodesLeft")},
          {"lastSignIn", views::time(account, "lastSignInAt", now)}};
}

bool mayChange(const Visit& visit) {
  return visit.session->roles().has(app::Role::Admin);
}

Response drawPeople(Visit& visit, int status, const json& refusal, const json& link, bool mailed = false) {
  auto rows = json::array();
  const auto answer = visit.order("account.list");
  for (const auto& account : views::part(answer, "items")) rows.push_back(summary(account, visit.now()));
  const auto& form = visit.request.form;
  return visit.page("people", {"People", "people", status},
                    {{"rows", rows},
                     {"refusal", refusal},
                     {"link", link},
                     {"mailed", mailed},
                     {"mayChange", mayChange(visit)},
                     {"name", form.get("name")},
                     {"mail", form.get("mail")},
                     {"lists", form.get("lists")},
                     {"reason", form.get("reason")},
                     {"choices", roleChoices(chosenRoles(form))}});
}

Response drawPerson(Visit& visit, int status, const json& refusal, const json& link, bool mailed = false) {
  const auto account = visit.order("account.show", {{"name", visit.param("person")}});
  auto view = summary(account, visit.now());
  view["choices"] = roleChoices(views::part(account, "roles"));
  view["refusal"] = refusal;
  view["link"] = link;
  view["mailed"] = mailed;
  view["mayChange"] = mayChange(visit);
  view["reason"] = visit.request.form.get("reason");
  const auto name = views::text(account, "name");
  return visit.page("person", {name, "people", status}, std::move(view));
}

// What the form got wrong is told on the page; to prove oneself again is another page's matter.
void throwUnlessForForm(const app::OrderRefused& refused) {
  if (refused.error().code == "step-up" || refused.error().code == "signed-out")
    throw app::OrderRefused(refused.error());
}

}  // namespace

Response people(Visit& visit) {
  return drawPeople(visit, 200, nullptr, nullptr);
}

// The link is shown once, so in the answer itself and behind no address.
Response invite(Visit& visit) {
  const auto& form = visit.request.form;
  json args{{"name", form.get("name")}, {"roles", chosenRoles(form)}, {"lists", form.get("lists")}};
  if (const auto mail = form.get("mail"); !mail.empty()) args["mail"] = mail;
  if (const auto reason = form.get("reason"); !reason.empty()) args["reason"] = reason;
  try {
    const auto made = visit.order("account.invite", args);
    if (made.contains("request")) return views::afterChange(made, "/people");
    return drawPeople(visit, 200, nullptr, views::text(made, "url"), made.value("mailed", false));
  } catch (const app::OrderRefused& refused) {
    throwUnlessForForm(refused);
    return drawPeople(visit, 422, views::refusal(refused), nullptr);
  }
}

Response person(Visit& visit) {
  return drawPerson(visit, 200, nullptr, nullptr);
}

Response setPerson(Visit& visit) {
  const auto& form = visit.request.form;
  const auto& name = visit.param("person");
  json args{{"name", name}};
  if (const auto state = form.get("state"); !state.empty()) {
    args["state"] = state;
  } else {
    args["roles"] = chosenRoles(form);
    args["lists"] = form.get("lists");
    if (const auto mail = form.get("mail"); !mail.empty()) args["mail"] = mail;
  }
  if (const auto reason = form.get("reason"); !reason.empty()) args["reason"] = reason;
  try {
    const auto made = visit.order("account.set", args);
    if (made.contains("request")) return views::afterChange(made, "/people");
  } catch (const app::OrderRefused& refused) {
    throwUnlessForForm(refused);
    return drawPerson(visit, 422, views::refusal(refused), nullptr);
  }
  return Response::redirect("/people/" + percentEncode(name) + "?done=person-saved");
}

Response recoverPerson(Visit& visit) {
  try {
    const auto made = visit.order("account.recover",
                                  {{"name", visit.param("person")}, {"reason", "the person lost password or factors"}});
    if (made.contains("request")) return views::afterChange(made, "/people");
    return drawPerson(visit, 200, nullptr, views::text(made, "url"), made.value("mailed", false));
  } catch (const app::OrderRefused& refused) {
    throwUnlessForForm(refused);
    return drawPerson(visit, 422, views::refusal(refused), nullptr);
  }
}

}  // namespace postern::webadmin::pages
