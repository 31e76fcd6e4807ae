#include "core/mail/Text.h"
#include "listd/orders/Views.h"
#include "listd/policy/PolicyOrders.h"
#include "listd/policy/PolicyViews.h"

#include <algorithm>
#include <set>

namespace postern::listd {

using app::Role;
using nlohmann::json;

namespace {

constexpr Access Watchers{Role::Admin | Role::Officer | Role::Auditor};
constexpr std::uint64_t MaxEntries = 100'000;  // of one set
constexpr std::uint64_t MaxAll = 250'000;
constexpr std::size_t MaxValue = 255;
constexpr std::size_t MaxImport = 16u << 20;
constexpr std::size_t MaxSets = 100;

std::string nameOf(const Args& args) {
  const auto name = args.text("set", 40);
  const bool good = name[0] >= 'a' && name[0] <= 'z' && std::all_of(name.begin(), name.end(), [](char c) {
                      return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
                    });
  if (!good) refuse("invalid", "the name of a set is of a-z, 0-9 and _", "as policies name it: trusted_domains");
  return name;
}

// Blanks and case do not tell entries apart.
std::string normalised(std::string_view value) {
  return mail::lowerAscii(mail::trim(value));
}

std::string requireValue(std::string_view given) {
  auto value = normalised(given);
  if (value.empty() || value.size() > MaxValue || mail::hasControl(value) || !mail::isUtf8(value))
    refuse("invalid", "an entry of a set is one line of 1 to " + std::to_string(MaxValue) + " bytes");
  return value;
}

std::vector<std::string> valuesIn(const Args& args) {
  auto values = args.texts("values");
  if (values.empty()) values = args.texts("value");
  for (auto& value : values) value = requireValue(value);
  if (values.empty()) refuse("usage", "no entry is named");
  return values;
}

// One entry a line; # begins a comment.
std::vector<std::string> linesIn(const std::string& text) {
  std::vector<std::string> values;
  for (std::size_t at = 0; at < text.size();) {
    const auto end = std::min(text.find('\n', at), text.size());
    const auto line = std::string_view(text).substr(at, end - at);
    at = end + 1;
    const auto bare = mail::trim(line.substr(0, line.find('#')));
    if (!bare.empty()) values.push_back(requireValue(bare));
    if (values.size() > MaxEntries) refuse("invalid", "a set has at most " + std::to_string(MaxEntries) + " entries");
  }
  return values;
}

std::string digestOfSet(SiteTables& tables, const std::string& name) {
  return digestOf(tables.policies.valuesOf(name, "", MaxEntries + 1));
}

void requireRoom(SiteTables& tables, const std::string& name) {
  if (tables.policies.countOf(name) > MaxEntries)
    refuse("refused", "a set has at most " + std::to_string(MaxEntries) + " entries");
  if (tables.policies.countOfAll() > MaxAll)
    refuse("refused", "the sets of a site have at most " + std::to_string(MaxAll) + " entries in all");
  if (tables.policies.sets().size() > MaxSets)
    refuse("refused", "a site has at most " + std::to_string(MaxSets) + " sets");
}

// On record with counts and digests, then at the gateway: in force when the order returns, or at the next connect.
template <class Work>
json changeSet(OrderTools& tools, const OrderCall& call, Work work) {
  auto& care = requirePolicies(tools);
  const auto name = nameOf(call.args);
  const MutexLock alone(care.changing);
  call.note.objectType = "set of policies";
  call.note.objectId = name;
  call.note.reasonText = call.args.textOr("reason", "", 500);
  json values;
  auto view = change(tools, call, [&](SiteTables& tables) {
    call.note.beforeDigest = digestOfSet(tables, name);
    std::uint64_t added = 0, removed = 0;
    work(tables, name, added, removed);
    requireRoom(tables, name);
    call.note.number("added", added).number("removed", removed).number("entries", tables.policies.countOf(name));
    call.note.afterDigest = digestOfSet(tables, name);
    values = valuesOf(tables);
    return json{{"set", name}, {"added", added}, {"removed", removed}, {"entries", tables.policies.countOf(name)}};
  });
  try {
    askPolicies(care.ask, "sets", {{"sets", values}});
    view["atGateway"] = true;
  } catch (const app::OrderRefused&) {
    view["atGateway"] = false;
    care.behind = true;
  }
  return view;
}

json listSets(OrderTools& tools, const OrderCall&) {
  return tools.context.site.read([](SiteTables& tables) {
    auto items = json::array();
    for (const auto& set : tables.policies.sets())
      items.push_back({{"set", set.name}, {"entries", set.count}, {"changedAt", toMicros(set.changedAt)}});
    return pageOf(std::move(items), {});
  });
}

json showSet(OrderTools& tools, const OrderCall& call) {
  const auto name = nameOf(call.args);
  const auto limit = static_cast<std::uint32_t>(call.args.number("limit", 1000, 1, MaxEntries));
  const auto after = call.args.textOr("after", "", MaxValue);
  return tools.context.site.read([&](SiteTables& tables) {
    auto values = tables.policies.valuesOf(name, after, limit + 1);
    const bool more = values.size() > limit;
    if (more) values.pop_back();
    auto view = pageOf(json(values), more ? values.back() : std::string());
    view["set"] = name;
    view["entries"] = tables.policies.countOf(name);
    return view;
  });
}

json addToSet(OrderTools& tools, const OrderCall& call) {
  const auto values = valuesIn(call.args);
  return changeSet(tools, call, [&](SiteTables& tables, const std::string& name, std::uint64_t& added, std::uint64_t&) {
    for (const auto& value : values)
      added += tables.policies.addValue(name, value, call.actor.name, tools.now()) ? 1 : 0;
  });
}

json removeFromSet(OrderTools& tools, const OrderCall& call) {
  const auto values = valuesIn(call.args);
  return changeSet(
      tools, call, [&](SiteTables& tables, const std::string& name, std::uint64_t&, std::uint64_t& removed) {
        for (const auto& value : values) removed += tables.policies.removeValue(name, value) ? 1 : 0;
        if (removed == 0)
          refuse("not-found", "the set " + name + " has no such entry", "see: postern policy set-show " + name);
      });
}

json importSet(OrderTools& tools, const OrderCall& call) {
  const auto values = linesIn(
      call.args.has("text") && call.args.value("text") == "" ? std::string() : call.args.bytes("text", MaxImport));
  const bool replace = call.args.flag("replace");
  if (values.empty() && !replace) refuse("usage", "there is no entry to import");
  return changeSet(tools, call,
                   [&](SiteTables& tables, const std::string& name, std::uint64_t& added, std::uint64_t& removed) {
                     if (replace) {
                       const std::set<std::string> wanted(values.begin(), values.end());
                       for (const auto& old : tables.policies.valuesOf(name, "", MaxEntries + 1))
                         if (!wanted.contains(old)) removed += tables.policies.removeValue(name, old) ? 1 : 0;
                     }
                     for (const auto& value : values)
                       added += tables.policies.addValue(name, value, call.actor.name, tools.now()) ? 1 : 0;
                   });
}

constexpr OrderRow Table[] = {
    {"policy.sets", OrderKind::Reads, listSets, Watchers}, {"policy.set-show", OrderKind::Reads, showSet, Watchers},
    {"policy.set-add", OrderKind::Changes, addToSet},      {"policy.set-remove", OrderKind::Changes, removeFromSet},
    {"policy.set-import", OrderKind::Changes, importSet},
};

}  // namespace

std::span<const OrderRow> policySetOrders() {
  return Table;
}

}  // namespace postern::listd
