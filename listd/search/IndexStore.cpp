#include "listd/search/IndexStore.h"

#include "core/base/Codec.h"
#include "core/base/Error.h"
#include "core/base/Files.h"
#include "core/base/Log.h"
#include "core/crypto/Digest.h"
#include "core/crypto/Hkdf.h"
#include "core/crypto/Random.h"
#include "core/store/Migrator.h"
#include "listd/IndexMigrations.h"

#include <endian.h>

#include <algorithm>
#include <cstring>
#include <set>

namespace postern::listd {
namespace {

using records::Query;

constexpr std::string_view Check = "postern index check";

// SQLite compares signed numbers: this keeps the order of tokens.
std::int64_t orderOf(Token token) {
  return static_cast<std::int64_t>(token ^ (std::uint64_t{1} << 63));
}
Token tokenFromOrder(std::int64_t order) {
  return static_cast<Token>(order) ^ (std::uint64_t{1} << 63);
}

std::string packed(const std::vector<std::uint64_t>& numbers) {
  Writer writer;
  for (const auto number : numbers) writer.u64(number);
  return std::move(writer).bytes();
}

std::vector<std::uint64_t> unpacked(std::string_view bytes) {
  if (bytes.empty()) return {};
  if (bytes.size() % 8 != 0) throw Error(ErrorKind::Malformed, "a list of the search index is damaged");
  std::vector<std::uint64_t> numbers(bytes.size() / 8);
  std::memcpy(numbers.data(), bytes.data(), bytes.size());  // a search reads the ids of the whole archive
  for (auto& number : numbers) number = be64toh(number);
  return numbers;
}

std::string placeOf(std::string_view kind, std::uint64_t id, std::uint64_t more = 0) {
  return std::string(kind) + "/" + std::to_string(id) + "/" + std::to_string(more);
}

bool hasFacts(const Query::Node& node) {
  return node.kind == Query::Node::Kind::Fact ||
         std::any_of(node.children.begin(), node.children.end(), [](const auto& child) { return hasFacts(*child); });
}

void removeFiles(const std::filesystem::path& path) {
  for (const auto* suffix : {"", "-wal", "-shm"}) {
    auto file = path;
    std::filesystem::remove(file += suffix);
  }
}

std::optional<std::string> factOf(store::Database& database, std::string_view name) {
  auto select = database.prepare("SELECT value FROM facts WHERE name = ?");
  if (!select.bind(name).step()) return std::nullopt;
  return select.blob(0);
}

}  // namespace

Token tokenOf(const Secret& key, const WordMark& mark) {
  std::string text;
  text.reserve(4 + mark.header.size() + mark.first.size() + mark.second.size());
  text += static_cast<char>(mark.kind);
  text += static_cast<char>(mark.field);
  text.append(mark.header).append(1, '\0').append(mark.first).append(1, '\0').append(mark.second);
  return Reader(crypto::hmacSha256(key, text)).u64();
}

// A reading connection from the pool. Only under the lock.
struct IndexStore::Borrowed {
  explicit Borrowed(const IndexStore& owner) : file(owner) {
    const std::lock_guard lock(file.readersLock_);
    if (!file.readers_.empty()) {
      database = std::move(file.readers_.back());
      file.readers_.pop_back();
    } else {
      database = std::make_unique<store::Database>(store::Database::openReader(file.path_));
    }
  }
  ~Borrowed() {
    const std::lock_guard lock(file.readersLock_);
    file.readers_.push_back(std::move(database));
  }
  Borrowed(const Borrowed&) = delete;
  Borrowed& operator=(const Borrowed&) = delete;
  store::Database* operator->() const { return database.get(); }

  const IndexStore& file;
  std::unique_ptr<store::Database> database;
};

IndexStore::IndexStore(std::filesystem::path path, const Secret& key) : path_(std::move(path)) {
  files::makePrivateFolder(path_.parent_path());
  const auto openAll = [&] {
    fresh_.clear();
    freshTokens_ = 0;
    open(key);
    loadFresh();
    loadCounts();
  };
  try {  // what is damaged costs searches until it is made anew, never the start of listd
    openAll();
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::DiskFull || !std::filesystem::exists(path_)) throw;
    log::error("search", "the search index cannot be used and is made anew", {{"error", error.what()}});
    writer_.reset();
    removeFiles(path_);
    openAll();
  }
}

IndexStore::~IndexStore() = default;

