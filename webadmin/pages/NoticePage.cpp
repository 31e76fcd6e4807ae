#include "webadmin/pages/RecordPages.h"
#include "webadmin/RecordViews.h"
#include "webadmin/Views.h"

namespace postern::webadmin::pages {

// A custodian comes by the link of a mail, without an account: the token is the proof. A token that leads nowhere is
// answered in the same words, whatever is wrong with it.
Response notice(Visit& visit) {
  const auto& token = visit.param("token");
  try {
    const auto shown = visit.order("notice.show", {{"token", token}});
    const auto acknowledged = views::moment(shown, "acknowledgedAt", visit.now());
    return visit.page("notice", {"Notice of a legal hold", ""},
                      {{"path", "/notice/" + percentEncode(token)},
                       {"matter", views::text(shown, "matter")},
                       {"text", views::text(shown, "text")},
                       {"custodian", views::text(shown, "custodian")},
                       {"acknowledgedAt", acknowledged}});
  } catch (const app::OrderRefused& refused) {
    if (refused.error().code == "broken" || refused.error().code == "unavailable") throw;
    return visit.page("notice-gone", {"Notice of a legal hold", "", 410}, nlohmann::json::object());
  }
}

Response acknowledgeNotice(Visit& visit) {
  visit.order("notice.acknowledge", {{"token", visit.param("token")}});
  return Response::redirect("/notice/" + percentEncode(visit.param("token")) + "?done=acknowledged");
}

}  // namespace postern::webadmin::pages
