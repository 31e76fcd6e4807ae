#include "cli/WebhookVerbs.h"

#include "cli/Render.h"

#include <nlohmann/json.hpp>

namespace postern::cli {

using nlohmann::json;

namespace {

using Kind = Parameter::Kind;

const Parameter Id{Kind::Positional, "id", "id", "number of the webhook", true};

void renderHook(std::ostream& out, const json& result) {
  renderRecord(out, result);
}

void renderHooks(std::ostream& out, const json& result) {
  renderTable(out, result.at("items"),
              {{"ID", "id"},
               {"ACCOUNT", "account"},
               {"URL", "url"},
               {"STATE", "state"},
               {"WAITING", "waiting"},
               {"LAST CALL", "lastAt"},
               {"ANSWER", "lastAnswer"}},
              "There are no webhooks. postern webhook add makes one.");
}

}  // namespace

std::vector<OrderVerb> webhookVerbs() {
  return {
      {"webhook",
       "add",
       "webhook.add",
       "Calls this address with what becomes of the mail that the account sends. The secret, with which the program "
       "checks "
       "the calls, is shown once.",
       {{Kind::Positional, "account", "account", "name of the account", true},
        {Kind::Positional, "url", "url", "an https:// address", true}},
       renderHook},
      {"webhook", "list", "webhook.list", "Lists webhooks, how they answer and what waits for them.", {}, renderHooks},
      {"webhook",
       "set",
       "webhook.set",
       "Turns a webhook off, so that nothing more is noted for it, or on again.",
       {Id, {Kind::Positional, "state", "state", "on or off", true}},
       renderHook},
      {"webhook", "test", "webhook.test", "Calls a webhook now with a test and shows the answer.", {Id}, renderHook},
      {"webhook", "remove", "webhook.remove", "Removes a webhook and what waits for it.", {Id}, renderHook},
  };
}

}  // namespace postern::cli
