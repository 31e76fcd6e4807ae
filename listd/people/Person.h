#pragma once
#include "core/app/Orders.h"
#include "core/app/Roles.h"
#include "core/base/Clock.h"
#include "listd/people/SessionStore.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postern::listd {

struct SiteTables;

// Who gives an order, as the store says it at this moment, whatever the wire said. A value.
struct Person {
  std::string account;              // empty: nobody signed in
  app::Roles roles = {};            // none: may only give orders that are open to anybody
  std::vector<std::string> lists;   // addresses, for the role owner
  std::vector<std::string> scopes;  // of the token
  bool byToken = false;
  bool machine = false;      // the command line on the server: who runs it owns the machine, so no step-up is asked
  bool onlyAsOwner = false;  // set with the order: no other role allows it, so only own lists may be touched
  std::string recipient;     // address, in the session of somebody who picks up mail: then there is no account
  std::string session;       // reference of the session or token
  std::optional<Session> browser;  // the session, when it is one of the web UI
  std::uint64_t token = 0;         // number of the token
  TimePoint tokenUsedAt;           // as noted so far

  bool owns(std::string_view list) const;
  // May this order touch that list? For handlers that must look themselves.
  bool mayTouch(std::string_view list) const { return !onlyAsOwner || owns(list); }
};

// The person behind an actor: "cli" is admin and helpdesk of the machine; "web" the subject of the session whose secret
// came with the order; "api" the account of the token; "system" nobody. An account that is gone, disabled or not set up
// is nobody.
Person personOf(SiteTables& tables, const app::Actor& actor, TimePoint now);

}  // namespace postern::listd
