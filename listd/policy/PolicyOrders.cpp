#include "listd/policy/PolicyOrders.h"

#include "core/base/Error.h"
#include "core/base/Log.h"
#include "core/mail/Text.h"
#include "listd/orders/Views.h"
#include "listd/policy/PolicyViews.h"

namespace postern::listd {

using app::Role;
using nlohmann::json;

json viewOf(const PolicyRevision& revision) {
  return {{"revision", revision.id},
          {"state", revision.state},
          {"digest", revision.digest},
          {"sha256", revision.sha256},
          {"madeAt", toMicros(revision.madeAt)},
          {"madeBy", revision.madeBy},
          {"note", revision.note},
          {"inForceAt", toMicros(revision.inForceAt)},
          {"inForceBy", revision.inForceBy},
          {"reason", revision.reason},
          {"backTo", revision.backTo}};
}

PolicyCare& requirePolicies(OrderTools& tools) {
  if (tools.policies == nullptr) refuse("unavailable", "no policies can be asked from here");
  return *tools.policies;
}

PolicyRevision requireRevision(OrderTools& tools, const Args& args, std::string_view argument) {
  const auto id = args.has(argument) ? args.id(argument) : 0;
  auto revision = tools.context.site.read(
      [&](SiteTables& tables) { return id == 0 ? tables.policies.inForce() : tables.policies.find(id); });
  if (!revision && id == 0) refuse("not-found", "no policy set is in force yet", "see: postern status");
  if (!revision)
    refuse("not-found", "there is no policy set " + std::to_string(id) + ", or it is kept no longer",
           "see: postern policy history");
  return std::move(*revision);
}

// The gateway looks closer; this keeps what is no set out of the store.
json requireFiles(const Args& args) {
  constexpr std::size_t MaxFiles = 500;
  constexpr std::size_t MaxBytes = 4u << 20;
  auto files = args.value("files");
  if (!files.is_object() || files.empty() || files.size() > MaxFiles)
    refuse("usage", "\"files\" must be an object of texts by path", "see docs/orders.md");
  std::size_t bytes = 0;
  for (const auto& [path, text] : files.items()) {
    if (!text.is_string() || path.empty() || path.size() > 100 || mail::hasControl(path))
      refuse("invalid", "a file of this policy set has no name or no text");
    auto& content = text.get_ref<std::string&>();
    if (!mail::isUtf8(content)) refuse("invalid", path + " is not UTF-8");
    std::erase(content, '\r');  // forms of web pages send them
    bytes += content.size();
  }
  if (bytes > MaxBytes) refuse("invalid", "the policy set is larger than 4 MB");
  return files;
}

std::string firstProblem(const json& report) {
  for (const auto& problem : report.value("problems", json::array()))
    return problem.value("file", "") +
           (problem.value("line", 0) > 0 ? ":" + std::to_string(problem.value("line", 0)) : "") + ": " +
           problem.value("text", "");
  for (const auto& one : report.value("cases", json::array()))
    if (!one.value("ok", false))
      return one.value("policy", "") + ": " + one.value("title", "") + ": " + one.value("text", "");
  return {};
}

PolicyRevision storeFiles(OrderTools& tools, const OrderCall& call, const json& files, const std::string& digest) {
  PolicyRevision revision;
  revision.files = files.dump();
  revision.sha256 = digestOf(files);
  revision.digest = digest;
  revision.madeAt = tools.now();
  revision.madeBy = call.actor.name;
  revision.note = call.args.textOr("note", "", 500);
  const auto known =
      tools.context.site.read([&](SiteTables& tables) { return tables.policies.sameFiles(revision.sha256); });
  call.note.objectType = "policy set";
  call.note.afterDigest = revision.sha256;
  return change(tools, call, [&](SiteTables& tables) {
    const auto same = known ? tables.policies.find(*known) : std::nullopt;
    if (!same) revision.id = tables.policies.add(revision);
    tables.policies.forgetOld();
    call.note.objectId = std::to_string(same ? same->id : revision.id);
    return same ? *same : revision;
  });
}

namespace {

constexpr Access Watchers{Role::Admin | Role::Officer | Role::Auditor};
constexpr Access Careful{Role::Admin, true};

// Has the gateway run the cases of a set; refuses it when one fails.
json requireGood(const PolicyCare& care, const PolicyRevision& revision) {
  auto report = askPolicies(care.ask, "test", filesOf(revision));
  if (report.value("ok", false)) return report;
  refuse("refused", "this policy set stays out of force: it does not load, or one of its cases fails",
         firstProblem(report).substr(0, 900));
}

json history(OrderTools& tools, const OrderCall& call) {
  const auto limit = static_cast<std::uint32_t>(call.args.number("limit", 50, 1, 200));
  const auto before = call.args.number("before", 0, 0, ~std::uint64_t{0} >> 1);
  return tools.context.site.read([&](SiteTables& tables) {
    const auto page = tables.policies.page(before, limit + 1);
    auto items = json::array();
    for (std::size_t i = 0; i < std::min<std::size_t>(limit, page.size()); ++i) items.push_back(viewOf(page[i]));
    return pageOf(std::move(items), page.size() > limit ? std::to_string(page[limit - 1].id) : std::string());
  });
}

json show(OrderTools& tools, const OrderCall& call) {
  const auto revision = requireRevision(tools, call.args);
  auto view = viewOf(revision);
  view["files"] = json::parse(revision.files);
  return view;
}

// Against the set that came before it, where none is named.
json diff(OrderTools& tools, const OrderCall& call) {
  const auto revision = requireRevision(tools, call.args);
  std::optional<PolicyRevision> against;
  if (call.args.has("against"))
    against = requireRevision(tools, call.args, "against");
  else
    against = tools.context.site.read([&](SiteTables& tables) {
      return revision.state == "in-force" ? tables.policies.previous() : tables.policies.inForce();
    });
  return {{"revision", revision.id},
          {"against", against ? against->id : 0},
          {"files", differenceOf(against ? json::parse(against->files) : json::object(), json::parse(revision.files))}};
}

json test(OrderTools& tools, const OrderCall& call) {
  const auto& care = requirePolicies(tools);
  if (call.args.has("files")) return askPolicies(care.ask, "test", {{"files", requireFiles(call.args)}});
  return askPolicies(care.ask, "test", filesOf(requireRevision(tools, call.args)));
}

json store(OrderTools& tools, const OrderCall& call) {
  const auto& care = requirePolicies(tools);
  const auto files = requireFiles(call.args);
  auto report = askPolicies(care.ask, "test", {{"files", files}});
  auto view = viewOf(storeFiles(tools, call, files, report.value("digest", "")));
  view["report"] = std::move(report);
  return view;
}

// Committed first, so that nothing is ever in force that is not on record; what the gateway does not take now it gets
// at the next connect.
bool bringIntoForce(OrderTools& tools, PolicyCare& care, const PolicyRevision& revision) {
  auto request = filesOf(revision);
  request["sets"] = tools.context.site.read([](SiteTables& tables) { return valuesOf(tables); });
  try {
    if (askPolicies(care.ask, "use", request).value("ok", false)) return true;
  } catch (const app::OrderRefused&) {
    log::warning("policy", "the gateway is away and gets the policies later", {{"revision", revision.id}});
  }
  care.behind = true;
  return false;
}

json putInForce(OrderTools& tools, const OrderCall& call, PolicyRevision revision) {
  auto& care = requirePolicies(tools);
  const auto reason = call.args.text("reason", 500);
  const MutexLock alone(care.changing);
  const auto report = requireGood(care, revision);
  call.note.objectType = "policy set";
  call.note.reasonText = reason;
  auto view = change(tools, call, [&](SiteTables& tables) {
    const auto before = tables.policies.inForce();
    if (before && before->sha256 == revision.sha256)
      refuse("exists", "policy set " + std::to_string(before->id) + " is the same, and in force already");
    if (before) call.note.beforeDigest = before->sha256;
    call.note.afterDigest = revision.sha256;
    revision.digest = report.value("digest", "");
    if (revision.backTo != 0 || revision.state == "former") {
      revision.backTo = revision.backTo != 0 ? revision.backTo : revision.id;
      revision.madeAt = tools.now();
      revision.madeBy = call.actor.name;
      revision.note = "back to " + std::to_string(revision.backTo);
      revision.id = tables.policies.add(revision);
      call.note.number("back-to", revision.backTo);
    }
    call.note.objectId = std::to_string(revision.id);
    call.note.number("cases", report.value("cases", json::array()).size());
    if (before) call.note.number("before", before->id);
    tables.policies.putInForce(revision.id, call.actor.name, reason, tools.now());
    return viewOf(tables.policies.find(revision.id).value());
  });
  view["atGateway"] = bringIntoForce(tools, care, revision);
  return view;
}

json activate(OrderTools& tools, const OrderCall& call) {
  if (!call.args.has("revision")) refuse("usage", "\"revision\" is missing", "see: postern policy history");
  return putInForce(tools, call, requireRevision(tools, call.args));
}

// To the set that was in force before, or to a named one; as a revision of its own, so that the history only grows.
json rollback(OrderTools& tools, const OrderCall& call) {
  std::optional<PolicyRevision> target;
  if (call.args.has("revision"))
    target = requireRevision(tools, call.args);
  else
    target = tools.context.site.read([](SiteTables& tables) { return tables.policies.previous(); });
  if (!target) refuse("not-found", "no policy set was in force before this one");
  if (target->state == "candidate")
    refuse("refused", "policy set " + std::to_string(target->id) + " was never in force",
           "use: postern policy activate");
  return putInForce(tools, call, std::move(*target));
}

constexpr OrderRow Table[] = {
    {"policy.history", OrderKind::Reads, history, Watchers},
    {"policy.show", OrderKind::Reads, show, Watchers},
    {"policy.diff", OrderKind::Reads, diff, Watchers},
    {"policy.test", OrderKind::Reads, test, Watchers},
    {"policy.store", OrderKind::Changes, store},
    {"policy.activate", OrderKind::Changes, activate, Careful},
    {"policy.rollback", OrderKind::Changes, rollback, Careful},
};

}  // namespace

std::span<const OrderRow> policyOrders() {
  return Table;
}

}  // namespace postern::listd
