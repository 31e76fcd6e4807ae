#pragma once
#include "core/records/Query.h"

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace postern::listd {

// What rules and holds ask of contents, made ready once: parts() is what the index or a content must answer. A query
// with conditions on dates, lists or sizes is taken apart into its words, and answer() puts these together with what is
// known of the message, so that scan and gate come to the same answer. Immutable; safe for all threads.
class Questions {
public:
  explicit Questions(std::span<const std::string> queries);

  std::span<const records::Query> parts() const { return parts_; }
  // Unknown for a query that is not among those given or cannot be read. `part(i)` answers parts()[i].
  records::Truth answer(const std::string& query, const records::Facts& facts,
                        const std::function<records::Truth(std::size_t)>& part) const;

private:
  struct Asked {
    std::optional<records::Query> withFacts;
    std::map<std::string, std::size_t> terms;  // numbers of parts, for withFacts
    std::size_t part = 0;                      // else
  };
  std::vector<records::Query> parts_;
  std::map<std::string, Asked> asked_;
};

}  // namespace postern::listd
