#pragma once
#include "listd/retention/ContentAnswers.h"
#include "listd/search/SearchIndex.h"

namespace postern::listd {

// The search index as retention asks it. The index must outlive it. Threads: safe for all.
class IndexAnswers : public ContentAnswers {
public:
  explicit IndexAnswers(SearchIndex& index) : index_(index) {}
  std::vector<std::uint64_t> find(const records::Query& query) const override { return index_.find(query); }
  bool finds(const records::Query& query, std::uint64_t objectId) const override {
    return index_.finds(query, objectId);
  }
  std::vector<SearchIndex::Evaluable> allEvaluable() const override { return index_.allEvaluable(); }
  std::optional<TimePoint> evaluableSince(std::uint64_t objectId) const override {
    return index_.evaluableSince(objectId);
  }
  std::vector<records::Truth> inContent(std::span<const records::Query> queries, std::string_view content,
                                        const std::vector<std::string>& recipients) const override {
    return matchContent(queries, content, recipients);
  }
  void forget(const std::vector<std::uint64_t>& objectIds) override { index_.remove(objectIds); }

private:
  SearchIndex& index_;
};

}  // namespace postern::listd
