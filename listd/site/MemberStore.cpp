#include "listd/site/MemberStore.h"

#include "core/base/Error.h"
#include "listd/site/ProtectionColumns.h"

namespace postern::listd {
namespace {

std::string rowsWhere(std::string_view rest) {
  std::string sql =
      "SELECT id, list_id, address, name, role, state, protection, reason, joined_at, wish, delivery, paused_from, "
      "paused_until, receives FROM members WHERE ";
  return sql.append(rest);
}

Member readMember(const store::Statement& row) {
  Member member;
  member.id = row.unsignedInteger(0);
  member.listId = row.unsignedInteger(1);
  member.address = row.text(2);
  member.name = row.text(3);
  member.role = row.text(4);
  member.enabled = row.view(5) == "enabled";
  member.protection = row.text(6);
  member.reason = row.text(7);
  member.joinedAt = row.time(8);
  member.wish = readFloor(row.view(9));
  member.delivery = row.text(10);
  member.pausedFrom = row.time(11);
  member.pausedUntil = row.time(12);
  member.receives = row.boolean(13);
  return member;
}

const char* standingOf(const Member& member, const Decision& decision) {
  if (!member.enabled || !member.receives) return "disabled";
  return decision.withheld() ? "withheld" : "ready";
}

// The first text that is greater than every text with this prefix. REQUIRES bytes below 0xff, as UTF-8 has.
std::string endOfPrefix(std::string prefix) {
  prefix.push_back('\xff');
  return prefix;
}

// The pattern of LIKE for texts with this part. LIKE reads 100,000 names in a third of the time of instr() on lower().
std::string anywhere(std::string_view part) {
  std::string pattern = "%";
  for (const char c : part) {
    if (c == '%' || c == '_' || c == '\\') pattern += '\\';
    pattern += c;
  }
  return pattern + '%';
}

std::vector<MemberCount> readCounts(store::Statement& select) {
  std::vector<MemberCount> counts;
  while (select.step()) counts.push_back({select.text(0), select.text(1), select.text(2), select.unsignedInteger(3)});
  return counts;
}

}  // namespace

bool receivesAt(const Member& member, TimePoint now) {
  const bool paused = member.pausedFrom <= now && now < member.pausedUntil;
  return member.delivery == "each" && !paused;
}

std::string memberPageSql(const MemberFilter& filter) {
  auto sql = rowsWhere("list_id = ? AND address > ? AND address >= ? AND address < ?");
  if (!filter.standing.empty()) sql += " AND standing = ?";
  return sql.append(" ORDER BY address LIMIT ?");
}

std::uint64_t MemberStore::add(const Member& member, const Decision& decision) {
  database_
      .prepare(
          "INSERT INTO members (list_id, address, name, role, state, standing, protection, reason, joined_at, "
          "wish, delivery, paused_from, paused_until, receives) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
      .bind(member.listId, member.address, member.name, member.role, member.enabled ? "enabled" : "disabled",
            standingOf(member, decision), protectionWord(decision), reasonWord(decision.reason), member.joinedAt,
            floorWord(member.wish), member.delivery, member.pausedFrom, member.pausedUntil, member.receives)
      .run();
  return static_cast<std::uint64_t>(database_.lastInsertId());
}

std::optional<Member> MemberStore::find(std::uint64_t listId, std::string_view address) const {
  auto select = database_.prepare(rowsWhere("list_id = ? AND address = ?"));
  if (!select.bind(listId, address).step()) return std::nullopt;
  return readMember(select);
}

std::optional<Member> MemberStore::find(std::uint64_t id) const {
  auto select = database_.prepare(rowsWhere("id = ?"));
  if (!select.bind(id).step()) return std::nullopt;
  return readMember(select);
}

bool MemberStore::isEnabled(std::uint64_t listId, std::string_view address) const {
  auto select = database_.prepare("SELECT 1 FROM members WHERE list_id = ? AND address = ? AND state = 'enabled'");
  return select.bind(listId, address).step();
}

bool MemberStore::remove(std::uint64_t listId, std::string_view address) {
  database_.prepare("DELETE FROM members WHERE list_id = ? AND address = ?").bind(listId, address).run();
  return database_.changes() > 0;
}

void MemberStore::update(const Member& member, const Decision& decision) {
  database_
      .prepare(
          "UPDATE members SET name = ?, state = ?, wish = ?, delivery = ?, paused_from = ?, paused_until = ?, "
          "receives = ? WHERE id = ?")
      .bind(member.name, member.enabled ? "enabled" : "disabled", floorWord(member.wish), member.delivery,
            member.pausedFrom, member.pausedUntil, member.receives, member.id)
      .run();
  setStanding(member, decision);
}

void MemberStore::setStanding(const Member& member, const Decision& decision) {
  database_.prepare("UPDATE members SET standing = ?, protection = ?, reason = ? WHERE id = ?")
      .bind(standingOf(member, decision), protectionWord(decision), reasonWord(decision.reason), member.id)
      .run();
}

void MemberStore::refreshPauses(TimePoint now) {
  database_
      .prepare(
          "UPDATE members SET receives = 0, standing = 'disabled' WHERE paused_until > 0 AND paused_until > ?1 AND "
          "paused_from <= ?1 AND receives = 1")
      .bind(now)
      .run();
  database_
      .prepare(
          "UPDATE members SET paused_from = 0, paused_until = 0, receives = (delivery = 'each'), standing = CASE WHEN "
          "state <> 'enabled' OR delivery <> 'each' THEN 'disabled' WHEN protection = 'withheld' THEN 'withheld' ELSE "
          "'ready' END WHERE paused_until > 0 AND paused_until <= ?")
      .bind(now)
      .run();
}

std::vector<Member> MemberStore::page(std::uint64_t listId, const MemberFilter& filter, std::string_view after,
                                      std::uint32_t limit) const {
  // The cursor and the prefix make one range of addresses, which the index answers.
  const std::string from = after >= filter.prefix ? std::string(after) : std::string();
  const auto end = endOfPrefix(filter.prefix);
  auto select = database_.prepare(memberPageSql(filter));
  if (!filter.standing.empty())
    select.bind(listId, from, filter.prefix, end, filter.standing, limit);
  else
    select.bind(listId, from, filter.prefix, end, limit);
  std::vector<Member> members;
  while (select.step()) members.push_back(readMember(select));
  return members;
}

MemberMatches MemberStore::withPart(std::uint64_t listId, std::string_view part, std::string_view after,
                                    std::uint32_t limit) const {
  // Read from the index members_text alone; whole rows for those of the page.
  auto select = database_.prepare(
      "SELECT id, address FROM members WHERE list_id = ? AND "
      "(address LIKE ? ESCAPE '\\' OR name LIKE ? ESCAPE '\\') ORDER BY address");
  const auto pattern = anywhere(part);
  select.bind(listId, pattern, pattern);
  MemberMatches found;
  while (select.step()) {
    ++found.total;
    if (found.members.size() >= limit || select.view(1) <= after) continue;
    auto row = database_.prepare(rowsWhere("id = ?"));
    row.bind(select.unsignedInteger(0)).step();
    found.members.push_back(readMember(row));
  }
  return found;
}

std::uint64_t MemberStore::count(std::uint64_t listId, const MemberFilter& filter) const {
  if (!filter.prefix.empty()) {
    auto select = database_.prepare("SELECT count(*) FROM members WHERE list_id = ? AND address >= ? AND address < ?");
    select.bind(listId, filter.prefix, endOfPrefix(filter.prefix)).step();
    return select.unsignedInteger(0);
  }
  std::uint64_t total = 0;
  for (const auto& part : counts(listId))
    if (filter.standing.empty() || part.standing == filter.standing) total += part.members;
  return total;
}

std::vector<MemberCount> MemberStore::counts(std::uint64_t listId) const {
  auto select = database_.prepare(
      "SELECT standing, protection, reason, members FROM member_counts WHERE list_id = ? AND members > 0 "
      "ORDER BY standing, protection, reason");
  select.bind(listId);
  return readCounts(select);
}

std::vector<MemberCount> MemberStore::countsOfSite() const {
  auto select = database_.prepare(
      "SELECT standing, protection, reason, sum(members) FROM member_counts GROUP BY standing, protection, reason "
      "HAVING sum(members) > 0 ORDER BY standing, protection, reason");
  select.bind();
  return readCounts(select);
}

std::uint64_t MemberStore::countAll() const {
  auto select = database_.prepare("SELECT coalesce(sum(members), 0) FROM member_counts");
  select.bind().step();
  return select.unsignedInteger(0);
}

std::vector<MemberStore::Membership> MemberStore::membershipsOf(std::string_view address) const {
  auto select = database_.prepare(
      "SELECT m.id, m.list_id, m.address, m.name, m.role, m.state, m.protection, m.reason, m.joined_at, m.wish, "
      "m.delivery, m.paused_from, m.paused_until, m.receives, l.secure "
      "FROM members m JOIN lists l ON l.id = m.list_id WHERE m.address = ? ORDER BY m.id");
  select.bind(address);
  std::vector<Membership> memberships;
  while (select.step()) memberships.push_back({readMember(select), select.boolean(14)});
  return memberships;
}

std::vector<Member> MemberStore::planPage(std::uint64_t listId, std::string_view protection, std::string_view reason,
                                          std::string_view after, std::uint32_t limit) const {
  std::vector<Member> members;
  const auto read = [&](store::Statement& select) {
    while (select.step()) members.push_back(readMember(select));
  };
  if (reason.empty()) {
    auto select = database_.prepare(rowsWhere(
        "list_id = ? AND protection = ? AND address > ? AND state = 'enabled' AND receives = 1 ORDER BY address "
        "LIMIT ?"));
    read(select.bind(listId, protection, after, limit));
  } else {
    auto select =
        database_.prepare(rowsWhere("list_id = ? AND protection = ? AND reason = ? AND address > ? AND state = "
                                    "'enabled' AND receives = 1 ORDER BY address LIMIT ?"));
    read(select.bind(listId, protection, reason, after, limit));
  }
  return members;
}

std::vector<std::string> MemberStore::addressesIn(std::string_view domain) const {
  auto select = database_.prepare("SELECT DISTINCT address FROM members WHERE domain = ?");
  select.bind(domain);
  std::vector<std::string> addresses;
  while (select.step()) addresses.push_back(select.text(0));
  return addresses;
}

void MemberStore::forEach(std::string_view which, std::uint64_t listId,
                          const std::function<void(const MemberWithKeys&)>& show) const {
  auto select = database_.prepare(
      "SELECT m.id, m.address, k.fingerprint, k.state, k.verdict, k.not_before, k.not_after, k.kind, m.wish, m.state, "
      "m.protection, m.reason, m.receives FROM members m LEFT JOIN member_keys k ON k.address = m.address WHERE "
      "m.list_id = ?" +
      std::string(which) + " ORDER BY m.id");
  select.bind(listId);
  std::string address;
  MemberWithKeys current;
  const auto finish = [&] {
    if (current.memberId == 0) return;
    current.address = address;
    show(current);
  };
  while (select.step()) {
    if (select.unsignedInteger(0) != current.memberId) {
      finish();
      current.memberId = select.unsignedInteger(0);
      current.keys.clear();
      address = select.view(1);
      current.wish = readFloor(select.view(8));
      current.enabled = select.view(9) == "enabled";
      current.receives = select.boolean(12);
      current.protection = select.view(10);
      current.reason = select.view(11);
    }
    if (select.isNull(2)) continue;
    // A verdict that this binary does not know never allows a copy.
    const auto verdict = parseReason(select.view(4)).value_or(Reason::UnsupportedKey);
    current.keys.push_back({select.text(2), parseKeyState(select.view(3)), verdict, select.time(5), select.time(6),
                            parseKeyKind(select.view(7))});
  }
  finish();
}

void MemberStore::forEachEnabled(std::uint64_t listId, const std::function<void(const MemberWithKeys&)>& show) const {
  forEach(" AND m.state = 'enabled' AND m.receives = 1", listId, show);
}

std::uint64_t MemberStore::restand(std::uint64_t listId, const std::function<Decision(const MemberWithKeys&)>& decide) {
  struct Change {
    Member member;
    Decision decision;
  };
  std::vector<Change> changes;  // written behind the scan, which reads the same rows
  forEach("", listId, [&](const MemberWithKeys& member) {
    auto decision = decide(member);
    if (member.protection == protectionWord(decision) && member.reason == reasonWord(decision.reason)) return;
    Change change{{}, std::move(decision)};
    change.member.id = member.memberId;
    change.member.enabled = member.enabled;
    change.member.receives = member.receives;
    changes.push_back(std::move(change));
  });
  for (const auto& change : changes) setStanding(change.member, change.decision);
  return changes.size();
}

}  // namespace postern::listd
