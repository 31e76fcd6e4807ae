#include "webadmin/pages/Pages.h"
#include "webadmin/RecordViews.h"
#include "webadmin/Views.h"

// The sealed accounts for the day when nobody can sign in: sealing, what was opened, and the review afterwards.
namespace postern::webadmin::pages {

using nlohmann::json;
using enum app::Role;

namespace {

json sealRow(const json& seal, TimePoint now) {
  const auto opened = views::moment(seal, "openedAt", now);
  const auto reviewed = views::moment(seal, "reviewedAt", now);
  const bool waits = !opened.is_null() && reviewed.is_null();
  return {{"id", views::text(seal, "id")},
          {"account", views::text(seal, "account")},
          {"sealedBy", views::text(seal, "sealedBy")},
          {"sealedAt", views::moment(seal, "sealedAt", now)},
          {"openedAt", opened},
          {"openedFrom", views::text(seal, "openedFrom")},
          {"openedFor", views::text(seal, "openedFor")},
          {"openedUntil", views::moment(seal, "openedUntil", now)},
          {"reviewedBy", views::text(seal, "reviewedBy")},
          {"reviewedAt", reviewed},
          {"words", views::text(seal, "words")},
          {"badge",
           {{"text", waits                ? "Opened, to be reviewed"
                     : reviewed.is_null() ? "Sealed"
                                          : "Reviewed"},
            {"tone", waits ? "bad" : "good"}}},
          {"waits", waits}};
}

Response draw(const Visit& visit, int status, const json& refusal, const json& made) {
  json rows = json::array(), waiting = json::array();
  bool sealed = false;
  const auto listed = visit.order("break-glass.list");
  for (const auto& seal : views::part(listed, "items")) {
    rows.push_back(sealRow(seal, visit.now()));
    if (rows.back()["waits"] == true) waiting.push_back(rows.back());
    sealed = sealed || rows.back()["openedAt"].is_null();
  }
  const bool none = rows.empty();
  return visit.page("emergency-access", {"Emergency access", "people", status},
                    {{"rows", rows},
                     {"none", none},
                     {"waiting", views::may(visit, Auditor) ? waiting : json::array()},
                     {"sealed", sealed},
                     {"maySeal", views::may(visit, Admin)},
                     {"refusal", refusal},
                     {"made", made}});
}

}  // namespace

Response emergencyAccess(Visit& visit) {
  return draw(visit, 200, nullptr, nullptr);
}

// The code is shown once, so in the answer itself and behind no address.
Response sealEmergency(Visit& visit) {
  try {
    const auto made = visit.order("break-glass.seal");
    return draw(visit, 200, nullptr, {{"code", views::text(made, "code")}, {"account", views::text(made, "account")}});
  } catch (const app::OrderRefused& refused) {
    return draw(visit, 422, views::refusal(refused), nullptr);
  }
}

Response reviewEmergency(Visit& visit) {
  const auto& form = visit.request.form;
  try {
    visit.order("break-glass.review", {{"id", form.get("id")}, {"words", form.get("words")}});
  } catch (const app::OrderRefused& refused) {
    return draw(visit, 422, views::refusal(refused), nullptr);
  }
  return Response::redirect("/emergency-access?done=emergency-reviewed");
}

}  // namespace postern::webadmin::pages
