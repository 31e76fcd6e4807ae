#pragma once
#include "core/app/SessionLimits.h"
#include "core/base/Clock.h"
#include "core/crypto/WebAuthn.h"
#include "core/store/Database.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postern::listd {

// Somebody outside who set something up to sign in with. Never a person of the staff: other tables, other orders.
struct Recipient {
  std::uint64_t id = 0;
  std::string address;  // lower case
  std::string userHandle;
  std::string passwordHash;  // empty: passkeys only
  TimePoint createdAt;
  TimePoint resetAt;  // zero: never
  TimePoint lastSignInAt;
  std::string question;  // empty: none
  std::string answerHash;
};

struct RecipientPasskey {
  std::uint64_t id = 0;
  std::uint64_t recipientId = 0;
  std::string name;
  crypto::webauthn::Credential credential;
  TimePoint createdAt;
  TimePoint lastUsedAt;
};

struct RecipientSession {
  std::string ref;  // names it; opens nothing
  std::string address;
  bool signedIn = false;  // else: the mailbox is proven, nothing may be read
  bool reset = false;     // mailbox only: what is set up replaces what was
  std::string client;
  std::string agent;
  std::string method;  // "passkey" "password" "mailbox"
  TimePoint createdAt;
  TimePoint lastSeenAt;
  bool answered = false;  // the own question, in this session
};

// A link that somebody asked for.
struct AskedLink {
  std::uint64_t id = 0;
  std::string address;
  TimePoint issuedAt;
  TimePoint usedAt;
};

// Recipients, their passkeys, sessions and links. A session's secret is made by listd and kept as a hash only: who
// holds it (the browser) gives it with each order, so the web process by itself opens nothing.
// Threads: those of the connection. Errors: Error(Store).
class RecipientStore {
public:
  static constexpr std::chrono::minutes MailboxLasts{30};

  explicit RecipientStore(store::Database& database) : database_(database) {}

  std::optional<Recipient> find(std::string_view address) const;
  void add(const Recipient& recipient);
  void setPassword(std::string_view address, std::string_view hash);
  void setQuestion(std::string_view address, std::string_view question, std::string_view answerHash);
  void reset(std::string_view address, TimePoint at);  // passkeys, password, question and sessions end
  void recordSignIn(std::string_view address, TimePoint at);
  void remove(std::string_view address);  // with passkeys, sessions, links

  void addPasskey(const RecipientPasskey& passkey);
  std::vector<RecipientPasskey> passkeys(std::uint64_t recipientId) const;
  struct Holder {
    RecipientPasskey passkey;
    std::string address;
  };
  std::optional<Holder> findPasskey(std::string_view credentialId) const;
  void recordUse(std::uint64_t passkey, std::uint32_t signCount, TimePoint at);
  bool removePasskey(std::uint64_t recipientId, std::uint64_t passkey);

  void openSession(std::string_view secretHash, const RecipientSession& session);
  // The session of the secret, if it is not over: idle, too old.
  std::optional<RecipientSession> session(std::string_view secretHash, TimePoint now) const;
  void touch(std::string_view ref, TimePoint now);
  void recordAnswer(std::string_view ref);
  std::vector<RecipientSession> sessions(std::string_view address, TimePoint now) const;
  bool endSession(std::string_view address, std::string_view ref);
  void endSessions(std::string_view address, std::string_view exceptRef = {});
  void sweep(TimePoint now);

  AskedLink issueLink(std::string_view address, TimePoint at);  // older ones for the address end
  std::optional<AskedLink> link(std::uint64_t id) const;
  std::optional<AskedLink> linkFor(std::string_view address) const;
  void useLink(std::uint64_t id, TimePoint at);

private:
  store::Database& database_;
};

}  // namespace postern::listd
