#include "webadmin/RecordViews.h"

#include "webadmin/RecordWords.h"
#include "webadmin/Views.h"
#include "webadmin/Words.h"

#include <charconv>
#include <ctime>

namespace postern::webadmin::views {

namespace {

constexpr std::int64_t EndOfTime = 253'402'300'800'000'000;  // the year 10000

constexpr std::array ValueFields = {"lists",      "listClasses", "domains", "senders",
                                    "recipients", "addresses",   "classes", "labels"};
constexpr std::array TextFields = {"from", "until", "query"};
constexpr std::array ScopeFields = {"lists",  "listClasses", "domains", "senders", "recipients", "addresses", "classes",
                                    "labels", "headers",     "minSize", "maxSize", "from",       "until",     "query"};

[[noreturn]] void refuse(const std::string& message, const std::string& hint) {
  throw app::OrderRefused({"invalid", message, hint});
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && static_cast<unsigned char>(text.front()) <= ' ') text.remove_prefix(1);
  while (!text.empty() && static_cast<unsigned char>(text.back()) <= ' ') text.remove_suffix(1);
  return text;
}

// "500", "20k", "5M": bytes, with the units of the search box.
std::uint64_t sizeOf(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const auto unit = std::string_view(end, static_cast<std::size_t>(text.data() + text.size() - end));
  constexpr std::uint64_t Largest = 1'000'000'000'000;
  if (error != std::errc{} || value > Largest)
    refuse("“" + std::string(text) + "” is not a size.", "Write 500, 20k or 5M.");
  if (unit.empty()) return value;
  if (unit == "k" || unit == "K" || unit == "kB") return value * 1024;
  if (unit == "M" || unit == "MB") return value * 1024 * 1024;
  refuse("“" + std::string(text) + "” is not a size.", "Write 500, 20k or 5M.");
}

json headersOf(const std::string& text) {
  json headers = json::array();
  std::size_t start = 0;
  while (start <= text.size()) {
    auto end = text.find('\n', start);
    if (end == std::string::npos) end = text.size();
    const auto line = trimmed(std::string_view(text).substr(start, end - start));
    start = end + 1;
    if (line.empty()) continue;
    const auto colon = line.find(':');
    if (colon == line.npos || colon == 0)
      refuse("“" + std::string(line) + "” is not a header line.",
             "Write the name, a colon and the words: X-Record: clinical");
    headers.push_back({{"name", std::string(trimmed(line.substr(0, colon)))},
                       {"contains", std::string(trimmed(line.substr(colon + 1)))}});
  }
  return headers;
}

std::string joined(const json& values) {
  std::string text;
  for (const auto& value : values)
    text += (text.empty() ? "" : ", ") + (value.is_string() ? value.get<std::string>() : value.dump());
  return text;
}

std::string shown(const json& value) {
  if (value.is_null()) return {};
  if (value.is_boolean()) return value.get<bool>() ? "yes" : "no";
  if (value.is_string()) return value.get<std::string>();
  if (value.is_array()) {
    const bool plain = std::none_of(value.begin(), value.end(), [](const json& one) { return one.is_structured(); });
    if (!plain) return value.dump();
    auto sorted = value;  // the order of lists and addresses says nothing
    std::sort(sorted.begin(), sorted.end());
    return joined(sorted);
  }
  return value.dump();
}

void flatten(const json& value, const std::string& path, std::map<std::string, std::string>& into) {
  if (!value.is_object()) {
    if (!value.is_null()) into[path] = shown(value);
    return;
  }
  for (const auto& [key, item] : value.items()) flatten(item, path.empty() ? key : path + "." + key, into);
}

json choices(const std::string& chosen, std::initializer_list<std::pair<const char*, const char*>> all) {
  json list = json::array();
  for (const auto& [value, label] : all)
    list.push_back({{"value", value}, {"label", label}, {"chosen", chosen == value}});
  return list;
}

std::string path(std::string_view folder, std::string_view id) {
  return "/" + std::string(folder) + "/" + percentEncode(id);
}

}  // namespace

bool may(const Visit& visit, app::Roles roles) {
  return visit.session && visit.session->roles().meets(roles);
}

json rolesOf(const Visit& visit) {
  json flags = json::object();
  using enum app::Role;
  for (const auto role : {Admin, Officer, Approver, Auditor, Custodian, Owner, Helpdesk, Member})
    flags[app::roleWord(role)] = may(visit, role);
  return flags;
}

