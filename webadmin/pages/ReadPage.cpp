#include "webadmin/HtmlSanitizer.h"
#include "webadmin/pages/RecordPages.h"
#include "webadmin/RecordViews.h"
#include "webadmin/Views.h"
#include "webadmin/Words.h"

namespace postern::webadmin::pages {

using nlohmann::json;

namespace {

// Nothing of the message's HTML may run, load or lead anywhere; only our own page may frame it.
constexpr const char* MessagePolicy =
    "sandbox; default-src 'none'; form-action 'none'; base-uri 'none'; frame-ancestors 'self'";

json readOrder(const Visit& visit, const char* what) {
  const auto& form = visit.request.form;
  json args = {{"object", visit.param("object")}, {"reason", form.get("reason")}, {"part", what}};
  if (const auto matter = form.get("matter"); !matter.empty()) args["matter"] = matter;
  return visit.order("object.read", args);
}

Response drawAsk(const Visit& visit, int status, const json& refusal) {
  json matters = json::array();
  const auto listed = visit.order("matter.list");
  const auto chosen = visit.request.form.get("matter", visit.request.query.get("matter"));
  for (const auto& matter : views::part(listed, "items"))
    if (views::text(matter, "state") != "closed")
      matters.push_back({{"id", views::text(matter, "id")},
                         {"name", views::text(matter, "name")},
                         {"chosen", views::text(matter, "id") == chosen}});
  return visit.page("message-ask", {"Read a message", "messages", status},
                    {{"object", visit.param("object")},
                     {"path", views::messagePath(visit.param("object"))},
                     {"matters", matters},
                     {"reason", visit.request.form.get("reason")},
                     {"refusal", refusal}});
}

}  // namespace

Response askToRead(Visit& visit) {
  return drawAsk(visit, 200, nullptr);
}

// The answer to the form itself and no redirect: each look is one order with its reason, and a reload asks again.
Response readMessage(Visit& visit) {
  json shown;
  try {
    shown = readOrder(visit, "body");
  } catch (const app::OrderRefused& refused) {
    return drawAsk(visit, 422, views::refusal(refused));
  }
  json attachments = json::array();
  for (const auto& one : views::part(shown, "attachments"))
    attachments.push_back({{"name", views::text(one, "name")},
                           {"type", views::text(one, "type")},
                           {"size", words::size(views::number(one, "size"))}});
  const auto body = views::text(shown, "text");
  return visit.page("message-read", {"Message " + visit.param("object"), "messages"},
                    {{"object", visit.param("object")},
                     {"path", views::messagePath(visit.param("object"))},
                     {"subject", views::text(shown, "subject")},
                     {"from", views::text(shown, "from")},
                     {"to", views::text(shown, "to")},
                     {"date", views::text(shown, "date")},
                     {"text", body},
                     {"html", !views::text(shown, "html").empty()},
                     {"attachments", attachments},
                     {"anyAttachments", !attachments.empty()},
                     {"reason", visit.request.form.get("reason")},
                     {"matter", visit.request.form.get("matter")}});
}

// Asked for by a form that aims at the frame, so that it is an act of the person with the reason in its body.
Response messageHtml(Visit& visit) {
  const auto shown = readOrder(visit, "body");
  Response response;
  response.body =
      "<!doctype html><meta charset=\"utf-8\"><title>Message</title>" + sanitizeHtml(views::text(shown, "html"));
  response.policy = MessagePolicy;
  return response;
}

}  // namespace postern::webadmin::pages
