#pragma once
#include "core/base/Clock.h"
#include "core/records/Query.h"
#include "core/vault/RootKey.h"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace postern::listd {

// DATA/index/index.db: derived from the vault, left out of backups, rebuilt when it is gone. It holds keyed tokens
// (HMAC of normalised words and of pairs of words, per field) and object ids, never a word. One writing connection of
// its own. Threads: safe for all. Errors: Error(Store), Error(DiskFull).
class SearchIndex {
public:
  SearchIndex(const std::filesystem::path& folder, const vault::RootKey& root, const Clock& clock);
  ~SearchIndex();

  struct NewObject {
    std::uint64_t objectId = 0;
    std::string content;
    std::vector<std::string> recipients;
  };
  // Many at the price of one.
  void addAll(const std::vector<NewObject>& objects);
  // Makes the object searchable. `recipients`: who got copies. Unreadable content (end-to-end encrypted, damaged) is
  // noted as such and stays "not evaluable".
  void add(std::uint64_t objectId, std::string_view content, const std::vector<std::string>& recipients);
  // Leaves nothing of the objects behind, free pages and write-ahead log included, once it returns.
  void remove(const std::vector<std::uint64_t>& objectIds);

  // Evaluable objects for which the query is true, ascending. Conditions that need no content (dates, lists) never
  // exclude an object, unless `facts` tells whether one is true for an object; it is asked only where that decides.
  using FactAnswers = std::function<bool(const records::Predicate&, std::uint64_t objectId)>;
  std::vector<std::uint64_t> find(const records::Query& query, const FactAnswers& facts = {}) const;
  // At least `enough` of them where there are so many: neither the newest nor the oldest, so for counting alone.
  std::vector<std::uint64_t> findSome(const records::Query& query, const FactAnswers& facts,
                                      std::uint64_t enough) const;
  // Those of the given objects, which are ascending.
  std::vector<std::uint64_t> findAmong(const records::Query& query, const FactAnswers& facts,
                                       std::span<const std::uint64_t> ids) const;
  bool finds(const records::Query& query, std::uint64_t objectId) const;  // whether find(query) has it, for that one
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
  std::vector<std::uint64_t> known() const;  // every object that was looked at, unreadable ones too, ascending

  // A new index beside the old one, which answers until the new one takes its place. A rebuild that was begun goes on
  // after a crash. Meanwhile add and remove reach both.
  void beginRebuild();
  std::vector<std::uint64_t> rebuilt() const;              // what the new one has, ascending
  void addRebuilt(const std::vector<NewObject>& objects);  // keeps since when they were evaluable
  void finishRebuild();

private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// The query answered by the content itself, for the last look before destruction. Unknown when it cannot be read, and
// when conditions that need no content (Query::hasFacts) decide.
records::Truth matchesContent(const records::Query& query, std::string_view content,
                              const std::vector<std::string>& recipients);
// Several, at the price of reading the content once.
std::vector<records::Truth> matchContent(std::span<const records::Query> queries, std::string_view content,
                                         const std::vector<std::string>& recipients);

}  // namespace postern::listd
