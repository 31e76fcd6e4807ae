#include "core/mail/Text.h"
#include "listd/keys/KeyLookup.h"
#include "listd/orders/Csv.h"
#include "listd/orders/OrderTools.h"
#include "listd/orders/Views.h"
#include "listd/plan/MemberFacts.h"
#include "listd/probe/DomainProbes.h"
#include "listd/subscribe/Bans.h"
#include "listd/subscribe/MemberImport.h"
#include "listd/subscribe/MemberSourceStore.h"
#include "listd/subscribe/SubscriptionOrders.h"

namespace postern::listd {

using nlohmann::json;

namespace {

constexpr std::size_t MaxName = 100;
constexpr std::size_t MaxCsv = 32u << 20;

// "ready", "withheld" and "disabled" choose by standing; a text with "@" in it is the beginning of an address, any
// other a part of address or name.
MemberMatches matchesOf(const SiteTables& tables, std::uint64_t list, const Args& args, std::uint32_t limit) {
  const auto text = mail::lowerAscii(args.textOr("filter", {}, 400));
  const auto after = args.textOr("after", {}, 400);
  const bool standing = text == "ready" || text == "withheld" || text == "disabled";
  if (!text.empty() && !standing && text.find('@', 1) == std::string::npos)
    return tables.members.withPart(list, text, after, limit);
  const auto filter = standing ? MemberFilter{text, {}} : MemberFilter{{}, text};
  return {tables.members.page(list, filter, after, limit), tables.members.count(list, filter)};
}

Member requireMember(SiteTables& tables, const List& list, const Args& args) {
  const auto address = args.address("address").key();
  auto member = tables.members.find(list.id, address);
  if (!member)
    refuse("not-found", address + " is not a member of " + list.address, "see: postern member list " + list.address);
  return std::move(*member);
}

json memberView(SiteTables& tables, const List& list, const Member& member, TimePoint now) {
  const auto keys = tables.keys.factsOf(member.address);
  auto decision = decideFor(tables, rulesOf(tables, list), member.address, member.wish, now);
  // Of an open list's member the key is shown that a secure list would take.
  if (!list.secure) {
    LadderRules keysOnly;
    keysOnly.rungs = {app::Protection::Smime, app::Protection::OpenPgp};
    decision.keyFingerprint = decide(keysOnly, {keys}, now).keyFingerprint;
  }
  return viewOf(member, keys, decision);
}

// What the member wants at least; it can only strengthen.
std::optional<app::Protection> wishOf(const Args& args) {
  const auto word = args.word("wish", "none", {"none", "tls", "pickup", "openpgp", "smime"});
  if (word == "none") return std::nullopt;
  return parseProtection(word);
}

TimePoint timeArg(const Args& args, std::string_view name, TimePoint fallback) {
  const auto micros = args.number(name, static_cast<std::uint64_t>(toMicros(fallback)), 0, std::uint64_t{1} << 62);
  return fromMicros(static_cast<std::int64_t>(micros));
}

// Whether copies come, and a pause of them. An end of 0 takes the pause back.
void takeDelivery(const Args& args, Member& member, TimePoint now) {
  member.delivery = args.word("delivery", member.delivery, {"each", "none"});
  member.pausedFrom = timeArg(args, "pausedFrom", member.pausedFrom);
  member.pausedUntil = timeArg(args, "pausedUntil", member.pausedUntil);
  if (member.pausedUntil == TimePoint()) member.pausedFrom = TimePoint();
  if (member.pausedUntil != TimePoint() && member.pausedUntil <= member.pausedFrom)
    refuse("invalid", "a pause ends after it begins");
  member.receives = receivesAt(member, now);
}

Member newMember(const List& list, const std::string& address, std::string name, TimePoint now) {
  Member member;
  member.listId = list.id;
  member.address = address;
  member.name = std::move(name);
  member.joinedAt = now;
  return member;
}

void refuseListAsMember(SiteTables& tables, const std::string& address) {
  if (tables.lists.find(address))
    refuse("invalid", address + " is a list of this site; a list cannot be a member",
           "add the members of that list instead");
}

// Members came or changed: their domains are probed, and keys are looked up, soon.
void lookForNew(OrderTools& tools) {
  if (tools.probes != nullptr) tools.probes->lookForDue();
  if (tools.lookups != nullptr) tools.lookups->wake();
}

}  // namespace

json addMember(OrderTools& tools, const OrderCall& call) {
  const auto address = call.args.address("address").key();
  const auto name = call.args.textOr("name", {}, MaxName);
  auto answer = change(tools, call, [&](SiteTables& tables) {
    const auto list = requireList(tables, call.args);
    if (tables.members.find(list.id, address))
      refuse("exists", address + " is a member of " + list.address + " already");
    refuseListAsMember(tables, address);
    if (const auto ban = banOf(tables, list.id, address))
      refuse("refused", address + " is banned by the pattern " + ban->pattern,
             "take the ban back first: postern ban remove " + std::to_string(ban->id));
    const auto member = newMember(list, address, name, tools.now());
    tables.members.add(member, decideFor(tables, rulesOf(tables, list), address, member.wish, tools.now()));
    tables.subscriptions.sources().forget(list.id, address);
    return memberView(tables, list, member, tools.now());
  });
  lookForNew(tools);
  return answer;
}

json removeMember(OrderTools& tools, const OrderCall& call) {
  return change(tools, call, [&](SiteTables& tables) {
    const auto list = requireList(tables, call.args);
    const auto member = requireMember(tables, list, call.args);
    tables.formerMembers.add(member, tools.now(), call.actor.name);
    tables.members.remove(list.id, member.address);
    return json::object();
  });
}

json listMembers(OrderTools& tools, const OrderCall& call) {
  const auto limit = static_cast<std::uint32_t>(call.args.number("limit", 100, 1, 1000));
  return tools.context.site.read([&](SiteTables& tables) {
    const auto list = requireList(tables, call.args);
    const auto [members, total] = matchesOf(tables, list.id, call.args, limit);
    auto items = json::array();
    for (const auto& member : members) items.push_back(memberView(tables, list, member, tools.now()));
    auto page = pageOf(std::move(items), members.size() == limit ? members.back().address : std::string());
    page["total"] = total;
    return page;
  });
}

json setMember(OrderTools& tools, const OrderCall& call) {
  auto answer = change(tools, call, [&](SiteTables& tables) {
    const auto list = requireList(tables, call.args);
    auto member = requireMember(tables, list, call.args);
    member.name = call.args.textOr("name", member.name, MaxName);
    member.enabled =
        call.args.word("state", member.enabled ? "enabled" : "disabled", {"enabled", "disabled"}) == "enabled";
    if (call.args.has("wish")) member.wish = wishOf(call.args);
    takeDelivery(call.args, member, tools.now());
    tables.members.update(member, decideFor(tables, rulesOf(tables, list), member.address, member.wish, tools.now()));
    return memberView(tables, list, member, tools.now());
  });
  lookForNew(tools);
  return answer;
}

json importMembers(OrderTools& tools, const OrderCall& call) {
  const auto records = readCsv(call.args.bytes("csv", MaxCsv));
  const bool dryRun = call.args.flag("dryRun");
  const auto run = [&](SiteTables& tables) {
    const auto list = requireList(tables, call.args);
    MemberImport import(tables, list, tools.now(), {dryRun, false});
    for (const auto& record : records) import.add(record);
    return import.result();
  };
  if (dryRun) return tools.context.site.read(run);
  auto answer = change(tools, call, run);
  lookForNew(tools);
  return answer;
}

namespace {

std::optional<std::string> filterOf(const Args& args) {
  if (args.textOr("filter", {}, 300).empty()) return std::nullopt;
  auto filter = banPattern(args.text("filter", 300));
  if (!filter) refuse("invalid", "that is no filter", "give an address, @ and a domain, or an address with * in it");
  return filter;
}

}  // namespace

json syncMembers(OrderTools& tools, const OrderCall& call) {
  const auto records = readCsv(call.args.bytes("csv", MaxCsv));
  const MemberSync sync{records, filterOf(call.args), call.args.flag("dryRun"), call.args.flag("confirmed"),
                        false,   call.actor.name};
  const auto run = [&](SiteTables& tables) {
    const auto list = requireList(tables, call.args);
    auto result = syncList(tables, list, sync, tools.now());
    if (result.at("stopped") == true)
      refuse("refused",
             result.at("removed").dump() + " of " + result.at("lookedAt").dump() +
                 " members would go, which is more than " + std::to_string(BrakePercent) + " %; nothing was changed",
             "look with --dry-run, and confirm it with --confirmed if it is right");
    call.note.number("added", result.at("added").get<std::uint64_t>())
        .number("removed", result.at("removed").get<std::uint64_t>());
    call.note.objectType = "list";
    call.note.objectId = std::to_string(list.id);
    call.note.listId = list.id;
    return result;
  };
  if (sync.dryRun) return tools.context.site.read(run);
  auto answer = change(tools, call, run);
  lookForNew(tools);
  return answer;
}

json exportMembers(OrderTools& tools, const OrderCall& call) {
  constexpr std::uint32_t PageSize = 1000;
  return tools.context.site.read([&](SiteTables& tables) {
    const auto list = requireList(tables, call.args);
    std::string csv = csvLine({"address", "name", "state", "protection", "reason"});
    std::string after;
    for (;;) {
      const auto members = tables.members.page(list.id, {}, after, PageSize);
      for (const auto& member : members)
        csv += csvLine(
            {member.address, member.name, member.enabled ? "enabled" : "disabled", member.protection, member.reason});
      if (members.size() < PageSize) break;
      after = members.back().address;
    }
    return json{{"csv", std::move(csv)}};
  });
}

}  // namespace postern::listd
