#pragma once
#include "webadmin/Visit.h"

namespace postern::webadmin::pages {

// WebhooksPage.cpp: the programs that are told what becomes of the mail of an account.
Response webhooks(Visit& visit);
Response addWebhook(Visit& visit);  // shows the secret, this once
Response webhook(Visit& visit);
Response actOnWebhook(Visit& visit);
Response confirmWebhookRemoval(Visit& visit);
Response removeWebhook(Visit& visit);

}  // namespace postern::webadmin::pages
