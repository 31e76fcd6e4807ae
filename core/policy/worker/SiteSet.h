#pragma once
#include "core/policy/worker/WordIndex.h"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace postern::policy::worker {

// The values of one set, ready to be asked. Case does not matter; an entry that begins with "." stands for that domain
// and all below it. Looking costs by the length of the value, not by the size of the set.
// Threads: one (the words are indexed at their first use).
class SiteSet {
public:
  SiteSet() = default;
  explicit SiteSet(std::vector<std::string> entries);

  bool contains(std::string_view value) const;
  // The words of words() are these.
  const std::vector<std::string>& entries() const { return entries_; }
  const WordIndex& words() const;

private:
  std::vector<std::string> entries_;
  std::unordered_set<std::string> exact_;
  std::unordered_set<std::string> below_;  // ".example.org"
  mutable std::optional<WordIndex> words_;
};

using SetTable = std::map<std::string, std::shared_ptr<const SiteSet>>;

}  // namespace postern::policy::worker
