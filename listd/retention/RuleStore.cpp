#include "listd/retention/RuleStore.h"

#include "core/base/Error.h"

#include <nlohmann/json.hpp>

namespace postern::listd {
namespace {

constexpr std::string_view Columns =
    "SELECT id, version, rule, removed, effective_from, made_at, made_by, reason, request FROM rules ";

}  // namespace

std::vector<RuleVersion> RuleStore::read(store::Statement& select) const {
  std::vector<RuleVersion> versions;
  while (select.step()) {
    const auto name = "rule " + std::to_string(select.integer(0)) + " version " + std::to_string(select.integer(1));
    auto parsed = records::Rule::parse(nlohmann::json::parse(select.view(2), nullptr, false));
    // Not to be passed over: a retention rule that cannot be read must stop what destroys.
    if (!parsed) throw Error(ErrorKind::Store, "site.db: " + name + " cannot be read: " + parsed.error());
    RuleVersion version;
    version.rule = std::move(*parsed);
    version.rule.id = select.unsignedInteger(0);
    version.rule.version = static_cast<std::uint32_t>(select.integer(1));
    version.removed = select.boolean(3);
    version.rule.effectiveFrom = select.time(4);
    version.madeAt = select.time(5);
    version.madeBy = select.view(6);
    version.reason = select.view(7);
    version.request = select.unsignedInteger(8);
    versions.push_back(std::move(version));
  }
  return versions;
}

std::vector<RuleVersion> RuleStore::current(TimePoint at) const {
  auto select =
      database_.prepare(std::string(Columns) +
                        "r WHERE effective_from <= ? AND removed = 0 AND version = "
                        "(SELECT max(version) FROM rules n WHERE n.id = r.id AND n.effective_from <= ?) ORDER BY id");
  select.bind(at, at);
  return read(select);
}

std::vector<records::Rule> RuleStore::inForce(TimePoint at) const {
  std::vector<records::Rule> rules;
  for (auto& version : current(at)) rules.push_back(std::move(version.rule));
  return rules;
}

std::vector<RuleVersion> RuleStore::history(std::uint64_t id) const {
  auto select = database_.prepare(std::string(Columns) + "WHERE id = ? ORDER BY version");
  select.bind(id);
  return read(select);
}

std::vector<RuleVersion> RuleStore::pending(TimePoint at) const {
  auto select = database_.prepare(
      std::string(Columns) +
      "r WHERE effective_from > ? AND NOT EXISTS (SELECT 1 FROM rules n WHERE n.id = r.id AND n.version > r.version "
      "AND n.effective_from <= r.effective_from) ORDER BY effective_from, id");
  select.bind(at);
  return read(select);
}

std::vector<RuleVersion> RuleStore::everLockedFloors() const {
  auto select = database_.prepare(std::string(Columns) + "ORDER BY id, version");
  select.bind();
  auto versions = read(select);
  std::erase_if(versions, [](const auto& version) { return !version.rule.locked; });
  return versions;
}

std::uint64_t RuleStore::nextId() const {
  auto select = database_.prepare("SELECT coalesce(max(id), 0) + 1 FROM rules");
  select.bind().step();
  return select.unsignedInteger(0);
}

RuleVersion RuleStore::add(RuleVersion version) {
  auto& rule = version.rule;
  if (rule.id == 0) rule.id = nextId();
  {
    auto select = database_.prepare("SELECT coalesce(max(version), 0) + 1 FROM rules WHERE id = ?");
    select.bind(rule.id).step();
    rule.version = static_cast<std::uint32_t>(select.integer(0));
  }
  database_
      .prepare(
          "INSERT INTO rules (id, version, rule, removed, effective_from, made_at, made_by, reason, request) "
          "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)")
      .bind(rule.id, rule.version, rule.json().dump(), version.removed, rule.effectiveFrom, version.madeAt,
            version.madeBy, version.reason, version.request)
      .run();
  return version;
}

bool RuleStore::record(const RetentionEvent& event) {
  database_
      .prepare(
          "INSERT INTO retention_events (event, list_id, object_id, at, recorded_at, recorded_by, reason) "
          "VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (event, list_id, object_id) DO NOTHING")
      .bind(event.event, event.listId, event.objectId, event.at, event.recordedAt, event.recordedBy, event.reason)
      .run();
  return database_.changes() == 1;
}

std::vector<RetentionEvent> RuleStore::events() const {
  auto select = database_.prepare(
      "SELECT event, list_id, object_id, at, recorded_at, recorded_by, reason FROM retention_events ORDER BY id");
  select.bind();
  std::vector<RetentionEvent> events;
  while (select.step())
    events.push_back({select.text(0), select.unsignedInteger(1), select.unsignedInteger(2), select.time(3),
                      select.time(4), select.text(5), select.text(6)});
  return events;
}

}  // namespace postern::listd
