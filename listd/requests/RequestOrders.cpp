#include "listd/requests/RequestOrders.h"

#include "listd/audit/Checkpoints.h"
#include "listd/orders/Views.h"
#include "listd/people/LegalSite.h"
#include "listd/requests/StopLink.h"

namespace postern::listd {
namespace {

using app::Role;
using nlohmann::json;

constexpr std::size_t MaxWords = 1000;

// Holds are no business of those who run the machine, silent ones of nobody but officers and approvers.
bool maySee(const OrderCall& call, const Request& request) {
  const auto& roles = call.actor.roles;
  if (roles.meets(Role::Officer | Role::Approver) || samePerson(call.actor.name, request.requester)) return true;
  if (request.confidential) return false;
  return !request.kind.starts_with("hold.") || roles.has(Role::Auditor);
}

// Why this person does not decide; empty: may.
std::string mayNot(const OrderCall& call, const Request& request) {
  if (request.state != "waiting") return "it is " + request.state;
  if (samePerson(call.actor.name, request.requester)) return "you asked for this yourself; another person must decide";
  if (samePerson(call.actor.name, personConcerned(request)))
    return "this is about your own account; another person must decide";
  if (!call.actor.roles.has(Role::Approver)) return "an approver decides";
  return {};
}

json view(SiteTables& tables, const OrderCall& call, const Request& request) {
  auto view = viewOf(request);
  const auto why = mayNot(call, request);
  view["mayDecide"] = why.empty();
  view["mayNot"] = why;
  view["words"] = json::array();
  for (const auto& words : tables.requests.wordsOf(request.id))
    view["words"].push_back({{"at", toMicros(words.at)}, {"by", words.person}, {"text", words.words}});
  if (request.lone) {
    const auto mail = tables.siteMail.find(request.announcement);
    view["announcement"] = mail ? mail->state : "missing";
  }
  return view;
}

Request requireSeen(SiteTables& tables, const OrderCall& call) {
  const auto id = call.args.id("id");
  auto request = tables.requests.find(id);
  if (!request || !maySee(call, *request))
    refuse("not-found", "there is no request " + std::to_string(id), "see: postern request list");
  return std::move(*request);
}

json listRequests(OrderTools& tools, const OrderCall& call) {
  const auto state = call.args.word("state", "", {"", "waiting", "approved", "done", "refused", "withdrawn", "failed"});
  const auto limit = static_cast<std::uint32_t>(call.args.number("limit", 100, 1, 1000));
  const auto after = call.args.number("after", 0, 0, INT64_MAX);
  return tools.context.site.read([&](SiteTables& tables) {
    auto items = json::array();
    const auto requests = tables.requests.page(state, after, limit);
    for (const auto& request : requests)
      if (maySee(call, request)) items.push_back(view(tables, call, request));
    auto page = pageOf(std::move(items), requests.size() == limit ? std::to_string(requests.back().id) : std::string());
    std::uint64_t waiting = 0;
    for (const auto& request : tables.requests.waiting())
      if (mayNot(call, request).empty()) ++waiting;
    page["waiting"] = waiting;
    page["onePersonSite"] = !twoPersonRules(tables);
    return page;
  });
}

json showRequest(OrderTools& tools, const OrderCall& call) {
  return tools.context.site.read([&](SiteTables& tables) { return view(tables, call, requireSeen(tables, call)); });
}

void describe(const OrderCall& call, const Request& request) {
  call.note.objectType = "request";
  call.note.objectId = std::to_string(request.id);
  call.note.requestId = request.id;
  call.note.reasonText = request.reason;
  call.note.person("requester", request.requester);
}

// A person decides: the command line of the machine is nobody in particular, and may be the one who asked.
json decide(OrderTools& tools, const OrderCall& call, bool approve) {
  if (call.actor.kind != "web" && call.actor.kind != "api")
    refuse("refused", "a decision needs a person who signed in", "sign in to the web UI and decide there");
  const auto words = call.args.textOr("words", {}, MaxWords);
  bool release = false;
  auto shown = change(tools, call, [&](SiteTables& tables) {
    describe(call, requireSeen(tables, call));
    call.note.approver = call.actor.name;
    const auto request =
        tools.context.requests.decide(tools, tables, call.args.id("id"), approve, call.actor.name, words);
    release = approve && request.kind.starts_with("hold.release");
    return view(tables, call, request);
  });
  if (release) makeCheckpoint(tools.context, CheckpointIf::Changed);  // a release is soon anchored outside
  return shown;
}

json approveRequest(OrderTools& tools, const OrderCall& call) {
  auto decided = decide(tools, call, true);
  // What was approved may be a job; looked for earlier, it would not be committed and so not be seen for a minute.
  if (tools.jobs != nullptr) tools.jobs->wake();
  return decided;
}

json refuseRequest(OrderTools& tools, const OrderCall& call) {
  return decide(tools, call, false);
}

json withdrawRequest(OrderTools& tools, const OrderCall& call) {
  const auto words = call.args.textOr("words", {}, MaxWords);
  return change(tools, call, [&](SiteTables& tables) {
    describe(call, requireSeen(tables, call));
    return view(tables, call,
                tools.context.requests.withdraw(tools, tables, call.args.id("id"), call.actor.name, words));
  });
}

json askAboutRequest(OrderTools& tools, const OrderCall& call) {
  const auto words = call.args.text("words", MaxWords);
  return change(tools, call, [&](SiteTables& tables) {
    describe(call, requireSeen(tables, call));
    return view(tables, call, tools.context.requests.ask(tools, tables, call.args.id("id"), call.actor.name, words));
  });
}

// What somebody outside may know of it: no title, no words.
json outsideView(const Request& request) {
  return {{"id", request.id},
          {"kind", request.kind},
          {"state", request.state},
          {"createdAt", toMicros(request.createdAt)},
          {"decideAt", toMicros(request.decideAt)}};
}

json showStop(OrderTools& tools, const OrderCall& call) {
  const auto id = requestOfStopToken(tools.context.root, call.args.text("token", 200));
  return tools.context.site.read([&](SiteTables& tables) {
    const auto request = id ? tables.requests.find(*id) : std::nullopt;
    if (!request || request->announcement == 0) refuse("not-found", "this link is not valid");
    return outsideView(*request);
  });
}

json stopRequest(OrderTools& tools, const OrderCall& call) {
  const auto token = call.args.text("token", 200);
  return change(tools, call, [&](SiteTables& tables) {
    const auto request = tools.context.requests.withdrawByLink(tools, tables, token);
    describe(call, request);
    return outsideView(request);
  });
}

constexpr auto Readers = Role::Officer | Role::Approver | Role::Admin | Role::Auditor;
constexpr auto Askers = Role::Officer | Role::Approver | Role::Admin;

constexpr OrderRow Table[] = {
    {"request.list", OrderKind::Reads, listRequests, {Readers}},
    {"request.show", OrderKind::Reads, showRequest, {Readers}},
    {"request.approve", OrderKind::Changes, approveRequest, {Role::Approver, true}},
    {"request.refuse", OrderKind::Changes, refuseRequest, {Role::Approver, true}},
    {"request.withdraw", OrderKind::Changes, withdrawRequest, {Askers}},
    {"request.ask", OrderKind::Changes, askAboutRequest, {Askers}},
    {"request.stop-show", OrderKind::Reads, showStop, {app::Roles()}},
    {"request.stop", OrderKind::Changes, stopRequest, {app::Roles()}},
};

}  // namespace

std::span<const OrderRow> requestOrders() {
  return Table;
}

}  // namespace postern::listd
