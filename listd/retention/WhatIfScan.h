#pragma once
#include "listd/retention/Assessment.h"
#include "listd/site/SiteContext.h"

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

namespace postern::listd {

// One pass over the archive at one time. The run takes its candidates from the same pass that a what-if shows, so that
// the two cannot differ. Memory: that of the counts, and of the targets when they are asked for.
struct Scan {
  struct Candidate {
    std::uint64_t objectId = 0;
    std::uint64_t listId = 0;
    bool byPerson = false;
    TimePoint receivedAt;
  };
  std::vector<Candidate> due;                 // of standing Due, in order of objects
  std::vector<Candidate> reviews;             // of standing Review
  std::map<std::string, std::uint64_t> kept;  // due by date, but kept: by reason
  std::uint64_t objects = 0;                  // stored objects
};
Scan scanArchive(SiteContext& context, const ContentAnswers* answers, TimePoint at);

struct WhatIfQuestion {
  TimePoint at;
  RuleDraft draft;
  std::uint32_t sample = 20;
  bool silentToo = true;  // rows say of a message that only silent holds keep that it is held
};
// The result as the order what-if.run gives it, without its id.
nlohmann::json whatIf(SiteContext& context, const ContentAnswers* answers, const WhatIfQuestion& question);
std::string whatIfCsv(const nlohmann::json& result);  // the counts, and the heading of the rows
// Rows of messages that are due at the time in question or whose date the draft changes, among
// `limit` objects after `after`.
struct WhatIfRows {
  std::string csv;
  std::optional<std::uint64_t> next;  // the object after which the next page begins
};
WhatIfRows whatIfRows(SiteContext& context, const ContentAnswers* answers, const WhatIfQuestion& question,
                      std::optional<std::uint64_t> after, std::uint32_t limit);

// How many become due in which month from now on, for `months` months, by what countArchive gave.
nlohmann::json forecast(const nlohmann::json& counts, TimePoint now, std::uint32_t months);

}  // namespace postern::listd
