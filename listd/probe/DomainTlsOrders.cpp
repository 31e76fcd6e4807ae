#include "listd/probe/DomainTlsOrders.h"

#include "listd/orders/Views.h"
#include "listd/plan/Standing.h"
#include "listd/probe/DomainProbes.h"
#include "listd/probe/ProbeView.h"

namespace postern::listd {

using nlohmann::json;

namespace {

using app::Role;

constexpr Access Askers{Role::Admin | Role::Officer | Role::Auditor | Role::Helpdesk | Role::Owner, false, ""};
constexpr Access Starters{Role::Admin | Role::Officer | Role::Helpdesk | Role::Owner, false, ""};
constexpr Access Readers{Role::Admin | Role::Officer | Role::Auditor | Role::Helpdesk};
constexpr Access Strengthens{Role::Admin};
constexpr Access Weakens{Role::Admin, true};

json viewOf(const DomainMark& mark) {
  return {{"domain", mark.domain},
          {"mark", markWord(mark.mark)},
          {"reason", mark.reason},
          {"setAt", toMicros(mark.setAt)},
          {"setBy", mark.setBy}};
}

json viewOf(const DomainDelivery& delivery) {
  return {{"at", toMicros(delivery.at)},    {"outcome", delivery.outcome},           {"host", delivery.host},
          {"version", delivery.tlsVersion}, {"verification", delivery.verification}, {"reply", delivery.reply}};
}

DomainProbes& probesOf(OrderTools& tools) {
  if (tools.probes == nullptr) refuse("unavailable", "no domains are probed here");
  return *tools.probes;
}

json startProbe(OrderTools& tools, const OrderCall& call) {
  const auto domain = call.args.domain("domain").text();
  auto& probes = probesOf(tools);
  if (!tools.gateway.connected())
    refuse("unavailable", "the gateway is away, and only it can ask other mail servers", "see: postern status");
  const bool staff = call.person.roles.meets(Readers.roles);
  switch (probes.mayAsk(staff ? std::string() : call.actor.name, domain)) {
    case DomainProbes::Answer::TooOftenDomain:
      refuse("refused", domain + " was asked several times in the last minutes",
             "see what was found out, or wait ten minutes");
    case DomainProbes::Answer::TooOftenPerson:
      refuse("refused", "you have had many domains asked within an hour", "wait an hour, or ask an administrator");
    case DomainProbes::Answer::Yes:
      break;
  }
  const auto answer = change(tools, call, [&](SiteTables&) { return json{{"domain", domain}}; });
  probes.start(domain);
  return answer;
}

json showProbe(OrderTools& tools, const OrderCall& call) {
  const auto domain = call.args.domain("domain").text();
  const auto state = probesOf(tools).state(domain);
  return tools.context.site.read([&](SiteTables& tables) {
    const auto known = tables.domainTls.find(domain);
    const auto report = tables.domainTls.report(domain);
    // An owner learns nothing of what goes between other people and that domain.
    const bool staff = call.person.roles.meets(Readers.roles);
    const auto mark = staff ? tables.domainTls.mark(domain) : std::nullopt;
    const auto last = staff ? tables.domainTls.lastDelivery(domain) : std::nullopt;
    json view{{"domain", domain}, {"running", state.running}, {"progress", state.progress}};
    view["known"] = known ? json{{"means", app::tlsMeansWord(known->means)},
                                 {"checkedAt", toMicros(known->checkedAt)},
                                 {"problem", known->problem},
                                 {"sentence", verdictSentence(*known)}}
                          : json(nullptr);
    view["probe"] = report.empty() ? json(nullptr) : json::parse(report);
    view["mark"] = mark ? viewOf(*mark) : json(nullptr);
    view["lastDelivery"] = last ? viewOf(*last) : json(nullptr);
    return view;
  });
}

// What was found out under the other rule is no longer what would be found out. Until the domain is asked again its
// members stand as if nothing were known.
void forget(SiteTables& tables, const std::string& domain, TimePoint now) {
  tables.domainTls.forget(domain);
  refreshDomain(tables, domain, now);
  tables.counters.take(CounterStore::Routing);
}

json setMark(OrderTools& tools, const OrderCall& call, DomainMark::Mark which) {
  const DomainMark mark{call.args.domain("domain").text(), which, call.args.text("reason", 500), tools.now(),
                        call.actor.name};
  call.note.objectType = "domain";
  call.note.objectId = mark.domain;
  call.note.reasonText = mark.reason;
  auto answer = change(tools, call, [&](SiteTables& tables) {
    tables.domainTls.setMark(mark);
    forget(tables, mark.domain, tools.now());
    return viewOf(mark);
  });
  if (tools.probes != nullptr) tools.probes->lookForDue();
  return answer;
}

json trustDomain(OrderTools& tools, const OrderCall& call) {
  return setMark(tools, call, DomainMark::Mark::Trusted);
}

json distrustDomain(OrderTools& tools, const OrderCall& call) {
  return setMark(tools, call, DomainMark::Mark::Distrusted);
}

json unmarkDomain(OrderTools& tools, const OrderCall& call) {
  const auto domain = call.args.domain("domain").text();
  call.note.objectType = "domain";
  call.note.objectId = domain;
  call.note.reasonText = call.args.text("reason", 500);
  auto answer = change(tools, call, [&](SiteTables& tables) {
    if (!tables.domainTls.removeMark(domain))
      refuse("not-found", domain + " is neither trusted nor distrusted", "see: postern domain marks");
    forget(tables, domain, tools.now());
    return json::object();
  });
  if (tools.probes != nullptr) tools.probes->lookForDue();
  return answer;
}

json listMarks(OrderTools& tools, const OrderCall&) {
  return tools.context.site.read([](SiteTables& tables) {
    auto items = json::array();
    for (const auto& mark : tables.domainTls.marks()) items.push_back(viewOf(mark));
    return pageOf(std::move(items), {});
  });
}

constexpr OrderRow Table[] = {
    {"probe.start", OrderKind::Changes, startProbe, Starters},
    {"probe.show", OrderKind::Reads, showProbe, Askers},
    {"domain.trust", OrderKind::ChangesRouting, trustDomain, Weakens},
    {"domain.distrust", OrderKind::ChangesRouting, distrustDomain, Strengthens},
    {"domain.unmark", OrderKind::ChangesRouting, unmarkDomain, Weakens},
    {"domain.marks", OrderKind::Reads, listMarks, Readers},
};

}  // namespace

std::span<const OrderRow> domainTlsOrders() {
  return Table;
}

}  // namespace postern::listd
