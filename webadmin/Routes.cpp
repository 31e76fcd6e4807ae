#include "webadmin/Routes.h"

#include "webadmin/pages/DkimPages.h"
#include "webadmin/pages/HostnamePages.h"
#include "webadmin/pages/Pages.h"
#include "webadmin/pages/PickupPages.h"
#include "webadmin/pages/PolicyPages.h"
#include "webadmin/pages/QueuePages.h"
#include "webadmin/pages/RecordPages.h"
#include "webadmin/pages/SubscribePages.h"
#include "webadmin/pages/WebhookPages.h"

namespace postern::webadmin {

namespace {

using enum app::Role;

// Who watches over the lists and the mail, and owners, whom listd shows only what is theirs.
constexpr app::Roles Watchers = Admin | Officer | Auditor | Helpdesk;
constexpr app::Roles WatchersAndOwners = Watchers | Owner;
constexpr app::Roles Staff = Watchers | Approver | Custodian;
constexpr app::Roles AdminOrOwner = Admin | Owner;
constexpr app::Roles Support = Admin | Helpdesk;

constexpr app::Roles Everyone = Staff | Owner;
constexpr app::Roles RetentionReaders = Admin | Officer | Approver | Auditor;
constexpr app::Roles KeyReaders = Admin | Custodian | Auditor;
constexpr app::Roles Deciders = Admin | Officer | Approver | Auditor;

constexpr Route Site[] = {
    {Method::Get, "/", Everyone, pages::home},
    {Method::Get, "/live/flow", Staff, pages::flow, Activity::Script},
    {Method::Get, "/live/session", SignedIn, pages::keepSession},
    {Method::Get, "/lists", WatchersAndOwners, pages::lists},
    {Method::Get, "/lists.csv", WatchersAndOwners, pages::listsCsv},
    {Method::Get, "/new-list", Admin, pages::newList},
    {Method::Post, "/new-list", Admin, pages::createList},
    {Method::Get, "/lists/my-keys", Anyone, pages::myKeysForm},
    {Method::Post, "/lists/my-keys", Anyone, pages::askForMyKeys},
    {Method::Get, "/lists/my-keys/open", Anyone, pages::myKeys},
    {Method::Post, "/lists/my-keys/open", Anyone, pages::bringMyKey},
    {Method::Get, "/lists/", Anyone, pages::publicLists},
    {Method::Get, "/lists/about", Anyone, pages::aboutList},
    {Method::Get, "/lists/confirm", Anyone, pages::confirmForm},
    {Method::Post, "/lists/confirm", Anyone, pages::confirm},
    {Method::Get, "/lists/unsubscribe", Anyone, pages::unsubscribeForm},
    {Method::Post, "/lists/unsubscribe", Anyone, pages::unsubscribe},
    {Method::Get, "/lists/membership", Anyone, pages::membership},
    {Method::Post, "/lists/membership", Anyone, pages::setMembership},
    {Method::Get, "/lists/{list}/subscribe", Anyone, pages::subscribeForm},
    {Method::Post, "/lists/{list}/subscribe", Anyone, pages::subscribe},
    {Method::Get, "/subscriptions", AdminOrOwner, pages::subscriptionRequests},
    {Method::Post, "/subscriptions", AdminOrOwner, pages::decideSubscriptions},
    {Method::Get, "/lists/{list}/subscription", WatchersAndOwners, pages::listSubscription},
    {Method::Post, "/lists/{list}/subscription", AdminOrOwner, pages::setListSubscription},
    {Method::Get, "/lists/{list}/members/import", AdminOrOwner, pages::importForm},
    {Method::Post, "/lists/{list}/members/import", AdminOrOwner, pages::importMembers},
    {Method::Get, "/lists/{list}/key", Anyone, pages::publicKey},
    {Method::Get, "/lists/{list}/key/certificate", Anyone, pages::publicCertificate},
    {Method::Get, "/lists/{list}/key/openpgp", Anyone, pages::publicOpenPgpKey},
    {Method::Get, "/.well-known/openpgpkey/policy", Anyone, pages::wkdPolicy, Activity::Script},
    {Method::Get, "/.well-known/openpgpkey/hu/{hash}", Anyone, pages::wkdDirect, Activity::Script},
    {Method::Get, "/.well-known/openpgpkey/{domain}/policy", Anyone, pages::wkdPolicy, Activity::Script},
    {Method::Get, "/.well-known/openpgpkey/{domain}/hu/{hash}", Anyone, pages::wkdAdvanced, Activity::Script},
    {Method::Get, "/lists/{list}", WatchersAndOwners, pages::list},
    {Method::Post, "/lists/{list}", AdminOrOwner, pages::setList},
    {Method::Get, "/lists/{list}/close", Admin, pages::confirmClose},
    {Method::Post, "/lists/{list}/close", Admin, pages::closeList},
    {Method::Get, "/lists/{list}/delete", AdminOrOwner, pages::confirmDelete},
    {Method::Post, "/lists/{list}/delete", AdminOrOwner, pages::deleteList},
    {Method::Get, "/lists/{list}/protection", WatchersAndOwners, pages::listProtection},
    {Method::Post, "/lists/{list}/protection", AdminOrOwner, pages::setListProtection},
    {Method::Get, "/lists/{list}/pickup", WatchersAndOwners, pages::pickupSettings},
    {Method::Post, "/lists/{list}/pickup", AdminOrOwner, pages::setPickupSettings},
    {Method::Get, "/lists/{list}/keys", WatchersAndOwners, pages::listKeys},
    {Method::Post, "/lists/{list}/keys", AdminOrOwner, pages::changeListKeys},
    {Method::Get, "/lists/{list}/keys/{kind}", WatchersAndOwners, pages::listKeyFile},
    {Method::Get, "/lists/{list}/plan", WatchersAndOwners, pages::listPlan},
    {Method::Get, "/domains/{domain}/protection", Watchers, pages::domainProtection},
    {Method::Post, "/domains/{domain}/protection", Admin, pages::setDomainProtection},
    {Method::Get, "/lists/{list}/access", Owner | Auditor, pages::listAccess},
    {Method::Get, "/lists/{list}/members", WatchersAndOwners, pages::members},
    {Method::Get, "/lists/{list}/members.csv", AdminOrOwner, pages::membersCsv},
    {Method::Post, "/lists/{list}/members", AdminOrOwner, pages::addMember},
    {Method::Get, "/lists/{list}/members/{member}", Admin, pages::member},
    {Method::Post, "/lists/{list}/members/{member}/state", AdminOrOwner, pages::setMemberState},
    {Method::Post, "/lists/{list}/members/{member}/wish", AdminOrOwner, pages::setMemberWish},
    {Method::Post, "/lists/{list}/members/{member}/key", Admin, pages::importKey},
    {Method::Post, "/lists/{list}/members/{member}/key/{key}/confirm", Admin, pages::confirmKey},
    {Method::Post, "/lists/{list}/members/{member}/key/{key}/refuse", Admin, pages::refuseKey},
    {Method::Get, "/lists/{list}/members/{member}/key/{key}/revoke", Admin, pages::confirmRevoke},
    {Method::Post, "/lists/{list}/members/{member}/key/{key}/revoke", Admin, pages::revokeKey},
    {Method::Get, "/lists/{list}/members/{member}/remove", AdminOrOwner, pages::confirmRemove},
    {Method::Post, "/lists/{list}/members/{member}/remove", AdminOrOwner, pages::removeMember},
    {Method::Get, "/posts", WatchersAndOwners, pages::posts},
    {Method::Get, "/posts/{post}", WatchersAndOwners, pages::ledger},
    {Method::Get, "/posts/{post}/ledger.csv", WatchersAndOwners, pages::ledgerCsv},
    {Method::Get, "/delivery", WatchersAndOwners, pages::delivery},
    {Method::Get, "/delivery/{file}", WatchersAndOwners, pages::deliveryFile},
    {Method::Get, "/queue", Support, pages::queue},
    {Method::Post, "/queue", Admin, pages::actOnQueue},
    {Method::Get, "/queue/{copy}", Support, pages::queuedCopy},
    {Method::Post, "/queue/{copy}", Admin, pages::actOnQueued},
    {Method::Get, "/queue/{copy}/drop", Admin, pages::confirmDrop},
    {Method::Post, "/queue/{copy}/drop", Admin, pages::dropCopy},
    {Method::Get, "/destinations", Support, pages::destinations},
    {Method::Post, "/destinations", Admin, pages::actOnDestination},
    {Method::Get, "/quarantine", WatchersAndOwners, pages::quarantine},
    {Method::Post, "/quarantine", AdminOrOwner, pages::chooseHeld},
    {Method::Post, "/quarantine/decide", AdminOrOwner, pages::decideHeld},
    {Method::Get, "/quarantine/trusted", AdminOrOwner, pages::trustedSenders},
    {Method::Post, "/quarantine/trusted", AdminOrOwner, pages::untrustSender},
    {Method::Get, "/quarantine/{held}", WatchersAndOwners, pages::heldMessage},
    {Method::Post, "/quarantine/{held}/read", Officer | Owner, pages::readHeldMessage},
    {Method::Get, "/send", SignedIn, pages::composeMail},
    {Method::Post, "/send", SignedIn, pages::sendMail},
    {Method::Get, "/send/{post}", SignedIn, pages::sentMail},
    {Method::Get, "/hops", Everyone, pages::hops},
    {Method::Post, "/hops", Everyone, pages::readHops},
    {Method::Get, "/tls", WatchersAndOwners, pages::domainTls},
    {Method::Get, "/live/tls", WatchersAndOwners, pages::domainTls, Activity::Script},
    {Method::Post, "/tls", Admin | Officer | Helpdesk | Owner, pages::startProbe},
    {Method::Post, "/tls/mark", Admin, pages::markDomain},
    {Method::Get, "/tls/reports", Watchers, pages::tlsReports},
    {Method::Get, "/tls/reports/{report}", Watchers, pages::tlsReport},
    {Method::Get, "/dkim", Watchers, pages::dkimKeys},
    {Method::Post, "/dkim", Admin, pages::addDkimKey},
    {Method::Post, "/dkim/rotate", Admin, pages::rotateDkimKeys},
    {Method::Post, "/dkim/check", Admin, pages::checkDkimKeys},
    {Method::Get, "/webhooks", Admin | Auditor, pages::webhooks},
    {Method::Post, "/webhooks", Admin, pages::addWebhook},
    {Method::Get, "/webhooks/{id}", Admin | Auditor, pages::webhook},
    {Method::Post, "/webhooks/{id}", Admin, pages::actOnWebhook},
    {Method::Get, "/webhooks/{id}/remove", Admin, pages::confirmWebhookRemoval},
    {Method::Post, "/webhooks/{id}/remove", Admin, pages::removeWebhook},
    {Method::Get, "/hostnames", Watchers, pages::hostnames},
    {Method::Get, "/hostnames/{name}", Watchers, pages::hostname},
    {Method::Get, "/policies", Admin | Officer | Auditor, pages::policies},
    {Method::Get, "/policies/edit", Admin, pages::editPolicies},
    {Method::Post, "/policies/edit", Admin, pages::savePolicies},
    {Method::Get, "/policies/try", Admin | Officer, pages::tryPolicies},
    {Method::Post, "/policies/try", Admin | Officer, pages::askPolicies},
    {Method::Get, "/policies/sets", Admin | Officer | Auditor, pages::policySets},
    {Method::Get, "/policies/sets/{set}", Admin | Officer | Auditor, pages::policySet},
    {Method::Post, "/policies/sets/{set}", Admin, pages::changePolicySet},
    {Method::Post, "/policies/shadow-stop", Admin, pages::stopPolicyShadow},
    {Method::Get, "/policies/{revision}", Admin | Officer | Auditor, pages::policyRevision},
    {Method::Post, "/policies/{revision}", Admin, pages::actOnPolicyRevision},
    {Method::Get, "/relays", Watchers, pages::relays},
    {Method::Post, "/relays", Admin, pages::addRelay},
    {Method::Get, "/relays/remove", Admin, pages::confirmRelayRemoval},
    {Method::Post, "/relays/remove", Admin, pages::removeRelay},
    {Method::Get, "/directories", Watchers, pages::directories},
    {Method::Post, "/directories", Admin, pages::addDirectory},
    {Method::Post, "/directories/test", Admin, pages::testDirectory},
    {Method::Get, "/directories/remove", Admin, pages::confirmDirectoryRemoval},
    {Method::Post, "/directories/remove", Admin, pages::removeDirectory},
    {Method::Get, "/authorities", Watchers, pages::authorities},
    {Method::Post, "/authorities", Admin, pages::addAuthority},
    {Method::Get, "/authorities/remove", Admin, pages::confirmAuthorityRemoval},
    {Method::Post, "/authorities/remove", Admin, pages::removeAuthority},
    {Method::Get, "/retention", RetentionReaders, pages::retention},
    {Method::Get, "/retention/rules.csv", RetentionReaders, pages::rulesCsv},
    {Method::Get, "/retention/new-rule", Officer, pages::newRule},
    {Method::Post, "/retention/new-rule", Officer, pages::proposeRule},
    {Method::Get, "/retention/rules/{rule}", Officer | Approver | Auditor, pages::rule},
    {Method::Get, "/retention/rules/{rule}/edit", Officer, pages::editRule},
    {Method::Post, "/retention/rules/{rule}/edit", Officer, pages::proposeRule},
    {Method::Get, "/retention/rules/{rule}/remove", Officer, pages::confirmRuleRemoval},
    {Method::Post, "/retention/rules/{rule}/remove", Officer, pages::removeRule},
    {Method::Post, "/live/scope-count", Officer, pages::scopeCount, Activity::Script},
    {Method::Get, "/retention/what-if", Officer | Auditor, pages::whatIf},
    {Method::Post, "/retention/what-if", Officer | Auditor, pages::runWhatIf},
    {Method::Get, "/retention/what-if/{id}", Officer | Auditor | Approver, pages::whatIfResult},
    {Method::Post, "/retention/what-if/{id}", Officer, pages::proposeWhatIf},
    {Method::Get, "/retention/what-if/{id}/due.csv", Officer | Auditor, pages::whatIfCsv},
    {Method::Get, "/retention/runs", Officer | Auditor, pages::runs},
    {Method::Get, "/retention/run", Officer, pages::confirmRun},
    {Method::Post, "/retention/run", Officer, pages::startRun},
    {Method::Get, "/retention/trust-clock", Officer, pages::confirmClock},
    {Method::Post, "/retention/trust-clock", Officer, pages::trustClock},
    {Method::Get, "/retention/certificates", Officer | Auditor, pages::certificates},
    {Method::Get, "/retention/certificates/{id}", Officer | Auditor, pages::certificate},
    {Method::Get, "/retention/certificates/{id}/text", Officer | Auditor, pages::certificateText},
    {Method::Get, "/messages", Officer | Auditor | Helpdesk, pages::messages},
    {Method::Get, "/messages/{object}", Officer | Auditor | Helpdesk, pages::message},
    {Method::Post, "/messages/{object}/verify", Officer | Auditor, pages::verifyMessage},
    {Method::Get, "/messages/{object}/read", Officer, pages::askToRead},
    {Method::Post, "/messages/{object}/read", Officer, pages::readMessage},
    {Method::Post, "/messages/{object}/html", Officer, pages::messageHtml},
    {Method::Get, "/matters", Officer | Auditor, pages::matters},
    {Method::Get, "/new-matter", Officer, pages::newMatter},
    {Method::Post, "/new-matter", Officer, pages::createMatter},
    {Method::Get, "/matters/{matter}", Officer | Auditor, pages::matter},
    {Method::Get, "/matters/{matter}/edit", Officer, pages::editMatter},
    {Method::Post, "/matters/{matter}/edit", Officer, pages::setMatter},
    {Method::Post, "/matters/{matter}/note", Officer, pages::addNote},
    {Method::Post, "/matters/{matter}/custodians", Officer, pages::addCustodian},
    {Method::Get, "/matters/{matter}/custodians/{address}/remove", Officer, pages::confirmCustodianRemoval},
    {Method::Post, "/matters/{matter}/custodians/{address}/remove", Officer, pages::removeCustodian},
    {Method::Get, "/matters/{matter}/close", Officer, pages::confirmMatterClose},
    {Method::Post, "/matters/{matter}/close", Officer, pages::closeMatter},
    {Method::Get, "/matters/{matter}/hold", Officer, pages::holdWizard},
    {Method::Post, "/matters/{matter}/hold", Officer, pages::placeHold},
    {Method::Get, "/holds", Officer | Auditor, pages::holds},
    {Method::Get, "/holds/{hold}", Officer | Auditor, pages::hold},
    {Method::Get, "/holds/{hold}/release", Officer, pages::confirmRelease},
    {Method::Post, "/holds/{hold}/release", Officer, pages::releaseHold},
    {Method::Get, "/notice", Anyone, pages::notice},
    {Method::Post, "/notice", Anyone, pages::acknowledgeNotice},
    {Method::Get, "/requests/stop", Anyone, pages::stopForm},
    {Method::Post, "/requests/stop", Anyone, pages::stop},
    {Method::Get, "/work/keys", Admin | Owner, pages::keyWork},
    {Method::Post, "/work/keys", Admin | Owner, pages::decideKeyWork},
    {Method::Get, "/work", Deciders, pages::work},
    {Method::Post, "/work/review", Officer | Approver, pages::confirmReview},
    {Method::Post, "/work/review/decide", Officer | Approver, pages::decideReview},
    {Method::Get, "/requests/{request}", Deciders, pages::request},
    {Method::Post, "/requests/{request}", Deciders, pages::decideRequest},
    {Method::Get, "/search", Officer, pages::search},
    {Method::Post, "/search/save", Officer, pages::saveSearch},
    {Method::Get, "/exports", Officer | Auditor, pages::exports},
    {Method::Get, "/new-export", Officer, pages::newExport},
    {Method::Post, "/new-export", Officer, pages::createExport},
    {Method::Get, "/exports/{export}", Officer | Auditor, pages::showExport},
    {Method::Get, "/exports/{export}/download", Officer, pages::downloadExport},
    {Method::Get, "/exports/{export}/remove", Officer, pages::confirmExportRemoval},
    {Method::Post, "/exports/{export}/remove", Officer, pages::removeExport},
    {Method::Get, "/live/exports/{export}/progress", Officer | Auditor, pages::exportProgress, Activity::Script},
    {Method::Get, "/audit", Officer | Auditor, pages::audit},
    {Method::Get, "/audit.csv", Officer | Auditor, pages::auditCsv},
    {Method::Get, "/audit-export.jsonl", Auditor, pages::auditExport},
    {Method::Post, "/audit/verify", Auditor, pages::verifyAudit},
    {Method::Get, "/audit/{seq}", Auditor, pages::auditEntry},
    {Method::Get, "/reports", Officer | Auditor, pages::reports},
    {Method::Get, "/reports/evidence", Auditor, pages::evidencePacks},
    {Method::Get, "/live/evidence", Auditor, pages::evidencePacks, Activity::Script},
    {Method::Post, "/reports/evidence", Auditor, pages::makeEvidencePack},
    {Method::Get, "/reports/evidence/{pack}/download", Auditor, pages::downloadEvidencePack},
    {Method::Post, "/reports/evidence/{pack}/remove", Auditor, pages::removeEvidencePack},
    {Method::Get, "/reports/{report}", Officer | Auditor, pages::report},
    {Method::Get, "/reports/{report}/{file}", Officer | Auditor, pages::reportFile},
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
    {Method::Get, "/account/lists", SignedIn, pages::ownLists},
    {Method::Post, "/account/lists", SignedIn, pages::askOwnList},
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
    {Method::Get, "/emergency-access", Admin | Auditor, pages::emergencyAccess},
    {Method::Post, "/emergency-access/seal", Admin, pages::sealEmergency},
    {Method::Post, "/emergency-access/review", Auditor, pages::reviewEmergency},
    {Method::Get, "/access-review", Approver | Auditor, pages::accessReview},
    {Method::Post, "/access-review", Approver, pages::signAccessReview},
    {Method::Get, "/keys", KeyReaders, pages::keys},
    {Method::Get, "/live/keys", KeyReaders, pages::keys, Activity::Script},
    {Method::Post, "/keys/rotate", Admin | Custodian, pages::rotateKeys},
    {Method::Post, "/keys/backup", Admin | Custodian, pages::backUpKeys},
    {Method::Get, "/jobs", Everyone, pages::jobs},
    {Method::Get, "/live/jobs", Everyone, pages::jobs, Activity::Script},
    {Method::Post, "/jobs/{job}/cancel", Everyone, pages::cancelJob},
    {Method::Get, "/sessions", Support, pages::sessions},
    {Method::Post, "/sessions", Support, pages::endOthersSession},
    {Method::Post, "/sign-out", SignedIn, pages::signOut},
    {Method::Get, "/setup", Anyone, pages::setupForm},
    {Method::Post, "/setup", Anyone, pages::setup},
    {Method::Get, "/setup/qr.svg", Anyone, pages::setupQr},
    {Method::Get, "/setup/passkey", Anyone, pages::setupPasskey, Activity::Script},
    {Method::Get, "/pickup", Anyone, pages::pickupHome},
    {Method::Get, "/pickup/", Anyone, pages::pickupHome},
    {Method::Post, "/pickup/sign-in", Anyone, pages::pickupSignIn},
    {Method::Get, "/pickup/sign-in/passkey", Anyone, pages::pickupPasskey, Activity::Script},
    {Method::Post, "/pickup/ask", Anyone, pages::pickupAsk},
    {Method::Get, "/pickup/open", Anyone, pages::pickupLink},
    {Method::Post, "/pickup/open", Anyone, pages::pickupOpen},
    {Method::Get, "/pickup/set-up", Anyone, pages::pickupSetUpForm},
    {Method::Post, "/pickup/set-up", Anyone, pages::pickupSetUp},
    {Method::Get, "/pickup/set-up/passkey", Anyone, pages::pickupSetUpPasskey, Activity::Script},
    {Method::Post, "/pickup/sign-out", Anyone, pages::pickupSignOut},
    {Method::Get, "/pickup/guide", Anyone, pages::pickupGuide},
    {Method::Get, "/pickup/attached", Anyone, pages::pickupAttached},
    {Method::Get, "/pickup/messages", Anyone, pages::pickupInbox},
    {Method::Get, "/pickup/messages/{id}", Anyone, pages::pickupMessage},
    {Method::Post, "/pickup/messages/{id}/open", Anyone, pages::pickupRead},
    {Method::Get, "/pickup/messages/{id}/html", Anyone, pages::pickupHtml, Activity::Script},
    {Method::Post, "/pickup/messages/{id}/key", Anyone, pages::pickupKey, Activity::Script},
    {Method::Get, "/pickup/messages/{id}/content", Anyone, pages::pickupContent, Activity::Script},
    {Method::Get, "/pickup/messages/{id}/parts/{part}", Anyone, pages::pickupPart},
    {Method::Get, "/pickup/messages/{id}/message.eml", Anyone, pages::pickupWhole},
    {Method::Post, "/pickup/messages/{id}/reply", Anyone, pages::pickupReply},
    {Method::Post, "/pickup/messages/{id}/report", Anyone, pages::pickupReport},
    {Method::Get, "/pickup/account", Anyone, pages::pickupAccount},
    {Method::Get, "/pickup/account/passkey", Anyone, pages::pickupAccountPasskey, Activity::Script},
    {Method::Post, "/pickup/account/passkey", Anyone, pages::pickupAddPasskey},
    {Method::Post, "/pickup/account/passkey/remove", Anyone, pages::pickupRemovePasskey},
    {Method::Post, "/pickup/account/password", Anyone, pages::pickupPassword},
    {Method::Post, "/pickup/account/session", Anyone, pages::pickupEndSession},
    {Method::Get, "/pickup/question", Anyone, pages::pickupQuestionForm},
    {Method::Post, "/pickup/question", Anyone, pages::pickupQuestion},
    {Method::Get, "/pickup/account/delete", Anyone, pages::pickupDeleteForm},
    {Method::Post, "/pickup/account/delete", Anyone, pages::pickupDelete},
    {Method::Get, "/pickup/sent", Anyone, pages::pickupSent},
    {Method::Post, "/pickup/sent", Anyone, pages::pickupRecallSent},
    {Method::Get, "/waiting", WatchersAndOwners, pages::waiting},
    {Method::Get, "/waiting/domains", Watchers, pages::pickupDomains},
    {Method::Post, "/waiting/domains", Admin, pages::setPickupDomain},
    {Method::Get, "/waiting/{item}", WatchersAndOwners, pages::waitingItem},
    {Method::Post, "/waiting/{item}", Admin | Officer | Helpdesk | Owner, pages::actOnWaiting},
    {Method::Get, "/help", Anyone, pages::help},
    {Method::Get, "/healthz", Anyone, pages::health, Activity::Script},
    {Method::Get, "/healthz/live", Anyone, pages::healthLive, Activity::Script},
    {Method::Get, "/healthz/ready", Anyone, pages::healthReady, Activity::Script},
    {Method::Get, "/metrics", Anyone, pages::metrics, Activity::Script},
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
