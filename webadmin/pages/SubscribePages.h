#pragma once
#include "webadmin/Visit.h"

// Joining and leaving lists: pages for everybody, and those of owners.
namespace postern::webadmin::pages {

// The way out of RFC 8058: mail programs send it without cookie and form token; the token in its address is the proof.
bool isOneClick(const Request& request);

Response publicLists(Visit& visit);
Response aboutList(Visit& visit);
Response subscribeForm(Visit& visit);
Response subscribe(Visit& visit);
Response confirmForm(Visit& visit);
Response confirm(Visit& visit);
Response unsubscribeForm(Visit& visit);
Response unsubscribe(Visit& visit);
Response membership(Visit& visit);
Response setMembership(Visit& visit);

Response ownLists(Visit& visit);
Response askOwnList(Visit& visit);

Response subscriptionRequests(Visit& visit);
Response decideSubscriptions(Visit& visit);
Response listSubscription(Visit& visit);
Response setListSubscription(Visit& visit);
Response importForm(Visit& visit);
Response importMembers(Visit& visit);

}  // namespace postern::webadmin::pages
