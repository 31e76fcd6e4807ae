#include "listd/people/TokenStore.h"

namespace postern::listd {
namespace {

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const auto& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> words;
  while (!text.empty()) {
    const auto end = std::min(text.find(' '), text.size());
    words.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return words;
}

ApiToken readToken(const store::Statement& row) {
  return {row.unsignedInteger(0),
          row.text(1),
          row.text(2),
          row.text(3),
          split(row.view(4)),
          row.time(5),
          row.time(6),
          row.time(7),
          row.time(8)};
}

std::string tokensWhere(std::string_view rest) {
  std::string sql =
      "SELECT id, account, name, token_hash, scopes, created_at, expires_at, last_used_at, revoked_at FROM "
      "api_tokens ";
  return sql.append(rest);
}

BreakGlass readBreakGlass(const store::Statement& row) {
  return {row.unsignedInteger(0),
          row.text(1),
          row.text(2),
          row.text(3),
          row.time(4),
          row.time(5),
          row.time(6),
          row.text(7),
          row.text(8),
          row.text(9),
          row.time(10),
          row.text(11)};
}

std::string breakGlassWhere(std::string_view rest) {
  std::string sql =
      "SELECT id, account, code_hash, sealed_by, sealed_at, opened_at, opened_until, opened_from, opened_for, "
      "reviewed_by, reviewed_at, words FROM break_glass ";
  return sql.append(rest);
}

std::uint64_t inserted(store::Statement& insert) {
  insert.step();
  const auto id = insert.unsignedInteger(0);
  insert.run();
  return id;
}

}  // namespace

std::uint64_t TokenStore::add(const ApiToken& token) {
  auto insert = database_.prepare(
      "INSERT INTO api_tokens (account, name, token_hash, scopes, created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?) "
      "RETURNING id");
  insert.bind(token.account, token.name, token.tokenHash, joined(token.scopes), token.createdAt, token.expiresAt);
  return inserted(insert);
}

std::optional<ApiToken> TokenStore::find(std::string_view tokenHash) const {
  auto select = database_.prepare(tokensWhere("WHERE token_hash = ?"));
  if (!select.bind(tokenHash).step()) return std::nullopt;
  return readToken(select);
}

std::vector<ApiToken> TokenStore::of(std::string_view account) const {
  auto select = database_.prepare(tokensWhere("WHERE account = ? AND revoked_at = 0 ORDER BY id"));
  select.bind(account);
  std::vector<ApiToken> tokens;
  while (select.step()) tokens.push_back(readToken(select));
  return tokens;
}

bool TokenStore::revoke(std::string_view account, std::uint64_t id, TimePoint at) {
  auto update = database_.prepare(
      "UPDATE api_tokens SET revoked_at = ? WHERE account = ? AND id = ? AND revoked_at = 0 RETURNING id");
  const bool found = update.bind(at, account, id).step();
  if (found) update.run();
  return found;
}

void TokenStore::revokeAll(std::string_view account, TimePoint at) {
  database_.prepare("UPDATE api_tokens SET revoked_at = ? WHERE account = ? AND revoked_at = 0")
      .bind(at, account)
      .run();
}

void TokenStore::recordUse(std::uint64_t id, TimePoint at) {
  database_.prepare("UPDATE api_tokens SET last_used_at = ? WHERE id = ?").bind(at, id).run();
}

std::uint64_t TokenStore::seal(const BreakGlass& sealed) {
  auto insert = database_.prepare(
      "INSERT INTO break_glass (account, code_hash, sealed_by, sealed_at) VALUES (?, ?, ?, ?) RETURNING id");
  insert.bind(sealed.account, sealed.codeHash, sealed.sealedBy, sealed.sealedAt);
  return inserted(insert);
}

std::optional<BreakGlass> TokenStore::findSealed(std::string_view codeHash) const {
  auto select = database_.prepare(breakGlassWhere("WHERE code_hash = ? AND opened_at = 0"));
  if (!select.bind(codeHash).step()) return std::nullopt;
  return readBreakGlass(select);
}

void TokenStore::open(std::uint64_t id, TimePoint at, TimePoint until, std::string_view from, std::string_view reason) {
  database_
      .prepare("UPDATE break_glass SET opened_at = ?, opened_until = ?, opened_from = ?, opened_for = ? WHERE id = ?")
      .bind(at, until, from, reason, id)
      .run();
}

bool TokenStore::review(std::uint64_t id, std::string_view by, TimePoint at, std::string_view words) {
  auto update = database_.prepare(
      "UPDATE break_glass SET reviewed_by = ?, reviewed_at = ?, words = ? WHERE id = ? AND opened_at > 0 AND "
      "reviewed_at = 0 RETURNING id");
  const bool found = update.bind(by, at, words, id).step();
  if (found) update.run();
  return found;
}

std::vector<BreakGlass> TokenStore::allBreakGlass() const {
  auto select = database_.prepare(breakGlassWhere("ORDER BY id"));
  select.bind();
  std::vector<BreakGlass> all;
  while (select.step()) all.push_back(readBreakGlass(select));
  return all;
}

std::optional<TimePoint> TokenStore::openUntil(std::string_view account) const {
  auto select = database_.prepare("SELECT max(opened_until) FROM break_glass WHERE account = ? AND opened_at > 0");
  if (!select.bind(account).step() || select.isNull(0)) return std::nullopt;
  return select.time(0);
}

void TokenStore::addReview(const AccessReview& review) {
  database_.prepare("INSERT INTO access_reviews (digest, signed_by, signed_at, words) VALUES (?, ?, ?, ?)")
      .bind(review.digest, review.signedBy, review.signedAt, review.words)
      .run();
}

std::optional<AccessReview> TokenStore::lastReview() const {
  auto select =
      database_.prepare("SELECT id, digest, signed_by, signed_at, words FROM access_reviews ORDER BY id DESC LIMIT 1");
  if (!select.bind().step()) return std::nullopt;
  return AccessReview{select.unsignedInteger(0), select.text(1), select.text(2), select.time(3), select.text(4)};
}

}  // namespace postern::listd
