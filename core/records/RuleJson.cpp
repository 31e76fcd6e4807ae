#include "core/mail/Text.h"
#include "core/records/Rule.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

namespace postern::records {

namespace {

using nlohmann::json;
using Wrong = std::optional<std::string>;

constexpr std::array TierWords = {"default", "scoped", "label", "floor"};
constexpr std::array EffectWords = {"retain", "delete", "both"};
constexpr std::array ActionWords = {"review", "anonymise", "purge", "shred"};

Wrong readText(const std::string& field, const json& value, std::size_t longest, std::string& into) {
  if (!value.is_string()) return field + ": must be a text";
  const auto text = mail::trim(value.get_ref<const std::string&>());
  if (text.empty()) return field + ": is empty";
  if (text.size() > longest) return field + ": is longer than " + std::to_string(longest) + " bytes";
  if (!mail::isUtf8(text) || mail::hasControl(text)) return field + ": holds characters that cannot be printed";
  into = text;
  return std::nullopt;
}

template <class Enum, std::size_t Count>
Wrong readWord(const std::string& field, const json& value, const std::array<const char*, Count>& words, Enum& into) {
  std::string choices;
  for (std::size_t i = 0; i < Count; ++i) {
    if (value.is_string() && value.get_ref<const std::string&>() == words[i]) {
      into = static_cast<Enum>(i);
      return std::nullopt;
    }
    choices += (i == 0 ? "" : i + 1 == Count ? " or " : ", ") + std::string(words[i]);
  }
  return field + ": must be " + choices;
}

Wrong readFlag(const std::string& field, const json& value, bool& into) {
  if (!value.is_boolean()) return field + ": must be true or false";
  into = value.get<bool>();
  return std::nullopt;
}

Wrong readPeriod(const json& value, Period& into) {
  if (!value.is_string()) return "period: must be a text";
  auto period = Period::parse(value.get_ref<const std::string&>());
  if (!period) return "period: " + period.error();
  into = *period;
  return std::nullopt;
}

Wrong readStart(const json& value, std::string& into) {
  if (auto error = readText("start", value, 64, into)) return error;
  const bool good = std::all_of(into.begin(), into.end(),
                                [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; });
  if (!good) return "start: must be \"received\" or an event's name: small letters, digits and \"-\"";
  return std::nullopt;
}

Wrong readScope(const json& value, Predicate& into) {
  auto scope = Predicate::parse(value);
  if (!scope) return "scope: " + scope.error();
  into = *std::move(scope);
  return std::nullopt;
}

Wrong readId(const json& value, std::uint64_t& into) {
  const bool whole = value.is_number_unsigned() || (value.is_number_integer() && value.get<std::int64_t>() >= 0);
  if (!whole) return "id: must be a whole number";
  into = value.get<std::uint64_t>();
  return std::nullopt;
}

Wrong readField(const std::string& name, const json& value, Rule& rule) {
  if (name == "id") return readId(value, rule.id);
  if (name == "name") return readText(name, value, 200, rule.name);
  if (name == "tier") return readWord(name, value, TierWords, rule.tier);
  if (name == "effect") return readWord(name, value, EffectWords, rule.effect);
  if (name == "period") return readPeriod(value, rule.period);
  if (name == "start") return readStart(value, rule.start);
  if (name == "action") return readWord(name, value, ActionWords, rule.action);
  if (name == "scope") return readScope(value, rule.scope);
  if (name == "enabled") return readFlag(name, value, rule.enabled);
  if (name == "locked") return readFlag(name, value, rule.locked);
  return "\"" + std::string(mail::cutUtf8(mail::repairUtf8(name), 80)) + "\" is not known";
}

}  // namespace

const char* tierWord(Tier tier) {
  return TierWords[static_cast<std::size_t>(tier)];
}
const char* effectWord(Effect effect) {
  return EffectWords[static_cast<std::size_t>(effect)];
}
const char* actionWord(Action action) {
  return ActionWords[static_cast<std::size_t>(action)];
}

Result<Rule, std::string> Rule::parse(const nlohmann::json& value) {
  if (!value.is_object()) return Unexpected<std::string>("a rule must be an object");
  Rule rule;
  for (const auto* field : {"name", "tier", "effect", "period"})
    if (!value.contains(field)) return Unexpected<std::string>(std::string(field) + ": is missing");
  for (const auto& [name, field] : value.items())
    if (auto error = readField(name, field, rule)) return Unexpected<std::string>(*std::move(error));
  if (rule.tier == Tier::Floor && rule.effect != Effect::Retain)
    return Unexpected<std::string>("effect: a floor only retains");
  if (rule.locked && rule.tier != Tier::Floor) return Unexpected<std::string>("locked: only a floor can be locked");
  if (rule.locked && !rule.enabled) return Unexpected<std::string>("enabled: a locked floor cannot be switched off");
  if (rule.effect == Effect::Delete && rule.period.unit == Period::Unit::Forever)
    return Unexpected<std::string>("period: what is deleted needs an end; \"forever\" has none");
  return rule;
}

nlohmann::json Rule::json() const {
  nlohmann::json value = {
      {"name", name},    {"tier", tierWord(tier)},       {"effect", effectWord(effect)}, {"period", period.text()},
      {"start", start},  {"action", actionWord(action)}, {"scope", scope.json()},        {"enabled", enabled},
      {"locked", locked}};
  if (id != 0) value["id"] = id;
  return value;
}

}  // namespace postern::records
