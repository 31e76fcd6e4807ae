#pragma once
#include "core/records/Query.h"
#include "listd/search/SearchIndex.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace postern::listd {

// Answers conditions on content for retention: the index for scanning, the content itself for the last look. The seam
// behind which the search index stands. Threads: safe for all. What throws or is not known counts as not computable.
class ContentAnswers {
public:
  virtual ~ContentAnswers() = default;
  virtual std::vector<std::uint64_t> find(const records::Query& query) const = 0;  // ascending
  virtual bool finds(const records::Query& query, std::uint64_t objectId) const {  // whether find(query) has it
    const auto found = find(query);
    return std::binary_search(found.begin(), found.end(), objectId);
  }
  virtual std::vector<SearchIndex::Evaluable> allEvaluable() const = 0;  // ascending
  virtual std::optional<TimePoint> evaluableSince(std::uint64_t objectId) const = 0;
  // One answer for each query; conditions on dates, lists and sizes in them are unknown here.
  virtual std::vector<records::Truth> inContent(std::span<const records::Query> queries, std::string_view content,
                                                const std::vector<std::string>& recipients) const = 0;
  virtual void forget(const std::vector<std::uint64_t>& objectIds) = 0;
};

}  // namespace postern::listd
