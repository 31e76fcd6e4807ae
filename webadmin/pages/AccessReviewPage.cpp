#include "webadmin/pages/Pages.h"
#include "webadmin/RecordViews.h"
#include "webadmin/RecordWords.h"
#include "webadmin/Views.h"
#include "webadmin/Words.h"

// Who may what, signed every quarter by an approver.
namespace postern::webadmin::pages {

using nlohmann::json;
using enum app::Role;

namespace {

std::string joined(const json& words) {
  std::string text;
  for (const auto& word : words)
    if (word.is_string()) text += (text.empty() ? "" : ", ") + word.get<std::string>();
  return text;
}

std::string roleTitles(const json& given) {
  std::string text;
  for (const auto& word : given) {
    const auto role = word.is_string() ? app::roleFromWord(word.get<std::string>()) : std::nullopt;
    if (role) text += (text.empty() ? "" : ", ") + words::roles(*role);
  }
  return text;
}

json row(const json& account, TimePoint now) {
  const auto state = views::text(account, "state");
  return {{"name", views::text(account, "name")},
          {"roles", roleTitles(views::part(account, "roles"))},
          {"lists", joined(views::part(account, "lists"))},
          {"badge", views::badge(state)},
          {"factors", words::plural(views::number(account, "factors"), "factor", "factors")},
          {"tokens", words::plural(views::number(account, "tokens"), "token", "tokens")},
          {"lastSignIn", views::moment(account, "lastSignInAt", now)}};
}

Response draw(const Visit& visit, int status, const json& refusal) {
  const auto review = visit.order("access.review");
  json rows = json::array();
  for (const auto& account : views::part(review, "items")) rows.push_back(row(account, visit.now()));
  const auto& last = views::part(review, "last");
  return visit.page("access-review", {"Access review", "access", status},
                    {{"rows", rows},
                     {"digest", views::text(review, "digest")},
                     {"due", views::flag(review, "due")},
                     {"last", last.empty() ? json(nullptr)
                                           : json{{"by", views::text(last, "by")},
                                                  {"at", views::moment(last, "at", visit.now())},
                                                  {"words", views::text(last, "words")}}},
                     {"maySign", views::may(visit, Approver)},
                     {"words", visit.request.form.get("words")},
                     {"refusal", refusal}});
}

}  // namespace

Response accessReview(Visit& visit) {
  return draw(visit, 200, nullptr);
}

Response signAccessReview(Visit& visit) {
  const auto& form = visit.request.form;
  try {
    visit.order("access.sign-off", {{"digest", form.get("digest")}, {"words", form.get("words")}});
  } catch (const app::OrderRefused& refused) {
    return draw(visit, 422, views::refusal(refused));
  }
  return Response::redirect("/access-review?done=access-signed");
}

}  // namespace postern::webadmin::pages
