#include "listd/mailout/SiteMailStore.h"

#include "core/base/Error.h"

#include <nlohmann/json.hpp>

namespace postern::listd {
namespace {

using Outcome = app::DeliveryEvent::Outcome;

std::string rowsWhere(std::string_view rest) {
  std::string sql =
      "SELECT copy_key, kind, recipient, link, lines, created_at, state, attempts, outcome_at, outcome, language "
      "FROM site_mail "
      "WHERE ";
  return sql.append(rest);
}

SiteMailRow readMail(const store::Statement& row) {
  SiteMailRow mail;
  mail.copyKey = row.unsignedInteger(0);
  const auto kind = siteMailKind(row.view(1));
  const auto lines = nlohmann::json::parse(row.view(4), nullptr, false);
  if (!kind || !lines.is_array()) throw Error(ErrorKind::Store, "site.db holds a mail that cannot be read");
  mail.mail = {*kind, row.text(2), row.text(3), lines.get<std::vector<std::string>>(), row.text(10)};
  mail.createdAt = row.time(5);
  mail.state = row.text(6);
  mail.attempts = static_cast<std::uint32_t>(row.integer(7));
  mail.outcomeAt = row.time(8);
  mail.outcome = row.text(9);
  return mail;
}

std::vector<SiteMailRow> readAll(store::Statement& select) {
  std::vector<SiteMailRow> rows;
  while (select.step()) rows.push_back(readMail(select));
  return rows;
}

const char* stateAfter(Outcome outcome) {
  switch (outcome) {
    case Outcome::Delivered:
      return "delivered";
    case Outcome::Deferred:
      return "deferred";
    case Outcome::Failed:
    case Outcome::Blocked:
      return "failed";
    case Outcome::Expired:
      return "expired";
    case Outcome::Dropped:
      return "dropped";
  }
  throw Error(ErrorKind::Malformed, "the gateway told an unknown outcome");
}

}  // namespace

void SiteMailStore::add(const SiteMailRow& row) {
  database_
      .prepare(
          "INSERT INTO site_mail (copy_key, kind, recipient, link, lines, created_at, language, state) VALUES (?, ?, "
          "?, "
          "?, ?, ?, ?, 'planned')")
      .bind(row.copyKey, siteMailWord(row.mail.kind), row.mail.recipient, row.mail.link,
            nlohmann::json(row.mail.lines).dump(), row.createdAt, row.mail.language)
      .run();
}

std::optional<SiteMailRow> SiteMailStore::find(std::uint64_t copyKey) const {
  auto select = database_.prepare(rowsWhere("copy_key = ?"));
  if (!select.bind(copyKey).step()) return std::nullopt;
  return readMail(select);
}

std::vector<SiteMailRow> SiteMailStore::planned(std::uint32_t limit) const {
  auto select = database_.prepare(rowsWhere("state = 'planned' ORDER BY copy_key LIMIT ?"));
  select.bind(limit);
  return readAll(select);
}

std::vector<SiteMailRow> SiteMailStore::newest(std::uint32_t limit) const {
  auto select = database_.prepare(rowsWhere("1 ORDER BY copy_key DESC LIMIT ?"));
  select.bind(limit);
  return readAll(select);
}

std::optional<SiteMailRow> SiteMailStore::newestOf(SiteMail::Kind kind, std::string_view recipient) const {
  auto select =
      database_.prepare(rowsWhere("kind = ?1 AND (?2 = '' OR recipient = ?2) ORDER BY copy_key DESC LIMIT 1"));
  if (!select.bind(siteMailWord(kind), recipient).step()) return std::nullopt;
  return readMail(select);
}

bool SiteMailStore::isPlanned(std::uint64_t copyKey) const {
  auto select = database_.prepare("SELECT 1 FROM site_mail WHERE copy_key = ? AND state = 'planned'");
  return select.bind(copyKey).step();
}

void SiteMailStore::setHanded(std::uint64_t copyKey) {
  database_.prepare("UPDATE site_mail SET state = 'handed' WHERE copy_key = ? AND state = 'planned'")
      .bind(copyKey)
      .run();
}

bool SiteMailStore::record(const app::DeliveryEvent& event) {
  const auto mail = find(event.copyKey);
  if (!mail) return false;
  if (mail->state != "planned" && mail->state != "handed" && mail->state != "deferred") return true;
  auto outcome = event.replyCode == 0 ? event.replyText : std::to_string(event.replyCode) + " " + event.replyText;
  database_.prepare("UPDATE site_mail SET state = ?, attempts = ?, outcome_at = ?, outcome = ? WHERE copy_key = ?")
      .bind(stateAfter(event.outcome), event.attempt, event.at, outcome, event.copyKey)
      .run();
  return true;
}

}  // namespace postern::listd
