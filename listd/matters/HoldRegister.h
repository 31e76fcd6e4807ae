#pragma once
#include "listd/matters/HoldStore.h"
#include "listd/matters/MatterStore.h"

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace postern::listd {

struct SiteTables;

// Holds as the journal of the site keeps them, outside of every backup, so that a restored old site.db has every hold
// again. A placed hold is journalled before its row is committed (a crash between can only leave a hold too many), a
// release after it (a crash between can only leave a hold too long).
namespace holdregister {

std::string placed(const HoldRow& row, const Matter& matter);
std::string released(const HoldRow& row);

// Applies the records of the journal, in its order, to the tables; what they know already is left alone. A hold is
// known by what it is, as its number may have been given again after a restore; of holds that are alike each record
// stands for one. True when something was put back. Throws Error(Malformed) for a record that this binary cannot read:
// a site whose holds are not known must not destroy anything.
class Replay {
public:
  explicit Replay(SiteTables& tables) : tables_(tables) {}

  bool placed(std::string_view payload);
  bool released(std::string_view payload);

  // Holds that no record stood for: they were placed while the register was in trouble.
  std::vector<HoldRow> withoutRecord() const;

private:
  std::optional<HoldRow> find(const HoldRow& wanted) const;

  SiteTables& tables_;
  std::map<std::string, std::uint64_t> rowOf_;  // by number and all that a hold is
  std::set<std::uint64_t> known_;
};

}  // namespace holdregister
}  // namespace postern::listd
