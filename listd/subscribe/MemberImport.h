#pragma once
#include "listd/orders/Csv.h"
#include "listd/plan/MemberFacts.h"
#include "listd/site/SiteStore.h"

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace postern::listd {

constexpr std::uint64_t BrakePercent = 20;  // of the members looked at; when more would go, a sync stops

// Puts the people of a file or a directory on a list, one record (address, name) each, and says of each what became of
// it. Ownership: tables and list must outlive it. Threads: those of the transaction.
class MemberImport {
public:
  struct How {
    bool dryRun = false;
    bool sync = false;  // who left by themselves is not brought back, and who comes is marked as brought
  };
  MemberImport(SiteTables& tables, const List& list, TimePoint now, How how);

  void add(const CsvRecord& record);
  nlohmann::json result() const;  // added, skipped, withheld, failed, errors[], rows[]

private:
  const Ban* banOf(std::string_view address) const;
  void fail(const CsvRecord& record, const char* outcome, const std::string& address, const std::string& message);
  void report(const CsvRecord& record, const std::string& address, const char* outcome, const std::string& detail);
  bool isList(const std::string& address) const { return lists_.contains(address); }

  SiteTables& tables_;
  const List& list_;
  const LadderRules rules_;
  const std::vector<Ban> bans_;
  const KnownDomains domains_;  // one look at all, instead of one for each address
  const TimePoint now_;
  const How how_;
  std::unordered_set<std::string> lists_;     // addresses of every list
  std::unordered_set<std::string> departed_;  // who left this list by themselves
  std::unordered_set<std::string> seen_;
  std::uint64_t added_ = 0;
  std::uint64_t skipped_ = 0;
  std::uint64_t withheld_ = 0;
  std::uint64_t failed_ = 0;
  nlohmann::json errors_ = nlohmann::json::array();
  nlohmann::json rows_ = nlohmann::json::array();
};

// What a list is made to say.
struct MemberSync {
  const std::vector<CsvRecord>& records;
  std::optional<std::string> pattern;  // of Bans.h: only addresses that it fits are looked at, on both sides
  bool dryRun = false;
  bool confirmed = false;    // also when more than BrakePercent would go
  bool broughtOnly = false;  // takes off only whom a sync brought: who joined in another way stays
  std::string by;            // for the record of former members
};

// Adds whom the records name and takes off plain members whom they do not. Owners and moderators always stay. With the
// brake on ("stopped": true in the result) nothing was changed.
nlohmann::json syncList(SiteTables& tables, const List& list, const MemberSync& sync, TimePoint now);

}  // namespace postern::listd
