#include "core/records/Disposition.h"

#include <nlohmann/json.hpp>

namespace postern::records {

namespace {

using nlohmann::json;

const char* truthWord(Truth truth) {
  return truth == Truth::True ? "yes" : truth == Truth::False ? "no" : "unknown";
}

// "(2025-01-10 + 6 years)", "(for ever)", "(list-closed has not happened yet)".
std::string sumWords(const Line& line) {
  if (line.period.unit == Period::Unit::Forever) return "(for ever)";
  if (!line.start) return "(" + line.startEvent + " has not happened yet, then + " + line.period.text() + ")";
  return "(" + dayText(*line.start) + " + " + line.period.text() + ")";
}

std::string keptWords(const Line& line) {
  return line.retainEnd == Never ? "kept without an end" : "kept until " + dayText(line.retainEnd);
}

std::string dueWords(const Line& line) {
  return line.deleteEnd == Never ? "no end of life" : "end of life " + dayText(line.deleteEnd);
}

std::string ruleName(const Line& line) {
  return std::string(tierWord(line.tier)) + " '" + line.name + "'";
}

// "be destroyed", after "will" or "would".
const char* fateWords(Action action) {
  switch (action) {
    case Action::Review:
      return "be put up for review";
    case Action::Anonymise:
      return "be made anonymous";
    case Action::Purge:
      return "be destroyed";
    case Action::Shred:
      return "have its key destroyed";
  }
  return "";
}

std::string verdict(const Disposition& disposition, TimePoint now, TimePoint heldUntil) {
  if (heldUntil == Never) return "Held";
  if (disposition.disposeAt == Never)
    return disposition.decidingRule == 0 ? "Kept: no rule ends its life" : "Kept: no date for its end yet";
  const auto at = std::max(disposition.disposeAt, heldUntil);
  const std::string fate = fateWords(disposition.action);
  return now >= at ? "Due to " + fate + " since " + dayText(at) : "Will " + fate + " " + dayText(at);
}

}  // namespace

std::string Line::sentence() const {
  std::string text = ruleName(*this) + ": ";
  const bool keeps = effect != Effect::Delete;
  const bool ends = effect != Effect::Retain && tier != Tier::Floor;
  if (keeps) text += switchedOff ? "its keeping is replaced by a complete rule" : keptWords(*this);
  if (ends && match == Truth::True) text += (keeps ? ", " : "") + dueWords(*this);
  if (ends && match == Truth::Unknown) text += std::string(keeps ? ", " : "") + "not counted for deletion";
  text += " " + sumWords(*this);
  if (match == Truth::Unknown) text += ", not certain that it applies";
  return text;
}

std::string explainSentence(const Disposition& disposition, TimePoint now, TimePoint heldUntil) {
  std::vector<std::string> reasons;
  if (heldUntil == Never) reasons.push_back("a legal hold keeps it until it is released");
  if (heldUntil != Never && heldUntil > now) reasons.push_back("a legal hold keeps it until " + dayText(heldUntil));
  for (const auto& line : disposition.lines)
    if (line.decidesRetain) reasons.push_back(keptWords(line) + " by " + ruleName(line) + " " + sumWords(line));
  for (const auto& line : disposition.lines)
    if (line.decidesDelete) reasons.push_back(dueWords(line) + " by " + ruleName(line) + " " + sumWords(line));
  if (disposition.latestAt != disposition.disposeAt)
    reasons.push_back("a rule that could not be evaluated may keep it longer");
  std::string text = verdict(disposition, now, heldUntil);
  for (std::size_t i = 0; i < reasons.size(); ++i) text += (i == 0 ? ": " : "; ") + reasons[i];
  return text + ".";
}

json timeJson(TimePoint time) {
  if (time == Never) return "never";
  return time == Earliest ? json(nullptr) : json(toMicros(time));
}

json dispositionJson(const Disposition& disposition, TimePoint now) {
  json lines = json::array();
  for (const auto& line : disposition.lines)
    lines.push_back({{"rule", line.ruleId},
                     {"version", line.version},
                     {"name", line.name},
                     {"tier", tierWord(line.tier)},
                     {"effect", effectWord(line.effect)},
                     {"action", actionWord(line.action)},
                     {"period", line.period.text()},
                     {"start", line.startEvent},
                     {"startAt", line.start ? timeJson(*line.start) : json(nullptr)},
                     {"retainEnd", timeJson(line.retainEnd)},
                     {"deleteEnd", timeJson(line.deleteEnd)},
                     {"match", truthWord(line.match)},
                     {"switchedOff", line.switchedOff},
                     {"decidesRetain", line.decidesRetain},
                     {"decidesDelete", line.decidesDelete},
                     {"sentence", line.sentence()}});
  return {{"retainUntil", timeJson(disposition.retainUntil)},
          {"deleteAt", timeJson(disposition.deleteAt)},
          {"disposeAt", timeJson(disposition.disposeAt)},
          {"latestAt", timeJson(disposition.latestAt)},
          {"action", actionWord(disposition.action)},
          {"due", disposition.isDue(now)},
          {"lines", std::move(lines)}};
}

}  // namespace postern::records
