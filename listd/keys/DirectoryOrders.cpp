#include "listd/keys/DirectoryOrders.h"

#include "core/crypto/CertificateBundle.h"
#include "listd/jobs/JobRunner.h"
#include "listd/keys/KeyHealth.h"
#include "listd/keys/KeyLookup.h"
#include "listd/keys/KeyWork.h"
#include "listd/orders/OrderTools.h"
#include "listd/orders/Views.h"
#include "listd/plan/KeyImport.h"

#include <algorithm>

namespace postern::listd {

using nlohmann::json;

namespace {

constexpr std::size_t MaxText = 1000;
constexpr std::size_t MaxSecret = 500;
constexpr std::uint32_t PageSize = 500;

json viewOf(const Directory& directory) {
  return {{"name", directory.name},
          {"url", directory.url},
          {"bindName", directory.bindName},
          {"base", directory.base},
          {"filter", directory.filter},
          {"attributes", directory.attributes},
          {"domains", directory.domains},
          {"authoritative", directory.authoritative},
          {"ownAuthorities", !directory.authorities.empty()},
          {"createdAt", toMicros(directory.madeAt)},
          {"answeredAt", toMicros(directory.answer.askedAt)},
          {"answer", directory.answer.outcome},
          {"failedAt", toMicros(directory.failure.askedAt)},
          {"failure", directory.failure.outcome}};
}

json viewOf(const LookupAnswer& answer) {
  auto keys = json::array();
  for (const auto& finding : answer.findings)
    keys.push_back(
        {{"fingerprint", finding.fingerprint}, {"usable", finding.key.has_value()}, {"reason", finding.reason}});
  return {{"place", answer.place},
          {"authoritative", answer.authoritative},
          {"outcome", answer.outcome},
          {"keys", std::move(keys)}};
}

json viewOf(const TrustedAuthority& authority) {
  return {{"fingerprint", authority.fingerprint},
          {"subject", authority.subject},
          {"notAfterAt", toMicros(authority.notAfter)},
          {"addedAt", toMicros(authority.addedAt)},
          {"addedBy", authority.addedBy}};
}

KeyLookups& requireLookups(OrderTools& tools) {
  if (tools.lookups == nullptr) refuse("unavailable", "no keys are looked up here", "ask the running site");
  return *tools.lookups;
}

mail::Address addressOf(const Args& args) {
  return args.address("address");
}

// Looks now, and takes or proposes what is found.
json lookUpKey(OrderTools& tools, const OrderCall& call) {
  auto& lookups = requireLookups(tools);
  const auto address = addressOf(call.args);
  call.note.objectType = "key";
  call.note.person("address", address.key());
  tools.context.site.read([&](SiteTables& tables) {
    requireMayDecide(tables, call, address.key());
    if (tables.members.membershipsOf(address.key()).empty())
      refuse("not-found", address.key() + " is on no list", "keys are kept of members; see: postern member add");
  });
  const auto answers = lookups.now(address);
  if (answers.empty())
    refuse("refused", "there is no place where a key of " + address.domain() + " could be",
           "add a directory (postern directory add), or set keys.web_key_directories to on");
  return change(tools, call, [&](SiteTables& tables) {
    const auto fresh = KeyLookup::keep(tables, address.key(), answers, tools.now());
    auto places = json::array();
    for (const auto& answer : answers) places.push_back(viewOf(answer));
    return json{{"address", address.key()}, {"found", fresh}, {"places", std::move(places)}};
  });
}

bool isDirectoryName(const std::string& name) {
  return name.size() <= 60 && std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
         });
}

void requireUrl(const std::string& url) {
  const bool ldap = url.starts_with("ldaps://") || url.starts_with("ldap://");
  const auto place = url.substr(std::min(url.find("://") + 3, url.size()));
  if (!ldap || place.empty() || place.find_first_of("/?#@ ") != std::string::npos)
    refuse("invalid", "\"" + url + "\" is no address of a directory",
           "give it as in ldaps://ldap.example.org, without base or filter; ldap:// is used with StartTLS");
}

// Balanced, and with the address in it: otherwise everybody would get the key of the first entry.
void requireFilter(const std::string& filter) {
  int depth = 0;
  bool balanced = filter.starts_with('(');
  for (const char c : filter) {
    depth += c == '(' ? 1 : c == ')' ? -1 : 0;
    balanced = balanced && depth >= 0;
  }
  if (!balanced || depth != 0 || (filter.find("%a") == std::string::npos && filter.find("%l") == std::string::npos))
    refuse("invalid", "\"" + filter + "\" is no filter that finds one person",
           "give one as in (mail=%a); %a stands for the address, %l for the part before the @, %d for the domain");
}

