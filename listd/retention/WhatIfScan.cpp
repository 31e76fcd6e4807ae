#include "listd/retention/WhatIfScan.h"

#include "listd/orders/Csv.h"
#include "listd/retention/ArchiveCounts.h"

namespace postern::listd {

using nlohmann::json;

namespace {

json timeOrNever(TimePoint time) {
  return records::timeJson(time);
}

void prepare(Assessment& assessment, const ContentAnswers* answers) {
  try {  // the boundary of the index: while it cannot answer, nothing is computable, and what needs it is kept
    assessment.answerWith(indexTruth(answers, assessment.queries()));
  } catch (const std::exception&) {
    assessment.answerWith({});
  }
}

// Counts the change that a what-if asks about.
class Comparison {
public:
  Comparison(const Assessment& before, const Assessment& after, const RuleDraft& draft, std::uint32_t sample)
      : before_(before), after_(after), drafted_(!draft.empty()), release_(draft.releaseHold != 0), sample_(sample) {}

  void look(const ArchivedMessage& message) {
    const bool stays = release_ && freeAt(after_, message) == records::Never;
    forEachDate(message, [&](const Reference& reference, const Due& then, const Due& now) {
      ++total_;
      compare(message, reference, then, now);
      if (!release_)
        count(message, reference, now);
      else if (stays)
        ++held_;
      else if (now.at == records::Never)
        ++never_;
      else if (now.at < then.at)
        addDue(message, reference, now);
    });
  }

  // The dates of each live reference without the draft and with it. For a release it is the date at which rules and
  // holds together let it go: that is what becomes due, and when.
  template <class Show>
  void forEachDate(const ArchivedMessage& message, Show show) const {
    const auto heldBefore = release_ ? freeAt(before_, message) : records::Earliest;
    const auto heldAfter = release_ ? freeAt(after_, message) : records::Earliest;
    for (const auto& reference : message.references) {
      if (reference.removedAt) continue;
      auto now = after_.due(message, reference);
      auto then = drafted_ && !release_ ? before_.due(message, reference) : now;
      then.at = std::max(then.at, heldBefore);
      now.at = std::max(now.at, heldAfter);
      show(reference, then, now);
    }
  }

  json result() const {
    json due = json::array();
    for (const auto& [where, number] : due_)
      due.push_back({{"list", after_.listAddress(where.first)}, {"month", monthText(where.second)}, {"count", number}});
    return {{"at", toMicros(after_.at())}, {"total", total_},        {"becomesDue", becomesDue_},
            {"becomesEarlier", earlier_},  {"becomesLater", later_}, {"unchanged", unchanged_},
            {"neverDue", never_},          {"held", held_},          {"unsent", unsent_},
            {"reviews", reviews_},         {"due", std::move(due)},  {"earlier", earlierItems_},
            {"sample", sampleItems_}};
  }

private:
  // Until when holds keep it; Earliest: none does.
  static TimePoint freeAt(const Assessment& assessment, const ArchivedMessage& message) {
    auto latest = records::Earliest;
    for (const auto& [hold, until] : assessment.heldBy(message)) latest = std::max(latest, until);
    return latest;
  }

  json item(const ArchivedMessage& message, const Reference& reference) const {
    return {{"object", std::to_string(message.object.id)},
            {"list", after_.listAddress(reference.listId)},
            {"receivedAt", toMicros(message.object.receivedAt)}};
  }

  void compare(const ArchivedMessage& message, const Reference& reference, const Due& then, const Due& now) {
    if (now.at == then.at) {
      ++unchanged_;
    } else if (now.at > then.at) {
      ++later_;
    } else {
      ++earlier_;
      if (earlierItems_.size() >= sample_) return;
      auto one = item(message, reference);
      one["before"] = timeOrNever(then.at);
      one["after"] = timeOrNever(now.at);
      earlierItems_.push_back(std::move(one));
    }
  }

  void count(const ArchivedMessage& message, const Reference& reference, const Due& now) {
    switch (after_.standing(message, now)) {
      case Standing::NotDue:
        return;
      case Standing::NeverDue:
        ++never_;
        return;
      case Standing::Held:
        ++held_;
        return;
      case Standing::Unsent:
        ++unsent_;
        return;
      case Standing::Review:
        ++reviews_;
        return;
      case Standing::Due:
        break;
    }
    addDue(message, reference, now);
  }

  void addDue(const ArchivedMessage& message, const Reference& reference, const Due& now) {
    ++becomesDue_;
    ++due_[{reference.listId, monthOf(now.at)}];
    if (sampleItems_.size() >= sample_) return;
    auto one = item(message, reference);
    one["dueAt"] = timeOrNever(now.at);
    one["action"] = records::actionWord(now.action);
    sampleItems_.push_back(std::move(one));
  }

