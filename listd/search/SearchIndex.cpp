#include "listd/search/SearchIndex.h"

#include "core/base/Error.h"
#include "core/base/Files.h"
#include "listd/search/IndexStore.h"
#include "listd/search/MessageWords.h"

#include <set>
#include <shared_mutex>

namespace postern::listd {
namespace {

constexpr std::string_view SearchKey = "postern search v1";

std::vector<std::uint64_t> idsOf(const std::vector<IndexStore::Row>& rows) {
  std::vector<std::uint64_t> ids;
  ids.reserve(rows.size());
  for (const auto& row : rows) ids.push_back(row.objectId);
  return ids;
}

}  // namespace

struct SearchIndex::Impl {
  Impl(const std::filesystem::path& indexFolder, const vault::RootKey& root, const Clock& siteClock)
      : folder(indexFolder),
        key(root.derive(SearchKey)),
        clock(siteClock),
        current(std::make_unique<IndexStore>(folder / "index.db", key)) {
    if (std::filesystem::exists(nextPath())) next = std::make_unique<IndexStore>(nextPath(), key);
  }

  std::filesystem::path nextPath() const { return folder / "index.new.db"; }

  static void addTo(IndexStore& file, const std::vector<NewObject>& objects,
                    const std::function<TimePoint(std::uint64_t)>& since) {
    std::vector<IndexStore::Entry> entries;
    for (const auto& object : objects)
      entries.push_back(
          file.entryOf(object.objectId, since(object.objectId), MessageWords::read(object.content, object.recipients)));
    file.add(entries);
  }

  // Since when an object counts as evaluable: as it was, so that no grace begins anew, or from now.
  TimePoint sinceOf(std::uint64_t objectId) const {
    const auto row = current->row(objectId);
    return row && row->readable ? row->since : clock.now();
  }

