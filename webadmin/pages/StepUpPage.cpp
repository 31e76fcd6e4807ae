#include "webadmin/pages/Pages.h"
#include "webadmin/Routes.h"
#include "webadmin/Views.h"

namespace postern::webadmin::pages {

using nlohmann::json;

namespace {

std::string localOrAccount(const std::string& path) {
  return isLocalPath(path) && !path.starts_with("/sign-") && !path.starts_with("/step-up") ? path : "/account";
}

// Where somebody goes who does not go on: the page of the form, or the nearest one above it that can be opened.
std::string pageBehind(std::string path) {
  while (path.size() > 1) {
    const auto route = matchRoute(Method::Get, path.substr(0, path.find('?'))).route;
    if (route && route->activity == Activity::Person) return path;
    path.resize(path.rfind('/'));
  }
  return "/";
}

std::string withNotice(const std::string& path, std::string_view notice) {
  return path + (path.find('?') == path.npos ? "?done=" : "&done=") + std::string(notice);
}

struct Waiting {
  std::string path;   // where to go when nothing waits, or on Cancel
  std::string name;   // of what is kept; empty when nothing waits
  bool lost = false;  // it was sent, and there was no room to keep it
};

Response drawStepUp(const Visit& visit, const Waiting& waiting, int status, const json& refusal) {
  return visit.page("step-up", {"Prove again that it is you", "", status},
                    {{"refusal", refusal},
                     {"path", waiting.path},
                     {"back", pageBehind(waiting.path)},
                     {"kept", waiting.name},
                     {"waits", !waiting.name.empty()},
                     {"lost", waiting.lost}});
}

}  // namespace

Response askStepUp(Visit& visit) {
  Waiting waiting{visit.request.path, "", false};
  if (visit.request.method == Method::Post) {
    KeptForms::Form form{visit.request.path, visit.request.query, {}};
    for (const auto& [name, value] : visit.request.form.items())
      if (name != "csrf") form.fields.add(name, value);
    waiting.name = visit.kept ? visit.kept->keep(visit.session->ref, std::move(form)) : "";
    waiting.lost = waiting.name.empty();
  }
  return drawStepUp(visit, waiting, 403, nullptr);
}

Response stepUpForm(Visit& visit) {
  return drawStepUp(visit, {localOrAccount(visit.request.query.get("next")), "", false}, 200, nullptr);
}

// What waited is carried out as a request of its own: the session, the role and the form token are looked at again.
Response stepUp(Visit& visit) {
  const auto& form = visit.request.form;
  const auto path = localOrAccount(form.get("path"));
  const auto name = form.get("kept");
  if (!name.empty() && !visit.kept->pathOf(visit.session->ref, name))
    return Response::redirect(withNotice(pageBehind(path), "too-late"));
  json args{{"password", form.get("step-password")}};
  if (const auto assertion = form.get("assertion"); !assertion.empty())
    args["assertion"] = assertion;
  else
    args["totp"] = form.get("step-code");
  try {
    visit.order("session.step-up", args);
  } catch (const app::OrderRefused& refused) {
    return drawStepUp(visit, {path, name, false}, 403, views::refusal(refused));
  }
  if (name.empty()) return Response::redirect(withNotice(pageBehind(path), "stepped-up"));
  auto kept = visit.kept->take(visit.session->ref, name);
  if (!kept) return Response::redirect(withNotice(pageBehind(path), "too-late"));  // sent twice at once
  auto request = visit.request;
  request.path = std::move(kept->path);
  request.query = std::move(kept->query);
  request.form = std::move(kept->fields);
  request.form.add("csrf", visit.csrf);
  visit.goOn = std::move(request);
  return {};
}

Response stepUpPasskey(Visit& visit) {
  return jsonResponse(200, visit.order("passkey.options", {{"for", "step-up"}}));
}

}  // namespace postern::webadmin::pages
