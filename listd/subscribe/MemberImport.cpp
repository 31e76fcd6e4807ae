#include "listd/subscribe/MemberImport.h"

#include "core/mail/Address.h"
#include "core/mail/Text.h"
#include "listd/plan/MemberFacts.h"
#include "listd/subscribe/Bans.h"
#include "listd/subscribe/MemberSourceStore.h"

namespace postern::listd {

using nlohmann::json;

namespace {

constexpr std::size_t MaxName = 100;
constexpr std::size_t MaxErrors = 1000;
constexpr std::size_t MaxRows = 10000;  // told one by one; what is beyond is in the counts

std::vector<Ban> bansOf(const SiteTables& tables, const List& list) {
  auto bans = tables.subscriptions.bans(list.id);
  for (auto& ban : tables.subscriptions.bans(0)) bans.push_back(std::move(ban));
  return bans;
}

// Who is to stay: every address that the records name.
std::unordered_set<std::string> namedIn(const MemberSync& sync) {
  std::unordered_set<std::string> named;
  for (const auto& record : sync.records) {
    if (record.broken) continue;
    if (const auto address = mail::Address::parse(mail::trim(record.fields.front()))) named.insert(address->key());
  }
  return named;
}

bool looksAt(const MemberSync& sync, std::string_view address) {
  return !sync.pattern || fitsBan(*sync.pattern, address);
}

struct Missing {
  std::vector<Member> members;
  std::uint64_t lookedAt = 0;  // plain members among whom they are missed
};

Missing missingIn(const SiteTables& tables, const List& list, const MemberSync& sync) {
  constexpr std::uint32_t PageSize = 1000;
  const auto named = namedIn(sync);
  std::unordered_set<std::string> brought;
  if (sync.broughtOnly)
    for (auto& address : tables.subscriptions.sources().broughtTo(list.id)) brought.insert(std::move(address));
  Missing missing;
  std::string after;
  for (bool more = true; more;) {
    auto members = tables.members.page(list.id, {}, after, PageSize);
    more = members.size() == PageSize;
    if (more) after = members.back().address;
    for (auto& member : members) {
      if (member.role != "member" || (sync.broughtOnly && !brought.contains(member.address)) ||
          !looksAt(sync, member.address))
        continue;
      ++missing.lookedAt;
      if (!named.contains(member.address)) missing.members.push_back(std::move(member));
    }
  }
  return missing;
}

}  // namespace

MemberImport::MemberImport(SiteTables& tables, const List& list, TimePoint now, How how)
    : tables_(tables),
      list_(list),
      rules_(rulesOf(tables, list)),
      bans_(bansOf(tables, list)),
      domains_(tables.domainTls),
      now_(now),
      how_(how) {
  for (const auto& each : tables.lists.all()) lists_.insert(each.address);
  if (how_.sync)
    for (auto& address : tables.subscriptions.sources().departedFrom(list.id)) departed_.insert(std::move(address));
}

void MemberImport::add(const CsvRecord& record) {
  if (record.broken) return fail(record, "unreadable", {}, "the quotes of this line are not closed");
  const auto text = std::string(mail::trim(record.fields.front()));
  if (record.line == 1 && mail::equalsIgnoreCase(text, "address")) return;  // a heading
  const auto shown = mail::repairUtf8(text.substr(0, 100));
  const auto address = mail::Address::parse(text);
  if (!address)
    return fail(record, "bad-address", shown,
                "\"" + shown + "\" is not a mail address: " + mail::addressErrorText(address.error()));
  const auto name = record.fields.size() > 1 ? std::string(mail::trim(record.fields[1])) : std::string();
  if (name.size() > MaxName || !mail::isUtf8(name) || mail::hasControl(name))
    return fail(record, "bad-name", shown, "the name is too long or holds characters that cannot be used");
  const auto key = address->key();
  if (isList(key)) return fail(record, "is-a-list", key, key + " is a list of this site; a list cannot be a member");
  if (const auto* ban = banOf(key))
    return fail(record, "banned", key,
                key + " is banned by the pattern " + ban->pattern + (ban->reason.empty() ? "" : ": " + ban->reason));
  const bool repeated = !seen_.insert(key).second;
  if (repeated || tables_.members.find(list_.id, key)) {
    ++skipped_;
    return report(record, key, repeated ? "repeated" : "already", {});
  }
  if (departed_.contains(key)) {
    ++skipped_;
    return report(record, key, "left", "took themselves off the list");
  }
  ++added_;
  const auto keys = tables_.keys.factsOf(key);
  MemberFacts facts{keys, std::nullopt};
  domains_.describe(key, facts);
  const auto decision = decide(rules_, facts, now_);
  if (!how_.dryRun) {
    Member member;
    member.listId = list_.id;
    member.address = key;
    member.name = name;
    member.joinedAt = now_;
    tables_.members.add(member, decision);
    if (how_.sync)
      tables_.subscriptions.sources().noteBrought(list_.id, key);
    else
      tables_.subscriptions.sources().forget(list_.id, key);
  }
  if (decision.withheld()) ++withheld_;
  report(record, key, decision.withheld() ? "added-without-copies" : "added",
         decision.withheld() ? reasonWord(decision.reason) : std::string());
}

json MemberImport::result() const {
  return {{"added", added_},   {"skipped", skipped_}, {"withheld", withheld_},
          {"failed", failed_}, {"errors", errors_},   {"rows", rows_}};
}

const Ban* MemberImport::banOf(std::string_view address) const {
  for (const auto& ban : bans_)
    if (fitsBan(ban.pattern, address)) return &ban;
  return nullptr;
}

void MemberImport::fail(const CsvRecord& record, const char* outcome, const std::string& address,
                        const std::string& message) {
  ++failed_;
  if (errors_.size() < MaxErrors) errors_.push_back({{"line", record.line}, {"message", message}});
  report(record, address, outcome, message);
}

void MemberImport::report(const CsvRecord& record, const std::string& address, const char* outcome,
                          const std::string& detail) {
  if (rows_.size() < MaxRows)
    rows_.push_back({{"line", record.line}, {"address", address}, {"outcome", outcome}, {"detail", detail}});
}

json syncList(SiteTables& tables, const List& list, const MemberSync& sync, TimePoint now) {
  const auto missing = missingIn(tables, list, sync);
  const bool brake = missing.members.size() * 100 > missing.lookedAt * BrakePercent;
  const bool stopped = brake && !sync.dryRun && !sync.confirmed;
  json result{{"before", tables.members.count(list.id, {})},
              {"removed", missing.members.size()},
              {"lookedAt", missing.lookedAt},
              {"brake", brake},
              {"stopped", stopped}};
  if (stopped) return result;
  MemberImport import(tables, list, now, {sync.dryRun, true});
  for (const auto& record : sync.records) {
    const auto address = mail::Address::parse(record.broken ? std::string_view() : mail::trim(record.fields.front()));
    if (!address || looksAt(sync, address->key())) import.add(record);
  }
  auto gone = json::array();
  for (const auto& member : missing.members) {
    if (gone.size() < MaxRows) gone.push_back(member.address);
    if (sync.dryRun) continue;
    tables.formerMembers.add(member, now, sync.by);
    tables.members.remove(list.id, member.address);
  }
  result.update(import.result());
  result["gone"] = std::move(gone);
  return result;
}

}  // namespace postern::listd
