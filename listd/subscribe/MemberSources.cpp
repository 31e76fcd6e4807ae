#include "listd/subscribe/MemberSources.h"

#include "core/base/Error.h"
#include "core/base/Log.h"
#include "core/mail/Text.h"
#include "listd/keys/KeyLookup.h"
#include "listd/orders/Views.h"
#include "listd/probe/DomainProbes.h"
#include "listd/subscribe/Bans.h"
#include "listd/subscribe/MemberImport.h"

#include <algorithm>

namespace postern::listd {
namespace {

using app::Role;
using nlohmann::json;

constexpr std::size_t MaxText = 1000;

json viewOf(const MemberSource& source, const List& list) {
  return {
      {"list", list.address},       {"directory", source.directory},           {"base", source.base},
      {"filter", source.filter},    {"mailAttribute", source.mailAttribute},   {"nameAttribute", source.nameAttribute},
      {"only", source.pattern},     {"everyHours", source.everyHours},         {"createdAt", toMicros(source.madeAt)},
      {"createdBy", source.madeBy}, {"checkedAt", toMicros(source.checkedAt)}, {"state", source.state},
      {"outcome", source.outcome}};
}

std::optional<Directory> directoryOf(const SiteTables& tables, const std::string& name) {
  for (auto& directory : tables.directories.all())
    if (directory.name == name) return std::move(directory);
  return std::nullopt;
}

void requireFilter(const std::string& filter) {
  int depth = 0;
  bool balanced = filter.starts_with('(') && filter.ends_with(')');
  for (const char c : filter) {
    depth += c == '(' ? 1 : c == ')' ? -1 : 0;
    balanced = balanced && depth >= 0;
  }
  if (!balanced || depth != 0)
    refuse("invalid", "\"" + filter + "\" is no filter of a directory",
           "give one as in (memberOf=cn=board,ou=groups,dc=example,dc=org)");
}

std::string attributeOf(const Args& args, std::string_view name, const char* fallback) {
  auto attribute = args.textOr(name, fallback, 60);
  const bool plain = std::all_of(attribute.begin(), attribute.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '-' || c == ';' || c == '.';
  });
  if (attribute.empty() || !plain) refuse("invalid", "\"" + attribute + "\" is no attribute of a directory");
  return attribute;
}

json setSource(OrderTools& tools, const OrderCall& call) {
  const auto& args = call.args;
  MemberSource source;
  source.directory = args.text("directory", 60);
  source.base = args.textOr("base", {}, MaxText);
  source.filter = args.textOr("filter", "(mail=*)", MaxText);
  requireFilter(source.filter);
  source.mailAttribute = attributeOf(args, "mailAttribute", "mail");
  source.nameAttribute = attributeOf(args, "nameAttribute", "cn");
  if (const auto only = args.textOr("only", {}, 300); !only.empty()) {
    const auto pattern = banPattern(only);
    if (!pattern) refuse("invalid", "\"" + only + "\" fits no address", "give @ and a domain, or a pattern with *");
    source.pattern = *pattern;
  }
  source.everyHours = static_cast<std::uint32_t>(args.number("everyHours", 24, 1, 24 * 31));
  source.madeAt = tools.now();
  source.madeBy = call.actor.name;
  return change(tools, call, [&](SiteTables& tables) {
    const auto list = requireList(tables, args);
    const auto directory = directoryOf(tables, source.directory);
    if (!directory)
      refuse("not-found", "there is no directory " + source.directory, "add it first: postern directory add");
    source.listId = list.id;
    if (source.base.empty()) source.base = directory->base;
    tables.subscriptions.sources().set(source);
    return viewOf(source, list);
  });
}

MemberSource requireSource(const SiteTables& tables, const List& list) {
  auto source = tables.subscriptions.sources().find(list.id);
  if (!source)
    refuse("not-found", "the members of " + list.address + " come from no directory", "see: postern source set");
  return std::move(*source);
}

json showSource(OrderTools& tools, const OrderCall& call) {
  return tools.context.site.read([&](SiteTables& tables) {
    const auto list = requireList(tables, call.args);
    return viewOf(requireSource(tables, list), list);
  });
}

json removeSource(OrderTools& tools, const OrderCall& call) {
  return change(tools, call, [&](SiteTables& tables) {
    const auto list = requireList(tables, call.args);
    requireSource(tables, list);
    tables.subscriptions.sources().remove(list.id);
    return json::object();
  });
}

// What the directory has, as lines of a file: the number is that of the entry.
struct Found {
  std::vector<CsvRecord> records;
  std::string problem;
};

Found askSource(OrderTools& tools, const MemberSource& source) {
  const auto directory =
      tools.context.site.read([&](SiteTables& tables) { return directoryOf(tables, source.directory); });
  if (!directory) return {{}, "there is no directory " + source.directory + " any more"};
  if (!tools.askDirectory) return {{}, "no directory can be asked here"};
  app::LdapQuestion question;
  question.url = directory->url;
  question.authorities = directory->authorities;
  question.bindName = directory->bindName;
  if (auto secret = tools.context.keys.siteKey("directory " + directory->name))
    question.bindSecret = std::move(*secret);
  question.base = source.base;
  question.filter = source.filter;
  question.attributes = {source.mailAttribute, source.nameAttribute};
  question.roster = true;
  const auto answer = tools.askDirectory(question);
  if (!answer.problem.empty()) return {{}, answer.problem};
  Found found;
  for (std::size_t i = 0; i + 1 < answer.values.size(); i += 2)
    if (!answer.values[i].empty()) found.records.push_back({i / 2 + 2, {answer.values[i], answer.values[i + 1]}});
  if (found.records.empty()) found.problem = "nobody in the directory fits the filter";
  return found;
}

std::string outcomeText(const json& result) {
  const auto number = [&](const char* name) { return std::to_string(result.value(name, std::uint64_t{0})); };
  if (result.at("stopped") == true)
    return number("removed") + " of " + number("lookedAt") + " members would go, which is more than " +
           std::to_string(BrakePercent) + " %; nothing was changed";
  return number("added") + " added, " + number("removed") + " removed, " + number("failed") + " not taken";
}

// The result of syncList(), or why there is none.
struct Ran {
  json result;
  std::string problem;
};

Ran runSource(OrderTools& tools, const List& list, const MemberSource& source, bool dryRun, bool confirmed,
              const std::function<void(SiteTables&, const json&)>& record) {
  const auto found = askSource(tools, source);
  const auto now = tools.now();
  if (!found.problem.empty()) {
    if (!dryRun)
      tools.context.site.write(
          [&](SiteTables& tables) { tables.subscriptions.sources().noteRun(list.id, now, "failed", found.problem); });
    return {{}, found.problem};
  }
  MemberSync sync{found.records, std::nullopt, dryRun, confirmed, true, "directory " + source.directory};
  if (!source.pattern.empty()) sync.pattern = source.pattern;
  if (dryRun)
    return {tools.context.site.read([&](SiteTables& tables) { return syncList(tables, list, sync, now); }), {}};
  auto result = tools.context.site.write([&](SiteTables& tables) {
    auto made = syncList(tables, list, sync, now);
    tables.subscriptions.sources().noteRun(list.id, now, made.at("stopped") == true ? "stopped" : "ok",
                                           outcomeText(made));
    record(tables, made);
    return made;
  });
  if (tools.probes != nullptr) tools.probes->lookForDue();
  if (tools.lookups != nullptr) tools.lookups->wake();
  return {std::move(result), {}};
}

void note(audit::Event& event, const List& list, const json& result) {
  event.objectType = "list";
  event.objectId = std::to_string(list.id);
  event.listId = list.id;
  event.number("added", result.value("added", std::uint64_t{0}))
      .number("removed", result.at("stopped") == true ? 0 : result.at("removed").get<std::uint64_t>());
}

json runNow(OrderTools& tools, const OrderCall& call) {
  const bool dryRun = call.args.flag("dryRun");
  std::optional<List> list;
  const auto source = tools.context.site.read([&](SiteTables& tables) {
    list = requireList(tables, call.args);
    return requireSource(tables, *list);
  });
  auto ran =
      runSource(tools, *list, source, dryRun, call.args.flag("confirmed"), [&](SiteTables& tables, const json& result) {
        note(call.note, *list, result);
        tables.audit.append(eventOf(tables, call, audit::Outcome::Ok));
      });
  if (!ran.problem.empty()) refuse("unavailable", "the directory gave no members: " + ran.problem);
  if (ran.result.at("stopped") == true)
    refuse("refused", outcomeText(ran.result), "look with --dry-run, and confirm it with --confirmed if it is right");
  return std::move(ran.result);
}

constexpr Access OwnList{Role::Admin | Role::Owner, false, "list"};
constexpr Access Watching{Role::Admin | Role::Officer | Role::Auditor | Role::Helpdesk | Role::Owner, false, "list"};

constexpr OrderRow Table[] = {
    {"source.set", OrderKind::Changes, setSource, {Role::Admin, true}},
    {"source.show", OrderKind::Reads, showSource, Watching},
    {"source.remove", OrderKind::Changes, removeSource, {Role::Admin, true}},
    {"source.run", OrderKind::Changes, runNow, OwnList},
};

}  // namespace

