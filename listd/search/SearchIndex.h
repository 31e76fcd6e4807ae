#pragma once
#include "core/base/Clock.h"
#include "core/records/Query.h"
#include "core/vault/RootKey.h"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postern::listd {

// The words of one message, before they are keyed. Made by readWords() from the content.
struct MessageWords;

// DATA/index/index.db: derived from the vault, left out of backups, rebuilt when it is gone. It holds keyed tokens
// (HMAC of normalised words and of pairs of words, per field) and object ids, never a word. One writing connection of
// its own. Threads: safe for all. Errors: Error(Store), Error(DiskFull).
class SearchIndex {
public:
  SearchIndex(const std::filesystem::path& folder, const vault::RootKey& root, const Clock& clock);
  ~SearchIndex();

  // Makes the object searchable. `recipients`: who got copies. Unreadable content (end-to-end encrypted, damaged) is
  // noted as such and stays "not evaluable".
  void add(std::uint64_t objectId, std::string_view content, const std::vector<std::string>& recipients);
  // Leaves nothing of the objects behind, free pages and write-ahead log included, once it returns.
  void remove(const std::vector<std::uint64_t>& objectIds);

  // Objects for which the terms of the query are true, ascending. Conditions that need no content (dates, lists) count
  // as true.
  std::vector<std::uint64_t> find(const records::Query& query) const;
  struct Evaluable {
    std::uint64_t objectId = 0;
    TimePoint since;
  };
  std::optional<TimePoint> evaluableSince(std::uint64_t objectId) const;  // nothing: not indexed, or unreadable
  std::vector<Evaluable> allEvaluable() const;                            // ascending by object

  struct Counts {
    std::uint64_t indexed = 0;
    std::uint64_t unreadable = 0;
  };
  Counts counts() const;

private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// The query answered by the content itself, for the last look before destruction. Unknown when it cannot be read.
records::Truth matchesContent(const records::Query& query, std::string_view content,
                              const std::vector<std::string>& recipients);

}  // namespace postern::listd
