#include "listd/site/AccountStore.h"

namespace postern::listd {
namespace {

Account readAccount(const store::Statement& row) {
  return {row.text(0), row.text(1), row.text(2), row.blob(3), row.unsignedInteger(4), row.time(5), row.time(6)};
}

std::string rowsWhere(std::string_view rest) {
  std::string sql =
      "SELECT name, role, password_hash, totp_secret, totp_last_step, created_at, last_sign_in_at FROM accounts ";
  return sql.append(rest);
}

}  // namespace

void AccountStore::add(const Account& account) {
  database_
      .prepare(
          "INSERT INTO accounts (name, role, password_hash, totp_secret, totp_last_step, created_at, "
          "last_sign_in_at) VALUES (?, ?, ?, ?, ?, ?, ?)")
      .bind(account.name, account.role, account.passwordHash, store::Blob{account.totpSecret}, account.totpLastStep,
            account.createdAt, account.lastSignInAt)
      .run();
}

std::optional<Account> AccountStore::find(std::string_view name) const {
  auto select = database_.prepare(rowsWhere("WHERE name = ?"));
  if (!select.bind(name).step()) return std::nullopt;
  return readAccount(select);
}

std::vector<Account> AccountStore::all() const {
  auto select = database_.prepare(rowsWhere("ORDER BY name"));
  select.bind();
  std::vector<Account> accounts;
  while (select.step()) accounts.push_back(readAccount(select));
  return accounts;
}

bool AccountStore::any() const {
  return database_.prepare("SELECT 1 FROM accounts LIMIT 1").bind().step();
}

void AccountStore::recordSignIn(std::string_view name, std::uint64_t totpStep, TimePoint at) {
  database_.prepare("UPDATE accounts SET totp_last_step = ?, last_sign_in_at = ? WHERE name = ?")
      .bind(totpStep, at, name)
      .run();
}

void AccountStore::addLink(const SetupLink& link) {
  database_.prepare("UPDATE setup_links SET expires_at = ? WHERE used_at = 0 AND expires_at > ?")
      .bind(link.createdAt, link.createdAt)
      .run();
  database_
      .prepare(
          "INSERT INTO setup_links (token_hash, totp_secret, created_at, expires_at, used_at) VALUES "
          "(?, ?, ?, ?, 0)")
      .bind(link.tokenHash, store::Blob{link.totpSecret}, link.createdAt, link.expiresAt)
      .run();
}

std::optional<SetupLink> AccountStore::findLink(std::string_view tokenHash) const {
  auto select = database_.prepare(
      "SELECT token_hash, totp_secret, created_at, expires_at, used_at FROM setup_links WHERE token_hash = ?");
  if (!select.bind(tokenHash).step()) return std::nullopt;
  return SetupLink{select.text(0), select.blob(1), select.time(2), select.time(3), select.time(4)};
}

void AccountStore::useLink(std::string_view tokenHash, TimePoint at) {
  database_.prepare("UPDATE setup_links SET used_at = ?, totp_secret = x'' WHERE token_hash = ?")
      .bind(at, tokenHash)
      .run();
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
}

}  // namespace postern::listd