// A list, or one text with commas or blanks between.
std::vector<std::string> wordsOf(const Args& args, std::string_view name) {
  std::vector<std::string> words;
  for (const auto& text : args.texts(name))
    for (std::string_view rest = text; !rest.empty();) {
      const auto end = std::min(rest.find_first_of(", "), rest.size());
      if (end > 0) words.emplace_back(rest.substr(0, end));
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
  return words;
}

std::vector<std::string> domainsOf(const Args& args) {
  std::vector<std::string> domains;
  for (const auto& word : wordsOf(args, "domains"))
    domains.push_back(Args(json{{"domain", word}}).domain("domain").text());
  if (domains.empty())
    refuse("invalid", "no domain is named for which it answers", "name the domains whose people it knows");
  return domains;
}

std::string authoritiesOf(const Args& args) {
  if (!args.has("authorities")) return {};
  const auto certificates = crypto::parseCertificates(args.bytes("authorities", crypto::MaxBundleSize));
  if (!certificates)
    refuse("invalid", certificates.error().message, "give the CA's certificates as PEM; none: those of the system");
  std::string pem;
  for (const auto& certificate : *certificates) pem += certificate.pem();
  return pem;
}

// As it stands in a file: without the end of the line.
Secret passwordOf(const Args& args) {
  if (!args.has("password")) return {};
  const Secret given(args.bytes("password", MaxSecret));
  return Secret(given.view().substr(0, given.view().find_last_not_of("\r\n") + 1));
}

json addDirectory(OrderTools& tools, const OrderCall& call) {
  const auto& args = call.args;
  Directory directory;
  directory.name = args.text("name", 60);
  if (!isDirectoryName(directory.name))
    refuse("invalid", "\"" + directory.name + "\" is no name for a directory", "use small letters, digits, - and .");
  directory.url = args.text("url", MaxText);
  requireUrl(directory.url);
  directory.base = args.textOr("base", {}, MaxText);
  directory.filter = args.textOr("filter", "(mail=%a)", MaxText);
  requireFilter(directory.filter);
  directory.attributes = wordsOf(args, "attributes");
  if (directory.attributes.empty()) directory.attributes = {"userCertificate;binary", "userSMIMECertificate", "pgpKey"};
  directory.domains = domainsOf(args);
  directory.bindName = args.textOr("bindName", {}, MaxText);
  directory.authorities = authoritiesOf(args);
  directory.authoritative = args.flag("authoritative");
  directory.madeAt = tools.now();
  const auto secret = passwordOf(args);
  if (!directory.bindName.empty() && secret.empty())
    refuse("invalid", "a name without a password would be let in as nobody (RFC 4513, 5.1.2)",
           "give the password, too");
  call.note.objectType = "directory";
  call.note.objectId = directory.name;
  tools.context.keys.storeSiteKey("directory " + directory.name, secret);
  auto view = change(tools, call, [&](SiteTables& tables) {
    tables.directories.set(directory);
    tables.directories.forgetLookups();
    return viewOf(directory);
  });
  if (tools.lookups != nullptr) tools.lookups->wake();
  return view;
}

json listDirectories(OrderTools& tools, const OrderCall&) {
  return tools.context.site.read([](SiteTables& tables) {
    auto items = json::array();
    for (const auto& directory : tables.directories.all()) items.push_back(viewOf(directory));
    return pageOf(std::move(items), {});
  });
}

Directory requireDirectory(SiteTables& tables, const std::string& name) {
  for (auto& directory : tables.directories.all())
    if (directory.name == name) return directory;
  refuse("not-found", "there is no directory " + name, "see: postern directory list");
}

json removeDirectory(OrderTools& tools, const OrderCall& call) {
  const auto name = call.args.text("name", 60);
  call.note.objectType = "directory";
  call.note.objectId = name;
  auto answer = change(tools, call, [&](SiteTables& tables) {
    requireDirectory(tables, name);
    tables.directories.remove(name);
    return json::object();
  });
  tools.context.keys.destroySiteKey("directory " + name);
  return answer;
}

// Asks for one address and keeps nothing.
json testDirectory(OrderTools& tools, const OrderCall& call) {
  auto& lookups = requireLookups(tools);
  const auto address = addressOf(call.args);
  const auto directory =
      tools.context.site.read([&](SiteTables& tables) { return requireDirectory(tables, call.args.text("name", 60)); });
  return viewOf(lookups.test(directory, address));
}

// How the keys in use would stand with other authorities.
json effectOf(OrderTools& tools, const crypto::TrustStore* trust) {
  std::uint64_t gained = 0, lost = 0, after = 0;
  for (;;) {
    const auto keys =
        tools.context.site.read([&](SiteTables& tables) { return tables.keys.page({}, after, PageSize); });
    for (const auto& key : keys) {
      after = key.id;
      if (key.facts.kind != KeyKind::Smime || key.facts.state != KeyState::Confirmed) continue;
      const auto verdict = judgeAgain(key, tools.now(), trust).facts.verdict;
      const bool was = key.facts.verdict == Reason::ValidCertificate, is = verdict == Reason::ValidCertificate;
      gained += !was && is ? 1 : 0;
      lost += was && !is ? 1 : 0;
    }
    if (keys.size() < PageSize) break;
  }
  return {{"gained", gained}, {"lost", lost}};
}

std::vector<TrustedAuthority> authoritiesOf(OrderTools& tools) {
  return tools.context.site.read([](SiteTables& tables) { return tables.directories.authorities(); });
}

TrustedAuthority authorityOf(OrderTools& tools, const OrderCall& call) {
  const auto certificates = crypto::parseCertificates(call.args.bytes("certificate", crypto::MaxBundleSize));
  if (!certificates) refuse("invalid", certificates.error().message, "give the certificate of the authority");
  if (certificates->size() != 1)
    refuse("invalid", "there are " + std::to_string(certificates->size()) + " certificates in it",
           "give one authority at a time");
  const auto& certificate = certificates->front();
  if (!certificate.isAuthority())
    refuse("invalid", certificate.subject() + " is not the certificate of an authority",
           "give the certificate of the CA");
  if (certificate.notAfter() < tools.now())
    refuse("invalid", "the certificate of " + certificate.subject() + " has ended", "give the CA's present one");
  return {certificate.fingerprint(), certificate.der(), certificate.subject(),
          certificate.notAfter(),    tools.now(),       call.actor.name};
}

// With other authorities in force, a job looks at all keys again.
json judgedAnew(OrderTools& tools, const OrderCall& call, json view) {
  tools.context.reloadTrust();
  if (tools.jobs == nullptr) return view;
  tools.context.site.write([&](SiteTables& tables) {
    // "since" makes it another job than one that still judges by the former authorities.
    tools.jobs->start(tables, CheckKeys, {{"list", ""}, {"since", toMicros(tools.now())}}, call.actor.name);
  });
  tools.jobs->wake();
  return view;
}

// With "preview" nothing is changed: the effect alone is told.
json addTrust(OrderTools& tools, const OrderCall& call) {
  const auto authority = authorityOf(tools, call);
  auto authorities = authoritiesOf(tools);
  if (std::any_of(authorities.begin(), authorities.end(),
                  [&](const auto& each) { return each.fingerprint == authority.fingerprint; }))
    refuse("exists", authority.subject + " is trusted already", "see: postern trust list");
  authorities.push_back(authority);
  auto view = viewOf(authority);
  view["effect"] = effectOf(tools, loadTrust(tools.context.config, authorities).get());
  view["done"] = !call.args.flag("preview");
  call.note.objectType = "authority";
  call.note.objectId = authority.fingerprint;
  if (call.args.flag("preview")) return view;
  change(tools, call, [&](SiteTables& tables) {
    tables.directories.addAuthority(authority);
    return json::object();
  });
  return judgedAnew(tools, call, std::move(view));
}

json listTrust(OrderTools& tools, const OrderCall&) {
  auto items = json::array();
  for (const auto& authority : authoritiesOf(tools)) items.push_back(viewOf(authority));
  auto page = pageOf(std::move(items), {});
  page["fromSettings"] = tools.context.config.certificateAuthorities.string();
  return page;
}

json removeTrust(OrderTools& tools, const OrderCall& call) {
  const auto prefix = call.args.text("fingerprint", 100);
  auto authorities = authoritiesOf(tools);
  const auto found = std::find_if(authorities.begin(), authorities.end(), [&](const auto& each) {
    return prefix.size() >= 8 && each.fingerprint.starts_with(prefix);
  });
  if (found == authorities.end())
    refuse("not-found", "there is no authority " + prefix,
           "see: postern trust list; those of the settings stand in files");
  const auto authority = *found;
  authorities.erase(found);
  const bool last = authorities.empty() && tools.context.config.certificateAuthorities.empty();
  if (last && !call.args.flag("last") && !call.args.flag("preview"))
    refuse("refused",
           authority.subject + " is the last authority: without any, certificates count as whoever imports them says",
           "add another one first, or say that this is wanted: --last");
  auto view = viewOf(authority);
  view["effect"] = effectOf(tools, loadTrust(tools.context.config, authorities).get());
  view["done"] = !call.args.flag("preview");
  call.note.objectType = "authority";
  call.note.objectId = authority.fingerprint;
  if (call.args.flag("preview")) return view;
  change(tools, call, [&](SiteTables& tables) {
    tables.directories.removeAuthority(authority.fingerprint);
    return json::object();
  });
  return judgedAnew(tools, call, std::move(view));
}

using app::Role;
constexpr Access Watchers{Role::Admin | Role::Officer | Role::Auditor | Role::Helpdesk};

constexpr OrderRow Table[] = {
    {"key.lookup", OrderKind::Changes, lookUpKey, {Role::Admin | Role::Owner, false, ""}},
    {"directory.add", OrderKind::Changes, addDirectory, {Role::Admin, true}},
    {"directory.list", OrderKind::Reads, listDirectories, Watchers},
    {"directory.remove", OrderKind::Changes, removeDirectory, {Role::Admin, true}},
    {"directory.test", OrderKind::Reads, testDirectory, {Role::Admin, false}},
    {"trust.add", OrderKind::Changes, addTrust, {Role::Admin, true}},
    {"trust.list", OrderKind::Reads, listTrust, Watchers},
    {"trust.remove", OrderKind::Changes, removeTrust, {Role::Admin, true}},
};

}  // namespace

std::span<const OrderRow> directoryOrders() {
  return Table;
}

}  // namespace postern::listd
