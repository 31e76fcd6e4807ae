#pragma once
#include "core/base/Clock.h"
#include "listd/plan/MemberFacts.h"
#include "listd/site/SiteStore.h"

#include <cstdint>
#include <string>
#include <vector>

namespace postern::listd {

// What is asked of a plan before there is a post.
struct PlanQuestion {
  std::string sensitivity;    // class of the post; empty: that of the list
  std::string protection;     // whose members to show; empty: nobody's
  std::string reason;         // only those with this reason; empty: all
  std::string after;          // address behind which the page begins
  std::uint32_t limit = 100;  // members at most
};

// How a post of now would go out.
struct PlanPreview {
  struct Group {
    std::string protection;
    std::string reason;
    std::uint64_t members = 0;
  };
  struct Shown {
    std::string address;
    std::string name;
    std::string protection;
    std::string reason;
  };
  std::string sensitivity;
  LadderRules rules;
  std::vector<Group> groups;  // by protection and reason
  std::vector<Shown> members;
  std::uint64_t total = 0;
  std::uint64_t ready = 0;  // get a copy

  std::uint64_t percent() const;                      // ready of total, rounded down; 100 for a list of nobody
  std::uint64_t bytes(std::uint64_t postSize) const;  // about what all copies weigh on the wire
};

// For mail of the list's own class the counts that are kept beside the members answer; for another class every member
// is decided anew, in one scan. REQUIRES: list is in the tables.
PlanPreview previewPlan(const SiteTables& tables, const List& list, const PlanQuestion& question, TimePoint now);

}  // namespace postern::listd
