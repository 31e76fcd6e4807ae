#include "listd/plan/PlanPreview.h"

#include <algorithm>
#include <map>
#include <utility>

namespace postern::listd {
namespace {

void addGroup(PlanPreview& plan, std::string protection, std::string reason, std::uint64_t members) {
  plan.total += members;
  if (protection != "withheld") plan.ready += members;
  plan.groups.push_back({std::move(protection), std::move(reason), members});
}

void fromCounts(PlanPreview& plan, const SiteTables& tables, const List& list, const PlanQuestion& question) {
  for (const auto& count : tables.members.counts(list.id))
    if (count.standing != "disabled") addGroup(plan, count.protection, count.reason, count.members);
  if (question.protection.empty()) return;
  for (const auto& member :
       tables.members.planPage(list.id, question.protection, question.reason, question.after, question.limit))
    plan.members.push_back({member.address, member.name, member.protection, member.reason});
}

// Keeps the first `limit` addresses that it is shown.
class Page {
public:
  explicit Page(const PlanQuestion& question) : question_(question) {}

  void show(std::string_view address, const std::string& protection, const std::string& reason) {
    if (protection != question_.protection || address <= question_.after) return;
    if (!question_.reason.empty() && reason != question_.reason) return;
    shown_.emplace(address, reason);
    if (shown_.size() > question_.limit) shown_.erase(std::prev(shown_.end()));
  }
  const std::map<std::string, std::string, std::less<>>& shown() const { return shown_; }

private:
  const PlanQuestion& question_;
  std::map<std::string, std::string, std::less<>> shown_;  // reason by address
};

void fromScan(PlanPreview& plan, const SiteTables& tables, const List& list, const PlanQuestion& question,
              TimePoint now) {
  const KnownDomains domains(tables.domainTls);
  std::map<std::pair<std::string, std::string>, std::uint64_t> counts;
  Page page(question);
  tables.members.forEachEnabled(list.id, [&](const MemberWithKeys& member) {
    MemberFacts facts{member.keys, member.wish};
    domains.describe(member.address, facts);
    const auto decision = decide(plan.rules, facts, now);
    const std::string protection = protectionWord(decision);
    const std::string reason = reasonWord(decision.reason);
    page.show(member.address, protection, reason);
    ++counts[{protection, reason}];
  });
  for (const auto& [key, count] : counts) addGroup(plan, key.first, key.second, count);
  for (const auto& [address, reason] : page.shown()) {
    const auto member = tables.members.find(list.id, address);
    plan.members.push_back({address, member ? member->name : std::string(), question.protection, reason});
  }
}

}  // namespace

std::uint64_t PlanPreview::percent() const {
  return total == 0 ? 100 : ready * 100 / total;
}

std::uint64_t PlanPreview::bytes(std::uint64_t postSize) const {
  constexpr std::uint64_t Head = 3000;              // headers, signature, certificate
  const auto sealed = postSize + postSize / 8 * 3;  // base64 in lines
  std::uint64_t sum = 0;
  for (const auto& group : groups) {
    if (group.protection == "smime" || group.protection == "openpgp") sum += group.members * (sealed + Head);
    if (group.protection == "tls" || group.protection == "none") sum += group.members * (postSize + Head);
    if (group.protection == "pickup" || group.protection == "withheld") sum += group.members * Head;
  }
  return sum;
}

PlanPreview previewPlan(const SiteTables& tables, const List& list, const PlanQuestion& question, TimePoint now) {
  PlanPreview plan;
  plan.sensitivity = question.sensitivity.empty() ? list.sensitivity : question.sensitivity;
  plan.rules = rulesOf(tables, list, plan.sensitivity);
  if (plan.sensitivity == list.sensitivity || !list.secure)
    fromCounts(plan, tables, list, question);
  else
    fromScan(plan, tables, list, question, now);
  return plan;
}

}  // namespace postern::listd
