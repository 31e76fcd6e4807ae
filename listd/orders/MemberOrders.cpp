#include "core/mail/Text.h"
#include "listd/orders/Csv.h"
#include "listd/orders/OrderTools.h"
#include "listd/orders/Views.h"
#include "listd/plan/MemberFacts.h"
#include "listd/probe/DomainProbes.h"

namespace postern::listd {

using nlohmann::json;

namespace {

constexpr std::size_t MaxName = 100;
constexpr std::size_t MaxCsv = 32u << 20;
constexpr std::size_t MaxErrors = 1000;

// "ready", "withheld" and "disabled" choose by standing; a text with "@" in it is the beginning of an address, any
// other a part of address or name.
MemberFilter filterOf(const Args& args) {
  const auto text = mail::lowerAscii(args.textOr("filter", {}, 400));
  if (text == "ready" || text == "withheld" || text == "disabled") return {text, {}, {}};
  if (text.find('@', 1) != std::string::npos) return {{}, text, {}};
  return {{}, {}, text};
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

// Adds the people of a CSV file. What cannot be added is told by line; the rest goes in.
class Import {
public:
  Import(SiteTables& tables, const List& list, TimePoint now, bool dryRun)
      : tables_(tables), list_(list), rules_(rulesOf(tables, list)), now_(now), dryRun_(dryRun) {}

  void add(const CsvRecord& record) {
    if (record.broken) return fail(record.line, "the quotes of this line are not closed");
    const auto text = std::string(mail::trim(record.fields.front()));
    if (record.line == 1 && mail::equalsIgnoreCase(text, "address")) return;  // a heading
    const auto address = mail::Address::parse(text);
    if (!address)
      return fail(record.line, "\"" + mail::repairUtf8(text.substr(0, 100)) +
                                   "\" is not a mail address: " + mail::addressErrorText(address.error()));
    const auto name = record.fields.size() > 1 ? std::string(mail::trim(record.fields[1])) : std::string();
    if (name.size() > MaxName || !mail::isUtf8(name) || mail::hasControl(name))
      return fail(record.line, "the name is too long or holds characters that cannot be used");
    const auto key = address->key();
    if (tables_.lists.find(key)) return fail(record.line, key + " is a list of this site; a list cannot be a member");
    if (seen_.contains(key) || tables_.members.find(list_.id, key)) {
      ++skipped_;
      return;
    }
    seen_.insert(key);
    ++added_;
    if (!dryRun_)
      tables_.members.add(newMember(list_, key, name, now_), decideFor(tables_, rules_, key, std::nullopt, now_));
  }

  json result() const { return {{"added", added_}, {"skipped", skipped_}, {"errors", errors_}}; }

private:
  void fail(std::size_t line, const std::string& message) {
    if (errors_.size() < MaxErrors) errors_.push_back({{"line", line}, {"message", message}});
  }

  SiteTables& tables_;
  const List& list_;
  const LadderRules rules_;
  TimePoint now_;
  bool dryRun_;
  std::set<std::string> seen_;
  std::uint64_t added_ = 0;
  std::uint64_t skipped_ = 0;
  json errors_ = json::array();
};

}  // namespace

json addMember(OrderTools& tools, const OrderCall& call) {
  const auto address = call.args.address("address").key();
  const auto name = call.args.textOr("name", {}, MaxName);
  auto answer = change(tools, call, [&](SiteTables& tables) {
    const auto list = requireList(tables, call.args);
    if (tables.members.find(list.id, address))
      refuse("exists", address + " is a member of " + list.address + " already");
    refuseListAsMember(tables, address);
    const auto member = newMember(list, address, name, tools.now());
    tables.members.add(member, decideFor(tables, rulesOf(tables, list), address, member.wish, tools.now()));
    return memberView(tables, list, member, tools.now());
  });
  if (tools.probes != nullptr) tools.probes->lookForDue();
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
  const auto after = call.args.textOr("after", {}, 400);
  const auto filter = filterOf(call.args);
  return tools.context.site.read([&](SiteTables& tables) {
    const auto list = requireList(tables, call.args);
    const auto members = tables.members.page(list.id, filter, after, limit);
    auto items = json::array();
    for (const auto& member : members) items.push_back(memberView(tables, list, member, tools.now()));
    auto page = pageOf(std::move(items), members.size() == limit ? members.back().address : std::string());
    page["total"] = tables.members.count(list.id, filter);
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
    tables.members.update(member, decideFor(tables, rulesOf(tables, list), member.address, member.wish, tools.now()));
    return memberView(tables, list, member, tools.now());
  });
  if (tools.probes != nullptr) tools.probes->lookForDue();
  return answer;
}

json importMembers(OrderTools& tools, const OrderCall& call) {
  const auto records = readCsv(call.args.bytes("csv", MaxCsv));
  const bool dryRun = call.args.flag("dryRun");
  const auto run = [&](SiteTables& tables) {
    const auto list = requireList(tables, call.args);
    Import import(tables, list, tools.now(), dryRun);
    for (const auto& record : records) import.add(record);
    return import.result();
  };
  if (dryRun) return tools.context.site.read(run);
  auto answer = change(tools, call, run);
  if (tools.probes != nullptr) tools.probes->lookForDue();
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
