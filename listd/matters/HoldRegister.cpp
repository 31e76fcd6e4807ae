#include "listd/matters/HoldRegister.h"

#include "core/base/Error.h"
#include "listd/site/SiteStore.h"

#include <nlohmann/json.hpp>

namespace postern::listd::holdregister {
namespace {

using nlohmann::json;

json parsed(std::string_view payload) {
  auto record = json::parse(payload, nullptr, false);
  if (!record.is_object()) throw Error(ErrorKind::Malformed, "the journal holds a hold that cannot be read");
  return record;
}

// A matter by its number, or, when that number is another's by now, by its name and day.
std::uint64_t requireMatter(SiteTables& tables, const json& record) {
  Matter matter;
  matter.id = record.at("matterId").get<std::uint64_t>();
  matter.name = record.at("matterName").get<std::string>();
  matter.createdAt = fromMicros(record.at("matterCreatedAt").get<std::int64_t>());
  matter.createdBy = record.at("matterCreatedBy").get<std::string>();
  const auto isSame = [&](const Matter& known) {
    return known.createdAt == matter.createdAt && known.createdBy == matter.createdBy;
  };
  if (const auto known = tables.matters.find(matter.id)) {
    if (isSame(*known)) return known->id;
    matter.id = 0;
  }
  for (const auto& known : tables.matters.all())
    if (isSame(known)) return known.id;
  return tables.matters.add(matter);
}

HoldRow readRow(const json& record) {
  HoldRow row;
  row.hold.id = record.at("id").get<std::uint64_t>();
  row.hold.name = record.at("name").get<std::string>();
  auto scope = records::Predicate::parse(record.at("scope"));
  if (!scope) throw Error(ErrorKind::Malformed, "the scope of a hold in the journal cannot be read: " + scope.error());
  row.hold.scope = std::move(*scope);
  row.hold.silent = record.at("silent").get<bool>();
  row.notice = record.at("notice").get<std::string>();
  row.hold.placedAt = fromMicros(record.at("placedAt").get<std::int64_t>());
  row.placedBy = record.at("placedBy").get<std::string>();
  return row;
}

// A number may have been given again after a restore, so a hold is known by what it is.
std::optional<HoldRow> findHold(SiteTables& tables, const HoldRow& wanted) {
  const auto isSame = [&](const HoldRow& row) {
    return row.hold.placedAt == wanted.hold.placedAt && row.hold.name == wanted.hold.name &&
           row.hold.scope == wanted.hold.scope;
  };
  auto known = tables.holds.find(wanted.hold.id);
  if (known && isSame(*known)) return known;
  for (auto& row : tables.holds.all())
    if (isSame(row)) return std::move(row);
  return std::nullopt;
}

template <class Work>
bool reading(Work work) {
  try {
    return work();
  } catch (const json::exception& error) {
    throw Error(ErrorKind::Malformed, std::string("the journal holds a hold that cannot be read: ") + error.what());
  }
}

}  // namespace

std::string placed(const HoldRow& row, const Matter& matter) {
  return json{{"id", row.hold.id},
              {"matterId", matter.id},
              {"matterName", matter.name},
              {"matterCreatedAt", toMicros(matter.createdAt)},
              {"matterCreatedBy", matter.createdBy},
              {"name", row.hold.name},
              {"scope", row.hold.scope.json()},
              {"silent", row.hold.silent},
              {"notice", row.notice},
              {"placedAt", toMicros(row.hold.placedAt)},
              {"placedBy", row.placedBy}}
      .dump();
}

std::string released(const HoldRow& row) {
  if (!row.hold.releasedAt) throw Error(ErrorKind::Invariant, "a hold that is in force was to be noted as released");
  return json{{"id", row.hold.id},
              {"name", row.hold.name},
              {"scope", row.hold.scope.json()},
              {"silent", row.hold.silent},
              {"notice", row.notice},
              {"placedAt", toMicros(row.hold.placedAt)},
              {"placedBy", row.placedBy},
              {"releasedAt", toMicros(*row.hold.releasedAt)},
              {"graceDays", row.hold.grace.count()},
              {"by", row.releasedBy},
              {"reason", row.releaseReason}}
      .dump();
}

std::string identityOf(std::string_view payload) {
  const auto record = json::parse(payload, nullptr, false);
  if (!record.is_object()) return {};
  const auto field = [&](const char* name) { return record.contains(name) ? record.at(name).dump() : std::string(); };
  return field("placedAt") + field("name") + field("scope");
}

bool replayPlaced(SiteTables& tables, std::string_view payload) {
  return reading([&] {
    const auto record = parsed(payload);
    auto row = readRow(record);
    if (findHold(tables, row)) return false;
    if (tables.holds.find(row.hold.id)) row.hold.id = 0;
    row.hold.matterId = requireMatter(tables, record);
    auto matter = tables.matters.find(row.hold.matterId);
    if (matter && !matter->open) {  // the hold is not released in this record, so the matter is open again
      matter->open = true;
      matter->closedAt = {};
      tables.matters.update(*matter);
    }
    tables.holds.add(row);
    return true;
  });
}

bool replayReleased(SiteTables& tables, std::string_view payload) {
  return reading([&] {
    const auto record = parsed(payload);
    const auto known = findHold(tables, readRow(record));
    if (!known || known->hold.releasedAt) return false;
    tables.holds.release(known->hold.id, fromMicros(record.at("releasedAt").get<std::int64_t>()),
                         std::chrono::days(record.at("graceDays").get<std::int64_t>()),
                         record.at("by").get<std::string>(), record.at("reason").get<std::string>());
    return true;
  });
}

}  // namespace postern::listd::holdregister
