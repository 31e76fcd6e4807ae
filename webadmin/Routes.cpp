#include "webadmin/Routes.h"

#include "webadmin/pages/Pages.h"

namespace postern::webadmin {

namespace {

using enum app::Role;

// Who watches over the lists and the mail, and owners, whom listd shows only what is theirs.
constexpr app::Roles Watchers = Admin | Officer | Auditor | Helpdesk;
constexpr app::Roles WatchersAndOwners = Watchers | Owner;
constexpr app::Roles Staff = Watchers | Approver | Custodian;
constexpr app::Roles AdminOrOwner = Admin | Owner;
constexpr app::Roles Support = Admin | Helpdesk;

constexpr Route Site[] = {
    {Method::Get, "/", Staff, pages::dashboard},
    {Method::Get, "/live/flow", Staff, pages::flow, Activity::Script},
    {Method::Get, "/live/session", SignedIn, pages::keepSession},
    {Method::Get, "/lists", WatchersAndOwners, pages::lists},
    {Method::Get, "/lists.csv", WatchersAndOwners, pages::listsCsv},
    {Method::Get, "/new-list", Admin, pages::newList},
    {Method::Post, "/new-list", Admin, pages::createList},
    {Method::Get, "/lists/{list}", WatchersAndOwners, pages::list},
    {Method::Post, "/lists/{list}", AdminOrOwner, pages::setList},
    {Method::Get, "/lists/{list}/close", Admin, pages::confirmClose},
    {Method::Post, "/lists/{list}/close", Admin, pages::closeList},
    {Method::Get, "/lists/{list}/members", WatchersAndOwners, pages::members},
    {Method::Get, "/lists/{list}/members.csv", AdminOrOwner, pages::membersCsv},
    {Method::Post, "/lists/{list}/members", AdminOrOwner, pages::addMember},
    {Method::Get, "/lists/{list}/members/{member}", Admin, pages::member},
    {Method::Post, "/lists/{list}/members/{member}/state", AdminOrOwner, pages::setMemberState},
    {Method::Post, "/lists/{list}/members/{member}/key", Admin, pages::importKey},
    {Method::Post, "/lists/{list}/members/{member}/key/{key}/confirm", Admin, pages::confirmKey},
    {Method::Get, "/lists/{list}/members/{member}/key/{key}/revoke", Admin, pages::confirmRevoke},
    {Method::Post, "/lists/{list}/members/{member}/key/{key}/revoke", Admin, pages::revokeKey},
    {Method::Get, "/lists/{list}/members/{member}/remove", AdminOrOwner, pages::confirmRemove},
    {Method::Post, "/lists/{list}/members/{member}/remove", AdminOrOwner, pages::removeMember},
    {Method::Get, "/posts", WatchersAndOwners, pages::posts},
    {Method::Get, "/posts/{post}", WatchersAndOwners, pages::ledger},
    {Method::Get, "/posts/{post}/ledger.csv", WatchersAndOwners, pages::ledgerCsv},
    {Method::Get, "/queue", Support, pages::queue},
    {Method::Post, "/queue", Admin, pages::actOnQueue},
    {Method::Get, "/queue/{copy}/drop", Admin, pages::confirmDrop},
    {Method::Post, "/queue/{copy}/drop", Admin, pages::dropCopy},
    {Method::Get, "/sign-in", Anyone, pages::signInForm},
    {Method::Post, "/sign-in", Anyone, pages::signIn},
    {Method::Post, "/sign-in/factor", Anyone, pages::signInFactor},
    {Method::Get, "/sign-in/passkey", Anyone, pages::signInPasskey, Activity::Script},
    {Method::Get, "/emergency", Anyone, pages::emergencyForm},
    {Method::Post, "/emergency", Anyone, pages::emergency},
    {Method::Get, "/step-up", SignedIn, pages::stepUpForm},
    {Method::Post, "/step-up", SignedIn, pages::stepUp},
    {Method::Get, "/step-up/passkey", SignedIn, pages::stepUpPasskey, Activity::Script},
    {Method::Get, "/account", SignedIn, pages::account},
    {Method::Get, "/account/passkey", SignedIn, pages::passkeyOptions, Activity::Script},
    {Method::Post, "/account/passkey", SignedIn, pages::addPasskey},
    {Method::Get, "/account/totp", SignedIn, pages::totpForm},
    {Method::Post, "/account/totp", SignedIn, pages::addTotp},
    {Method::Post, "/account/factor", SignedIn, pages::removeFactor},
    {Method::Post, "/account/recovery", SignedIn, pages::makeRecovery},
    {Method::Post, "/account/password", SignedIn, pages::changePassword},
    {Method::Post, "/account/session", SignedIn, pages::endSession},
    {Method::Post, "/account/token", SignedIn, pages::makeToken},
    {Method::Post, "/account/token/revoke", SignedIn, pages::revokeToken},
    {Method::Get, "/people", Admin | Auditor, pages::people},
    {Method::Post, "/people", Admin, pages::invite},
    {Method::Get, "/people/{person}", Admin | Auditor, pages::person},
    {Method::Post, "/people/{person}", Admin, pages::setPerson},
    {Method::Post, "/people/{person}/recover", Admin, pages::recoverPerson},
    {Method::Get, "/sessions", Support, pages::sessions},
    {Method::Post, "/sessions", Support, pages::endOthersSession},
    {Method::Post, "/sign-out", SignedIn, pages::signOut},
    {Method::Get, "/setup", Anyone, pages::setupForm},
    {Method::Post, "/setup", Anyone, pages::setup},
    {Method::Get, "/setup/qr.svg", Anyone, pages::setupQr},
    {Method::Get, "/setup/passkey", Anyone, pages::setupPasskey, Activity::Script},
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
