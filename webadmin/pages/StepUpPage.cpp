#include "webadmin/pages/Pages.h"
#include "webadmin/Views.h"

namespace postern::webadmin::pages {

using nlohmann::json;

namespace {

// What was sent is kept in the page itself, in fields of this prefix, and sent again when the person is proven.
constexpr std::string_view DraftPrefix = "draft.";

std::string localOrAccount(const std::string& path) {
  return isLocalPath(path) && !path.starts_with("/sign-") && !path.starts_with("/step-up") ? path : "/account";
}

// [{"name", "value"}] of the form that waits.
json draftOf(const Fields& fields, bool first) {
  auto draft = json::array();
  for (const auto& [name, value] : fields.items()) {
    if (first && name != "csrf") draft.push_back({{"name", std::string(DraftPrefix) + name}, {"value", value}});
    if (!first && name.starts_with(DraftPrefix)) draft.push_back({{"name", name}, {"value", value}});
  }
  return draft;
}

Response drawStepUp(const Visit& visit, const std::string& path, const json& draft, int status, const json& refusal) {
  return visit.page("step-up", {"Prove again that it is you", "", status},
                    {{"refusal", refusal}, {"path", path}, {"draft", draft}, {"resend", !draft.empty()}});
}

}  // namespace

Response askStepUp(Visit& visit) {
  const bool sent = visit.request.method == Method::Post;
  const auto draft = sent ? draftOf(visit.request.form, true) : json::array();
  return drawStepUp(visit, visit.request.path, draft, 403, nullptr);
}

Response stepUpForm(Visit& visit) {
  return drawStepUp(visit, localOrAccount(visit.request.query.get("next")), json::array(), 200, nullptr);
}

Response stepUp(Visit& visit) {
  const auto& form = visit.request.form;
  const auto path = localOrAccount(form.get("path"));
  const auto draft = draftOf(form, false);
  json args{{"password", form.get("step-password")}};
  if (const auto assertion = form.get("assertion"); !assertion.empty())
    args["assertion"] = assertion;
  else
    args["totp"] = form.get("step-code");
  try {
    visit.order("session.step-up", args);
  } catch (const app::OrderRefused& refused) {
    return drawStepUp(visit, path, draft, 403, views::refusal(refused));
  }
  if (draft.empty()) return Response::redirect(path + (path.find('?') == path.npos ? "?" : "&") + "done=stepped-up");
  auto fields = json::array();
  for (const auto& field : draft)
    fields.push_back(
        {{"name", field["name"].get<std::string>().substr(DraftPrefix.size())}, {"value", field["value"]}});
  return visit.page("step-up-done", {"Go on", ""}, {{"path", path}, {"fields", fields}});
}

Response stepUpPasskey(Visit& visit) {
  return jsonResponse(200, visit.order("passkey.options", {{"for", "step-up"}}));
}

}  // namespace postern::webadmin::pages
