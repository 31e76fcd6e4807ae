#include "listd/pickup/RecipientStore.h"

namespace postern::listd {
namespace {

#define PASSKEY_COLUMNS                                                                                    \
  "p.id, p.recipient_id, p.name, p.credential_id, p.algorithm, p.public_key, p.sign_count, p.created_at, " \
  "p.last_used_at"
#define SESSION_COLUMNS \
  "SELECT ref, address, kind, reset, client, agent, method, created_at, last_seen_at, answered FROM pickup_sessions "

RecipientPasskey readPasskey(const store::Statement& row) {
  RecipientPasskey passkey;
  passkey.id = row.unsignedInteger(0);
  passkey.recipientId = row.unsignedInteger(1);
  passkey.name = row.text(2);
  passkey.credential = {row.blob(3), static_cast<int>(row.integer(4)), row.blob(5),
                        static_cast<std::uint32_t>(row.integer(6))};
  passkey.createdAt = row.time(7);
  passkey.lastUsedAt = row.time(8);
  return passkey;
}

RecipientSession readSession(const store::Statement& row) {
  RecipientSession session;
  session.ref = row.text(0);
  session.address = row.text(1);
  session.signedIn = row.view(2) == "signed-in";
  session.reset = row.boolean(3);
  session.client = row.text(4);
  session.agent = row.text(5);
  session.method = row.text(6);
  session.createdAt = row.time(7);
  session.lastSeenAt = row.time(8);
  session.answered = row.boolean(9);
  return session;
}

// A clock that was set back ends it as well.
bool isOver(const RecipientSession& session, TimePoint now) {
  if (session.lastSeenAt > now + app::SessionIdleLimit || session.createdAt > now + app::SessionIdleLimit) return true;
  if (!session.signedIn) return now - session.createdAt >= RecipientStore::MailboxLasts;
  return now - session.lastSeenAt >= app::SessionIdleLimit || now - session.createdAt >= app::SessionAbsoluteLimit;
}

AskedLink readLink(const store::Statement& row) {
  return {row.unsignedInteger(0), row.text(1), row.time(2), row.time(3)};
}

}  // namespace

std::optional<Recipient> RecipientStore::find(std::string_view address) const {
  auto select = database_.prepare(
      "SELECT id, address, user_handle, password_hash, created_at, reset_at, last_sign_in_at, question, answer_hash "
      "FROM pickup_recipients WHERE address = ?");
  if (!select.bind(address).step()) return std::nullopt;
  return Recipient{select.unsignedInteger(0),
                   select.text(1),
                   select.blob(2),
                   select.text(3),
                   select.time(4),
                   select.time(5),
                   select.time(6),
                   select.text(7),
                   select.text(8)};
}

void RecipientStore::add(const Recipient& recipient) {
  database_
      .prepare(
          "INSERT INTO pickup_recipients (address, user_handle, password_hash, created_at, reset_at, last_sign_in_at) "
          "VALUES (?, ?, ?, ?, ?, 0)")
      .bind(recipient.address, store::Blob{recipient.userHandle}, recipient.passwordHash, recipient.createdAt,
            recipient.resetAt)
      .run();
}

void RecipientStore::setPassword(std::string_view address, std::string_view hash) {
  database_.prepare("UPDATE pickup_recipients SET password_hash = ? WHERE address = ?").bind(hash, address).run();
}

void RecipientStore::setQuestion(std::string_view address, std::string_view question, std::string_view answerHash) {
  database_.prepare("UPDATE pickup_recipients SET question = ?, answer_hash = ? WHERE address = ?")
      .bind(question, answerHash, address)
      .run();
}

void RecipientStore::reset(std::string_view address, TimePoint at) {
  database_
      .prepare("DELETE FROM pickup_passkeys WHERE recipient_id = (SELECT id FROM pickup_recipients WHERE address = ?)")
      .bind(address)
      .run();
  database_
      .prepare(
          "UPDATE pickup_recipients SET password_hash = '', question = '', answer_hash = '', reset_at = ? "
          "WHERE address = ?")
      .bind(at, address)
      .run();
  endSessions(address);
}

void RecipientStore::recordSignIn(std::string_view address, TimePoint at) {
  database_.prepare("UPDATE pickup_recipients SET last_sign_in_at = ? WHERE address = ?").bind(at, address).run();
}

void RecipientStore::remove(std::string_view address) {
  endSessions(address);
  database_
      .prepare("DELETE FROM pickup_passkeys WHERE recipient_id = (SELECT id FROM pickup_recipients WHERE address = ?)")
      .bind(address)
      .run();
  database_.prepare("DELETE FROM pickup_links WHERE address = ?").bind(address).run();
  database_.prepare("DELETE FROM pickup_recipients WHERE address = ?").bind(address).run();
}

void RecipientStore::addPasskey(const RecipientPasskey& passkey) {
  const auto& credential = passkey.credential;
  database_
      .prepare(
          "INSERT INTO pickup_passkeys (recipient_id, name, credential_id, algorithm, public_key, sign_count, "
          "created_at, last_used_at) VALUES (?, ?, ?, ?, ?, ?, ?, 0)")
      .bind(passkey.recipientId, passkey.name, store::Blob{credential.id}, credential.algorithm,
            store::Blob{credential.publicKey}, credential.signCount, passkey.createdAt)
      .run();
}

std::vector<RecipientPasskey> RecipientStore::passkeys(std::uint64_t recipientId) const {
  auto select =
      database_.prepare("SELECT " PASSKEY_COLUMNS " FROM pickup_passkeys p WHERE p.recipient_id = ? ORDER BY p.id");
  select.bind(recipientId);
  std::vector<RecipientPasskey> passkeys;
  while (select.step()) passkeys.push_back(readPasskey(select));
  return passkeys;
}

std::optional<RecipientStore::Holder> RecipientStore::findPasskey(std::string_view credentialId) const {
  auto select = database_.prepare(
      "SELECT " PASSKEY_COLUMNS
      ", r.address FROM pickup_passkeys p JOIN pickup_recipients r ON r.id = p.recipient_id WHERE p.credential_id = ?");
  if (!select.bind(store::Blob{credentialId}).step()) return std::nullopt;
  return Holder{readPasskey(select), select.text(9)};
}

void RecipientStore::recordUse(std::uint64_t passkey, std::uint32_t signCount, TimePoint at) {
  database_.prepare("UPDATE pickup_passkeys SET sign_count = ?, last_used_at = ? WHERE id = ?")
      .bind(signCount, at, passkey)
      .run();
}

bool RecipientStore::removePasskey(std::uint64_t recipientId, std::uint64_t passkey) {
  database_.prepare("DELETE FROM pickup_passkeys WHERE recipient_id = ? AND id = ?").bind(recipientId, passkey).run();
  return database_.changes() > 0;
}

void RecipientStore::openSession(std::string_view secretHash, const RecipientSession& session) {
  database_
      .prepare(
          "INSERT INTO pickup_sessions (secret_hash, ref, address, kind, reset, client, agent, method, created_at, "
          "last_seen_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
      .bind(secretHash, session.ref, session.address, session.signedIn ? "signed-in" : "mailbox", session.reset,
            session.client, session.agent, session.method, session.createdAt, session.createdAt)
      .run();
}

std::optional<RecipientSession> RecipientStore::session(std::string_view secretHash, TimePoint now) const {
  auto select = database_.prepare(SESSION_COLUMNS "WHERE secret_hash = ?");
  if (!select.bind(secretHash).step()) return std::nullopt;
  auto session = readSession(select);
  if (isOver(session, now)) return std::nullopt;
  return session;
}

void RecipientStore::touch(std::string_view ref, TimePoint now) {
  database_.prepare("UPDATE pickup_sessions SET last_seen_at = ? WHERE ref = ?").bind(now, ref).run();
}

void RecipientStore::recordAnswer(std::string_view ref) {
  database_.prepare("UPDATE pickup_sessions SET answered = 1 WHERE ref = ?").bind(ref).run();
}

std::vector<RecipientSession> RecipientStore::sessions(std::string_view address, TimePoint now) const {
  auto select = database_.prepare(SESSION_COLUMNS "WHERE address = ? ORDER BY created_at DESC");
  select.bind(address);
  std::vector<RecipientSession> sessions;
  while (select.step())
    if (auto session = readSession(select); session.signedIn && !isOver(session, now))
      sessions.push_back(std::move(session));
  return sessions;
}

bool RecipientStore::endSession(std::string_view address, std::string_view ref) {
  database_.prepare("DELETE FROM pickup_sessions WHERE address = ? AND ref = ?").bind(address, ref).run();
  return database_.changes() > 0;
}

void RecipientStore::endSessions(std::string_view address, std::string_view exceptRef) {
  database_.prepare("DELETE FROM pickup_sessions WHERE address = ? AND ref <> ?").bind(address, exceptRef).run();
}

void RecipientStore::sweep(TimePoint now) {
  database_.prepare("DELETE FROM pickup_sessions WHERE last_seen_at < ?").bind(now - app::SessionAbsoluteLimit).run();
}

AskedLink RecipientStore::issueLink(std::string_view address, TimePoint at) {
  auto insert = database_.prepare(
      "INSERT INTO pickup_links (address, issued_at, used_at) VALUES (?, ?, 0) ON CONFLICT (address) DO UPDATE SET "
      "issued_at = excluded.issued_at, used_at = 0 RETURNING id");
  insert.bind(address, at).step();
  const AskedLink link{insert.unsignedInteger(0), std::string(address), at, TimePoint()};
  insert.run();
  return link;
}

std::optional<AskedLink> RecipientStore::link(std::uint64_t id) const {
  auto select = database_.prepare("SELECT id, address, issued_at, used_at FROM pickup_links WHERE id = ?");
  if (!select.bind(id).step()) return std::nullopt;
  return readLink(select);
}

std::optional<AskedLink> RecipientStore::linkFor(std::string_view address) const {
  auto select = database_.prepare("SELECT id, address, issued_at, used_at FROM pickup_links WHERE address = ?");
  if (!select.bind(address).step()) return std::nullopt;
  return readLink(select);
}

void RecipientStore::useLink(std::uint64_t id, TimePoint at) {
  database_.prepare("UPDATE pickup_links SET used_at = ? WHERE id = ?").bind(at, id).run();
}

}  // namespace postern::listd
