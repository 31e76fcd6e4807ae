#include "listd/people/AccountStore.h"

namespace postern::listd {
namespace {

Account readAccount(const store::Statement& row) {
  return {row.text(0),   app::Roles::fromBits(static_cast<std::uint16_t>(row.unsignedInteger(1))),
          row.text(2),   row.text(3),
          row.text(4),   row.blob(5),
          row.time(6),   row.time(7),
          row.boolean(8)};
}

std::string accountsWhere(std::string_view rest) {
  std::string sql =
      "SELECT name, roles, mail, state, password_hash, user_handle, created_at, last_sign_in_at, break_glass FROM "
      "people ";
  return sql.append(rest);
}

Factor readFactor(const store::Statement& row) {
  return {row.unsignedInteger(0),
          row.text(1),
          row.text(2),
          row.text(3),
          row.blob(4),
          row.unsignedInteger(5),
          row.blob(6),
          static_cast<int>(row.integer(7)),
          row.blob(8),
          row.unsignedInteger(9),
          row.time(10),
          row.time(11)};
}

std::string factorsWhere(std::string_view rest) {
  std::string sql =
      "SELECT id, account, kind, name, secret, last_step, credential_id, algorithm, public_key, sign_count, "
      "created_at, last_used_at FROM factors ";
  return sql.append(rest);
}

PendingProof readProof(const store::Statement& row) {
  return {row.text(0), row.text(1), row.text(2), row.text(3), row.time(4)};
}

}  // namespace

void AccountStore::add(const Account& account) {
  database_
      .prepare(
          "INSERT INTO people (name, roles, mail, state, password_hash, user_handle, created_at, last_sign_in_at, "
          "break_glass) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)")
      .bind(account.name, account.roles.bits(), account.mail, account.state, account.passwordHash,
            store::Blob{account.userHandle}, account.createdAt, account.lastSignInAt, account.breakGlass)
      .run();
}

std::optional<Account> AccountStore::find(std::string_view name) const {
  auto select = database_.prepare(accountsWhere("WHERE name = ?"));
  if (!select.bind(name).step()) return std::nullopt;
  return readAccount(select);
}

std::optional<Account> AccountStore::findByHandle(std::string_view userHandle) const {
  auto select = database_.prepare(accountsWhere("WHERE user_handle = ?"));
  if (!select.bind(store::Blob{userHandle}).step()) return std::nullopt;
  return readAccount(select);
}

std::vector<Account> AccountStore::all() const {
  auto select = database_.prepare(accountsWhere("ORDER BY name"));
  select.bind();
  std::vector<Account> accounts;
  while (select.step()) accounts.push_back(readAccount(select));
  return accounts;
}

bool AccountStore::any() const {
  auto select = database_.prepare("SELECT 1 FROM people LIMIT 1");
  return select.bind().step();
}

void AccountStore::setRoles(std::string_view name, app::Roles roles) {
  database_.prepare("UPDATE people SET roles = ? WHERE name = ?").bind(roles.bits(), name).run();
}

void AccountStore::setState(std::string_view name, std::string_view state) {
  database_.prepare("UPDATE people SET state = ? WHERE name = ?").bind(state, name).run();
}

void AccountStore::setMail(std::string_view name, std::string_view mail) {
  database_.prepare("UPDATE people SET mail = ? WHERE name = ?").bind(mail, name).run();
}

void AccountStore::setPassword(std::string_view name, std::string_view hash) {
  database_.prepare("UPDATE people SET password_hash = ? WHERE name = ?").bind(hash, name).run();
}

void AccountStore::recordSignIn(std::string_view name, TimePoint at) {
  database_.prepare("UPDATE people SET last_sign_in_at = ? WHERE name = ?").bind(at, name).run();
}

std::vector<std::string> AccountStore::listsOf(std::string_view name) const {
  auto select = database_.prepare(
      "SELECT lists.address FROM account_lists JOIN lists ON lists.id = account_lists.list_id WHERE account = ? ORDER "
      "BY lists.address");
  select.bind(name);
  std::vector<std::string> addresses;
  while (select.step()) addresses.push_back(select.text(0));
  return addresses;
}

void AccountStore::setLists(std::string_view name, const std::vector<std::uint64_t>& lists) {
  database_.prepare("DELETE FROM account_lists WHERE account = ?").bind(name).run();
  for (const auto list : lists)
    database_.prepare("INSERT OR IGNORE INTO account_lists (account, list_id) VALUES (?, ?)").bind(name, list).run();
}

std::uint64_t AccountStore::addFactor(const Factor& factor) {
  std::optional<store::Blob> credential;
  if (!factor.credentialId.empty()) credential = store::Blob{factor.credentialId};
  auto insert = database_.prepare(
      "INSERT INTO factors (account, kind, name, secret, last_step, credential_id, algorithm, public_key, sign_count, "
      "created_at, last_used_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id");
  insert.bind(factor.account, factor.kind, factor.name, store::Blob{factor.secret}, factor.lastStep, credential,
              factor.algorithm, store::Blob{factor.publicKey}, factor.signCount, factor.createdAt, factor.lastUsedAt);
  insert.step();
  const auto id = insert.unsignedInteger(0);
  insert.run();
  return id;
}

std::vector<Factor> AccountStore::factorsOf(std::string_view name) const {
  auto select = database_.prepare(factorsWhere("WHERE account = ? ORDER BY id"));
  select.bind(name);
  std::vector<Factor> factors;
  while (select.step()) factors.push_back(readFactor(select));
  return factors;
}

std::optional<Factor> AccountStore::findPasskey(std::string_view credentialId) const {
  auto select = database_.prepare(factorsWhere("WHERE credential_id = ?"));
  if (!select.bind(store::Blob{credentialId}).step()) return std::nullopt;
  return readFactor(select);
}

void AccountStore::recordUse(std::uint64_t factor, std::uint64_t lastStep, std::uint64_t signCount, TimePoint at) {
  database_.prepare("UPDATE factors SET last_step = ?, sign_count = ?, last_used_at = ? WHERE id = ?")
      .bind(lastStep, signCount, at, factor)
      .run();
}

bool AccountStore::removeFactor(std::string_view name, std::uint64_t factor) {
  auto remove = database_.prepare("DELETE FROM factors WHERE account = ? AND id = ? RETURNING id");
  const bool found = remove.bind(name, factor).step();
  if (found) remove.run();
  return found;
}

void AccountStore::removeFactors(std::string_view name) {
  database_.prepare("DELETE FROM factors WHERE account = ?").bind(name).run();
}

void AccountStore::setRecoveryCodes(std::string_view name, const std::vector<std::string>& hashes) {
  database_.prepare("DELETE FROM recovery_codes WHERE account = ?").bind(name).run();
  for (const auto& hash : hashes)
    database_.prepare("INSERT INTO recovery_codes (account, code_hash) VALUES (?, ?)").bind(name, hash).run();
}

bool AccountStore::useRecoveryCode(std::string_view name, std::string_view hash, TimePoint at) {
  auto use = database_.prepare(
      "UPDATE recovery_codes SET used_at = ? WHERE account = ? AND code_hash = ? AND used_at = 0 RETURNING 1");
  const bool found = use.bind(at, name, hash).step();
  if (found) use.run();
  return found;
}

std::uint64_t AccountStore::recoveryCodesLeft(std::string_view name) const {
  auto select = database_.prepare("SELECT count(*) FROM recovery_codes WHERE account = ? AND used_at = 0");
  select.bind(name).step();
  return select.unsignedInteger(0);
}

void AccountStore::addInvitation(const Invitation& invitation) {
  endInvitations(invitation.account, invitation.createdAt);
  database_
      .prepare(
          "INSERT INTO invitations (token_hash, kind, account, totp_secret, made_by, created_at, expires_at, used_at) "
          "VALUES (?, ?, ?, ?, ?, ?, ?, 0)")
      .bind(invitation.tokenHash, invitation.kind, invitation.account, store::Blob{invitation.totpSecret},
            invitation.madeBy, invitation.createdAt, invitation.expiresAt)
      .run();
}

std::optional<Invitation> AccountStore::findInvitation(std::string_view tokenHash) const {
  auto select = database_.prepare(
      "SELECT token_hash, kind, account, totp_secret, made_by, created_at, expires_at, used_at FROM invitations WHERE "
      "token_hash = ?");
  if (!select.bind(tokenHash).step()) return std::nullopt;
  return Invitation{select.text(0), select.text(1), select.text(2), select.blob(3),
                    select.text(4), select.time(5), select.time(6), select.time(7)};
}

void AccountStore::useInvitation(std::string_view tokenHash, TimePoint at) {
  database_.prepare("UPDATE invitations SET used_at = ?, totp_secret = x'' WHERE token_hash = ?")
      .bind(at, tokenHash)
      .run();
}

void AccountStore::endInvitations(std::string_view name, TimePoint at) {
  database_
      .prepare(
          "UPDATE invitations SET expires_at = ?, totp_secret = x'' WHERE account = ? AND used_at = 0 AND "
          "expires_at > ?")
      .bind(at, name, at)
      .run();
}

void AccountStore::addProof(const PendingProof& proof) {
  database_
      .prepare("INSERT INTO pending_proofs (token_hash, purpose, account, bound_to, expires_at) VALUES (?, ?, ?, ?, ?)")
      .bind(proof.tokenHash, proof.purpose, proof.account, proof.boundTo, proof.expiresAt)
      .run();
}

std::optional<PendingProof> AccountStore::findProof(std::string_view tokenHash, TimePoint now) const {
  auto select = database_.prepare(
      "SELECT token_hash, purpose, account, bound_to, expires_at FROM pending_proofs WHERE token_hash = ? AND "
      "expires_at > ?");
  if (!select.bind(tokenHash, now).step()) return std::nullopt;
  return readProof(select);
}

std::optional<PendingProof> AccountStore::takeProof(std::string_view tokenHash, TimePoint now) {
  auto proof = findProof(tokenHash, now);
  database_.prepare("DELETE FROM pending_proofs WHERE token_hash = ?").bind(tokenHash).run();
  return proof;
}

Guesses AccountStore::guesses(std::string_view subject) const {
  auto select = database_.prepare("SELECT failures, last_at, blocked_until FROM guesses WHERE subject = ?");
  if (!select.bind(subject).step()) return {};
  return {static_cast<std::uint32_t>(select.integer(0)), select.time(1), select.time(2)};
}

void AccountStore::setGuesses(std::string_view subject, const Guesses& guesses) {
  database_
      .prepare(
          "INSERT INTO guesses (subject, failures, last_at, blocked_until) VALUES (?, ?, ?, ?) ON CONFLICT "
          "(subject) DO UPDATE SET failures = excluded.failures, last_at = excluded.last_at, blocked_until = "
          "excluded.blocked_until")
      .bind(subject, guesses.failures, guesses.lastAt, guesses.blockedUntil)
      .run();
}

void AccountStore::forgetGuesses(std::string_view subject) {
  database_.prepare("DELETE FROM guesses WHERE subject = ?").bind(subject).run();
}

void AccountStore::sweepGuesses(TimePoint before) {
  database_.prepare("DELETE FROM guesses WHERE last_at < ? AND blocked_until < ?").bind(before, before).run();
  database_.prepare("DELETE FROM pending_proofs WHERE expires_at < ?").bind(before).run();
}

}  // namespace postern::listd