  const Assessment& before_;
  const Assessment& after_;
  const bool drafted_;
  const bool release_;
  const std::uint32_t sample_;
  std::uint64_t total_ = 0, becomesDue_ = 0, earlier_ = 0, later_ = 0, unchanged_ = 0, never_ = 0, held_ = 0;
  std::uint64_t unsent_ = 0, reviews_ = 0;
  std::map<std::pair<std::uint64_t, int>, std::uint64_t> due_;
  json earlierItems_ = json::array();
  json sampleItems_ = json::array();
};

bool isShownHeld(const Assessment& assessment, const ArchivedMessage& message, const WhatIfQuestion& question) {
  if (question.silentToo) return assessment.held(message);
  const auto holds = assessment.heldBy(message);
  return std::any_of(holds.begin(), holds.end(), [](const auto& one) { return !one.first->silent; });
}

}  // namespace

Scan scanArchive(SiteContext& context, const ContentAnswers* answers, TimePoint at) {
  return context.site.read([&](SiteTables& tables) {
    Assessment assessment(tables, at);
    prepare(assessment, answers);
    Scan scan;
    tables.archive.scan([&](const ArchivedMessage& message) {
      ++scan.objects;
      for (const auto& reference : message.references) {
        if (reference.removedAt) continue;
        const auto due = assessment.due(message, reference);
        const auto standing = assessment.standing(message, due);
        const Scan::Candidate candidate{message.object.id, reference.listId, due.byPerson, message.object.receivedAt};
        if (standing == Standing::Due)
          scan.due.push_back(candidate);
        else if (standing == Standing::Review)
          scan.reviews.push_back(candidate);
        else if (standing == Standing::Held || standing == Standing::Unsent)
          ++scan.kept[standingWord(standing)];
      }
    });
    return scan;
  });
}

json whatIf(SiteContext& context, const ContentAnswers* answers, const WhatIfQuestion& question) {
  const auto start = std::chrono::steady_clock::now();
  auto result = context.site.read([&](SiteTables& tables) {
    Assessment before(tables, question.at);
    Assessment after(tables, question.at, question.draft);
    prepare(before, answers);
    prepare(after, answers);
    Comparison comparison(before, after, question.draft, question.sample);
    tables.archive.scan([&](const ArchivedMessage& message) { comparison.look(message); });
    return comparison.result();
  });
  result["tookMicros"] =
      std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - start).count();
  return result;
}

std::string whatIfCsv(const json& result) {
  std::string csv = "list,month,messages\r\n";
  for (const auto& row : result.at("due"))
    csv += row.at("list").get<std::string>() + "," + row.at("month").get<std::string>() + "," +
           std::to_string(row.at("count").get<std::uint64_t>()) + "\r\n";
  return csv + "\r\nobject,list,received,before,after,action,held\r\n";
}

WhatIfRows whatIfRows(SiteContext& context, const ContentAnswers* answers, const WhatIfQuestion& question,
                      std::optional<std::uint64_t> after, std::uint32_t limit) {
  const auto cell = [](TimePoint time) { return time == records::Never ? std::string("never") : formatRfc3339(time); };
  return context.site.read([&](SiteTables& tables) {
    Assessment without(tables, question.at);
    Assessment with(tables, question.at, question.draft);
    prepare(without, answers);
    prepare(with, answers);
    WhatIfRows rows;
    const Comparison comparison(without, with, question.draft, 0);
    rows.next = tables.archive.scanPage(after, limit, [&](const ArchivedMessage& message) {
      comparison.forEachDate(message, [&](const Reference& reference, const Due& then, const Due& now) {
        if (now.at == then.at && now.at > question.at) return;
        rows.csv += csvLine({std::to_string(message.object.id), with.listAddress(reference.listId),
                             formatRfc3339(message.object.receivedAt), cell(then.at), cell(now.at),
                             records::actionWord(now.action), isShownHeld(with, message, question) ? "yes" : "no"});
      });
    });
    return rows;
  });
}

json forecast(const json& counts, TimePoint now, std::uint32_t months) {
  const auto first = monthOf(now);
  json items = json::array();
  const auto& known = counts.at("months");
  for (std::uint32_t i = 0; i < months; ++i) {
    const auto month = monthText(first + static_cast<int>(i));
    const auto found = known.find(month);
    items.push_back({{"month", month},
                     {"due", found == known.end() ? json(0) : found->at(0)},
                     {"reviews", found == known.end() ? json(0) : found->at(1)}});
  }
  json view{{"asOf", counts.at("asOf")}, {"items", std::move(items)}};
  for (const auto* name : {"neverDue", "noRule", "held"}) view[name] = counts.at(name);
  return view;
}

}  // namespace postern::listd
