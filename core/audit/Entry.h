#pragma once
#include "core/base/Clock.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace postern::audit {

enum class Outcome { Ok, Denied, Error, BlockedByRetention };
const char* outcomeWord(Outcome outcome);  // "ok" "denied" "error" "blocked-by-retention"

// One fact beside an entry's fixed fields. Persons (addresses, account names) go in as such: the log writes a pseudonym
// in their place. Never a body, subject, password or token.
struct Detail {
  enum class Kind { Text, Person };
  std::string name;
  std::string value;
  Kind kind = Kind::Text;
};

// What happened, as the caller tells it; the log adds number, time, boot, previous hash and pseudonyms.
// Fields as in the records rules, part 3. Empty and 0 mean "does not apply".
struct Event {
  std::string actorKind;   // user list-owner recipient system lua cli root
  std::string actor;       // account, address or Unix user; becomes a pseudonym
  std::string roleUsed;    // word of app::Role
  std::string auth;        // method and level, as in "passkey aal2 step-up 40s"
  std::string sessionRef;  // opaque
  std::string sourceIp;
  std::string uaClass;     // kind of program: "browser" "cli" "api"; never the whole header
  std::string action;      // the order's name, or a word of docs/audit.md: "object.destroyed"
  std::string objectType;  // "rule" "hold" "matter" "object" "list" "member" "account" …
  std::string objectId;    // never an address: ids, or give it as a person in `details`
  std::uint64_t objectVersion = 0;
  std::uint64_t listId = 0;
  std::uint64_t matterId = 0;
  Outcome outcome = Outcome::Ok;
  std::string reasonCode;
  std::string reasonText;  // what the person typed as reason
  std::string approver;    // becomes a pseudonym
  std::uint64_t requestId = 0;
  std::string beforeDigest;  // SHA-256 in hexadecimal of the object before and after
  std::string afterDigest;
  std::vector<Detail> details;

  Event& text(std::string name, std::string value) {
    details.push_back({std::move(name), std::move(value), Detail::Kind::Text});
    return *this;
  }
  Event& number(std::string name, std::uint64_t value) { return text(std::move(name), std::to_string(value)); }
  Event& person(std::string name, std::string value) {
    details.push_back({std::move(name), std::move(value), Detail::Kind::Person});
    return *this;
  }
};

}  // namespace postern::audit
