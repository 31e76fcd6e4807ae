#pragma once
#include "core/app/SessionLimits.h"
#include "core/base/Clock.h"
#include "core/store/Database.h"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postern::listd {

// Whose a session is. Account: somebody of the staff or an owner, by the name of the account. Recipient: somebody who
// picks up mail, by address; never has a role, whatever accounts exist.
enum class SubjectKind { Account, Recipient };

// A session that is in force. A value.
struct Session {
  std::string ref;  // names it; opens nothing
  SubjectKind kind = SubjectKind::Account;
  std::string subject;
  std::string client;  // address it was opened from
  std::string agent;   // words for the browser
  TimePoint createdAt;
  TimePoint lastSeenAt;
  TimePoint steppedUpAt;  // zero: the person proved nothing since
};

// Who is signed in to the web UI. listd issues the secret of a session when a sign-in is proven; the browser keeps it
// as its cookie, the web process passes it on with each order (app::Actor, kind "web", token) and keeps nothing of it,
// and listd takes the person from here. So the web process acts for nobody who is not there (docs/decisions/0020).
//
// Invariants: 1. a secret is made here, 256 bit, and only its SHA-256 is stored, so no copy of the database opens a
// session and nobody can plant one; 2. a session ends for good after SessionIdleLimit without an act of the person,
// SessionAbsoluteLimit after its start, when the clock is before its start, or when it is ended: find() knows it no
// more, whether its row is still there or not; 3. it keeps its subject for life.
// Whether an account may still act is not asked here but with each order (Person.h).
//
// For recipients of pick-up mail: open(SubjectKind::Recipient, address, …) in the order that proved the recipient, and
// give `secret` to the web process; orders that come with it have call.person.recipient.
// Threads: those of the connection. Errors: Error(Store).
class SessionStore {
public:
  explicit SessionStore(store::Database& database) : database_(database) {}

  struct Opened {
    std::string secret;  // for the browser, shown once
    std::string ref;
  };
  Opened open(SubjectKind kind, std::string_view subject, std::string_view client, std::string_view agent,
              TimePoint now);
  std::optional<Session> find(std::string_view secret, TimePoint now) const;
  void recordAct(std::string_view ref, TimePoint now);  // the person did something, which holds off the idle limit
  void recordStepUp(std::string_view ref, TimePoint now);

  bool end(SubjectKind kind, std::string_view subject, std::string_view ref);  // false: no such session of theirs
  std::size_t endAll(SubjectKind kind, std::string_view subject, std::string_view butRef = {});
  std::vector<Session> of(SubjectKind kind, std::string_view subject, TimePoint now) const;  // the latest act first
  std::vector<Session> all(SubjectKind kind, TimePoint now) const;
  void sweep(TimePoint now);  // rows of sessions that have ended by their limits

private:
  store::Database& database_;
};

}  // namespace postern::listd
