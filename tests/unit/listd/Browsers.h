#pragma once
#include "core/app/Orders.h"
#include "listd/site/SiteContext.h"

#include <map>
#include <string>
#include <utility>

namespace postern::test {

// The browsers of people: tests name a person and a label ("s1"), and here are the sessions behind them.
class Browsers {
public:
  // The actor with the secret of its session, which is opened when it is not in force. Actors that bring a secret of
  // their own, and those of other kinds, stay as they are.
  app::Actor signedIn(listd::SiteContext& context, app::Actor actor, TimePoint now) {
    if (actor.kind != "web" || !actor.token.empty()) return actor;
    auto& secret = secrets_[{actor.name, actor.session}];
    context.site.write([&](listd::SiteTables& tables) {
      if (!tables.sessions.find(secret, now))
        secret = tables.sessions.open(listd::SubjectKind::Account, actor.name, actor.client, "a browser", now).secret;
    });
    actor.token = secret;
    return actor;
  }

private:
  std::map<std::pair<std::string, std::string>, std::string> secrets_;
};

}  // namespace postern::test
