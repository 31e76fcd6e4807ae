#include "listd/site/DomainTlsStore.h"

#include "core/base/Error.h"

namespace postern::listd {
namespace {

app::TlsMeans parseMeans(std::string_view word) {
  using app::TlsMeans;
  for (const auto means : {TlsMeans::None, TlsMeans::Pkix, TlsMeans::Sts, TlsMeans::Dane})
    if (word == app::tlsMeansWord(means)) return means;
  throw Error(ErrorKind::Store, "site.db has an unknown means of verified TLS");
}

DomainMark::Mark parseMark(std::string_view word) {
  for (const auto mark : {DomainMark::Mark::Trusted, DomainMark::Mark::Distrusted})
    if (word == markWord(mark)) return mark;
  throw Error(ErrorKind::Store, "site.db has an unknown mark of a domain");
}

DomainMark readMark(const store::Statement& row) {
  return {row.text(0), parseMark(row.view(1)), row.text(2), row.time(3), row.text(4)};
}

// Facts and marks side by side: a distrusted domain is there even if nobody has asked it yet.
constexpr std::string_view SelectOne =
    "SELECT domain, 'none', set_at, '', reason FROM domain_marks WHERE domain = ?1 AND mark = 'distrusted' UNION ALL "
    "SELECT domain, means, checked_at, problem, NULL FROM domain_tls WHERE domain = ?1";
constexpr std::string_view SelectAll =
    "SELECT domain, means, checked_at, problem, NULL FROM domain_tls "
    "WHERE domain NOT IN (SELECT domain FROM domain_marks WHERE mark = 'distrusted') UNION ALL "
    "SELECT domain, 'none', set_at, '', reason FROM domain_marks WHERE mark = 'distrusted' ORDER BY domain";

app::DomainTls readKnown(const store::Statement& row) {
  app::DomainTls known{row.text(0), parseMeans(row.view(1)), row.time(2), row.text(3)};
  if (!row.isNull(4)) known.problem = "the site says that TLS does not count for this domain: " + row.text(4);
  return known;
}

}  // namespace

const char* markWord(DomainMark::Mark mark) {
  switch (mark) {
    case DomainMark::Mark::Trusted:
      return "trusted";
    case DomainMark::Mark::Distrusted:
      return "distrusted";
  }
  throw Error(ErrorKind::Invariant, "a domain has an unknown mark");
}

std::optional<app::DomainTls> DomainTlsStore::find(std::string_view domain) const {
  auto select = database_.prepare(SelectOne);  // the mark comes first
  if (!select.bind(domain).step()) return std::nullopt;
  return readKnown(select);
}

std::vector<app::DomainTls> DomainTlsStore::all() const {
  auto select = database_.prepare(SelectAll);
  select.bind();
  std::vector<app::DomainTls> known;
  while (select.step()) known.push_back(readKnown(select));
  return known;
}

bool DomainTlsStore::note(const app::DomainTls& found) {
  auto select = database_.prepare("SELECT means, problem, checked_at FROM domain_tls WHERE domain = ?");
  const bool known = select.bind(found.domain).step();
  if (known && select.time(2) > found.checkedAt) return false;
  const bool isNew = !known || parseMeans(select.view(0)) != found.means || select.view(1) != found.problem;
  database_
      .prepare(
          "INSERT INTO domain_tls (domain, means, checked_at, problem) VALUES (?, ?, ?, ?) ON CONFLICT (domain) DO "
          "UPDATE SET means = excluded.means, checked_at = excluded.checked_at, problem = excluded.problem")
      .bind(found.domain, app::tlsMeansWord(found.means), found.checkedAt, found.problem)
      .run();
  return isNew;
}

std::string DomainTlsStore::report(std::string_view domain) const {
  auto select = database_.prepare("SELECT report FROM domain_tls WHERE domain = ?");
  return select.bind(domain).step() ? select.text(0) : std::string();
}

void DomainTlsStore::setReport(std::string_view domain, std::string_view report) {
  database_.prepare("UPDATE domain_tls SET report = ? WHERE domain = ?").bind(report, domain).run();
}

void DomainTlsStore::forget(std::string_view domain) {
  database_.prepare("DELETE FROM domain_tls WHERE domain = ?").bind(domain).run();
}

void DomainTlsStore::noteDelivery(const DomainDelivery& delivery) {
  database_
      .prepare(
          "INSERT OR REPLACE INTO domain_deliveries (domain, at, outcome, host, tls_version, verification, reply) "
          "VALUES (?, ?, ?, ?, ?, ?, ?)")
      .bind(delivery.domain, delivery.at, delivery.outcome, delivery.host, delivery.tlsVersion, delivery.verification,
            delivery.reply)
      .run();
}

std::optional<DomainDelivery> DomainTlsStore::lastDelivery(std::string_view domain) const {
  auto select = database_.prepare(
      "SELECT domain, at, outcome, host, tls_version, verification, reply FROM domain_deliveries WHERE domain = ?");
  if (!select.bind(domain).step()) return std::nullopt;
  return DomainDelivery{select.text(0), select.time(1), select.text(2), select.text(3),
                        select.text(4), select.text(5), select.text(6)};
}

std::vector<DomainTlsStore::Unsealed> DomainTlsStore::unsealedOf(std::uint64_t listId, bool wishOnly) const {
  auto select = database_.prepare(
      "SELECT DISTINCT m.domain, coalesce(t.checked_at, 0) FROM members m INDEXED BY members_by_plan "
      "LEFT JOIN domain_tls t ON t.domain = m.domain WHERE m.list_id = ?1 AND m.protection IN ('tls', 'pickup', "
      "'withheld') AND (?2 = 0 OR m.wish = 'tls') AND m.domain NOT IN "
      "(SELECT domain FROM domain_marks WHERE mark = 'distrusted')");
  select.bind(listId, wishOnly ? 1 : 0);
  std::vector<Unsealed> domains;
  while (select.step()) domains.push_back({select.text(0), select.time(1)});
  return domains;
}

void DomainTlsStore::setMark(const DomainMark& mark) {
  database_
      .prepare(
          "INSERT INTO domain_marks (domain, mark, reason, set_at, set_by) VALUES (?, ?, ?, ?, ?) ON CONFLICT (domain) "
          "DO UPDATE SET mark = excluded.mark, reason = excluded.reason, set_at = excluded.set_at, "
          "set_by = excluded.set_by")
      .bind(mark.domain, markWord(mark.mark), mark.reason, mark.setAt, mark.setBy)
      .run();
}

bool DomainTlsStore::removeMark(std::string_view domain) {
  database_.prepare("DELETE FROM domain_marks WHERE domain = ?").bind(domain).run();
  return database_.changes() > 0;
}

std::optional<DomainMark> DomainTlsStore::mark(std::string_view domain) const {
  auto select = database_.prepare("SELECT domain, mark, reason, set_at, set_by FROM domain_marks WHERE domain = ?");
  if (!select.bind(domain).step()) return std::nullopt;
  return readMark(select);
}

std::vector<DomainMark> DomainTlsStore::marks() const {
  auto select = database_.prepare("SELECT domain, mark, reason, set_at, set_by FROM domain_marks ORDER BY domain");
  select.bind();
  std::vector<DomainMark> marks;
  while (select.step()) marks.push_back(readMark(select));
  return marks;
}

}  // namespace postern::listd
