#include "webadmin/Routes.h"

#include "webadmin/pages/Pages.h"

namespace postern::webadmin {

namespace {

using enum Role;

constexpr Route Site[] = {
    {Method::Get, "/", Admin, pages::dashboard},
    {Method::Get, "/live/flow", Admin, pages::flow, Activity::Script},
    {Method::Get, "/live/session", Admin, pages::keepSession},
    {Method::Get, "/lists", Admin, pages::lists},
    {Method::Get, "/lists.csv", Admin, pages::listsCsv},
    {Method::Get, "/new-list", Admin, pages::newList},
    {Method::Post, "/new-list", Admin, pages::createList},
    {Method::Get, "/lists/{list}", Admin, pages::list},
    {Method::Post, "/lists/{list}", Admin, pages::setList},
    {Method::Get, "/lists/{list}/close", Admin, pages::confirmClose},
    {Method::Post, "/lists/{list}/close", Admin, pages::closeList},
    {Method::Get, "/lists/{list}/members", Admin, pages::members},
    {Method::Get, "/lists/{list}/members.csv", Admin, pages::membersCsv},
    {Method::Post, "/lists/{list}/members", Admin, pages::addMember},
    {Method::Get, "/lists/{list}/members/{member}", Admin, pages::member},
    {Method::Post, "/lists/{list}/members/{member}/state", Admin, pages::setMemberState},
    {Method::Post, "/lists/{list}/members/{member}/key", Admin, pages::importKey},
    {Method::Post, "/lists/{list}/members/{member}/key/{key}/confirm", Admin, pages::confirmKey},
    {Method::Get, "/lists/{list}/members/{member}/key/{key}/revoke", Admin, pages::confirmRevoke},
    {Method::Post, "/lists/{list}/members/{member}/key/{key}/revoke", Admin, pages::revokeKey},
    {Method::Get, "/lists/{list}/members/{member}/remove", Admin, pages::confirmRemove},
    {Method::Post, "/lists/{list}/members/{member}/remove", Admin, pages::removeMember},
    {Method::Get, "/posts", Admin, pages::posts},
    {Method::Get, "/posts/{post}", Admin, pages::ledger},
    {Method::Get, "/posts/{post}/ledger.csv", Admin, pages::ledgerCsv},
    {Method::Get, "/queue", Admin, pages::queue},
    {Method::Post, "/queue", Admin, pages::actOnQueue},
    {Method::Get, "/queue/{copy}/drop", Admin, pages::confirmDrop},
    {Method::Post, "/queue/{copy}/drop", Admin, pages::dropCopy},
    {Method::Get, "/sign-in", Anyone, pages::signInForm},
    {Method::Post, "/sign-in", Anyone, pages::signIn},
    {Method::Post, "/sign-out", SignedIn, pages::signOut},
    {Method::Get, "/setup", Anyone, pages::setupForm},
    {Method::Post, "/setup", Anyone, pages::setup},
    {Method::Get, "/setup/qr.svg", Anyone, pages::setupQr},
    {Method::Get, "/help", Anyone, pages::help},
    {Method::Get, "/healthz", Anyone, pages::health, Activity::Script},
    {Method::Get, "/api/v1/openapi.json", Anyone, pages::openApi, Activity::Script},
    {Method::Get, "/robots.txt", Anyone, pages::robots, Activity::Script},
    {Method::Get, "/favicon.ico", Anyone, pages::favicon, Activity::Script},
    {Method::Get, "/static/{folder}/{file}", Anyone, pages::staticFile, Activity::Script},
};

std::string_view nextSegment(std::string_view& path) {
  path.remove_prefix(1);
  const auto end = path.find('/');
  const auto segment = path.substr(0, end);
  path = end == path.npos ? std::string_view{} : path.substr(end);
  return segment;
}

bool fits(std::string_view pattern, std::string_view path, std::map<std::string, std::string, std::less<>>& params) {
  params.clear();
  while (!pattern.empty() && !path.empty()) {
    const auto wanted = nextSegment(pattern);
    const auto given = nextSegment(path);
    if (!wanted.empty() && wanted.front() == '{') {
      auto value = percentDecode(given, false);
      if (!value || value->empty()) return false;
      params.emplace(wanted.substr(1, wanted.size() - 2), std::move(*value));
    } else if (wanted != given) {
      return false;
    }
  }
  return pattern.empty() && path.empty();
}

}  // namespace

std::span<const Route> routes() {
  return Site;
}

Match matchRoute(Method method, std::string_view path) {
  Match match;
  if (path.empty() || path.front() != '/') return match;
  for (const auto& route : Site) {
    std::map<std::string, std::string, std::less<>> params;
    if (!fits(route.path, path, params)) continue;
    if (route.method == method) return {&route, {}, std::move(params)};
    match.allowed += match.allowed.empty() ? "" : ", ";
    match.allowed += route.method == Method::Get ? "GET, HEAD" : "POST";
  }
  return match;
}

}  // namespace postern::webadmin
