#pragma once
#include "webadmin/Visit.h"

// The pages, as named in Routes.cpp; each file pages/<Name>Page.cpp makes views for templates of the same name.
namespace postern::webadmin::pages {

// DashboardPage.cpp
Response dashboard(Visit& visit);
Response flow(Visit& visit);

// SignInPage.cpp
Response signInForm(Visit& visit);
Response signIn(Visit& visit);
Response signInFactor(Visit& visit);
Response signInPasskey(Visit& visit);
Response emergencyForm(Visit& visit);
Response emergency(Visit& visit);
Response signOut(Visit& visit);
Response keepSession(Visit& visit);

// SetupPage.cpp
Response setupForm(Visit& visit);
Response setup(Visit& visit);
Response setupQr(Visit& visit);
Response setupPasskey(Visit& visit);

// StepUpPage.cpp
Response askStepUp(Visit& visit);  // in place of a page that needs it; keeps what was sent
Response stepUpForm(Visit& visit);
Response stepUp(Visit& visit);
Response stepUpPasskey(Visit& visit);

// AccountPage.cpp
Response account(Visit& visit);
Response passkeyOptions(Visit& visit);
Response addPasskey(Visit& visit);
Response totpForm(Visit& visit);
Response addTotp(Visit& visit);
Response removeFactor(Visit& visit);
Response makeRecovery(Visit& visit);
Response changePassword(Visit& visit);
Response makeToken(Visit& visit);
Response revokeToken(Visit& visit);

// SessionsPage.cpp
nlohmann::json sessionRows(const nlohmann::json& list, TimePoint now);  // what session.list gave, for a template
Response endSession(Visit& visit);
Response sessions(Visit& visit);
Response endOthersSession(Visit& visit);

// PeoplePage.cpp
Response people(Visit& visit);
Response invite(Visit& visit);
Response person(Visit& visit);
Response setPerson(Visit& visit);
Response recoverPerson(Visit& visit);

// EmergencyAccessPage.cpp
Response emergencyAccess(Visit& visit);
Response sealEmergency(Visit& visit);
Response reviewEmergency(Visit& visit);

// AccessReviewPage.cpp
Response accessReview(Visit& visit);
Response signAccessReview(Visit& visit);

// KeysPage.cpp
Response keys(Visit& visit);
Response rotateKeys(Visit& visit);
Response backUpKeys(Visit& visit);
Response jobs(Visit& visit);
Response cancelJob(Visit& visit);

// ListsPage.cpp
Response lists(Visit& visit);
Response listsCsv(Visit& visit);
Response newList(Visit& visit);
Response createList(Visit& visit);

// ListPage.cpp
Response list(Visit& visit);
Response setList(Visit& visit);
Response confirmClose(Visit& visit);
Response closeList(Visit& visit);
Response confirmDelete(Visit& visit);
Response deleteList(Visit& visit);

// ProtectionPage.cpp
Response listProtection(Visit& visit);
Response setListProtection(Visit& visit);
Response domainProtection(Visit& visit);
Response setDomainProtection(Visit& visit);
Response listPlan(Visit& visit);
Response setMemberWish(Visit& visit);

// AccessPage.cpp
Response listAccess(Visit& visit);

// MembersPage.cpp
Response members(Visit& visit);
Response membersCsv(Visit& visit);
Response addMember(Visit& visit);

// MemberPage.cpp
Response member(Visit& visit);
Response setMemberState(Visit& visit);
Response importKey(Visit& visit);
Response confirmRemove(Visit& visit);
Response removeMember(Visit& visit);

// KeyWorkPage.cpp
Response keyWork(Visit& visit);
Response decideKeyWork(Visit& visit);

// KeyPage.cpp
Response confirmKey(Visit& visit);
Response refuseKey(Visit& visit);
Response publicKey(Visit& visit);
Response publicCertificate(Visit& visit);
Response publicOpenPgpKey(Visit& visit);
Response wkdDirect(Visit& visit);
Response wkdAdvanced(Visit& visit);
Response wkdPolicy(Visit& visit);
Response listKeys(Visit& visit);
Response changeListKeys(Visit& visit);
Response listKeyFile(Visit& visit);
Response myKeysForm(Visit& visit);
Response askForMyKeys(Visit& visit);
Response myKeys(Visit& visit);
Response bringMyKey(Visit& visit);
Response confirmRevoke(Visit& visit);
Response revokeKey(Visit& visit);

// PostsPage.cpp
Response posts(Visit& visit);

// LedgerPage.cpp
Response ledger(Visit& visit);
Response ledgerCsv(Visit& visit);

// DeliveryPage.cpp
Response delivery(Visit& visit);
Response deliveryFile(Visit& visit);

// QueuePage.cpp
Response queue(Visit& visit);
Response actOnQueue(Visit& visit);
Response confirmDrop(Visit& visit);
Response dropCopy(Visit& visit);

// QuarantinePage.cpp
Response quarantine(Visit& visit);
Response chooseHeld(Visit& visit);
Response decideHeld(Visit& visit);
Response heldMessage(Visit& visit);
Response readHeldMessage(Visit& visit);
Response trustedSenders(Visit& visit);
Response untrustSender(Visit& visit);

// SendPage.cpp
Response composeMail(Visit& visit);
Response sendMail(Visit& visit);
Response sentMail(Visit& visit);

// HopsPage.cpp
Response hops(Visit& visit);
Response readHops(Visit& visit);

// ProbePage.cpp
Response domainTls(Visit& visit);
Response startProbe(Visit& visit);
Response markDomain(Visit& visit);

// TlsReportsPage.cpp
Response tlsReports(Visit& visit);
Response tlsReport(Visit& visit);

// RelaysPage.cpp
Response relays(Visit& visit);
Response addRelay(Visit& visit);
Response confirmRelayRemoval(Visit& visit);
Response removeRelay(Visit& visit);

// DirectoriesPage.cpp
Response directories(Visit& visit);
Response addDirectory(Visit& visit);
Response testDirectory(Visit& visit);
Response confirmDirectoryRemoval(Visit& visit);
Response removeDirectory(Visit& visit);
Response authorities(Visit& visit);
Response addAuthority(Visit& visit);
Response confirmAuthorityRemoval(Visit& visit);
Response removeAuthority(Visit& visit);

// HelpPage.cpp
Response help(Visit& visit);

// AssetPages.cpp
Response health(Visit& visit);
Response healthLive(Visit& visit);
Response healthReady(Visit& visit);
Response metrics(Visit& visit);
Response openApi(Visit& visit);
Response robots(Visit& visit);
Response favicon(Visit& visit);
Response staticFile(Visit& visit);

}  // namespace postern::webadmin::pages
