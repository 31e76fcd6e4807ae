#include "core/app/SessionLimits.h"
#include "listd/archive/Archive.h"
#include "listd/people/RoleRules.h"
#include "listd/reports/Controls.h"
#include "listd/retention/CertificateWriter.h"

#include <sys/stat.h>

#include <algorithm>
#include <functional>
#include <map>

namespace postern::listd {

using nlohmann::json;

namespace {

std::string counted(std::uint64_t number, const char* what) {
  return std::to_string(number) + " " + what;
}

std::vector<Account> enabledPeople(SiteTables& tables) {
  std::vector<Account> people;
  for (auto& account : tables.accounts.all())
    if (account.state == "enabled" && !account.breakGlass) people.push_back(std::move(account));
  return people;
}

// Somebody who may sign in and lacks a second factor is counted against it, whatever else holds.
CheckResult twoFactors(const ReportAsk& ask) {
  return ask.tools.context.site.read([](SiteTables& tables) -> CheckResult {
    std::uint64_t with = 0;
    const auto people = enabledPeople(tables);
    for (const auto& person : people) {
      bool proven = false;
      for (const auto& factor : tables.accounts.factorsOf(person.name))
        proven = proven || factor.kind == "passkey" || !person.passwordHash.empty();
      with += proven ? 1 : 0;
    }
    return {!people.empty() && with == people.size(),
            std::to_string(with) + " of " + counted(people.size(), "accounts sign in with two factors"),
            "the factors of every enabled account were counted: a passkey, or a password and an authenticator app"};
  });
}

CheckResult uniqueIds(const ReportAsk& ask) {
  return ask.tools.context.site.read([](SiteTables& tables) -> CheckResult {
    const auto people = enabledPeople(tables);
    std::map<std::string, int> handles;
    for (const auto& person : people) ++handles[person.userHandle];
    return {!people.empty() && handles.size() == people.size(),
            counted(people.size(), "accounts, each under a name and a handle of its own"),
            "names and handles of enabled accounts were compared; that nobody shares an account is for the access "
            "review"};
  });
}

CheckResult rolesApart(const ReportAsk& ask) {
  return ask.tools.context.site.read([](SiteTables& tables) -> CheckResult {
    std::string wrong;
    for (const auto& person : enabledPeople(tables))
      if (!exclusionOf(person.roles).empty()) wrong = exclusionOf(person.roles);
    return {wrong.empty(), wrong.empty() ? "no account has roles that exclude each other" : wrong,
            "the roles of every enabled account were compared with the exclusions"};
  });
}

CheckResult accessReviewed(const ReportAsk& ask) {
  const auto review = askOrder(ask, "access.review");
  const bool due = review.at("due").get<bool>();
  const auto last = review.value("last", json::object());
  return {!due, last.empty() ? "never reviewed" : "reviewed " + timeCell(last.at("at")),
          due ? "the quarterly review is due" : "the last sign-off is less than a quarter old"};
}

CheckResult breakGlassSealed(const ReportAsk& ask) {
  std::uint64_t sealed = 0, unreviewed = 0;
  const auto listed = askOrder(ask, "break-glass.list");
  for (const auto& one : listed.at("items")) {
    const bool opened = one.at("openedAt").is_number() && one.at("openedAt").get<std::int64_t>() != 0;
    const bool reviewed = one.at("reviewedAt").is_number() && one.at("reviewedAt").get<std::int64_t>() != 0;
    sealed += opened ? 0 : 1;
    unreviewed += opened && !reviewed ? 1 : 0;
  }
  return {sealed > 0 && unreviewed == 0,
          counted(sealed, "sealed emergency accounts, ") + counted(unreviewed, "openings not reviewed"),
          "the register of emergency accounts was read"};
}

CheckResult idleLimit(const ReportAsk&) {
  const auto idle = app::SessionIdleLimit.count() / 60, whole = app::SessionAbsoluteLimit.count() / 3600;
  return {idle <= 15 && whole <= 12,
          std::to_string(idle) + " minutes without an act, " + std::to_string(whole) + " hours at most",
          "the limits are built in; nobody can lengthen them"};
}

CheckResult keyForEachObject(const ReportAsk& ask) {
  const auto keys = ask.tools.context.keys.objects();
  return ask.tools.context.site.read([&](SiteTables& tables) -> CheckResult {
    const auto stored = tables.reports.storedObjects();
    return {keys >= stored, counted(keys, "object keys for ") + counted(stored, "stored messages"),
            "the keys in keys.db and the messages in site.db were counted; content is AES-256-GCM under its own key"};
  });
}

// Encrypted data is "secured" only if the key is kept apart from it (breach safe harbour).
CheckResult rootKeyApart(const ReportAsk& ask) {
  const auto& context = ask.tools.context;
  const auto source = context.rootSource->name();
  if (source == "passphrase")
    return {true, source, "the root key is sealed under a passphrase (Argon2id) that is not on the data disk"};
  if (source.starts_with("credential:"))
    return {true, source,
            "the root key comes from a systemd credential; that its file lies on another device is for the "
            "organisation to show"};
  struct stat key {
  }, data{};
  const auto file = context.config.path(context.config.rootKey);
  if (stat(file.c_str(), &key) != 0 || stat(context.config.dataFolder.c_str(), &data) != 0)
    return {false, source, "the file of the root key could not be looked at"};
  if (key.st_dev == data.st_dev)
    return {false, source,
            "the root key lies in clear on the disk of the data: whoever takes the disk has both, and the breach safe "
            "harbour cannot be claimed. Use a passphrase or a systemd credential"};
  return {true, source, "the file of the root key lies on another device than the data"};
}

CheckResult noPlaintext(const ReportAsk& ask) {
  return ask.tools.context.site.read([](SiteTables& tables) -> CheckResult {
    const auto copies = tables.counters.get(CounterStore::Plaintext);
    return {copies == 0, std::to_string(copies),
            "copies of secure lists delivered without protection, counted with every delivery since the site began"};
  });
}

CheckResult tlsMinimum(const ReportAsk& ask) {
  return ask.tools.context.site.read([](SiteTables& tables) -> CheckResult {
    const auto old = tables.reports.oldTlsDeliveries();
    return {old == 0, "TLS 1.2 at least; " + counted(old, "deliveries over older versions on record"),
            "the minimum is built in; the TLS version of every delivery in the ledger was counted"};
  });
}

CheckResult listsSign(const ReportAsk& ask) {
  return ask.tools.context.site.read([&](SiteTables& tables) -> CheckResult {
    std::uint64_t secure = 0, valid = 0;
    for (const auto& list : tables.lists.all()) {
      if (!list.secure || !list.open) continue;
      ++secure;
      valid += list.certificateEnds > ask.tools.now() ? 1 : 0;
    }
    return {secure == valid,
            std::to_string(valid) + " of " +
                counted(secure,
                        "secure lists sign with a valid "
                        "certificate"),
            "the end of every list's certificate was compared with the clock"};
  });
}

CheckResult auditVerifies(const ReportAsk& ask) {
  const auto verdict = askOrder(ask, "audit.verify");
  return {verdict.at("exit") == 0, verdict.at("result").get<std::string>(),
          "the whole log was verified now: every entry, the chain, the tree, checkpoints and anchors"};
}

CheckResult auditAnchored(const ReportAsk& ask) {
  const auto status = askOrder(ask, "audit.status");
  const auto last = timeCell(status.at("lastAnchoredAt"));
  return {status.at("state") == "green", last.empty() ? "never anchored" : "last anchored " + last,
          "a checkpoint must have left the machine within 24 hours"};
}

CheckResult auditWhole(const ReportAsk& ask) {
  return ask.tools.context.site.read([](SiteTables& tables) -> CheckResult {
    const auto first = tables.audit.file().entry(0);
    const auto entry = first ? audit::parseEntry(*first) : std::nullopt;
    return {entry.has_value(), entry ? "kept without a gap since " + timeCell(entry->at()) : "the first entry is gone",
            "entry 0 was read; there is no order that removes entries, and the database refuses it"};
  });
}

CheckResult contentIntact(const ReportAsk& ask) {
  const auto object = ask.tools.context.site.read([](SiteTables& tables) {
    const auto id = tables.reports.newestStored();
    return id == 0 ? std::nullopt : tables.archive.find(id);
  });
  if (!object) return {true, "nothing is stored", "there is no message to look at"};
  const auto proof = Archive(ask.tools.context).verify(*object);
  return {proof.ok, "object " + std::to_string(object->id) + (proof.ok ? " is intact" : ": " + proof.words),
          "the newest message was decrypted and its SHA-256 compared with the one noted at receipt"};
}

CheckResult keysBackedUp(const ReportAsk& ask) {
  const auto backup = askOrder(ask, "keys.status").at("backup");
  if (backup.at("age").is_null()) return {false, "never", "no backup of the keys is on record"};
  const auto days = backup.at("age").get<std::int64_t>() / 86400;
  return {
      days < backup.at("keepDays").get<std::int64_t>(),
      "backed up " + timeCell(backup.at("at")) + ", kept " + std::to_string(backup.at("keepDays").get<int>()) + " days",
      "the newest backup of the keys must still be within its life; that it was restored is for the drill"};
}

CheckResult disposalsCertified(const ReportAsk& ask) {
  return ask.tools.context.site.read([](SiteTables& tables) -> CheckResult {
    const auto newest = tables.retention.certificates(INT64_MAX, 1);
    const auto half = tables.retention.begun(1).size();
    if (newest.empty()) return {half == 0, "nothing was destroyed yet", "there is no certificate to look at"};
    const auto certificate = tables.retention.certificate(newest.front().id);
    const bool holds = certificate && certificateHolds(tables, *certificate);
    return {holds && half == 0,
            "certificate " + std::to_string(newest.front().id) + (holds ? " verifies" : " does not verify"),
            "signature and digest of the lines of the newest certificate were checked; nothing is half destroyed"};
  });
}

CheckResult spaceWiped(const ReportAsk& ask) {
  auto& keys = ask.tools.context.keys;
  const bool waiting = !keys.freedPlaces(1).empty();
  const bool remnants = keys.remnants();
  return {!waiting && !remnants,
          waiting    ? "content waits to be overwritten"
          : remnants ? "the log of keys.db may still have destroyed keys: another program reads it"
                     : "nothing waits to be overwritten",
          "the places of destroyed objects that were not wiped were counted, and the log of keys.db was looked at"};
}

using Check = CheckResult (*)(const ReportAsk&);

const std::map<std::string_view, Check>& checks() {
  static const std::map<std::string_view, Check> table = {
      {"two-factors", twoFactors},
      {"unique-ids", uniqueIds},
      {"roles-apart", rolesApart},
      {"access-reviewed", accessReviewed},
      {"break-glass-sealed", breakGlassSealed},
      {"idle-limit", idleLimit},
      {"key-for-each-object", keyForEachObject},
      {"root-key-apart", rootKeyApart},
      {"no-plaintext", noPlaintext},
      {"tls-minimum", tlsMinimum},
      {"lists-sign", listsSign},
      {"audit-verifies", auditVerifies},
      {"audit-anchored", auditAnchored},
      {"audit-whole", auditWhole},
      {"content-intact", contentIntact},
      {"keys-backed-up", keysBackedUp},
      {"disposals-certified", disposalsCertified},
      {"space-wiped", spaceWiped},
  };
  return table;
}

}  // namespace

std::vector<std::string_view> checkNames() {
  std::vector<std::string_view> names;
  for (const auto& [name, check] : checks()) names.push_back(name);
  return names;
}

CheckResult runCheck(std::string_view name, const ReportAsk& ask) {
  const auto check = checks().find(name);
  if (check == checks().end()) return {false, "", "not computed: there is no check of this name"};
  try {
    return check->second(ask);
  } catch (const app::OrderRefused& refused) {
    return {false, "", "not computed: " + refused.error().message};
  } catch (const std::exception& error) {
    return {false, "", std::string("not computed: ") + error.what()};
  }
}

}  // namespace postern::listd