  const std::filesystem::path folder;
  const Secret key;
  const Clock& clock;
  mutable std::shared_mutex swap;  // written only when the new file takes the place of the old one, or begins
  std::unique_ptr<IndexStore> current;
  std::unique_ptr<IndexStore> next;
};

SearchIndex::SearchIndex(const std::filesystem::path& folder, const vault::RootKey& root, const Clock& clock)
    : impl_(std::make_unique<Impl>(folder, root, clock)) {}

SearchIndex::~SearchIndex() = default;

void SearchIndex::add(std::uint64_t objectId, std::string_view content, const std::vector<std::string>& recipients) {
  addAll({{objectId, std::string(content), recipients}});
}

void SearchIndex::addAll(const std::vector<NewObject>& objects) {
  const std::shared_lock lock(impl_->swap);
  const auto since = [this](std::uint64_t id) { return impl_->sinceOf(id); };
  if (impl_->next) Impl::addTo(*impl_->next, objects, since);
  Impl::addTo(*impl_->current, objects, since);
}

void SearchIndex::remove(const std::vector<std::uint64_t>& objectIds) {
  const std::shared_lock lock(impl_->swap);
  if (impl_->next) impl_->next->remove(objectIds);
  impl_->current->remove(objectIds);
}

std::vector<std::uint64_t> SearchIndex::find(const records::Query& query, const FactAnswers& facts) const {
  return findSome(query, facts, UINT64_MAX);
}

std::vector<std::uint64_t> SearchIndex::findSome(const records::Query& query, const FactAnswers& facts,
                                                 std::uint64_t enough) const {
  const std::shared_lock lock(impl_->swap);
  return impl_->current->find(query, facts, enough);
}

std::vector<std::uint64_t> SearchIndex::findAmong(const records::Query& query, const FactAnswers& facts,
                                                  std::span<const std::uint64_t> ids) const {
  const std::shared_lock lock(impl_->swap);
  return impl_->current->findAmong(query, facts, ids);
}

bool SearchIndex::finds(const records::Query& query, std::uint64_t objectId) const {
  const std::shared_lock lock(impl_->swap);
  return impl_->current->finds(query, objectId);
}

std::optional<TimePoint> SearchIndex::evaluableSince(std::uint64_t objectId) const {
  const std::shared_lock lock(impl_->swap);
  const auto row = impl_->current->row(objectId);
  return row && row->readable ? std::optional(row->since) : std::nullopt;
}

std::vector<SearchIndex::Evaluable> SearchIndex::allEvaluable() const {
  const std::shared_lock lock(impl_->swap);
  std::vector<Evaluable> all;
  for (const auto& row : impl_->current->rows())
    if (row.readable) all.push_back({row.objectId, row.since});
  return all;
}

SearchIndex::Counts SearchIndex::counts() const {
  const std::shared_lock lock(impl_->swap);
  const auto counts = impl_->current->counts();
  return {counts.indexed, counts.unreadable};
}

std::vector<std::uint64_t> SearchIndex::known() const {
  const std::shared_lock lock(impl_->swap);
  return idsOf(impl_->current->rows());
}

void SearchIndex::beginRebuild() {
  const std::unique_lock lock(impl_->swap);
  if (!impl_->next) impl_->next = std::make_unique<IndexStore>(impl_->nextPath(), impl_->key);
}

std::vector<std::uint64_t> SearchIndex::rebuilt() const {
  const std::shared_lock lock(impl_->swap);
  return impl_->next ? idsOf(impl_->next->rows()) : std::vector<std::uint64_t>();
}

void SearchIndex::addRebuilt(const std::vector<NewObject>& objects) {
  const std::shared_lock lock(impl_->swap);
  if (!impl_->next) throw Error(ErrorKind::Invariant, "no rebuild of the search index was begun");
  Impl::addTo(*impl_->next, objects, [this](std::uint64_t id) { return impl_->sinceOf(id); });
}

void SearchIndex::finishRebuild() {
  const std::unique_lock lock(impl_->swap);
  if (!impl_->next) throw Error(ErrorKind::Invariant, "no rebuild of the search index was begun");
  impl_->next->flush();
  impl_->next.reset();
  impl_->current.reset();
  const auto path = impl_->folder / "index.db";
  for (const auto* suffix : {"-wal", "-shm"}) std::filesystem::remove(path.string() + suffix);
  std::filesystem::rename(impl_->nextPath(), path);
  for (const auto* suffix : {"-wal", "-shm"}) std::filesystem::remove(impl_->nextPath().string() + suffix);
  files::syncFolder(impl_->folder);
  impl_->current = std::make_unique<IndexStore>(path, impl_->key);
}

std::vector<records::Truth> matchContent(std::span<const records::Query> queries, std::string_view content,
                                         const std::vector<std::string>& recipients) {
  std::vector<records::Truth> answers(queries.size(), records::Truth::Unknown);
  const auto words = MessageWords::read(content, recipients);
  if (!words.isReadable()) return answers;
  // As the index does, with the marks themselves in place of their tokens.
  std::set<std::string, std::less<>> marks;
  const auto textOf = [](const WordMark& mark) {
    std::string text{static_cast<char>(mark.kind), static_cast<char>(mark.field)};
    return text.append(mark.header).append(1, '\0').append(mark.first).append(1, '\0').append(mark.second);
  };
  words.each([&](const WordMark& mark) { marks.insert(textOf(mark)); });
  const auto term = [&](const records::Query::Term& wanted) {
    for (const auto field : fieldsOf(wanted)) {
      bool all = true;
      for (const auto& mark : marksOf(wanted, field)) all = all && marks.contains(textOf(mark));
      if (all) return records::Truth::True;
    }
    return records::Truth::False;
  };
  for (std::size_t i = 0; i < queries.size(); ++i)
    answers[i] = queries[i].evaluate(term, [](const records::Predicate&) { return records::Truth::Unknown; });
  return answers;
}

records::Truth matchesContent(const records::Query& query, std::string_view content,
                              const std::vector<std::string>& recipients) {
  return matchContent({&query, 1}, content, recipients).front();
}

}  // namespace postern::listd
