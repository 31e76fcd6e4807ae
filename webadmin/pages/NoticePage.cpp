#include "webadmin/pages/RecordPages.h"
#include "webadmin/RecordViews.h"
#include "webadmin/RecordWords.h"
#include "webadmin/Views.h"

// Pages for people without an account, who come by the link of a mail: the token in it is the proof. A link that leads
// nowhere is answered in the same words, whatever is wrong with it. Opening a page changes nothing: mail scanners
// follow links, only a button acts.
namespace postern::webadmin::pages {

using nlohmann::json;

namespace {

// True for answers about the link itself; what is broken elsewhere is thrown on.
bool leadsNowhere(const app::OrderRefused& refused) {
  return refused.error().code != "broken" && refused.error().code != "unavailable";
}

Response drawStop(const Visit& visit, int status, const std::string& token, const json& request) {
  const auto state = views::text(request, "state");
  return visit.page("notice-stop", {"Stop a change", "", status},
                    {{"token", token},
                     {"kind", words::requestKind(views::text(request, "kind"))},
                     {"host", visit.tools.config.hostName},
                     {"waiting", state == "waiting"},
                     {"stopped", state == "withdrawn"},
                     {"state", words::recordState(state)},
                     {"createdAt", views::moment(request, "createdAt", visit.now())},
                     {"decideAt", views::moment(request, "decideAt", visit.now())}});
}

}  // namespace

Response notice(Visit& visit) {
  const auto token = visit.request.query.get("token");
  try {
    const auto shown = visit.order("notice.show", {{"token", token}});
    const auto acknowledged = views::moment(shown, "acknowledgedAt", visit.now());
    return visit.page("notice", {"Notice of a legal hold", ""},
                      {{"token", token},
                       {"matter", views::text(shown, "matter")},
                       {"text", views::text(shown, "text")},
                       {"custodian", views::text(shown, "custodian")},
                       {"acknowledgedAt", acknowledged}});
  } catch (const app::OrderRefused& refused) {
    if (!leadsNowhere(refused)) throw;
    return visit.page("notice-gone", {"Notice of a legal hold", "", 410}, json::object());
  }
}

Response acknowledgeNotice(Visit& visit) {
  const auto token = visit.request.form.get("token");
  try {
    visit.order("notice.acknowledge", {{"token", token}});
  } catch (const app::OrderRefused& refused) {
    // Pressed twice: the page says when it was acknowledged, or that the link leads nowhere.
    if (!leadsNowhere(refused)) throw;
  }
  return Response::redirect("/notice?token=" + percentEncode(token));
}

Response stopForm(Visit& visit) {
  const auto token = visit.request.query.get("token");
  try {
    return drawStop(visit, 200, token, visit.order("request.stop-show", {{"token", token}}));
  } catch (const app::OrderRefused& refused) {
    if (!leadsNowhere(refused)) throw;
    return visit.page("notice-gone", {"Stop a change", "", 410}, json::object());
  }
}

Response stop(Visit& visit) {
  const auto token = visit.request.form.get("token");
  try {
    visit.order("request.stop", {{"token", token}});
  } catch (const app::OrderRefused& refused) {
    if (!leadsNowhere(refused)) throw;
  }
  return Response::redirect("/requests/stop?token=" + percentEncode(token));
}

}  // namespace postern::webadmin::pages