void IndexStore::open(const Secret& key) {
  writer_.emplace(store::Database::openWriter(path_, {.synchronous = store::Database::Synchronous::Normal,
                                                      .secureDelete = true,
                                                      .busyTimeout = std::chrono::seconds(5)}));
  store::Migrator(indexMigrations::all()).migrate(*writer_);
  auto salt = factOf(*writer_, "salt");
  const bool fresh = !salt;
  if (fresh) salt = crypto::randomBytes(16);
  keys_.tokens = crypto::hkdfSha256(key.view(), *salt, "tokens");
  keys_.blocks = crypto::hkdfSha256(key.view(), *salt, "blocks");
  const auto check = crypto::hmacSha256(keys_.tokens, Check);
  if (!fresh) {
    if (factOf(*writer_, "check") != check) throw Error(ErrorKind::Crypto, "it was made under another root key");
    return;
  }
  store::Transaction transaction(*writer_);
  auto insert = writer_->prepare("INSERT INTO facts (name, value) VALUES (?, ?)");
  insert.bind("salt", store::Blob{*salt}).run();
  insert.bind("check", store::Blob{check}).run();
  transaction.commit();
}

void IndexStore::loadFresh() {
  const crypto::AeadKey key(keys_.blocks);
  auto select = writer_->prepare("SELECT object_id, tokens FROM fresh");
  while (select.step()) {
    const auto id = select.unsignedInteger(0);
    auto tokens = unpacked(key.open(select.view(1), placeOf("fresh", id)));
    freshTokens_ += tokens.size();
    fresh_.emplace(id, std::move(tokens));
  }
}

void IndexStore::loadCounts() {
  // Not from the table of all objects: that would take a tenth of a second of each start with a million of them.
  auto select = writer_->prepare(
      "SELECT (SELECT coalesce(sum(count), 0) FROM chunks), (SELECT count(*) FROM objects WHERE readable = 0)");
  select.bind().step();
  counts_ = {select.unsignedInteger(0) + fresh_.size(), select.unsignedInteger(1)};
}

IndexStore::Entry IndexStore::entryOf(std::uint64_t objectId, TimePoint since, const MessageWords& words) const {
  Entry entry{objectId, since, words.isReadable(), {}};
  words.each([&](const WordMark& mark) { entry.tokens.push_back(tokenOf(keys_.tokens, mark)); });
  std::sort(entry.tokens.begin(), entry.tokens.end());
  entry.tokens.erase(std::unique(entry.tokens.begin(), entry.tokens.end()), entry.tokens.end());
  return entry;
}

void IndexStore::add(std::span<const Entry> entries) {
  const std::lock_guard adding(addLock_);
  std::vector<std::uint64_t> known;
  for (const auto& entry : entries)
    if (row(entry.objectId)) known.push_back(entry.objectId);
  if (!known.empty()) remove(known);
  const std::unique_lock lock(lock_);
  store::Transaction transaction(*writer_);
  for (const auto& entry : entries) insert(entry);
  transaction.commit();
  for (const auto& entry : entries) {
    ++(entry.readable ? counts_.indexed : counts_.unreadable);
    if (!entry.readable) continue;
    fresh_.emplace(entry.objectId, entry.tokens);
    freshTokens_ += entry.tokens.size();
  }
  if (fresh_.size() >= ChunkObjects || freshTokens_ >= ChunkTokens) sealFresh();
}

void IndexStore::insert(const Entry& entry) {
  writer_->prepare("INSERT INTO objects (id, since, readable, chunk) VALUES (?, ?, ?, 0)")
      .bind(entry.objectId, entry.since, entry.readable)
      .run();
  if (!entry.readable) return;
  const auto sealed = crypto::AeadKey(keys_.blocks).seal(packed(entry.tokens), placeOf("fresh", entry.objectId));
  writer_->prepare("INSERT INTO fresh (object_id, tokens) VALUES (?, ?)")
      .bind(entry.objectId, store::Blob{sealed})
      .run();
}

