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

bool isSame(const HoldRow& a, const HoldRow& b) {
  return a.hold.placedAt == b.hold.placedAt && a.hold.name == b.hold.name && a.hold.scope == b.hold.scope;
}

std::string identityOf(const HoldRow& row) {
  return std::to_string(row.hold.id) + "\n" + std::to_string(toMicros(row.hold.placedAt)) + "\n" + row.hold.name +
         "\n" + row.hold.scope.json().dump();
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

// A hold that no other record stands for: the one of the same number, or any.
std::optional<HoldRow> Replay::find(const HoldRow& wanted) const {
  const auto fits = [&](const HoldRow& row) { return isSame(row, wanted) && !known_.contains(row.hold.id); };
  auto numbered = tables_.holds.find(wanted.hold.id);
  if (numbered && fits(*numbered)) return numbered;
  for (auto& row : tables_.holds.all())
    if (fits(row)) return std::move(row);
  return std::nullopt;
}

bool Replay::placed(std::string_view payload) {
  return reading([&] {
    const auto record = parsed(payload);
    auto row = readRow(record);
    const auto identity = identityOf(row);
    if (rowOf_.contains(identity)) return false;
    if (const auto known = find(row)) {
      rowOf_[identity] = known->hold.id;
      known_.insert(known->hold.id);
      return false;
    }
    if (tables_.holds.find(row.hold.id)) row.hold.id = 0;
    row.hold.matterId = requireMatter(tables_, record);
    auto matter = tables_.matters.find(row.hold.matterId);
    if (matter && !matter->open) {  // the hold is not released in this record, so the matter is open again
      matter->open = true;
      matter->closedAt = {};
      tables_.matters.update(*matter);
    }
    const auto id = tables_.holds.add(row);
    rowOf_[identity] = id;
    known_.insert(id);
    return true;
  });
}

bool Replay::released(std::string_view payload) {
  return reading([&] {
    const auto record = parsed(payload);
    const auto row = readRow(record);
    const auto noted = rowOf_.find(identityOf(row));
    const auto known = noted != rowOf_.end() ? tables_.holds.find(noted->second) : find(row);
    if (!known || known->hold.releasedAt) return false;
    tables_.holds.release(known->hold.id, fromMicros(record.at("releasedAt").get<std::int64_t>()),
                          std::chrono::days(record.at("graceDays").get<std::int64_t>()),
                          record.at("by").get<std::string>(), record.at("reason").get<std::string>());
    return true;
  });
}

std::vector<HoldRow> Replay::withoutRecord() const {
  std::vector<HoldRow> rows;
  for (auto& row : tables_.holds.all())
    if (!known_.contains(row.hold.id)) rows.push_back(std::move(row));
  return rows;
}

}  // namespace postern::listd::holdregister
