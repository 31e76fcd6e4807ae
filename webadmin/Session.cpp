#include "webadmin/Session.h"

#include "webadmin/Views.h"

namespace postern::webadmin {
namespace {

app::Roles rolesOf(const nlohmann::json& words) {
  app::Roles roles;
  for (const auto& word : words) {
    if (!word.is_string()) continue;
    if (const auto role = app::roleFromWord(word.get<std::string>())) roles = roles | *role;
  }
  return roles;
}

}  // namespace

app::Actor actorOf(const std::string& secret, const std::string& client, const app::HttpsFacts& https) {
  app::Actor actor{"web", ""};
  actor.token = secret;
  actor.client = client;
  actor.https = https;
  return actor;
}

std::optional<Session> sessionOf(Orders& orders, const std::string& secret, const std::string& client, bool byPerson) {
  try {
    const auto shown = orders.give("session.show", actorOf(secret, client), {{"act", byPerson}});
    if (views::text(shown, "kind") != "account") return std::nullopt;
    return Session{views::text(shown, "account"), views::text(shown, "ref"), rolesOf(views::part(shown, "roles"))};
  } catch (const app::OrderRefused& refused) {
    if (refused.error().code != "signed-out") throw;
    return std::nullopt;
  }
}

}  // namespace postern::webadmin
