#include "webadmin/pages/Pages.h"
#include "webadmin/Views.h"

namespace postern::webadmin::pages {

using nlohmann::json;

Response endSession(Visit& visit) {
  visit.order("session.end");
  const auto& account = visit.session->account;
  if (visit.request.form.get("ref") == "others") {
    for (const auto& session : visit.tools.sessions.allOf(account))
      if (session.ref != visit.session->ref) visit.tools.sessions.closeRef(account, session.ref);
  } else {
    visit.tools.sessions.closeRef(account, visit.request.form.get("ref"));
  }
  return Response::redirect("/account?done=session-closed");
}

Response sessions(Visit& visit) {
  auto rows = json::array();
  for (const auto& session : visit.tools.sessions.all())
    rows.push_back({{"ref", session.ref},
                    {"account", session.account},
                    {"agent", session.agent.empty() ? "A browser" : session.agent},
                    {"client", session.client},
                    {"since", views::time(session.createdAt, visit.now())},
                    {"last", views::time(session.lastSeenAt, visit.now())}});
  const bool admin = visit.session->roles().has(app::Role::Admin);
  return visit.page("sessions", {"Sessions", admin ? "people" : "sessions"}, {{"rows", rows}, {"admin", admin}});
}

Response endOthersSession(Visit& visit) {
  const auto& form = visit.request.form;
  visit.order("session.end", {{"name", form.get("account")}});
  visit.tools.sessions.closeRef(form.get("account"), form.get("ref"));
  return Response::redirect("/sessions?done=session-closed");
}

}  // namespace postern::webadmin::pages
