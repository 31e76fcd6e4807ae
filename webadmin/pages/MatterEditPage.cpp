#include "webadmin/pages/RecordPages.h"
#include "webadmin/RecordViews.h"
#include "webadmin/Views.h"
#include "webadmin/Words.h"

namespace postern::webadmin::pages {

using nlohmann::json;

namespace {

json shownMatter(const Visit& visit, const json& refusal) {
  const auto shown = visit.order("matter.show", {{"id", visit.param("matter")}});
  json open = json::array();
  for (const auto& hold : views::part(shown, "holds"))
    if (views::moment(hold, "releasedAt", visit.now()).is_null()) open.push_back(views::holdRow(hold, visit.now()));
  const auto& form = visit.request.form;
  const bool blocked = !open.empty();
  return {{"id", visit.param("matter")},
          {"path", views::matterPath(visit.param("matter"))},
          {"name", views::text(shown, "name")},
          {"newName", form.get("name", views::text(shown, "name"))},
          {"description", form.get("description", views::text(shown, "description"))},
          {"openHolds", open},
          {"blocked", blocked},
          {"reason", form.get("reason")},
          {"refusal", refusal}};
}

Response draw(const Visit& visit, const char* page, const char* title, int status, const json& refusal) {
  return visit.page(page, {title, "matters", status}, shownMatter(visit, refusal));
}

}  // namespace

Response editMatter(Visit& visit) {
  return draw(visit, "matter-edit", "Change a matter", 200, nullptr);
}

Response setMatter(Visit& visit) {
  const auto& form = visit.request.form;
  try {
    visit.order("matter.set",
                {{"id", visit.param("matter")}, {"name", form.get("name")}, {"description", form.get("description")}});
  } catch (const app::OrderRefused& refused) {
    return draw(visit, "matter-edit", "Change a matter", 422, views::refusal(refused));
  }
  return Response::redirect(views::matterPath(visit.param("matter")) + "?done=matter-saved");
}

Response confirmMatterClose(Visit& visit) {
  return draw(visit, "matter-close", "Close a matter", 200, nullptr);
}

Response closeMatter(Visit& visit) {
  const auto shown = visit.order("matter.show", {{"id", visit.param("matter")}});
  const auto name = views::text(shown, "name");
  if (visit.request.form.get("confirm") != name)
    return draw(visit, "matter-close", "Close a matter", 422,
                views::refusal("The name did not match.", "Type the name of the matter to close it."));
  try {
    visit.order("matter.close", {{"id", visit.param("matter")}, {"reason", visit.request.form.get("reason")}});
  } catch (const app::OrderRefused& refused) {
    return draw(visit, "matter-close", "Close a matter", 422, views::refusal(refused));
  }
  return Response::redirect(views::matterPath(visit.param("matter")) + "?done=matter-closed");
}

Response confirmCustodianRemoval(Visit& visit) {
  auto view = shownMatter(visit, nullptr);
  view["address"] = visit.param("address");
  view["removePath"] =
      views::matterPath(visit.param("matter")) + "/custodians/" + percentEncode(visit.param("address")) + "/remove";
  return visit.page("custodian-remove", {"Remove a custodian", "matters"}, std::move(view));
}

Response removeCustodian(Visit& visit) {
  visit.order("custodian.remove", {{"matter", visit.param("matter")}, {"address", visit.param("address")}});
  return Response::redirect(views::matterPath(visit.param("matter")) + "?done=custodian-removed");
}

}  // namespace postern::webadmin::pages