void IndexStore::sealFresh() {
  store::Transaction transaction(*writer_);
  std::vector<std::uint64_t> members;
  std::vector<std::pair<Token, std::uint32_t>> postings;
  postings.reserve(freshTokens_);
  for (const auto& [id, tokens] : fresh_) {
    for (const auto token : tokens) postings.emplace_back(token, static_cast<std::uint32_t>(members.size()));
    members.push_back(id);
  }
  std::sort(postings.begin(), postings.end());
  const auto chunk = writeChunk(members, [&](BlockWriter& blocks) {
    std::vector<std::uint32_t> same;
    for (std::size_t i = 0; i < postings.size(); ++i) {
      same.push_back(postings[i].second);
      if (i + 1 < postings.size() && postings[i + 1].first == postings[i].first) continue;
      blocks.add(postings[i].first, same);
      same.clear();
    }
  });
  auto place = writer_->prepare("UPDATE objects SET chunk = ? WHERE id = ?");
  for (const auto id : members) place.bind(chunk, id).run();
  writer_->execute("DELETE FROM fresh");
  transaction.commit();
  fresh_.clear();
  freshTokens_ = 0;
}

std::uint64_t IndexStore::writeChunk(const std::vector<std::uint64_t>& members,
                                     const std::function<void(BlockWriter&)>& write) {
  writer_->prepare("INSERT INTO chunks (count, members) VALUES (?, ?)")
      .bind(members.size(), store::Blob{packed(members)})
      .run();
  const auto chunk = static_cast<std::uint64_t>(writer_->lastInsertId());
  crypto::AeadRecords sealer(keys_.blocks);
  auto insert = writer_->prepare("INSERT INTO blocks (chunk, first, data) VALUES (?, ?, ?)");
  BlockWriter blocks([&](Token first, const std::string& bytes) {
    insert.bind(chunk, orderOf(first), store::Blob{sealer.seal(bytes, placeOf("block", chunk, first))}).run();
  });
  write(blocks);
  blocks.finish();
  return chunk;
}

void IndexStore::eachEntry(std::uint64_t chunk,
                           const std::function<void(Token, const std::vector<std::uint32_t>&)>& entry) const {
  const Borrowed reader(*this);
  crypto::AeadRecords opener(keys_.blocks);
  auto select = reader->prepare("SELECT first, data FROM blocks WHERE chunk = ? ORDER BY first");
  select.bind(chunk);
  while (select.step()) {
    const auto first = tokenFromOrder(select.integer(0));
    readBlock(first, opener.open(select.view(1), placeOf("block", chunk, first)),
              [&](Token token, const std::vector<std::uint32_t>& members) {
                entry(token, members);
                return true;
              });
  }
}

void IndexStore::remove(const std::vector<std::uint64_t>& objectIds) {
  const std::unique_lock lock(lock_);
  struct Leaving {
    std::vector<std::uint64_t> ids;
    std::uint64_t readable = 0;
  };
  std::map<std::uint64_t, Leaving> byChunk;
  {
    auto select = writer_->prepare("SELECT chunk, readable FROM objects WHERE id = ?");
    for (const auto id : std::set(objectIds.begin(), objectIds.end())) {
      if (!select.bind(id).step()) continue;
      auto& [ids, readable] = byChunk[select.unsignedInteger(0)];
      ids.push_back(id);
      readable += select.boolean(1) ? 1 : 0;
    }
  }
  // A chunk each: what a crash leaves is removed by the repeated call.
  for (const auto& [chunk, leaving] : byChunk) {
    const auto& ids = leaving.ids;
    store::Transaction transaction(*writer_);
    if (chunk != 0) shrinkChunk(chunk, ids);
    auto dropObject = writer_->prepare("DELETE FROM objects WHERE id = ?");
    auto dropFresh = writer_->prepare("DELETE FROM fresh WHERE object_id = ?");
    for (const auto id : ids) {
      dropObject.bind(id).run();
      if (chunk == 0) dropFresh.bind(id).run();
    }
    transaction.commit();
    counts_.indexed -= leaving.readable;
    counts_.unreadable -= ids.size() - leaving.readable;
    if (chunk != 0) continue;
    for (const auto id : ids) {
      const auto found = fresh_.find(id);
      if (found == fresh_.end()) continue;
      freshTokens_ -= found->second.size();
      fresh_.erase(found);
    }
  }
  emptyLog();  // also when nothing is left to remove: the log of an earlier call may be
}

void IndexStore::flush() {
  const std::unique_lock lock(lock_);
  emptyLog();
}

void IndexStore::emptyLog() {
  if (!writer_->checkpoint())
    throw Error(ErrorKind::Store, "the write-ahead log of " + path_.string() +
                                      " could not be emptied: another program reads the file; close it and try again");
}

