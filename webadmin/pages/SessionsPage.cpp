#include "webadmin/pages/Pages.h"
#include "webadmin/Views.h"

namespace postern::webadmin::pages {

using nlohmann::json;

json sessionRows(const json& list, TimePoint now) {
  auto rows = json::array();
  for (const auto& session : views::part(list, "items")) {
    const auto agent = views::text(session, "agent");
    rows.push_back({{"ref", views::text(session, "ref")},
                    {"account", views::text(session, "account")},
                    {"agent", agent.empty() ? "A browser" : agent},
                    {"client", views::text(session, "client")},
                    {"since", views::time(session, "createdAt", now)},
                    {"last", views::time(session, "lastSeenAt", now)},
                    {"own", views::flag(session, "own")}});
  }
  return rows;
}

Response endSession(Visit& visit) {
  const auto ref = visit.request.form.get("ref");
  if (ref.empty()) throw app::OrderRefused({"usage", "the form names no session", "open the page again"});
  visit.order("session.end", ref == "others" ? json::object() : json{{"ref", ref}});
  return Response::redirect("/account?done=session-closed");
}

Response sessions(Visit& visit) {
  const auto rows = sessionRows(visit.order("session.list", {{"all", true}}), visit.now());
  const bool admin = visit.session->roles().has(app::Role::Admin);
  return visit.page("sessions", {"Sessions", admin ? "people" : "sessions"}, {{"rows", rows}, {"admin", admin}});
}

Response endOthersSession(Visit& visit) {
  const auto& form = visit.request.form;
  const auto ref = form.get("ref");
  if (ref.empty()) throw app::OrderRefused({"usage", "the form names no session", "open the page again"});
  visit.order("session.end", {{"name", form.get("account")}, {"ref", ref}});
  return Response::redirect("/sessions?done=session-closed");
}

}  // namespace postern::webadmin::pages
