#pragma once
#include "core/base/Clock.h"
#include "core/base/Secret.h"
#include "core/crypto/Aead.h"
#include "core/records/Query.h"
#include "core/store/Database.h"
#include "listd/search/MessageWords.h"
#include "listd/search/Postings.h"
#include "listd/search/QueryAnswers.h"

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <span>
#include <vector>

namespace postern::listd {

// One file of the search index. Objects come in one by one and are kept with their tokens (fresh) until there are
// enough for a chunk: a sorted, immutable list of tokens with their objects. What is removed is written anew without
// it. Invariant: under the lock for writing nobody reads, so that a checkpoint always empties the write-ahead log.
// Threads: safe for all. Errors: Error(Store), Error(DiskFull), Error(Crypto) for a damaged block.
class IndexStore {
public:
  static constexpr std::size_t ChunkObjects = 8192;
  static constexpr std::size_t ChunkTokens = 4'000'000;

  // Opens or makes the file. A file made under another root key, or that cannot be opened, is thrown away: it is
  // derived data.
  IndexStore(std::filesystem::path path, const Secret& key);
  ~IndexStore();

  struct Entry {
    std::uint64_t objectId = 0;
    TimePoint since;
    bool readable = false;
    std::vector<Token> tokens;
  };
  Entry entryOf(std::uint64_t objectId, TimePoint since, const MessageWords& words) const;
  void add(std::span<const Entry> entries);  // one commit; what was there of an object before is replaced
  void remove(const std::vector<std::uint64_t>& objectIds);
  void flush();  // all of it is in the file itself

  // Objects for which the query is not false, ascending. Some of them, once there are `enough`.
  std::vector<std::uint64_t> find(const records::Query& query, const QueryAnswers::Facts& facts,
                                  std::uint64_t enough = UINT64_MAX) const;
  // Those of the given, which are ascending. As fast as there are few chunks that they are in.
  std::vector<std::uint64_t> findAmong(const records::Query& query, const QueryAnswers::Facts& facts,
                                       std::span<const std::uint64_t> ids) const;
  bool finds(const records::Query& query, std::uint64_t objectId) const;  // whether find(query, {}) has it

  struct Row {
    std::uint64_t objectId = 0;
    TimePoint since;
    bool readable = false;
  };
  std::optional<Row> row(std::uint64_t objectId) const;
  std::vector<Row> rows() const;  // ascending
  struct Counts {
    std::uint64_t indexed = 0;
    std::uint64_t unreadable = 0;
  };
  Counts counts() const;

  const std::filesystem::path& path() const { return path_; }

private:
  struct Borrowed;
  struct Keys {
    Secret tokens;
    Secret blocks;
  };
  void open(const Secret& key);
  void loadFresh();
  void loadCounts();
  void insert(const Entry& entry);
  void emptyLog();
  void sealFresh();
  std::uint64_t writeChunk(const std::vector<std::uint64_t>& members, const std::function<void(BlockWriter&)>& write);
  void shrinkChunk(std::uint64_t chunk, const std::vector<std::uint64_t>& gone);
  // Which of the objects the query is not false for: of `fresh_`, or of a chunk whose members these are.
  Bits findFresh(const records::Query& query, const QueryAnswers::Facts& facts,
                 const std::vector<std::uint64_t>& ids) const;
  Bits findIn(store::Database& reader, std::uint64_t chunk, const records::Query& query,
              const QueryAnswers::Facts& facts, const std::vector<std::uint64_t>& members,
              const Bits* wanted = nullptr) const;
  void eachEntry(std::uint64_t chunk, const std::function<void(Token, const std::vector<std::uint32_t>&)>& entry) const;

  const std::filesystem::path path_;
  Keys keys_;
  std::mutex addLock_;
  mutable std::shared_mutex lock_;
  std::optional<store::Database> writer_;
  std::map<std::uint64_t, std::vector<Token>> fresh_;  // as the table: what is searched in memory
  std::size_t freshTokens_ = 0;
  Counts counts_;
  mutable std::mutex readersLock_;
  mutable std::vector<std::unique_ptr<store::Database>> readers_;
};

// A mark under a key.
Token tokenOf(const Secret& key, const WordMark& mark);

}  // namespace postern::listd