void IndexStore::shrinkChunk(std::uint64_t chunk, const std::vector<std::uint64_t>& gone) {
  std::vector<std::uint64_t> members;
  {
    auto select = writer_->prepare("SELECT members FROM chunks WHERE id = ?");
    if (select.bind(chunk).step()) members = unpacked(select.view(0));
  }
  const std::vector<std::uint64_t> sortedGone = [&] {
    auto sorted = gone;
    std::sort(sorted.begin(), sorted.end());
    return sorted;
  }();
  constexpr auto Gone = static_cast<std::uint32_t>(-1);
  std::vector<std::uint32_t> numbers;
  std::vector<std::uint64_t> kept;
  for (const auto id : members) {
    const bool stays = !std::binary_search(sortedGone.begin(), sortedGone.end(), id);
    numbers.push_back(stays ? static_cast<std::uint32_t>(kept.size()) : Gone);
    if (stays) kept.push_back(id);
  }
  if (!kept.empty()) {
    const auto next = writeChunk(kept, [&](BlockWriter& blocks) {
      std::vector<std::uint32_t> left;
      eachEntry(chunk, [&](Token token, const std::vector<std::uint32_t>& before) {
        left.clear();
        for (const auto number : before)
          if (numbers.at(number) != Gone) left.push_back(numbers[number]);
        if (!left.empty()) blocks.add(token, left);
      });
    });
    auto place = writer_->prepare("UPDATE objects SET chunk = ? WHERE id = ?");
    for (const auto id : kept) place.bind(next, id).run();
  }
  writer_->prepare("DELETE FROM blocks WHERE chunk = ?").bind(chunk).run();
  writer_->prepare("DELETE FROM chunks WHERE id = ?").bind(chunk).run();
}

Bits IndexStore::findFresh(const Query& query, const QueryAnswers::Facts& facts,
                           const std::vector<std::uint64_t>& ids) const {
  const QueryAnswers answers(keys_.tokens, facts, ids, [&](Token token) {
    Bits bits(ids.size());
    for (std::size_t i = 0; i < ids.size(); ++i) {
      const auto& tokens = fresh_.at(ids[i]);
      if (std::binary_search(tokens.begin(), tokens.end(), token)) bits.set(i);
    }
    return bits;
  });
  return answers.maybe(query);
}

Bits IndexStore::findIn(store::Database& reader, std::uint64_t chunk, const Query& query,
                        const QueryAnswers::Facts& facts, const std::vector<std::uint64_t>& members,
                        const Bits* wanted) const {
  crypto::AeadRecords opener(keys_.blocks);
  auto block =
      reader.prepare("SELECT first, data FROM blocks WHERE chunk = ? AND first <= ? ORDER BY first DESC LIMIT 1");
  const QueryAnswers answers(keys_.tokens, facts, members, [&](Token token) {
    Bits bits(members.size());
    if (!block.bind(chunk, orderOf(token)).step()) return bits;
    const auto first = tokenFromOrder(block.integer(0));
    findInBlock(first, opener.open(block.view(1), placeOf("block", chunk, first)), token, bits);
    return bits;
  });
  return answers.maybe(query, wanted);
}

std::vector<std::uint64_t> IndexStore::find(const Query& query, const QueryAnswers::Facts& facts,
                                            std::uint64_t enough) const {
  const std::shared_lock lock(lock_);
  const Borrowed reader(*this);
  // Chunks are ascending in themselves, and mostly among each other: putting them in order costs less than sorting.
  std::vector<std::vector<std::uint64_t>> runs;
  std::size_t count = 0;
  const auto take = [&](const std::vector<std::uint64_t>& members, const Bits& bits) {
    std::vector<std::uint64_t> run;
    for (std::size_t i = 0; i < members.size(); ++i)
      if (bits.test(i)) run.push_back(members[i]);
    count += run.size();
    if (!run.empty()) runs.push_back(std::move(run));
  };

  std::vector<std::uint64_t> members;
  members.reserve(fresh_.size());
  for (const auto& [id, tokens] : fresh_) members.push_back(id);
  take(members, findFresh(query, facts, members));

  const bool asksFacts = facts && hasFacts(query.root());
  auto chunks = reader->prepare("SELECT id, count, members FROM chunks ORDER BY id DESC");
  while (count < enough && chunks.step()) {
    const auto chunk = chunks.unsignedInteger(0);
    // Words alone first: where they leave nothing, the members of the chunk need not be read, which is most of the
    // work.
    auto bits = findIn(*reader.database, chunk, query, {}, std::vector<std::uint64_t>(chunks.unsignedInteger(1)));
    if (bits.none()) continue;
    members = unpacked(chunks.view(2));
    if (asksFacts) {
      const auto wanted = std::move(bits);
      bits = findIn(*reader.database, chunk, query, facts, members, &wanted);
      bits &= wanted;
    }
    take(members, bits);
  }
  std::sort(runs.begin(), runs.end(), [](const auto& a, const auto& b) { return a.front() < b.front(); });
  std::vector<std::uint64_t> found;
  found.reserve(count);
  for (const auto& run : runs) found.insert(found.end(), run.begin(), run.end());
  if (!std::is_sorted(found.begin(), found.end())) std::sort(found.begin(), found.end());
  return found;
}

