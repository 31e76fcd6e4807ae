#include "core/app/JsonText.h"
#include "core/base/Error.h"
#include "listd/mailout/MailToken.h"
#include "listd/matters/HoldCountStore.h"
#include "listd/matters/HoldJournal.h"
#include "listd/matters/MatterOrders.h"
#include "listd/matters/Scopes.h"
#include "listd/orders/Views.h"
#include "listd/retention/RetentionRequests.h"

namespace postern::listd {
namespace {

using app::Role;
using nlohmann::json;

constexpr std::size_t MaxName = 200;
constexpr std::size_t MaxText = 20'000;
constexpr std::size_t SampleSize = 10;

records::Predicate scopeOf(const OrderCall& call) {
  auto scope = call.args.value("scope");
  if (scope.is_string()) scope = app::parseJson(scope.get<std::string>());  // the command line: a file
  if (!scope.is_object()) refuse("usage", "\"scope\" is missing", "give a scope as in docs/orders.md");
  auto predicate = records::Predicate::parse(scope);
  if (!predicate) refuse("invalid", "the scope cannot be used: " + predicate.error());
  return std::move(*predicate);
}

json viewOf(const ScopeCount& count) {
  json sample = json::array();
  for (auto each = count.sample.rbegin(); each != count.sample.rend(); ++each)
    sample.push_back({{"object", each->object},
                      {"receivedAt", toMicros(each->receivedAt)},
                      {"size", each->size},
                      {"lists", each->lists}});
  return {{"objects", count.objects},
          {"notEvaluable", count.notEvaluable},
          {"oldestAt", count.oldestAt ? toMicros(*count.oldestAt) : 0},
          {"newestAt", count.newestAt ? toMicros(*count.newestAt) : 0},
          {"growth24h", count.growth24h},
          {"sample", std::move(sample)}};
}

void describe(const OrderCall& call, const HoldRow& row) {
  call.note.objectType = "hold";
  call.note.objectId = std::to_string(row.hold.id);
  call.note.matterId = row.hold.matterId;
}

std::string matterName(SiteTables& tables, std::uint64_t id) {
  const auto matter = tables.matters.find(id);
  return matter ? matter->name : std::string();
}

// A silent hold is not there for those who may not see it.
HoldRow requireHold(SiteTables& tables, const OrderCall& call) {
  const auto id = call.args.id("id");
  auto row = tables.holds.find(id);
  if (!row || (row->hold.silent && !seesSilent(call)))
    refuse("not-found", "there is no hold " + std::to_string(id), "see: postern hold list");
  return std::move(*row);
}

json previewHold(OrderTools& tools, const OrderCall& call) {
  const std::vector<records::Predicate> scopes{scopeOf(call)};
  return tools.context.site.read([&](SiteTables& tables) {
    const auto counts = countScopes(tables, scopes, contentAnswers(tools), tools.now(), SampleSize);
    auto view = viewOf(counts.front());
    view["sentence"] = scopes.front().sentence();
    return view;
  });
}

json placeHold(OrderTools& tools, const OrderCall& call) {
  call.note.objectType = "hold";  // its name may say more than auditors may read
  HoldRow row;
  row.hold.name = call.args.text("name", MaxName);
  row.hold.scope = scopeOf(call);
  row.hold.silent = call.args.flag("silent");
  row.notice = call.args.has("notice") ? call.args.bytes("notice", MaxText) : std::string();
  if (row.hold.silent && !row.notice.empty())
    refuse("invalid", "a silent hold has no notice", "leave out the notice, or do not make the hold silent");
  row.hold.placedAt = tools.now();
  row.placedBy = call.actor.name;
  return change(tools, call, [&](SiteTables& tables) {
    const auto matter = requireMatter(tables, call, "matter");
    place(tools, tables, call, matter, row);
    describe(call, row);
    return listd::viewOf(row, matter.name, tools.now());
  });
}

json withCounts(SiteTables& tables, const HoldRow& row, TimePoint now) {
  auto view = listd::viewOf(row, matterName(tables, row.hold.matterId), now);
  const auto counts = tables.holdCounts.find(row.hold.id);
  view["objects"] = counts ? json(counts->objects) : json(nullptr);
  view["growth24h"] = counts ? json(counts->growth24h) : json(nullptr);
  view["countedAt"] = counts ? toMicros(counts->countedAt) : 0;
  return view;
}

json listHolds(OrderTools& tools, const OrderCall& call) {
  const auto state = call.args.word("state", "", {"", "in-force", "grace", "over"});
  return tools.context.site.read([&](SiteTables& tables) {
    const auto rows =
        call.args.has("matter") ? tables.holds.forMatter(requireMatter(tables, call, "matter").id) : tables.holds.all();
    auto items = json::array();
    for (const auto& row : rows) {
      if (row.hold.silent && !seesSilent(call)) continue;
      auto item = withCounts(tables, row, tools.now());
      if (state.empty() || item.at("state") == state) items.push_back(std::move(item));
    }
    return pageOf(std::move(items), {});
  });
}

json showHold(OrderTools& tools, const OrderCall& call) {
  return tools.context.site.read([&](SiteTables& tables) {
    const auto row = requireHold(tables, call);
    describe(call, row);
    auto view = withCounts(tables, row, tools.now());
    view["notice"] = row.notice;
    view["releasedBy"] = row.releasedBy;
    view["releaseReason"] = row.releaseReason;
    return view;
  });
}

// Never releases by itself: it asks a second person. What becomes due, and when, stands in the request.
json releaseHold(OrderTools& tools, const OrderCall& call) {
  const auto reason = call.args.text("reason", 1000);
  const auto grace = call.args.number("graceDays", records::DefaultGrace.count(), 0, 3650);
  return change(tools, call, [&](SiteTables& tables) {
    const auto row = requireHold(tables, call);
    describe(call, row);
    call.note.reasonText = reason;
    if (row.hold.releasedAt) refuse("refused", "the hold is released already");
    for (const auto& waiting : tables.requests.waiting())
      if (waiting.kind == "hold.release" && waiting.payload.at("hold") == row.hold.id)
        refuse("exists", "request " + std::to_string(waiting.id) + " asks for this already");
    Request request;
    request.kind =
        grace < static_cast<std::uint64_t>(records::DefaultGrace.count()) ? "hold.release-early" : "hold.release";
    request.payload = {{"hold", row.hold.id}, {"graceDays", grace}, {"reason", reason}};
    request.before = withCounts(tables, row, tools.now());
    request.after = request.before;  // all else of the hold stays as it is, for the record
    request.after["state"] = "released";
    request.after["graceDays"] = grace;
    RuleDraft draft;
    draft.releaseHold = row.hold.id;
    draft.grace = std::chrono::days(grace);
    request.whatIf = whatIfFor(tables, call.args, draft, tools.now());
    const auto due = request.whatIf.at("becomesDue").get<std::uint64_t>();
    request.title = "Release the hold \"" + row.hold.name + "\" (" + row.hold.scope.sentence() + "); after " +
                    std::to_string(grace) + " days " + std::to_string(due) + (due == 1 ? " message" : " messages") +
                    " that nothing else keeps can become due";
    request.reason = reason;
    request.requester = call.actor.name;
    request.confidential = row.hold.silent;
    request = tools.context.requests.make(tools, tables, std::move(request));
    call.note.requestId = request.id;
    noteAct(tables, call, tools.now(), row.hold.matterId, reason, row.hold.id);
    return json{{"request", listd::viewOf(request)}};
  });
}

struct KnownNotice {
  HoldNotice notice;
  HoldRow hold;
};

// A token that is wrong in any way is not valid; it tells nothing more.
KnownNotice requireNotice(OrderTools& tools, SiteTables& tables, const OrderCall& call) {
  const auto token = call.args.text("token", 200);
  const auto id = numberOfMailToken(token);
  const auto notice = id ? tables.holdNotices.find(*id) : std::nullopt;
  const bool valid = notice && isMailToken(tools.context.root, NoticePurpose, notice->address, token);
  const auto hold = valid ? tables.holds.find(notice->holdId) : std::nullopt;
  if (!valid || !hold) refuse("not-found", "this link is not valid", "open the link of the newest mail again");
  return {*notice, *hold};
}

json viewOf(SiteTables& tables, const KnownNotice& known) {
  return {{"matter", matterName(tables, known.notice.matterId)},
          {"text", known.hold.notice},
          {"custodian", known.notice.address},
          {"state", known.hold.hold.releasedAt ? "over" : "in-force"},
          {"acknowledgedAt", toMicros(known.notice.acknowledgedAt)}};
}

json showNotice(OrderTools& tools, const OrderCall& call) {
  return tools.context.site.read(
      [&](SiteTables& tables) { return viewOf(tables, requireNotice(tools, tables, call)); });
}

json acknowledgeNotice(OrderTools& tools, const OrderCall& call) {
  return change(tools, call, [&](SiteTables& tables) {
    auto known = requireNotice(tools, tables, call);
    describe(call, known.hold);
    call.note.person("custodian", known.notice.address);
    if (!tables.holdNotices.acknowledge(known.notice.id, tools.now()))
      refuse("exists", "this was confirmed already; nothing more is needed");
    known.notice.acknowledgedAt = tools.now();
    tables.matters.addAct(known.notice.matterId,
                          {tools.now(), known.notice.address, call.order, {}, known.notice.holdId});
    return viewOf(tables, known);
  });
}

constexpr auto OfficerOrAuditor = Role::Officer | Role::Auditor;

constexpr OrderRow Table[] = {
    {"hold.preview", OrderKind::Looks, previewHold, {Role::Officer}},
    {"hold.place", OrderKind::Changes, placeHold, {Role::Officer}},
    {"hold.list", OrderKind::Reads, listHolds, {OfficerOrAuditor}},
    {"hold.show", OrderKind::Looks, showHold, {OfficerOrAuditor}},
    {"hold.release", OrderKind::Changes, releaseHold, {Role::Officer, true}},
    {"notice.show", OrderKind::Reads, showNotice, {app::Roles()}},
    {"notice.acknowledge", OrderKind::Changes, acknowledgeNotice, {app::Roles()}},
};

}  // namespace

json viewOf(const HoldRow& row, const std::string& matterName, TimePoint now) {
  const auto until = row.hold.inForceUntil();
  const char* state = !row.hold.releasedAt ? "in-force" : now < until ? "grace" : "over";
  return {{"id", row.hold.id},
          {"matter", row.hold.matterId},
          {"matterName", matterName},
          {"name", row.hold.name},
          {"scope", row.hold.scope.json()},
          {"sentence", row.hold.scope.sentence()},
          {"silent", row.hold.silent},
          {"state", state},
          {"placedAt", toMicros(row.hold.placedAt)},
          {"placedBy", row.placedBy},
          {"releasedAt", row.hold.releasedAt ? toMicros(*row.hold.releasedAt) : 0},
          {"graceDays", row.hold.grace.count()},
          {"inForceUntil", row.hold.releasedAt ? json(toMicros(until)) : json(nullptr)}};
}

void place(OrderTools& tools, SiteTables& tables, const OrderCall& call, const Matter& matter, HoldRow& row) {
  if (!matter.open) refuse("refused", "the matter \"" + matter.name + "\" is closed");
  row.hold.matterId = matter.id;
  row.hold.id = tables.holds.add(row);
  noteAct(tables, call, tools.now(), matter.id, row.hold.name + ": " + row.hold.scope.sentence(), row.hold.id);
  for (const auto& custodian : tables.matters.custodiansOf(matter.id))
    tellCustodian(tools, tables, matter.id, custodian.address);
  journalPlaced(tools.context, row, matter);
}

std::span<const OrderRow> holdOrders() {
  return Table;
}

}  // namespace postern::listd
