#include "webadmin/Drafts.h"

#include "webadmin/Csrf.h"

namespace postern::webadmin::drafts {
namespace {

std::string ownerOf(const std::string& account) {
  return account.empty() ? std::string() : "draft of " + account;
}

}  // namespace

void keep(KeptForms& drafts, const Request& request, Response& response) {
  if (request.method != Method::Post || request.path != "/send" || !csrf::isSameOrigin(request)) return;
  KeptForms::Form form{request.path, {}, {}};
  for (const auto& [name, value] : request.form.items())
    if (name != "csrf") form.fields.add(name, value);
  const auto name = drafts.keep(ownerOf(request.form.get("account")), std::move(form));
  if (!name.empty()) response.headers.push_back(setCookie(Cookie, name));
}

std::optional<Fields> take(const Visit& visit) {
  const auto name = visit.request.cookies.get(Cookie);
  if (name.empty() || !visit.session || visit.drafts == nullptr) return std::nullopt;
  auto form = visit.drafts->take(ownerOf(visit.session->account), name);
  if (!form) return std::nullopt;
  return std::move(form->fields);
}

}  // namespace postern::webadmin::drafts
