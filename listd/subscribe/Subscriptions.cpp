#include "listd/subscribe/Subscriptions.h"

#include "core/base/Codec.h"
#include "core/base/Log.h"
#include "listd/mailout/SiteMail.h"
#include "listd/plan/MemberFacts.h"
#include "listd/subscribe/Bans.h"
#include "listd/subscribe/MemberSourceStore.h"
#include "listd/subscribe/SubscribeToken.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>

namespace postern::listd {
namespace {

using Kind = SiteMail::Kind;

std::string timeOf(TimePoint at) {
  return formatRfc3339(std::chrono::floor<std::chrono::seconds>(at));
}

std::string pageLink(const SiteContext& context, std::string_view page, const std::string& token) {
  return context.webUrl().append("/lists/").append(page).append("?token=").append(token);
}

// Whether the limits let it pass, before anything is written.
bool withinLimits(const SiteTables& tables, const SubscriptionRequest& request, TimePoint now) {
  const auto counts = tables.subscriptions.countsFor(request, now);
  const char* over = nullptr;
  if (counts.ofAddress >= MailsToAddressPerDay) over = "address";
  if (!request.client.empty() && counts.ofClient >= RequestsOfNetworkPerHour) over = "network";
  if (counts.ofList >= RequestsOfListPerDay) over = "list";
  if (counts.ofSite >= RequestsOfSitePerDay) over = "site";
  if (over != nullptr)
    log::info("subscribe", "a request was dropped: too many lately",
              {{"of", over}, {"list", request.listId}, {"network", request.client}});
  return over == nullptr;
}

SubscriptionRequest requestOf(const List& list, const Asking& asking, TimePoint now) {
  SubscriptionRequest request;
  request.listId = list.id;
  request.action = asking.action;
  request.address = asking.address;
  request.name = asking.name;
  request.origin = asking.origin;
  request.client = networkOf(asking.client);
  request.madeAt = now;
  request.endsAt = now + ConfirmWithin;
  return request;
}

Kind mailOf(const SubscriptionRequest& request) {
  if (request.action == "leave") return Kind::LeaveConfirm;
  if (request.action == "invite") return Kind::ListInvitation;
  return request.action == "member" ? Kind::MemberLink : Kind::JoinConfirm;
}

// Stores the request and mails its token, unless the address got mail about this list today.
bool mailRequest(const SiteContext& context, SiteTables& tables, const List& list, SubscriptionRequest request) {
  const auto now = context.clock.now();
  if (tables.subscriptions.mailedSince(list.id, request.address, now - BetweenMailsToOne)) return false;
  if (!withinLimits(tables, request, now)) return false;
  if (auto older = tables.subscriptions.open(list.id, request.action, request.address)) {
    older->state = "expired";
    tables.subscriptions.update(*older);
  }
  request.mailedAt = now;
  request.id = tables.subscriptions.add(request);
  const auto token = requestToken(context, request);
  const auto kind = mailOf(request);
  SiteMail mail{kind, request.address, pageLink(context, "confirm", token), {list.address}, list.language};
  if (kind == Kind::MemberLink) mail.link = pageLink(context, "membership", token);
  if (kind == Kind::JoinConfirm || kind == Kind::LeaveConfirm)
    mail.lines.push_back(subAddress(factsOf(list, {}).address, "confirm+" + token).text());
  mail.lines.push_back(timeOf(request.endsAt));
  sendSiteMail(tables, mail, now);
  return true;
}

Asked letOwnersDecide(SiteTables& tables, SubscriptionRequest request, TimePoint now) {
  if (tables.subscriptions.open(request.listId, request.action, request.address)) return Asked::Waiting;
  if (!withinLimits(tables, request, now)) return Asked::Nothing;
  request.state = "waiting";
  request.endsAt = now + DecideWithin;
  tables.subscriptions.add(request);
  return Asked::Waiting;
}

void tell(const SiteContext& context, SiteTables& tables, Kind kind, const List& list, const std::string& address,
          const std::string& link = {}) {
  sendSiteMail(tables, {kind, address, link, {list.address}, list.language}, context.clock.now());
}

void record(SiteTables& tables, const List& list, const char* action, const std::string& address, std::string_view by) {
  audit::Event event;
  event.actorKind = "system";
  event.action = action;
  event.objectType = "member";
  event.listId = list.id;
  event.person("address", address).text("by", std::string(by));
  tables.audit.append(event);
}

Asked askToJoin(const SiteContext& context, SiteTables& tables, const List& list, const Asking& asking) {
  const auto settings = tables.subscriptions.settings(list.id, list.secure);
  const auto now = context.clock.now();
  if (!settings.takesRequests() || tables.lists.find(asking.address)) return Asked::Nothing;
  if (banOf(tables, list.id, asking.address)) return Asked::Nothing;
  const auto request = requestOf(list, asking, now);
  if (settings.joining == Joining::Moderate) return letOwnersDecide(tables, request, now);
  if (settings.joining == Joining::Open && asking.proven && withinLimits(tables, request, now))
    return joinList(context, tables, list, asking.address, asking.name) ? Asked::Done : Asked::Nothing;
  return mailRequest(context, tables, list, request) ? Asked::Mailed : Asked::Nothing;
}

Asked askToLeave(const SiteContext& context, SiteTables& tables, const List& list, const Asking& asking) {
  const auto settings = tables.subscriptions.settings(list.id, list.secure);
  if (settings.leaving == Leaving::Closed) return Asked::Nothing;
  if (settings.leaving == Leaving::Open && asking.proven) {
    if (!leaveList(context, tables, list, asking.address, "the member")) return Asked::Nothing;
    tell(context, tables, Kind::Left, list, asking.address);
    return Asked::Done;
  }
  return mailRequest(context, tables, list, requestOf(list, asking, context.clock.now())) ? Asked::Mailed
                                                                                          : Asked::Nothing;
}

void finish(const SiteContext& context, SiteTables& tables, SubscriptionRequest& request, const char* state) {
  request.state = state;
  request.decidedAt = context.clock.now();
  tables.subscriptions.update(request);
}

std::string boundOf(const SubscriptionRequest& request) {
  return Writer()
      .u64(request.listId)
      .string(request.action)
      .string(request.address)
      .string(request.other)
      .u64(static_cast<std::uint64_t>(toMicros(request.madeAt)))
      .bytes();
}

constexpr const char* purposeOf(bool oldMailbox) {
  return oldMailbox ? "subscription request" : "subscription of another address";
}

std::string oneClickBound(const List& list, std::string_view address) {
  return Writer().u64(list.id).string(address).bytes();
}

}  // namespace

const char* askedWord(Asked asked) {
  constexpr std::array words = {"nothing", "mailed", "waiting", "done"};
  return words.at(static_cast<std::size_t>(asked));
}

Asked askSubscription(const SiteContext& context, SiteTables& tables, const List& list, const Asking& asking) {
  if (!list.open || list.deletedAt != TimePoint()) return Asked::Nothing;
  if (asking.action == "join") return askToJoin(context, tables, list, asking);
  if (asking.action == "leave") return askToLeave(context, tables, list, asking);
  // The link goes to everybody who asks: behind it the mailbox learns whether it is a member.
  return mailRequest(context, tables, list, requestOf(list, asking, context.clock.now())) ? Asked::Mailed
                                                                                          : Asked::Nothing;
}

bool joinList(const SiteContext& context, SiteTables& tables, const List& list, const std::string& address,
              const std::string& name) {
  if (tables.members.find(list.id, address)) return false;
  const auto now = context.clock.now();
  Member member;
  member.listId = list.id;
  member.address = address;
  member.name = name;
  member.joinedAt = now;
  const auto decision = decideFor(tables, rulesOf(tables, list), address, std::nullopt, now);
  tables.members.add(member, decision);
  tables.subscriptions.sources().forget(list.id, address);
  record(tables, list, "member.joined", address, {});
  if (list.secure && decision.withheld())
    sendSiteMail(tables,
                 {Kind::JoinedWithoutKey,
                  address,
                  aboutLink(context, list),
                  {list.address, subAddress(factsOf(list, {}).address, "request").text()},
                  list.language},
                 now);
  else
    tell(context, tables, Kind::Joined, list, address, aboutLink(context, list));
  return true;
}

bool leaveList(const SiteContext& context, SiteTables& tables, const List& list, const std::string& address,
               std::string_view by) {
  const auto member = tables.members.find(list.id, address);
  if (!member) return false;
  tables.formerMembers.add(*member, context.clock.now(), by);
  tables.members.remove(list.id, address);
  tables.subscriptions.sources().noteDeparture(list.id, address, context.clock.now());
  record(tables, list, "member.left", address, by);
  return true;
}

std::string confirmRequest(const SiteContext& context, SiteTables& tables, SubscriptionRequest request,
                           const List& list, bool oldMailbox) {
  const auto settings = tables.subscriptions.settings(list.id, list.secure);
  const bool member = tables.members.find(list.id, request.address).has_value();
  const auto wait = [&] {
    request.state = "waiting";
    request.endsAt = context.clock.now() + DecideWithin;
    tables.subscriptions.update(request);
    return std::string("waiting");
  };
  const auto end = [&](const char* state, const char* word) {
    finish(context, tables, request, state);
    return std::string(word);
  };
  if (!list.open || list.deletedAt != TimePoint()) return end("refused", "closed");
  if (request.action == "leave") {
    if (!member) return end("done", "not-member");
    if (settings.leaving == Leaving::Closed) return end("refused", "closed");
    if (settings.leaving == Leaving::Moderate) return wait();
    leaveList(context, tables, list, request.address, "the member");
    tell(context, tables, Kind::Left, list, request.address);
    return end("done", "left");
  }
  if (request.action == "address") {
    if (banOf(tables, list.id, request.other) || tables.lists.find(request.other)) return end("refused", "banned");
    if (!member) return end("refused", "not-member");
    if (tables.members.find(list.id, request.other)) return end("refused", "taken");
    request.confirmed |= oldMailbox ? 1u : 2u;
    if (request.confirmed != 3) {
      tables.subscriptions.update(request);
      return "other-mailbox";
    }
    moveMember(context, tables, list, request.address, request.other);
    return end("done", "moved");
  }
  if (banOf(tables, list.id, request.address)) return end("refused", "banned");
  if (request.action == "join" && !settings.takesRequests()) return end("refused", "closed");
  if (request.action == "join" && settings.joinsByDecision() && !member) return wait();
  joinList(context, tables, list, request.address, request.name);
  return end("done", "joined");
}

std::string decideRequest(const SiteContext& context, SiteTables& tables, SubscriptionRequest request, const List& list,
                          bool grant, const std::string& reason, const std::string& by) {
  request.decidedBy = by;
  request.reason = reason;
  finish(context, tables, request, grant ? "done" : "refused");
  if (!grant) {
    tell(context, tables, Kind::RequestRefused, list, request.address,
         pageLink(context, "confirm", requestToken(context, request)));
    return "refused";
  }
  if (request.action == "leave") {
    if (!leaveList(context, tables, list, request.address, by)) return "not-member";
    tell(context, tables, Kind::Left, list, request.address);
    return "left";
  }
  return joinList(context, tables, list, request.address, request.name) ? "joined" : "taken";
}

void askOwnersToLetGo(const SiteContext& context, SiteTables& tables, const List& list, const std::string& address,
                      const std::string& client) {
  Asking asking{"leave", address};
  asking.client = client;
  letOwnersDecide(tables, requestOf(list, asking, context.clock.now()), context.clock.now());
}

bool inviteToList(const SiteContext& context, SiteTables& tables, const List& list, const Asking& asking) {
  if (tables.members.find(list.id, asking.address) || tables.lists.find(asking.address)) return false;
  if (banOf(tables, list.id, asking.address)) return false;
  auto request = requestOf(list, asking, context.clock.now());
  request.action = "invite";
  request.origin = "owner";
  request.endsAt = request.madeAt + InvitedFor;
  return mailRequest(context, tables, list, request);
}

bool askAddressChange(const SiteContext& context, SiteTables& tables, const List& list, const std::string& from,
                      const std::string& to) {
  const auto now = context.clock.now();
  if (from == to || tables.lists.find(to) || banOf(tables, list.id, to)) return false;
  Asking asking{"address", from};
  auto request = requestOf(list, asking, now);
  request.other = to;
  request.mailedAt = now;
  auto toOther = request;
  toOther.address = to;
  if (!withinLimits(tables, request, now) || !withinLimits(tables, toOther, now)) return false;
  if (tables.subscriptions.open(list.id, "address", from)) return false;
  request.id = tables.subscriptions.add(request);
  for (const bool old : {true, false})
    sendSiteMail(tables,
                 {Kind::AddressConfirm,
                  old ? from : to,
                  pageLink(context, "confirm", requestToken(context, request, old)),
                  {list.address, timeOf(request.endsAt)},
                  list.language},
                 now);
  return true;
}

bool moveMember(const SiteContext& context, SiteTables& tables, const List& list, const std::string& from,
                const std::string& to) {
  const auto old = tables.members.find(list.id, from);
  if (!old || tables.members.find(list.id, to)) return false;
  const auto now = context.clock.now();
  tables.formerMembers.add(*old, now, "change of address");
  tables.members.remove(list.id, from);
  auto member = *old;
  member.address = to;
  member.id = tables.members.add(member, decideFor(tables, rulesOf(tables, list), to, member.wish, now));
  record(tables, list, "member.moved", to, from);
  return true;
}

std::string requestToken(const SiteContext& context, const SubscriptionRequest& request, bool oldMailbox) {
  return makeSubscribeToken(context.root, purposeOf(oldMailbox), request.id, boundOf(request));
}

std::optional<OpenedToken> requestOfToken(const SiteContext& context, const SiteTables& tables,
                                          std::string_view token) {
  const auto id = numberOfSubscribeToken(context.root, token);
  const auto request = id ? tables.subscriptions.find(*id) : std::nullopt;
  if (!request) return std::nullopt;
  for (const bool old : {true, false})
    if (isSubscribeToken(context.root, purposeOf(old), boundOf(*request), token)) return OpenedToken{*request, old};
  return std::nullopt;
}

std::string oneClickToken(const vault::RootKey& root, const List& list, std::uint64_t memberId,
                          std::string_view address) {
  return makeSubscribeToken(root, "one-click", memberId, oneClickBound(list, address));
}

std::optional<OneClick> memberOfOneClick(const SiteContext& context, const SiteTables& tables, std::string_view token) {
  const auto id = numberOfSubscribeToken(context.root, token);
  const auto member = id ? tables.members.find(*id) : std::nullopt;
  auto list = member ? tables.lists.find(member->listId) : std::nullopt;
  if (!list || list->deletedAt != TimePoint()) return std::nullopt;
  if (!isSubscribeToken(context.root, "one-click", oneClickBound(*list, member->address), token)) return std::nullopt;
  return OneClick{std::move(*list), member->address};
}

std::string aboutLink(const SiteContext& context, const List& list) {
  return pageLink(context, "about", makeSubscribeToken(context.root, "about list", list.id, list.address));
}

std::optional<List> listOfAboutToken(const SiteContext& context, const SiteTables& tables, std::string_view token) {
  const auto id = numberOfSubscribeToken(context.root, token);
  auto list = id ? tables.lists.find(*id) : std::nullopt;
  if (!list || list->deletedAt != TimePoint()) return std::nullopt;
  if (!isSubscribeToken(context.root, "about list", list->address, token)) return std::nullopt;
  return list;
}

void mailHelp(const SiteContext& context, SiteTables& tables, const List& list, const Asking& asking) {
  const auto now = context.clock.now();
  if (!withinLimits(tables, requestOf(list, asking, now), now)) return;
  if (!tables.notices.take(list.id, asking.address, "list-help", now)) return;
  sendSiteMail(tables,
               {Kind::ListHelp,
                asking.address,
                aboutLink(context, list),
                {list.address, subAddress(factsOf(list, {}).address, "request").text()},
                list.language},
               now);
}

std::string networkOf(std::string_view client) {
  const std::string text(client);
  std::array<unsigned char, 16> bytes{};
  std::array<char, INET6_ADDRSTRLEN> shown{};
  if (inet_pton(AF_INET, text.c_str(), bytes.data()) == 1) {
    bytes[3] = 0;
    return std::string(inet_ntop(AF_INET, bytes.data(), shown.data(), shown.size())) + "/24";
  }
  if (inet_pton(AF_INET6, text.c_str(), bytes.data()) != 1) return {};
  std::fill(bytes.begin() + 6, bytes.end(), static_cast<unsigned char>(0));
  return std::string(inet_ntop(AF_INET6, bytes.data(), shown.data(), shown.size())) + "/48";
}

}  // namespace postern::listd
