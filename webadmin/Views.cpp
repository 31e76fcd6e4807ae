#include "webadmin/Views.h"

#include "webadmin/Chart.h"
#include "webadmin/Http.h"
#include "webadmin/Words.h"

namespace postern::webadmin::views {

namespace {
const json NothingThere = json::object();
}

std::string text(const json& object, std::string_view field) {
  if (!object.is_object()) return {};
  const auto found = object.find(field);
  if (found == object.end() || found->is_null()) return {};
  return found->is_string() ? found->get<std::string>() : found->dump();
}

std::uint64_t number(const json& object, std::string_view field) {
  if (!object.is_object()) return 0;
  const auto found = object.find(field);
  if (found == object.end() || !found->is_number()) return 0;
  const auto value = found->get<std::int64_t>();
  return value < 0 ? 0 : static_cast<std::uint64_t>(value);
}

bool flag(const json& object, std::string_view field) {
  const auto found = object.is_object() ? object.find(field) : object.end();
  return found != object.end() && found->is_boolean() && found->get<bool>();
}

const json& part(const json& object, std::string_view field) {
  if (!object.is_object()) return NothingThere;
  const auto found = object.find(field);
  return found == object.end() || !found->is_structured() ? NothingThere : *found;
}

json time(TimePoint at, TimePoint now) {
  auto relative = words::relative(at, now);
  const auto day = words::day(at);
  return {{"absolute", words::time(at)},
          {"iso", formatRfc3339(at)},
          {"day", day},
          {"clock", words::time(at).substr(11)},
          {"near", relative == day ? "" : relative},  // for where the date stands beside it
          {"relative", std::move(relative)}};
}

json time(const json& object, std::string_view field, TimePoint now) {
  const auto micros = number(object, field);
  if (micros == 0) return nullptr;
  return time(fromMicros(static_cast<std::int64_t>(micros)), now);
}

json badge(std::string_view stateWord) {
  return {{"text", words::state(stateWord)}, {"tone", words::toneOf(stateWord)}};
}

std::string listPath(std::string_view address) {
  return "/lists/" + percentEncode(address);
}

std::string memberPath(std::string_view list, std::string_view address) {
  return listPath(list) + "/members/" + percentEncode(address);
}

std::string postPath(std::string_view id) {
  return "/posts/" + percentEncode(id);
}

json protectionBar(const std::vector<std::pair<std::string, std::uint64_t>>& counts) {
  std::vector<std::uint64_t> numbers;
  std::uint64_t total = 0;
  for (const auto& [name, count] : counts) {
    numbers.push_back(count);
    total += count;
  }
  const auto bar = layBar(numbers);
  json parts = json::array();
  for (std::size_t i = 0; i < counts.size(); ++i) {
    if (counts[i].second == 0) continue;
    parts.push_back({{"name", counts[i].first},
                     {"title", words::protection(counts[i].first)},
                     {"count", words::count(counts[i].second)},
                     {"x", bar[i].x},
                     {"width", bar[i].width}});
  }
  return {{"total", words::count(total)}, {"parts", parts}, {"empty", total == 0}};
}

json listSummary(const json& list, TimePoint now) {
  const auto address = text(list, "address");
  const auto& readiness = part(list, "readiness");
  const bool secure = flag(list, "secure");
  const auto ready = number(readiness, "ready"), withheld = number(readiness, "withheld");
  const auto& certificate = part(list, "signingCertificate");
  return {
      {"address", address},
      {"name", text(list, "name")},
      {"description", text(list, "description")},
      {"path", listPath(address)},
      {"secure", secure},
      {"closed", text(list, "state") == "closed"},
      {"members", words::count(number(list, "members"))},
      {"noMembers", number(list, "members") == 0},
      {"ready", words::count(ready)},
      {"withheld", words::count(withheld)},
      {"hasWithheld", secure && withheld > 0},
      {"bar", protectionBar({{secure ? "smime" : "none", ready}, {"withheld", withheld}})},
      {"class", words::listClass(text(list, "class"))},
      {"posting", words::posting(text(list, "posting"))},
      {"createdAt", time(list, "createdAt", now)},
      {"certificate", certificate.empty() ? json(nullptr)
                                          : json{{"fingerprint", words::fingerprint(text(certificate, "fingerprint"))},
                                                 {"notAfter", time(certificate, "notAfterAt", now)}}}};
}

json options(const std::string& chosen, std::initializer_list<std::pair<const char*, std::string>> all) {
  json list = json::array();
  for (const auto& [value, label] : all)
    list.push_back({{"value", value}, {"label", label}, {"chosen", chosen == value}});
  return list;
}

json classOptions(const std::string& chosen) {
  return options(chosen, {{"high", words::listClass("high")},
                          {"moderate", words::listClass("moderate")},
                          {"low", words::listClass("low")}});
}

json postRow(const json& post, TimePoint now) {
  const auto id = text(post, "id");
  return {{"id", id},
          {"path", postPath(id)},
          {"list", text(post, "list")},
          {"listPath", listPath(text(post, "list"))},
          {"messageId", text(post, "messageId")},
          {"queueId", text(post, "queueId")},
          {"receivedAt", time(post, "receivedAt", now)},
          {"size", words::size(number(post, "size"))},
          {"recipients", words::count(number(post, "recipients"))},
          {"delivered", words::count(number(post, "delivered"))},
          {"deferred", words::count(number(post, "deferred"))},
          {"failed", words::count(number(post, "failed"))},
          {"hasFailed", number(post, "failed") > 0},
          {"withheld", words::count(number(post, "withheld"))},
          {"hasWithheld", number(post, "withheld") > 0}};
}

json refusal(const std::string& message, const std::string& hint) {
  return {{"message", words::sentence(message)}, {"hint", words::sentence(hint)}};
}

json refusal(const app::OrderRefused& refused) {
  const auto& error = refused.error();
  for (const auto* code : {"broken", "unavailable", "step-up", "signed-out"})
    if (error.code == code) throw refused;
  return refusal(error.message, error.hint);
}

std::string csvLine(const std::vector<std::string>& cells) {
  std::string line;
  for (const auto& cell : cells) {
    if (!line.empty() || &cell != &cells.front()) line += ',';
    std::string value = cell;
    if (!value.empty() && std::string_view("=+-@\t\r").find(value.front()) != std::string_view::npos)
      value.insert(0, "'");
    line += '"';
    for (const char c : value) line += c == '"' ? "\"\"" : std::string(1, c);
    line += '"';
  }
  return line + "\r\n";
}

}  // namespace postern::webadmin::views