std::span<const OrderRow> memberSourceOrders() {
  return Table;
}

void lookAfterSources(OrderTools& tools) {
  if (tools.jobs == nullptr) return;
  const auto now = tools.now();
  const auto due = tools.context.site.read([&](SiteTables& tables) {
    std::vector<std::uint64_t> lists;
    for (const auto& source : tables.subscriptions.sources().all()) {
      const auto list = tables.lists.find(source.listId);
      const auto every = std::chrono::hours(source.state == "failed" ? 1 : source.everyHours);
      if (list && list->open && list->deletedAt == TimePoint() && source.checkedAt + every <= now)
        lists.push_back(source.listId);
    }
    return lists;
  });
  if (due.empty()) return;
  tools.context.site.write([&](SiteTables& tables) {
    for (const auto list : due) tools.jobs->start(tables, SyncJob, {{"list", list}}, "schedule");
  });
  tools.jobs->wake();
}

JobRunner::Work syncWork(OrderTools& tools) {
  return [&tools](JobContext& job) {
    const auto id = job.job().args.at("list").get<std::uint64_t>();
    std::optional<List> list;
    const auto source = tools.context.site.read([&](SiteTables& tables) {
      list = tables.lists.find(id);
      return tables.subscriptions.sources().find(id);
    });
    if (!list || !source) return json{{"outcome", "there is no such source any more"}};
    const auto ran = runSource(tools, *list, *source, false, false, [&](SiteTables& tables, const json& result) {
      audit::Event event;
      event.actorKind = "system";
      event.action = "member.synced";
      note(event, *list, result);
      tables.audit.append(event);
    });
    if (!ran.problem.empty())
      log::warning("subscribe", "the members of a list could not be taken from its directory",
                   {{"list", list->address}, {"directory", source->directory}, {"error", ran.problem}});
    else if (ran.result.at("stopped") == true)
      log::warning("subscribe", "the members of a list were left as they are: too many would go",
                   {{"list", list->address}, {"directory", source->directory}});
    return json{{"outcome", ran.problem.empty() ? outcomeText(ran.result) : ran.problem}};
  };
}

}  // namespace postern::listd
