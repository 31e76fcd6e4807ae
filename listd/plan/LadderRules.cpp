#include "listd/plan/LadderRules.h"

#include <algorithm>

namespace postern::listd {

using app::Protection;

std::optional<Protection> parseProtection(std::string_view word) {
  for (const auto protection :
       {Protection::None, Protection::Tls, Protection::Pickup, Protection::OpenPgp, Protection::Smime})
    if (word == app::protectionName(protection)) return protection;
  return std::nullopt;
}

std::optional<std::vector<Protection>> parseRungs(std::string_view words) {
  std::vector<Protection> rungs;
  while (!words.empty()) {
    const auto comma = words.find(',');
    const auto rung = parseProtection(words.substr(0, comma));
    if (!rung || *rung == Protection::None || std::find(rungs.begin(), rungs.end(), *rung) != rungs.end())
      return std::nullopt;
    rungs.push_back(*rung);
    if (comma == std::string_view::npos) break;
    words.remove_prefix(comma + 1);
    if (words.empty()) return std::nullopt;
  }
  return rungs;
}

std::string rungWords(std::span<const Protection> rungs) {
  std::string words;
  for (const auto rung : rungs) words.append(words.empty() ? "" : ",").append(app::protectionName(rung));
  return words;
}

std::vector<Protection> rungsByClass(std::string_view sensitivity) {
  if (sensitivity == "low" || sensitivity == "moderate")
    return {Protection::Smime, Protection::OpenPgp, Protection::Tls, Protection::Pickup};
  return {Protection::Smime, Protection::OpenPgp, Protection::Pickup};
}

namespace {

const std::vector<Protection>& domainRungs(const DomainProtection& domain, std::string_view sensitivity) {
  if (sensitivity == "low") return domain.low;
  return sensitivity == "moderate" ? domain.moderate : domain.high;
}

}  // namespace

LadderRules rulesFor(bool secure, const ListProtection& list, const DomainProtection& domain,
                     std::string_view sensitivity) {
  LadderRules rules;
  rules.secure = secure;
  rules.mailPlan = list.mailPlan;
  rules.planOnWish = list.planOnWish;
  if (!secure) {
    rules.floor = Protection::None;
    return rules;
  }
  rules.floor =
      std::max({Protection::Tls, list.floor.value_or(Protection::Tls), domain.floor.value_or(Protection::Tls)});
  rules.rungs = list.rungs;
  if (rules.rungs.empty()) rules.rungs = domainRungs(domain, sensitivity);
  if (rules.rungs.empty()) rules.rungs = rungsByClass(sensitivity);
  rules.tlsWithin = list.tlsWithin.value_or(domain.tlsWithin.value_or(rules.tlsWithin));
  rules.freshKeys = list.freshKeys;
  return rules;
}

LadderRules strengthened(LadderRules rules, std::optional<Protection> floor) {
  if (rules.secure && floor) rules.floor = std::max(rules.floor, *floor);
  return rules;
}

}  // namespace postern::listd
