#include "listd/dkim/DkimViews.h"

#include "core/vault/KeyStore.h"
#include "listd/dkim/DkimOrders.h"
#include "listd/orders/Views.h"

namespace postern::listd {

using nlohmann::json;

namespace {

constexpr std::size_t MaxString = 255;
constexpr std::chrono::days OldAfter{400};

json problem(std::string what, std::string todo) {
  return {{"what", std::move(what)}, {"do", std::move(todo)}};
}

std::string publishing(const DkimKey& key) {
  return "Publish the TXT record " + key.name() + "; it is shown by: postern dkim show " + key.domain + " " +
         key.selector;
}

// What is wrong with a key that signs or has signed.
std::string faultOf(const DkimKey& key) {
  if (key.found == "missing") return "is not in the DNS";
  if (key.found == "other") return "is another one in the DNS";
  return {};
}

void addKeyProblem(json& problems, SiteContext& context, const DkimKey& key, TimePoint now) {
  const auto fault = faultOf(key);
  if (key.state == "waiting" && key.checkedAt != TimePoint())
    problems.push_back(problem("The new key " + key.selector + " of " + key.domain +
                                   " does not sign mail yet: its record " +
                                   (fault.empty() ? "could not be looked up" : fault) + ".",
                               publishing(key)));
  if (key.state == "active" && !fault.empty())
    problems.push_back(problem("Mail of " + key.domain + " is signed with the key " + key.selector + ", whose record " +
                                   fault + ": receivers take it for unsigned.",
                               publishing(key)));
  if (key.state == "former" && !fault.empty())
    problems.push_back(problem("The record of the former key " + key.selector + " of " + key.domain + " " + fault +
                                   ", though mail that it signed is still under way until " +
                                   formatRfc3339(key.endsAt).substr(0, 10) + ".",
                               publishing(key)));
  if (key.state != "active") return;
  if (!context.keys.siteKeyPublicPart(dkimKeyName(key)))
    problems.push_back(problem(
        "The key " + key.selector + " that signs mail of " + key.domain + " is not in keys.db: this mail waits.",
        "Restore keys.db, or retire the key: postern dkim retire " + key.domain + " " + key.selector));
  if (now > key.activeAt + OldAfter)
    problems.push_back(problem("The key " + key.selector + " has signed mail of " + key.domain + " since " +
                                   formatRfc3339(key.activeAt).substr(0, 10) + ".",
                               "Change it: postern dkim rotate " + key.domain));
}

void addDemandProblem(json& problems, SiteTables& tables, const std::string& subject) {
  const auto domain = subject.substr(subject.find('@') + 1);  // without one: all of it
  if (!tables.dkim.active(domain, "email").empty()) return;
  problems.push_back(problem(
      "Mail of " + subject + " must be signed, and " + domain + " has no key in use: it waits.",
      "Make a key: postern dkim add " + domain + ", or demand it no more: postern dkim set " + subject + " default"));
}

}  // namespace

std::string zoneLine(const DkimKey& key) {
  std::string line = key.name() + ". 3600 IN TXT (";
  for (std::size_t i = 0; i < key.record.size(); i += MaxString) line += " \"" + key.record.substr(i, MaxString) + "\"";
  return line + " )";
}

std::string dkimAdvice(const DkimKey& key) {
  if (key.state == "waiting")
    return "Publish this TXT record. The key is taken into use by itself once the record is seen in the DNS.";
  if (key.state == "retired") return "This record may be taken out of the DNS.";
  const auto fault = faultOf(key);
  if (!fault.empty()) return "Publish this TXT record again: it " + fault + ".";
  if (key.state == "former")
    return "Leave the record in the DNS until " + formatRfc3339(key.endsAt).substr(0, 10) +
           ": mail that it signed may be under way.";
  return {};
}

json dkimView(const DkimKey& key) {
  return {{"domain", key.domain},
          {"selector", key.selector},
          {"kind", key.kind},
          {"service", key.service},
          {"state", key.state},
          {"name", key.name()},
          {"record", key.record},
          {"zone", zoneLine(key)},
          {"found", key.found},
          {"madeAt", toMicros(key.madeAt)},
          {"activeAt", toMicros(key.activeAt)},
          {"endsAt", toMicros(key.endsAt)},
          {"checkedAt", toMicros(key.checkedAt)},
          {"advice", dkimAdvice(key)}};
}

void addDkimProblems(json& problems, SiteContext& context, SiteTables& tables, TimePoint now) {
  for (const auto& key : tables.dkim.all()) addKeyProblem(problems, context, key, now);
  for (const auto& one : tables.dkim.switches())
    if (one.signing == Signing::Required) addDemandProblem(problems, tables, one.subject);
}

}  // namespace postern::listd