std::vector<std::uint64_t> IndexStore::findAmong(const Query& query, const QueryAnswers::Facts& facts,
                                                 std::span<const std::uint64_t> ids) const {
  const std::shared_lock lock(lock_);
  const Borrowed reader(*this);
  const store::Transaction snapshot(*reader.database, store::Transaction::Kind::Read);  // one lock of the file for all
  std::map<std::uint64_t, std::vector<std::uint64_t>> byChunk;
  auto place = reader->prepare("SELECT chunk FROM objects WHERE id = ? AND readable = 1");
  for (const auto id : ids)
    if (place.bind(id).step()) byChunk[place.unsignedInteger(0)].push_back(id);
  std::vector<std::uint64_t> found;
  auto select = reader->prepare("SELECT members FROM chunks WHERE id = ?");
  for (const auto& [chunk, asked] : byChunk) {
    if (chunk != 0 && !select.bind(chunk).step()) continue;
    const auto members = chunk == 0 ? asked : unpacked(select.view(0));
    Bits wanted(members.size());
    for (std::size_t i = 0; i < members.size(); ++i)
      if (std::binary_search(asked.begin(), asked.end(), members[i])) wanted.set(i);
    const auto bits =
        chunk == 0 ? findFresh(query, facts, members) : findIn(*reader.database, chunk, query, facts, members, &wanted);
    for (std::size_t i = 0; i < members.size(); ++i)
      if (wanted.test(i) && bits.test(i)) found.push_back(members[i]);
  }
  std::sort(found.begin(), found.end());
  return found;
}

bool IndexStore::finds(const Query& query, std::uint64_t objectId) const {
  const std::shared_lock lock(lock_);
  if (fresh_.contains(objectId)) return findFresh(query, {}, {objectId}).test(0);
  const Borrowed reader(*this);
  auto select = reader->prepare(
      "SELECT c.id, c.members FROM objects o JOIN chunks c ON c.id = o.chunk WHERE o.id = ? AND o.readable = 1");
  if (!select.bind(objectId).step()) return false;
  const auto members = unpacked(select.view(1));
  const auto at = std::find(members.begin(), members.end(), objectId);
  if (at == members.end()) return false;
  return findIn(*reader.database, select.unsignedInteger(0), query, {}, members)
      .test(static_cast<std::size_t>(at - members.begin()));
}

std::optional<IndexStore::Row> IndexStore::row(std::uint64_t objectId) const {
  const std::shared_lock lock(lock_);
  const Borrowed reader(*this);
  auto select = reader->prepare("SELECT id, since, readable FROM objects WHERE id = ?");
  if (!select.bind(objectId).step()) return std::nullopt;
  return Row{select.unsignedInteger(0), select.time(1), select.boolean(2)};
}

std::vector<IndexStore::Row> IndexStore::rows() const {
  const std::shared_lock lock(lock_);
  const Borrowed reader(*this);
  std::vector<Row> rows;
  rows.reserve(counts_.indexed + counts_.unreadable);
  auto select = reader->prepare("SELECT id, since, readable FROM objects ORDER BY id");
  while (select.step()) rows.push_back({select.unsignedInteger(0), select.time(1), select.boolean(2)});
  // SQLite counts ids above 2^63 as negative.
  const auto precedes = [](const Row& a, const Row& b) { return a.objectId < b.objectId; };
  if (!std::is_sorted(rows.begin(), rows.end(), precedes)) std::sort(rows.begin(), rows.end(), precedes);
  return rows;
}

IndexStore::Counts IndexStore::counts() const {
  const std::shared_lock lock(lock_);
  return counts_;
}

}  // namespace postern::listd
