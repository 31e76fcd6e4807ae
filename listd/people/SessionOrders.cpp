#include "core/base/Log.h"
#include "listd/orders/Views.h"
#include "listd/people/PeopleOrders.h"
#include "listd/people/RoleRules.h"

namespace postern::listd {

using nlohmann::json;

namespace {

// How stale the stored time of the last act may be: saves a write with most pages.
constexpr std::chrono::seconds ActEvery{10};
constexpr app::Roles MayEndOthers = app::Role::Admin | app::Role::Helpdesk;

json viewOf(const Session& session) {
  return {{"ref", session.ref},
          {"account", session.subject},
          {"client", session.client},
          {"agent", session.agent},
          {"createdAt", toMicros(session.createdAt)},
          {"lastSeenAt", toMicros(session.lastSeenAt)}};
}

// Not waited for: a page is not held up by what else is being written. A lost act ends a session early, never late.
void noteAct(OrderTools& tools, const Session& session, TimePoint now) {
  if (now - session.lastSeenAt < ActEvery) return;
  tools.context.site.writeLater(
      [ref = session.ref, now](SiteTables& tables) { tables.sessions.recordAct(ref, now); },
      [](const std::exception_ptr&) { log::error("sessions", "the time of an act could not be stored", {}); });
}

// Who stands behind the session whose secret came with this order. The question of every page, so open to anybody and
// not recorded: a secret that is none is a browser that comes back late.
json showSession(OrderTools& tools, const OrderCall& call) {
  const auto& session = call.person.browser;
  if (!session) refuse("signed-out", "nobody is signed in here", "sign in again");
  if (call.args.flag("act")) noteAct(tools, *session, tools.now());
  auto view = viewOf(*session);
  view["kind"] = session->kind == SubjectKind::Account ? "account" : "recipient";
  view["roles"] = wordsOf(call.person.roles);
  view["idleSeconds"] = app::SessionIdleLimit.count();
  return view;
}

void requireLeave(const OrderCall& call, const std::string& account) {
  if (account != call.person.account && !call.person.roles.meets(MayEndOthers))
    refuse("denied", "your roles do not allow this", "ask an administrator or the helpdesk");
}

json listSessions(OrderTools& tools, const OrderCall& call) {
  const bool all = call.args.flag("all") || (call.person.machine && !call.args.has("name"));
  const auto name = call.args.textOr("name", call.person.account, 64);
  requireLeave(call, all ? std::string() : name);
  return tools.context.site.read([&](SiteTables& tables) {
    auto items = json::array();
    const auto now = tools.now();
    for (const auto& session :
         all ? tables.sessions.all(SubjectKind::Account, now) : tables.sessions.of(SubjectKind::Account, name, now)) {
      items.push_back(viewOf(session));
      items.back()["own"] = session.ref == call.person.session;
    }
    return pageOf(std::move(items), {});
  });
}

// One session by `ref`, or all of the account; of one's own all but the one that asks.
json endSessions(OrderTools& tools, const OrderCall& call) {
  const auto name = call.args.textOr("name", call.person.account, 64);
  const auto ref = call.args.textOr("ref", {}, 64);
  requireLeave(call, name);
  return change(tools, call, [&](SiteTables& tables) {
    if (!tables.accounts.find(name)) refuse("not-found", "there is no account " + name, "see: postern user list");
    call.note.objectType = "account";
    call.note.person("account", name);
    std::size_t ended = 0;
    if (ref.empty())
      ended = tables.sessions.endAll(SubjectKind::Account, name, call.person.session);
    else if (tables.sessions.end(SubjectKind::Account, name, ref))
      ended = 1;
    call.note.number("sessions", ended);
    return json{{"name", name}, {"ended", ended}};
  });
}

constexpr OrderRow Rows[] = {
    {"session.show", OrderKind::Reads, showSession, Anybody},
    {"session.list", OrderKind::Reads, listSessions, AnySignedIn},
    {"session.end", OrderKind::Changes, endSessions, AnySignedIn},
};

}  // namespace

std::span<const OrderRow> sessionOrders() {
  return Rows;
}

}  // namespace postern::listd
