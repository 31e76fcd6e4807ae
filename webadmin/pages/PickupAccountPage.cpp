#include "webadmin/pages/PickupPages.h"
#include "webadmin/Views.h"
#include "webadmin/Words.h"

namespace postern::webadmin::pages {

using nlohmann::json;

namespace {

Response drawAccount(const Visit& visit, int status, const json& refusal) {
  const auto own = pickupOrder(visit, "pickup.account");
  json sessions = json::array(), passkeys = json::array();
  for (const auto& one : views::part(own, "sessions"))
    sessions.push_back({{"ref", views::text(one, "ref")},
                        {"agent", views::text(one, "agent").empty() ? "A browser" : views::text(one, "agent")},
                        {"client", views::text(one, "client")},
                        {"own", views::flag(one, "own")},
                        {"since", views::time(one, "createdAt", visit.now())}});
  for (const auto& one : views::part(own, "passkeys"))
    passkeys.push_back({{"id", std::to_string(views::number(one, "id"))},
                        {"name", views::text(one, "name")},
                        {"createdAt", views::time(one, "createdAt", visit.now())},
                        {"lastUsed", views::time(one, "lastUsedAt", visit.now())}});
  return pickupPage(visit, "pickup-account", "Your account", status,
                    {{"refusal", refusal},
                     {"address", views::text(own, "address")},
                     {"sessions", sessions},
                     {"passkeys", passkeys},
                     {"password", views::flag(own, "password")},
                     {"question", views::text(own, "question")},
                     {"takesPasskeys", views::flag(own, "takesPasskeys")},
                     {"shortest", views::number(own, "shortestPassword")},
                     {"changed", visit.request.query.get("done") == "changed"}});
}

// Gives the order; back to the page, which says what was wrong if it was refused.
Response act(const Visit& visit, std::string_view order, json args) {
  try {
    pickupOrder(visit, order, std::move(args));
    return Response::redirect("/pickup/account?done=changed");
  } catch (const app::OrderRefused& refused) {
    if (refused.error().code == "signed-out") return pickupRefused(visit, refused);
    return drawAccount(visit, 422, views::refusal(refused));
  }
}

}  // namespace

Response pickupAccount(Visit& visit) {
  try {
    return drawAccount(visit, 200, nullptr);
  } catch (const app::OrderRefused& refused) {
    return pickupRefused(visit, refused);
  }
}

Response pickupAccountPasskey(Visit& visit) {
  return jsonResponse(200, pickupOrder(visit, "pickup.passkey-options"));
}

Response pickupAddPasskey(Visit& visit) {
  return act(
      visit, "pickup.passkey-add",
      {{"credential", visit.request.form.get("credential")}, {"name", visit.request.form.get("name", "Passkey")}});
}

Response pickupRemovePasskey(Visit& visit) {
  return act(visit, "pickup.passkey-remove", {{"id", visit.request.form.get("id")}});
}

Response pickupPassword(Visit& visit) {
  const auto& form = visit.request.form;
  if (form.get("new") != form.get("repeat"))
    return drawAccount(visit, 422, views::refusal("The two passwords are not the same.", "Type it again."));
  return act(visit, "pickup.password", {{"old", form.get("old")}, {"new", form.get("new")}});
}

Response pickupEndSession(Visit& visit) {
  return act(visit, "pickup.session-end", {{"ref", visit.request.form.get("ref")}});
}

namespace {

// Answering it, or choosing one: when there is none, or when it is to be another.
Response drawQuestion(const Visit& visit, int status, const json& refusal) {
  const auto own = pickupOrder(visit, "pickup.question");
  const auto question = views::text(own, "question");
  const bool choose = question.empty() || views::flag(own, "answered");
  return pickupPage(visit, "pickup-question", "Your question", status,
                    {{"refusal", refusal},
                     {"address", views::text(own, "address")},
                     {"question", question},
                     {"choose", choose},
                     {"typed", visit.request.form.get("question")},
                     {"next", visit.request.form.get("next", visit.request.query.get("next"))}});
}

}  // namespace

Response pickupQuestionForm(Visit& visit) {
  try {
    return drawQuestion(visit, 200, nullptr);
  } catch (const app::OrderRefused& refused) {
    return pickupRefused(visit, refused);
  }
}

Response pickupQuestion(Visit& visit) {
  const auto& form = visit.request.form;
  const bool choose = form.get("act") == "choose";
  json args{{"answer", form.get("answer")}};
  if (choose) args["question"] = form.get("question");
  try {
    pickupOrder(visit, choose ? "pickup.question-set" : "pickup.question-answer", args);
    return Response::redirect(pickupTarget(form.get("next")));
  } catch (const app::OrderRefused& refused) {
    if (refused.error().code == "signed-out") return pickupRefused(visit, refused);
    return drawQuestion(visit, 422, views::refusal(refused));
  }
}

Response pickupDeleteForm(Visit& visit) {
  try {
    const auto own = pickupOrder(visit, "pickup.account");
    return pickupPage(visit, "pickup-delete", "Delete your account", 200, {{"address", views::text(own, "address")}});
  } catch (const app::OrderRefused& refused) {
    return pickupRefused(visit, refused);
  }
}

Response pickupDelete(Visit& visit) {
  try {
    pickupOrder(visit, "pickup.account-delete", {{"sure", true}});
  } catch (const app::OrderRefused& refused) {
    return pickupRefused(visit, refused);
  }
  auto response = Response::redirect("/pickup/?done=deleted");
  response.headers.push_back(pickupCookie(""));
  response.headers.emplace_back("Clear-Site-Data", "\"cache\"");
  return response;
}

Response pickupSent(Visit& visit) {
  try {
    const auto sent = pickupOrder(visit, "pickup.sent");
    json rows = json::array();
    for (const auto& item : views::part(sent, "items"))
      rows.push_back({{"post", views::text(item, "post")},
                      {"list", views::text(item, "list")},
                      {"sentAt", views::time(item, "sentAt", visit.now())},
                      {"recipients", std::to_string(views::number(item, "recipients"))},
                      {"waiting", views::number(item, "waiting") > 0},
                      {"left", std::to_string(views::number(item, "waiting"))},
                      {"opened", std::to_string(views::number(item, "opened"))}});
    return pickupPage(visit, "pickup-sent", "What you sent", 200,
                      {{"address", views::text(sent, "address")},
                       {"items", rows},
                       {"any", !rows.empty()},
                       {"recalled", visit.request.query.get("done") == "recalled"}});
  } catch (const app::OrderRefused& refused) {
    return pickupRefused(visit, refused);
  }
}

Response pickupRecallSent(Visit& visit) {
  try {
    pickupOrder(visit, "pickup.sent-recall",
                {{"post", visit.request.form.get("post")}, {"reason", visit.request.form.get("reason")}});
    return Response::redirect("/pickup/sent?done=recalled");
  } catch (const app::OrderRefused& refused) {
    return pickupRefused(visit, refused);
  }
}

}  // namespace postern::webadmin::pages