namespace {

// Search and export give their times as "2026-03-01T12:00:00Z".
std::optional<TimePoint> timeFromRfc3339(const std::string& text) {
  std::tm parts{};
  const char* end = ::strptime(text.c_str(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  if (end == nullptr || *end != '\0') return std::nullopt;
  return TimePoint(std::chrono::seconds(::timegm(&parts)));
}

}  // namespace

json moment(const json& object, std::string_view field, TimePoint now) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(field);
  if (found == object.end() || found->is_null()) return nullptr;
  if (found->is_string()) {
    const auto& text = found->get_ref<const std::string&>();
    if (text.empty()) return nullptr;
    const auto at = timeFromRfc3339(text);
    return at ? time(*at, now) : json{{"never", true}};
  }
  if (!found->is_number_integer()) return nullptr;
  const auto micros = found->get<std::int64_t>();
  if (micros >= EndOfTime) return {{"never", true}};
  return micros <= 0 ? json(nullptr) : time(fromMicros(micros), now);
}

std::vector<std::string> valuesOf(const Fields& form, std::string_view name) {
  std::vector<std::string> values;
  for (const auto& [field, text] : form.items()) {
    if (field != name) continue;
    std::string_view rest = text;
    while (!rest.empty()) {
      const auto end = std::min(rest.find_first_of(", ;\r\n\t"), rest.size());
      if (end > 0) values.emplace_back(rest.substr(0, end));
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
  }
  return values;
}

json scopeOf(const Fields& form) {
  json scope = json::object();
  for (const auto* name : ValueFields)
    if (auto values = valuesOf(form, name); !values.empty()) scope[name] = std::move(values);
  for (const auto* name : {"minSize", "maxSize"})
    if (const auto text = form.get(name); !trimmed(text).empty()) scope[name] = sizeOf(trimmed(text));
  if (auto headers = headersOf(form.get("headers")); !headers.empty()) scope["headers"] = std::move(headers);
  for (const auto* name : TextFields)
    if (const auto text = form.get(name); !trimmed(text).empty()) scope[name] = std::string(trimmed(text));
  return scope;
}

Fields scopeFields(const json& scope) {
  Fields form;
  for (const auto* name : ValueFields)
    if (const auto& values = part(scope, name); !values.empty()) form.add(name, joined(values));
  for (const auto* name : {"minSize", "maxSize", "from", "until", "query"})
    if (auto value = text(scope, name); !value.empty()) form.add(name, std::move(value));
  std::string headers;
  for (const auto& header : part(scope, "headers"))
    headers += text(header, "name") + ": " + text(header, "contains") + "\n";
  if (!headers.empty()) form.add("headers", std::move(headers));
  return form;
}

json scopeForm(const Fields& form) {
  json view = json::object();
  for (const auto* name : ScopeFields) view[name] = form.get(name);
  for (const auto* name : ValueFields) view[name] = joined(valuesOf(form, name));
  const auto classes = valuesOf(form, "listClasses");
  for (const auto* word : {"high", "moderate", "low"})
    view["classBoxes"].push_back({{"value", word},
                                  {"label", words::listClass(word)},
                                  {"chosen", std::find(classes.begin(), classes.end(), word) != classes.end()}});
  bool unusual = false;  // keeps the rarer fields open when one of them is used
  for (const auto* name : {"domains", "senders", "recipients", "headers", "minSize", "maxSize", "classes", "labels"})
    unusual = unusual || !trimmed(form.get(name)).empty();
  view["more"] = unusual;
  view["everything"] = scopeQuery(form).empty();
  return view;
}

std::string scopeQuery(const Fields& form) {
  std::string query;
  for (const auto& [name, value] : form.items())
    if (std::find(ScopeFields.begin(), ScopeFields.end(), name) != ScopeFields.end() && !trimmed(value).empty())
      query += (query.empty() ? "" : "&") + name + "=" + percentEncode(value);
  return query;
}

json ruleOf(const Fields& form) {
  const auto unit = form.get("unit", "years");
  json rule = {{"name", form.get("name")},
               {"tier", form.get("tier")},
               {"effect", form.get("effect")},
               {"period", unit == "forever" ? unit : form.get("count") + " " + unit},
               {"start", form.get("start", "received")},
               {"action", form.get("action", "purge")},
               {"enabled", form.get("enabled", "yes") == "yes"},
               {"scope", scopeOf(form)}};
  if (const auto id = form.get("rule"); !id.empty()) rule["id"] = std::stoull("0" + id.substr(0, 18));
  if (form.get("locked") == "yes") rule["locked"] = true;
  return rule;
}

Fields ruleFields(const json& rule) {
  auto form = scopeFields(part(rule, "scope"));
  for (const auto* name : {"name", "tier", "effect", "start", "action"}) form.add(name, text(rule, name));
  const auto period = text(rule, "period");
  const auto blank = period.find(' ');
  auto unit = blank == std::string::npos ? period : period.substr(blank + 1);
  if (!unit.empty() && unit != "forever" && !unit.ends_with('s')) unit += 's';
  form.add("unit", unit);
  if (blank != std::string::npos) form.add("count", period.substr(0, blank));
  form.add("enabled", flag(rule, "enabled") ? "yes" : "no");
  if (flag(rule, "locked")) form.add("locked", "yes");
  return form;
}

json ruleForm(const Fields& form, const std::string& start) {
  return {{"name", form.get("name")},
          {"number", form.get("count")},
          {"start", form.get("start", start.empty() ? "received" : start)},
          {"tiers", choices(form.get("tier", "scoped"), {{"scoped", "Scoped: for the messages described below"},
                                                         {"label", "Label: for messages that bear a label"},
                                                         {"floor", "Floor: a least time that nothing goes below"},
                                                         {"default", "Default: for whatever no other rule covers"}})},
          {"effects", choices(form.get("effect", "both"), {{"both", "Keep for the time, then destroy"},
                                                           {"retain", "Keep for the time, nothing after"},
                                                           {"delete", "Destroy after the time, do not keep"}})},
          {"units", choices(form.get("unit", "years"),
                            {{"years", "years"}, {"months", "months"}, {"days", "days"}, {"forever", "for ever"}})},
          {"actions", choices(form.get("action", "purge"), {{"purge", "Destroy content, index and key"},
                                                            {"review", "Ask a person first"},
                                                            {"anonymise", "Make anonymous"},
                                                            {"shred", "Destroy the key only"}})},
          {"enabled", form.get("enabled", "yes") == "yes"},
          {"locked", form.get("locked") == "yes"},
          {"scope", scopeForm(form)}};
}

json ruleRow(const json& rule, TimePoint now) {
  const auto id = text(rule, "id");
  const auto shadowedBy = text(rule, "shadowedBy");
  const auto& pending = part(rule, "pending");
  const bool enabled = flag(rule, "enabled");
  return {{"id", id},
          {"path", rulePath(id)},
          {"name", text(rule, "name")},
          {"version", text(rule, "version")},
          {"tier", words::tier(text(rule, "tier"))},
          {"effect", words::effect(text(rule, "effect"))},
          {"action", words::action(text(rule, "action"))},
          {"sentence", text(rule, "sentence")},
          {"matched", words::count(number(rule, "matched"))},
          {"locked", flag(rule, "locked")},
          {"shadowed", !shadowedBy.empty() && shadowedBy != "[]"},
          {"shadowedBy", shadowedBy},
          {"badge", {{"text", enabled ? "On" : "Switched off"}, {"tone", enabled ? "good" : "quiet"}}},
          {"effectiveFrom", moment(rule, "effectiveFrom", now)},
          {"pending", pending.empty() ? json(nullptr)
                                      : json{{"sentence", text(pending, "sentence")},
                                             {"from", moment(pending, "effectiveFrom", now)},
                                             {"request", text(pending, "request")}}}};
}

namespace {

constexpr std::array<std::string_view, 8> Bookkeeping = {"history", "id",      "matched",    "version",
                                                         "pending", "request", "shadowedBy", "effectiveFrom"};

std::string valueWords(const std::string& field, const std::string& value) {
  if (value.empty()) return value;
  if (field == "tier") return words::tier(value);
  if (field == "effect") return words::effect(value);
  if (field == "action") return words::action(value);
  if (field == "start" && value == "received") return "Receipt by Postern";
  if (field == "state") return words::recordState(value);
  return value;
}

}  // namespace

json difference(const json& before, const json& after) {
  const bool edited = !before.empty() && !after.empty();  // not made, not removed: "no" is what was before it was said
  const auto same = [&](const std::string& was, const std::string& becomes) {
    return was == becomes || (edited && ((was.empty() && becomes == "no") || (was == "no" && becomes.empty())));
  };
  std::map<std::string, std::string> left, right;
  flatten(before, "", left);
  flatten(after, "", right);
  json rows = json::array();
  auto all = left;
  all.insert(right.begin(), right.end());
  for (const auto& [name, ignored] : all) {
    // What listd counts or notes beside a rule is no part of what was asked for.
    if (std::ranges::find(Bookkeeping, name) != Bookkeeping.end()) continue;
    if (edited && name == "sentence") continue;  // the fields say it
    const auto was = left.contains(name) ? left[name] : std::string();
    const auto becomes = right.contains(name) ? right[name] : std::string();
    rows.push_back({{"field", name.empty() ? "Value" : words::field(name)},
                    {"before", valueWords(name, was)},
                    {"after", valueWords(name, becomes)},
                    {"changed", !same(was, becomes)}});
  }
  return rows;
}

json requestRow(const json& request, TimePoint now) {
  const auto id = text(request, "id");
  const auto state = text(request, "state");
  return {{"id", id},
          {"path", requestPath(id)},
          {"kind", words::requestKind(text(request, "kind"))},
          {"title", text(request, "title")},
          {"reason", text(request, "reason")},
          {"requester", text(request, "requester")},
          {"createdAt", moment(request, "createdAt", now)},
          {"badge", {{"text", words::recordState(state)}, {"tone", words::recordTone(state)}}},
          {"waiting", state == "waiting" || state == "asked"},
          {"effectiveAt", moment(request, "effectiveAt", now)},
          {"decider", text(request, "decider")},
          {"decision", text(request, "decision")},
          {"decidedAt", moment(request, "decidedAt", now)},
          {"mayDecide", flag(request, "mayDecide")},
          {"mayNot", words::sentence(text(request, "mayNot"))}};
}

namespace {

// listd counts the messages of a hold in the background.
bool countedYet(const json& hold) {
  const auto found = hold.find("objects");
  return found != hold.end() && !found->is_null();
}

}  // namespace

json matterNames(const Visit& visit) {
  json names = json::object();
  if (!may(visit, app::Role::Officer | app::Role::Auditor)) return names;
  const auto listed = visit.order("matter.list");
  for (const auto& matter : part(listed, "items")) names[text(matter, "id")] = text(matter, "name");
  return names;
}

json withMatterName(json row, const json& names) {
  const auto name = text(names, text(row, "matter"));
  row["matterName"] = name.empty() ? "Matter " + text(row, "matter") : name;
  return row;
}

json holdRow(const json& hold, TimePoint now) {
  const auto id = text(hold, "id");
  const auto state = text(hold, "state");
  const auto growth = number(hold, "growth24h");
  return {{"id", id},
          {"path", holdPath(id)},
          {"name", text(hold, "name")},
          {"matter", text(hold, "matter")},
          {"matterPath", matterPath(text(hold, "matter"))},
          {"sentence", text(hold, "sentence")},
          {"silent", flag(hold, "silent")},
          {"badge", {{"text", words::recordState(state)}, {"tone", words::recordTone(state)}}},
          {"open", moment(hold, "releasedAt", now).is_null()},
          {"placedAt", moment(hold, "placedAt", now)},
          {"placedBy", text(hold, "placedBy")},
          {"releasedAt", moment(hold, "releasedAt", now)},
          {"inForceUntil", moment(hold, "inForceUntil", now)},
          {"objects", countedYet(hold) ? words::count(number(hold, "objects")) : "not counted yet"},
          {"growth", words::count(growth)},
          {"grows", growth > 0}};
}

Response attachment(std::string contentType, const std::string& fileName, std::string body) {
  Response response;
  response.contentType = std::move(contentType);
  response.headers.emplace_back("Content-Disposition", "attachment; filename=\"" + fileName + "\"");
  response.body = std::move(body);
  return response;
}

std::string rulePath(std::string_view id) {
  return path("retention/rules", id);
}
std::string messagePath(std::string_view object) {
  return path("messages", object);
}
std::string matterPath(std::string_view id) {
  return path("matters", id);
}
std::string holdPath(std::string_view id) {
  return path("holds", id);
}
std::string requestPath(std::string_view id) {
  return path("requests", id);
}
std::string exportPath(std::string_view id) {
  return path("exports", id);
}
std::string whatIfPath(std::string_view id) {
  return path("retention/what-if", id);
}

Response afterChange(const json& answer, const std::string& path) {
  const auto& request = part(answer, "request");
  if (request.empty()) return Response::redirect(path);
  const auto* done = text(request, "kind") == "account.one-person" ? "?done=one-is-left"
                     : flag(request, "lone")                       ? "?done=requested-alone"
                                                                   : "?done=requested";
  return Response::redirect(requestPath(text(request, "id")) + done);
}

}  // namespace postern::webadmin::views
