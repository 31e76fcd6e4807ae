#pragma once
#include "webadmin/Visit.h"

// Pick-up: pages for recipients, who have no account of the site, under /pickup/. Their session is a secret that listd
// made and the browser keeps in its cookie; this process passes it on with each order and keeps nothing.
namespace postern::webadmin::pages {

inline constexpr const char* PickupCookie = "__Host-postern-pickup";

// PickupVisitPage.cpp
Response pickupHome(Visit& visit);
Response pickupSignIn(Visit& visit);
Response pickupPasskey(Visit& visit);
Response pickupAsk(Visit& visit);
Response pickupLink(Visit& visit);
Response pickupOpen(Visit& visit);
Response pickupSetUpForm(Visit& visit);
Response pickupSetUpPasskey(Visit& visit);
Response pickupSetUp(Visit& visit);
Response pickupSignOut(Visit& visit);
Response pickupGuide(Visit& visit);

// PickupReadPage.cpp
Response pickupInbox(Visit& visit);
Response pickupAttached(Visit& visit);
Response pickupMessage(Visit& visit);
Response pickupRead(Visit& visit);
Response pickupHtml(Visit& visit);
Response pickupKey(Visit& visit);
Response pickupContent(Visit& visit);
Response pickupPart(Visit& visit);
Response pickupWhole(Visit& visit);
Response pickupReply(Visit& visit);
Response pickupReport(Visit& visit);

// PickupAccountPage.cpp
Response pickupAccount(Visit& visit);
Response pickupAccountPasskey(Visit& visit);
Response pickupAddPasskey(Visit& visit);
Response pickupRemovePasskey(Visit& visit);
Response pickupPassword(Visit& visit);
Response pickupEndSession(Visit& visit);
Response pickupQuestionForm(Visit& visit);
Response pickupQuestion(Visit& visit);
Response pickupDeleteForm(Visit& visit);
Response pickupDelete(Visit& visit);
Response pickupSent(Visit& visit);
Response pickupRecallSent(Visit& visit);

// PickupListPage.cpp: what the site's people see of it.
Response waiting(Visit& visit);
Response waitingItem(Visit& visit);
Response actOnWaiting(Visit& visit);

// PickupSettingsPage.cpp
Response pickupSettings(Visit& visit);
Response setPickupSettings(Visit& visit);
Response pickupDomains(Visit& visit);
Response setPickupDomain(Visit& visit);

// Shared by the pages of recipients.
nlohmann::json pickupOrder(const Visit& visit, std::string_view order, nlohmann::json args = nlohmann::json::object());
Response pickupPage(const Visit& visit, std::string_view name, const std::string& title, int status,
                    nlohmann::json view);
// Where the browser goes after signing in: the page of ours that it asked for, or the inbox.
std::string pickupTarget(const std::string& next);
std::pair<std::string, std::string> pickupCookie(std::string_view secret);
// What a refusal of listd becomes: who is signed out goes to the sign-in, the rest is a page.
Response pickupRefused(const Visit& visit, const app::OrderRefused& refused);

}  // namespace postern::webadmin::pages
