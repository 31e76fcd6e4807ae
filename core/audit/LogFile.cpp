#include "core/audit/LogFile.h"

#include "core/base/Error.h"

namespace postern::audit {

std::uint64_t LogFile::size() const {
  auto select = database_.prepare("SELECT coalesce(max(seq) + 1, 0) FROM audit_entries");
  select.bind().step();
  return select.unsignedInteger(0);
}

std::string LogFile::logId() const {
  auto select = database_.prepare("SELECT log_id FROM audit_state WHERE id = 1");
  return select.bind().step() ? select.text(0) : std::string();
}

std::optional<std::string> LogFile::entry(std::uint64_t seq) const {
  auto select = database_.prepare("SELECT entry FROM audit_entries WHERE seq = ?");
  if (!select.bind(seq).step()) return std::nullopt;
  return select.blob(0);
}

void LogFile::forEach(std::uint64_t from, const std::function<bool(const LogRow&)>& visit) const {
  auto select = database_.prepare(
      "SELECT seq, at, actor, action, object_type, object_id, matter_id, outcome, entry, leaf FROM audit_entries "
      "WHERE seq >= ? ORDER BY seq");
  select.bind(from);
  while (select.step()) {
    const LogRow row{
        select.unsignedInteger(0), select.time(1), select.view(2), select.view(3), select.view(4), select.view(5),
        select.unsignedInteger(6), select.view(7), select.view(8), select.view(9)};
    if (!visit(row)) return;
  }
}

std::string LogFile::node(unsigned level, std::uint64_t index) const {
  if (level >= LowestStoredLevel) {
    auto select = database_.prepare("SELECT hash FROM audit_nodes WHERE level = ? AND idx = ?");
    if (select.bind(level, index).step() && select.view(0).size() == HashSize) return select.blob(0);
    return nodeHash(node(level - 1, index * 2), node(level - 1, index * 2 + 1));
  }
  const auto first = index << level;
  const auto last = (index + 1) << level;
  CompactRange range;
  auto select = database_.prepare("SELECT leaf FROM audit_entries WHERE seq >= ? AND seq < ? ORDER BY seq");
  select.bind(first, last);
  while (select.step()) range.add(select.blob(0));
  if (range.size() != last - first)
    throw Error(ErrorKind::Store, "entries of the audit log between " + std::to_string(first) + " and " +
                                      std::to_string(last) + " are missing; see: postern audit verify");
  return range.root();
}

std::vector<StoredCheckpoint> LogFile::checkpoints(std::uint64_t from) const {
  auto select = database_.prepare("SELECT size, at, note FROM audit_checkpoints WHERE size >= ? ORDER BY size");
  select.bind(from);
  std::vector<StoredCheckpoint> all;
  while (select.step()) all.push_back({select.unsignedInteger(0), select.time(1), select.text(2)});
  return all;
}

std::optional<StoredCheckpoint> LogFile::newestCheckpoint() const {
  auto select = database_.prepare("SELECT size, at, note FROM audit_checkpoints ORDER BY size DESC LIMIT 1");
  if (!select.bind().step()) return std::nullopt;
  return StoredCheckpoint{select.unsignedInteger(0), select.time(1), select.text(2)};
}

std::optional<StoredCheckpoint> LogFile::checkpointOf(std::uint64_t leastSize) const {
  auto select = database_.prepare("SELECT size, at, note FROM audit_checkpoints WHERE size >= ? ORDER BY size LIMIT 1");
  if (!select.bind(leastSize).step()) return std::nullopt;
  return StoredCheckpoint{select.unsignedInteger(0), select.time(1), select.text(2)};
}

}  // namespace postern::audit
