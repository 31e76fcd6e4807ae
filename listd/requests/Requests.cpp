#include "listd/requests/Requests.h"

#include "core/base/Error.h"
#include "core/base/Log.h"
#include "core/mail/Text.h"
#include "listd/mailout/SiteMail.h"
#include "listd/orders/OrderTools.h"
#include "listd/people/LegalSite.h"
#include "listd/requests/OutsideAddress.h"
#include "listd/requests/StopLink.h"

#include <algorithm>

namespace postern::listd {
namespace {

using nlohmann::json;

Request require(SiteTables& tables, std::uint64_t id) {
  auto request = tables.requests.find(id);
  if (!request) refuse("not-found", "there is no request " + std::to_string(id), "see: postern request list");
  return std::move(*request);
}

Request requireWaiting(SiteTables& tables, std::uint64_t id) {
  auto request = require(tables, id);
  if (request.state != "waiting")
    refuse("refused", "request " + std::to_string(id) + " does not wait any more: it is " + request.state);
  return request;
}

// Somebody outside who is not the one person inside.
std::string requireOutsideAddress(const OrderTools& tools, const std::vector<Staff>& staff, bool byTimeOnly) {
  const auto& outside = tools.context.config.outsideAddress;
  if (outside.empty())
    refuse("refused",
           byTimeOnly         ? "this would leave the site to one person, and nobody outside could be told before"
           : staff.size() > 1 ? "this needs an approver who neither asked for it nor is concerned, and there is none"
                              : "this needs a second person, and the site has only one",
           "make a second account, or set [records] outside_address in postern.toml to the address of somebody outside "
           "who is told seven days before such a change is made");
  if (!mail::Address::parse(outside))
    refuse("refused", "[records] outside_address in postern.toml is not a mail address", "correct it");
  auto address = outsideAddress(tools, staff);
  if (!address)
    refuse("refused", "[records] outside_address is the address of somebody who works on this site",
           "name somebody else's address");
  return std::move(*address);
}

void announce(const OrderTools& tools, SiteTables& tables, Request& request, const std::string& outside) {
  const auto link = tools.context.webUrl() + "/requests/stop?token=" + stopToken(tools.context.root, request.id);
  request.announcement =
      sendSiteMail(tables,
                   {SiteMail::Kind::LonePersonChange,
                    outside,
                    link,
                    {request.kind, std::to_string(request.id), formatRfc3339(request.decideAt + request.delay)}},
                   request.createdAt);
  tables.requests.update(request);
}

// Everybody who works here hears of it; only the outside address can stop it by a link.
void tellStaff(const OrderTools& tools, SiteTables& tables, const Request& request) {
  for (const auto& person : siteStaff(tables)) {
    const SiteMail mail{SiteMail::Kind::OnePersonSite,
                        person.mail,
                        tools.context.webUrl() + "/work",
                        {std::to_string(request.id), formatRfc3339(request.decideAt + request.delay)}};
    if (!person.mail.empty() && !siteMailFault(mail)) sendSiteMail(tables, mail, request.createdAt);
  }
}

bool announced(SiteTables& tables, const Request& request) {
  const auto mail = tables.siteMail.find(request.announcement);
  return mail && mail->state == "delivered";
}

void record(SiteTables& tables, std::string act, const Request& request, audit::Outcome outcome) {
  audit::Event event;
  event.actorKind = "system";
  event.actor = "listd";
  event.action = std::move(act);
  event.objectType = "request";
  event.objectId = std::to_string(request.id);
  event.requestId = request.id;
  event.reasonText = request.reason;
  event.outcome = outcome;
  event.person("requester", request.requester);
  tables.audit.append(event);
}

}  // namespace

std::optional<std::string> outsideAddress(const OrderTools& tools, const std::vector<Staff>& staff) {
  const auto address = mail::Address::parse(tools.context.config.outsideAddress);
  if (!address) return std::nullopt;
  for (const auto& person : staff)
    if (samePerson(person.mail, address->key()) || samePerson(person.name, address->key())) return std::nullopt;
  return address->key();
}

bool samePerson(std::string_view left, std::string_view right) {
  return mail::equalsIgnoreCase(left, right);
}

void Requests::add(Kind kind) {
  auto name = kind.name;
  if (!kinds_.emplace(std::move(name), std::move(kind)).second)
    throw Error(ErrorKind::Invariant, "a kind of request was added twice");
}

const Requests::Kind& Requests::kindOf(const std::string& name) const {
  const auto kind = kinds_.find(name);
  if (kind == kinds_.end()) throw Error(ErrorKind::Invariant, "there is no kind of request " + name);
  return kind->second;
}

bool Requests::isLone(SiteTables& tables, const Request& request) const {
  if (kindOf(request.kind).byTimeOnly || !twoPersonRules(tables)) return true;
  return kindOf(request.kind).timeIfNobodyMay && !somebodyMayDecide(tables, request);
}

Request Requests::make(OrderTools& tools, SiteTables& tables, Request request) const {
  const auto& kind = kindOf(request.kind);
  if (request.requester.empty()) throw Error(ErrorKind::Invariant, "a request needs the person who asks");
  if (request.reason.empty()) refuse("usage", "\"reason\" is missing", "say why; the reason is kept");
  const auto staff = siteStaff(tables);
  request.createdAt = tools.now();
  request.state = "waiting";
  request.lone = isLone(tables, request);
  std::string outside;
  if (request.lone) {
    if (!kind.aloneToo)
      refuse("refused", "only a second person can allow this, and the site has only one", "make a second account");
    outside = requireOutsideAddress(tools, staff, kind.byTimeOnly);
    request.decideAt = request.createdAt + LoneWait;
  }
  request.id = tables.requests.add(request);
  if (request.lone) announce(tools, tables, request, outside);
  if (kind.byTimeOnly) tellStaff(tools, tables, request);
  return request;
}

Request Requests::decide(OrderTools& tools, SiteTables& tables, std::uint64_t id, bool approved,
                         const std::string& person, const std::string& words) const {
  auto request = requireWaiting(tables, id);
  if (person.empty() || person == DecidedByTime) throw Error(ErrorKind::Invariant, "a decision needs a person");
  if (samePerson(person, request.requester))
    refuse("refused", "you asked for this yourself; another person must decide",
           "wait for an approver, or withdraw the request");
  if (samePerson(person, personConcerned(request)))
    refuse("refused", "this is about your own account; another person must decide", "wait for another approver");
  if (approved && kindOf(request.kind).byTimeOnly)
    refuse("refused", "nobody makes this come before its time", "refuse it, if it should not be done");
  if (approved) return approve(tools, tables, std::move(request), person, words, tools.now());
  request.state = "refused";
  request.decider = person;
  request.decision = words;
  request.decidedAt = tools.now();
  tables.requests.update(request);
  return request;
}

// REQUIRES: decider is not the person who asked (the table checks it too).
Request Requests::approve(OrderTools& tools, SiteTables& tables, Request request, const std::string& decider,
                          const std::string& words, TimePoint at) const {
  const auto& kind = kindOf(request.kind);
  request.state = "approved";
  request.decider = decider;
  request.decision = words;
  request.decidedAt = at;
  request.effectiveAt = at + request.delay;
  if (kind.executeAtOnce || request.delay.count() == 0) kind.execute(tools, tables, request, request.effectiveAt);
  if (request.delay.count() == 0) request.state = "done";
  tables.requests.update(request);
  return request;
}

Request Requests::withdraw(OrderTools& tools, SiteTables& tables, std::uint64_t id, const std::string& person,
                           const std::string& words) const {
  auto request = require(tables, id);
  if (!samePerson(person, request.requester))
    refuse("refused", "only the person who asked withdraws a request", "refuse it instead");
  const bool stopsStill = request.state == "approved" && !kindOf(request.kind).executeAtOnce;
  if (request.state != "waiting" && !stopsStill)
    refuse("refused", "request " + std::to_string(id) + " cannot be withdrawn any more: it is " + request.state);
  request.state = "withdrawn";
  request.decision = words;
  request.decidedAt = tools.now();
  tables.requests.update(request);
  return request;
}

Request Requests::withdrawByLink(OrderTools& tools, SiteTables& tables, std::string_view token) const {
  const auto id = requestOfStopToken(tools.context.root, token);
  const auto known = id ? tables.requests.find(*id) : std::nullopt;
  if (!known || known->announcement == 0) refuse("not-found", "this link is not valid");
  auto request = requireWaiting(tables, *id);
  request.state = "withdrawn";
  request.decision = "stopped through the link in the mail to the outside address";
  request.decidedAt = tools.now();
  tables.requests.update(request);
  return request;
}

Request Requests::ask(OrderTools& tools, SiteTables& tables, std::uint64_t id, const std::string& person,
                      const std::string& words) const {
  auto request = requireWaiting(tables, id);
  tables.requests.addWords(id, {tools.now(), person, words});
  return request;
}

void Requests::runDue(OrderTools& tools, TimePoint now) const {
  const auto due = tools.context.site.read([&](SiteTables& tables) { return tables.requests.due(now); });
  for (const auto id : due) {
    try {  // the boundary of a queue job: a request that cannot be carried out does not stop the others
      runOne(tools, id, now);
    } catch (const std::exception& error) {
      log::error("requests", "a request cannot be carried out now and will be tried again",
                 {{"request", id}, {"error", error.what()}});
    }
  }
  remindOfRequests(tools, now);
}

void Requests::runOne(OrderTools& tools, std::uint64_t id, TimePoint now) const {
  try {
    tools.context.site.write([&](SiteTables& tables) {
      auto request = require(tables, id);
      if (request.state == "waiting" && request.lone) return decideByTime(tools, tables, std::move(request), now);
      if (request.state != "approved" || request.effectiveAt > now) return;
      const auto& kind = kindOf(request.kind);
      if (!kind.executeAtOnce) kind.execute(tools, tables, request, request.effectiveAt);
      request.state = "done";
      tables.requests.update(request);
      record(tables, "request.effect", request, audit::Outcome::Ok);
    });
  } catch (const app::OrderRefused& refused) {
    tools.context.site.write([&](SiteTables& tables) {
      auto request = require(tables, id);
      request.state = "failed";
      request.decision = refused.error().message;
      tables.requests.update(request);
      record(tables, "request.effect", request, audit::Outcome::Error);
    });
  }
}

void Requests::decideByTime(OrderTools& tools, SiteTables& tables, Request request, TimePoint now) const {
  if (request.decideAt > now) return;
  if (!isLone(tables, request)) {  // somebody can decide now, so the time does not
    request.lone = false;
    tables.requests.update(request);
    return;
  }
  if (!announced(tables, request)) return;  // nobody outside could object yet
  request = approve(tools, tables, std::move(request), std::string(DecidedByTime), "", now);
  record(tables, "request.approve", request, audit::Outcome::Ok);
}

json viewOf(const Request& request) {
  return {{"id", request.id},
          {"kind", request.kind},
          {"title", request.title},
          {"reason", request.reason},
          {"requester", request.requester},
          {"createdAt", toMicros(request.createdAt)},
          {"state", request.state},
          {"before", request.before},
          {"after", request.after},
          {"whatIf", request.whatIf},
          {"effectiveAt", toMicros(request.effectiveAt)},
          {"decider", request.decider},
          {"decision", request.decision},
          {"decidedAt", toMicros(request.decidedAt)},
          {"lone", request.lone},
          {"decideAt", toMicros(request.decideAt)}};
}

}  // namespace postern::listd
