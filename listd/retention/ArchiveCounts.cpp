#include "listd/retention/ArchiveCounts.h"

#include "core/crypto/Digest.h"
#include "core/crypto/Encoding.h"
#include "listd/orders/OrderTools.h"
#include "listd/retention/Retention.h"

namespace postern::listd {

using nlohmann::json;

namespace {

constexpr std::chrono::hours CountInterval{1};
constexpr std::size_t VersionDigits = 16;

bool isStale(const std::optional<CountedArchive>& counted, const std::string& policy, TimePoint now) {
  if (!counted || counted->policy != policy || now < counted->asOf) return true;
  const auto dayOf = [](TimePoint time) { return std::chrono::floor<std::chrono::days>(time); };
  return dayOf(counted->asOf) != dayOf(now) || now - counted->asOf >= CountInterval;
}

class Counter {
public:
  Counter(const Assessment& assessment, TimePoint now) : assessment_(assessment), first_(monthOf(now)) {}

  void look(const ArchivedMessage& message) {
    const bool held = assessment_.held(message);
    for (const auto& reference : message.references) {
      if (reference.removedAt) continue;
      assessment_.forEachMatch(message, reference, [&](const records::Rule& rule) { ++matched_[rule.id]; });
      const auto due = assessment_.due(message, reference);
      if (held) ++held_;
      if (due.at == records::Never) {
        ++never_;
        if (due.dates.decidingRule == 0) ++noRule_;
        continue;
      }
      auto& month = months_[std::max(monthOf(due.at), first_)];
      ++(due.action == records::Action::Review ? month.second : month.first);
    }
  }

  json result() const {
    json matched = json::object();
    for (const auto& rule : assessment_.rules()) matched[std::to_string(rule.id)] = 0;
    for (const auto& [rule, count] : matched_) matched[std::to_string(rule)] = count;
    json months = json::object();
    for (const auto& [month, counts] : months_) months[monthText(month)] = {counts.first, counts.second};
    return {{"asOf", toMicros(assessment_.at())},
            {"matched", std::move(matched)},
            {"months", std::move(months)},
            {"neverDue", never_},
            {"noRule", noRule_},
            {"held", held_}};
  }

private:
  const Assessment& assessment_;
  const int first_;
  std::map<std::uint64_t, std::uint64_t> matched_;
  std::map<int, std::pair<std::uint64_t, std::uint64_t>> months_;
  std::uint64_t never_ = 0, noRule_ = 0, held_ = 0;
};

}  // namespace

std::string policyVersion(SiteTables& tables, TimePoint at) {
  json rules = json::array();
  for (const auto& rule : tables.rules.inForce(at)) rules.push_back({rule.id, rule.version});
  return crypto::hex(crypto::sha256(rules.dump())).substr(0, VersionDigits);
}

void notePolicyVersion(SiteTables& tables, TimePoint now) {
  tables.audit.setPolicyVersion(policyVersion(tables, now));
}

json countArchive(SiteContext& context, const ContentAnswers* answers, TimePoint now) {
  return context.site.read([&](SiteTables& tables) {
    Assessment assessment(tables, now);
    try {  // the boundary of the index: while it cannot answer, nothing is computable
      assessment.answerWith(indexTruth(answers, assessment.queries()));
    } catch (const std::exception&) {
      assessment.answerWith({});
    }
    Counter counter(assessment, now);
    tables.archive.scan([&](const ArchivedMessage& message) { counter.look(message); });
    return counter.result();
  });
}

void lookAfterCounts(OrderTools& tools, TimePoint now) {
  if (tools.retention == nullptr) return;
  auto& site = tools.context.site;
  std::string policy;
  const auto [noted, stale] = site.read([&](SiteTables& tables) {
    policy = policyVersion(tables, now);
    return std::pair(tables.audit.policyVersion() == policy, isStale(tables.retention.counted(), policy, now));
  });
  if (!noted) site.write([&](SiteTables& tables) { notePolicyVersion(tables, now); });
  if (!stale) return;
  const auto counts = countArchive(tools.context, tools.retention->answers(), now);
  site.write([&](SiteTables& tables) { tables.retention.setCounted({now, policy, counts}); });
}

// Months since year 0: cheap to count by.
int monthOf(TimePoint time) {
  const std::chrono::year_month_day date(std::chrono::floor<std::chrono::days>(time));
  return static_cast<int>(date.year()) * 12 + static_cast<int>(static_cast<unsigned>(date.month())) - 1;
}

std::string monthText(int month) {
  const auto number = month % 12 + 1;
  return std::to_string(month / 12) + (number < 10 ? "-0" : "-") + std::to_string(number);
}

}  // namespace postern::listd
