#include "core/audit/Export.h"

#include "core/crypto/Encoding.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace postern::audit {
namespace {

using nlohmann::json;
using LineSink = std::function<void(std::string_view line)>;

std::string lineOf(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
}

json hexList(const Proof& hashes) {
  auto list = json::array();
  for (const auto& hash : hashes) list.push_back(crypto::hex(hash));
  return list;
}

json fieldsOf(const EntryView& entry) {
  auto fields = json::object();
  for (std::size_t i = 0; i < FieldCount; ++i) {
    const auto field = static_cast<Field>(i);
    if (!entry[field].empty()) fields[fieldName(field)] = std::string(entry[field]);
  }
  return fields;
}

json entryLine(const LogRow& row, const std::function<bool(const EntryView&)>& withheld) {
  if (withheld)
    if (const auto entry = parseEntry(row.entry); entry && withheld(*entry))
      return {{"type", "entry"}, {"seq", row.seq}, {"leaf", crypto::hex(leafHash(row.entry))}};
  json line{{"type", "entry"}, {"seq", row.seq}, {"entry", crypto::base64(row.entry)}, {"leaf", crypto::hex(row.leaf)}};
  if (const auto entry = parseEntry(row.entry)) line["fields"] = fieldsOf(*entry);
  return line;
}

void writeHead(const LogFile& log, std::uint64_t from, std::uint64_t to, const LineSink& write) {
  std::string before;
  if (from > 0)
    if (const auto entry = log.entry(from - 1)) before = crypto::hex(leafHash(*entry));
  const auto peaks = CompactRange::of(from, log.nodes()).peaks();
  write(lineOf({{"type", "postern-audit-export"},
                {"version", 1},
                {"logId", log.logId()},
                {"from", from},
                {"to", to},
                {"prevHash", before},
                {"peaks", crypto::hex(peaks)}}));
}

// A log with holes has no proofs; the export is written all the same, and whoever checks it finds the hole.
json proofBehind(const LogFile& log, std::uint64_t to, std::uint64_t size) {
  try {
    return hexList(consistencyProof(to, size, log.nodes()));
  } catch (const std::exception&) {
    return json::array();
  }
}

}  // namespace

void exportLog(const LogFile& log, std::uint64_t from, std::uint64_t to, const LineSink& write,
               const std::function<bool(const EntryView&)>& withheld) {
  const auto end = std::min(to, log.size());
  const auto begin = std::min(from, end);
  writeHead(log, begin, end, write);
  for (const auto& stored : log.checkpoints(begin)) {
    json line{{"type", "checkpoint"}, {"size", stored.size}, {"note", stored.note}};
    if (stored.size > end && stored.size <= log.size() && end > 0)
      line["consistency"] = proofBehind(log, end, stored.size);
    write(lineOf(line));
    if (stored.size > end && stored.size <= log.size()) break;
  }
  log.forEach(begin, [&](const LogRow& row) {
    if (row.seq >= end) return false;
    write(lineOf(entryLine(row, withheld)));
    return true;
  });
}

}  // namespace postern::audit
