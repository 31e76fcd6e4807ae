#pragma once
#include "listd/people/PeopleOrders.h"
#include "tests/unit/listd/orders/DeskFixture.h"

#include <map>

namespace postern::test {

constexpr auto Password = "correct horse battery";

// A site with accounts, and what it takes to sign in.
struct Accounts : Desk {
  std::string token = give("user.setup-link").at("token");
  Secret secret;
  std::map<std::string, Secret> secrets;

  static app::Actor web(const std::string& name, const std::string& session = "s1") {
    return {"web", name, {}, session, "192.0.2.9"};
  }
  Secret secretOf(const std::string& link) {
    return Secret(
        crypto::fromBase32(give("user.setup-check", {{"token", link}}).at("secret").get<std::string>()).value());
  }
  json setUp() {
    secret = secretOf(token);
    return give("user.setup", {{"token", token}, {"name", "alice"}, {"password", Password}, {"totp", code()}});
  }
  std::string code() const { return crypto::totpCode(secret, clock.now()); }
  std::string codeOf(const std::string& name) const { return crypto::totpCode(secrets.at(name), clock.now()); }

  // Invites a person and follows the link.
  json join(const std::string& name, const std::string& roles, const std::string& lists = {}) {
    json args{{"name", name}, {"roles", roles}};
    if (!lists.empty()) args["lists"] = lists;
    const auto link = give("account.invite", args).at("token").get<std::string>();
    secrets[name] = secretOf(link);
    return give("user.setup", {{"token", link}, {"password", Password}, {"totp", codeOf(name)}});
  }
  std::string signIn(const std::string& password, const std::string& totp, const std::string& client = "192.0.2.9",
                     const std::string& name = "alice") {
    try {
      const auto ticket =
          give("user.authenticate", {{"name", name}, {"password", password}, {"client", client}}).at("ticket");
      give("user.factor", {{"ticket", ticket}, {"totp", totp}, {"client", client}});
    } catch (const app::OrderRefused& refused) {
      return refused.error().code + ": " + refused.error().message;
    }
    return {};
  }
  void stepUp(const std::string& name, const std::string& session = "s1") {
    clock.advance(std::chrono::seconds(30));
    giveAs(web(name, session), "session.step-up", {{"password", Password}, {"totp", codeOf(name)}});
  }
};

}  // namespace postern::test
