#include "listd/dkim/DkimOrders.h"

#include "core/base/Error.h"
#include "core/mail/Text.h"
#include "listd/dkim/DkimDuties.h"
#include "listd/dkim/DkimViews.h"
#include "listd/orders/OrderTools.h"
#include "listd/orders/Views.h"

#include <algorithm>

namespace postern::listd {

using nlohmann::json;

namespace {

constexpr std::size_t MaxKeys = 200;  // of one domain, the retired ones too

void note(const OrderCall& call, const std::string& domain) {
  call.note.objectType = "domain";
  call.note.objectId = domain;
}

// Mail of no other domain can be from here.
void requireOwn(OrderTools& tools, SiteTables& tables, const std::string& domain) {
  if (domain == mail::lowerAscii(tools.context.config.hostName) || tables.domains.find(domain)) return;
  const auto& contact = tools.context.config.tlsReportContact;
  if (!contact.empty() && mail::lowerAscii(contact).ends_with("@" + domain)) return;
  for (const auto& relay : tables.relays.all())
    if (relay.domain == domain) return;
  refuse("not-found", "no mail of " + domain + " is sent from here",
         "add it first: postern domain add, or for mail of a relay: postern relay add");
}

std::string freeSelector(SiteTables& tables, const std::string& domain, const std::string& kind, TimePoint now) {
  const auto day = formatRfc3339(now).substr(0, 10);
  std::string base = "p";
  for (const char c : day)
    if (c != '-') base += c;
  base += kind == "rsa" ? "r" : "e";
  auto selector = base;
  for (int i = 2; tables.dkim.find(domain, selector); ++i) selector = base + std::to_string(i);
  return selector;
}

bool isSelector(const std::string& text) {
  return !text.empty() && text.size() <= 63 && text.front() != '-' && text.back() != '-' &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; });
}

// A key that only waits: nothing of the mail changes before its record is in the DNS. The private half first, so that
// no row is without one.
DkimKey makeKey(OrderTools& tools, SiteTables& tables, DkimKey key) {
  if (tables.dkim.ofDomain(key.domain).size() >= MaxKeys)
    refuse("refused", key.domain + " has " + std::to_string(MaxKeys) + " keys already", "retire those not needed");
  if (key.selector.empty()) key.selector = freeSelector(tables, key.domain, key.kind, tools.now());
  if (tables.dkim.find(key.domain, key.selector))
    refuse("exists", key.domain + " has a key with the selector " + key.selector, "take another selector");
  const auto secret =
      mailauth::SigningKey::create(key.kind == "rsa" ? mailauth::KeyKind::Rsa : mailauth::KeyKind::Ed25519);
  key.record = secret.record();
  if (key.service != "email") key.record.insert(key.record.find(" p="), " s=" + key.service + ";");
  key.madeAt = tools.now();
  tools.context.keys.storeSiteKey(dkimKeyName(key), secret.exportDer(), key.record);
  key.id = tables.dkim.add(key);
  return key;
}

json addKey(OrderTools& tools, const OrderCall& call) {
  DkimKey key;
  key.domain = call.args.domain("domain").text();
  key.kind = call.args.word("kind", "rsa", {"rsa", "ed25519"});
  key.service = call.args.word("service", "email", {"email", "tlsrpt"});
  key.selector = mail::lowerAscii(call.args.textOr("selector", "", 63));
  if (!key.selector.empty() && !isSelector(key.selector))
    refuse("invalid", "a selector is of letters, digits and hyphens", "leave it out to have one made");
  note(call, key.domain);
  return change(tools, call, [&](SiteTables& tables) {
    requireOwn(tools, tables, key.domain);
    const auto made = makeKey(tools, tables, key);
    call.note.text("selector", made.selector).text("kind", made.kind);
    return dkimView(made);
  });
}

json rotateKeys(OrderTools& tools, const OrderCall& call) {
  const auto domain = call.args.domain("domain").text();
  note(call, domain);
  return change(tools, call, [&](SiteTables& tables) {
    const auto keys = tables.dkim.ofDomain(domain);
    auto items = json::array();
    for (const auto& key : keys) {
      if (key.state != "active") continue;
      const bool waits = std::any_of(keys.begin(), keys.end(), [&](const auto& other) {
        return other.state == "waiting" && other.kind == key.kind && other.service == key.service;
      });
      if (waits)
        refuse("exists", "a new " + key.kind + " key of " + domain + " waits for its DNS record already",
               "publish it; see: postern dkim list");
      DkimKey next;
      next.domain = domain;
      next.kind = key.kind;
      next.service = key.service;
      items.push_back(dkimView(makeKey(tools, tables, next)));
    }
    if (items.empty()) refuse("not-found", domain + " has no key in use", "make one with: postern dkim add " + domain);
    return pageOf(std::move(items), {});
  });
}

json listOf(OrderTools& tools, const std::string& domain) {
  return tools.context.site.read([&](SiteTables& tables) {
    auto items = json::array();
    for (const auto& key : domain.empty() ? tables.dkim.all() : tables.dkim.ofDomain(domain))
      items.push_back(dkimView(key));
    return pageOf(std::move(items), {});
  });
}

std::string domainOf(const Args& args) {
  return args.has("domain") ? args.domain("domain").text() : std::string();
}

json listKeys(OrderTools& tools, const OrderCall& call) {
  return listOf(tools, domainOf(call.args));
}

json showKey(OrderTools& tools, const OrderCall& call) {
  const auto domain = call.args.domain("domain").text();
  const auto selector = mail::lowerAscii(call.args.text("selector", 63));
  return tools.context.site.read([&](SiteTables& tables) {
    const auto key = tables.dkim.find(domain, selector);
    if (!key) refuse("not-found", domain + " has no key " + selector, "see: postern dkim list " + domain);
    return dkimView(*key);
  });
}

json checkKeys(OrderTools& tools, const OrderCall& call) {
  const auto domain = domainOf(call.args);
  note(call, domain.empty() ? "all domains" : domain);
  if (tools.dkim == nullptr) refuse("unavailable", "the DNS cannot be asked here");
  tools.dkim->check(domain);
  return change(tools, call, [&](SiteTables& tables) {
    auto items = json::array();
    for (const auto& key : domain.empty() ? tables.dkim.all() : tables.dkim.ofDomain(domain))
      if (key.state != "retired") items.push_back(dkimView(key));
    return pageOf(std::move(items), {});
  });
}

// At once: for a key that somebody else may have.
json retireKey(OrderTools& tools, const OrderCall& call) {
  const auto domain = call.args.domain("domain").text();
  const auto selector = mail::lowerAscii(call.args.text("selector", 63));
  note(call, domain);
  DkimKey gone;
  auto view = change(tools, call, [&](SiteTables& tables) {
    auto key = tables.dkim.find(domain, selector);
    if (!key || key->state == "retired")
      refuse("not-found", domain + " has no such key " + selector, "see: postern dkim list " + domain);
    if (key->service != "email") tables.counters.take(CounterStore::Routing);
    key->state = "retired";
    tables.dkim.update(*key);
    call.note.text("selector", selector);
    gone = *key;
    return dkimView(*key);
  });
  // Behind the commit: a crash between leaves a key that signs nothing, and the minute's work destroys it.
  tools.context.keys.destroySiteKey(dkimKeyName(gone));
  tools.context.dkimKeys.forget(gone.id);
  return view;
}

json setSwitch(OrderTools& tools, const OrderCall& call) {
  const auto word = call.args.word("signing", "default", {"on", "off", "required", "default"});
  const auto text = call.args.text("subject", 255);
  const bool isList = text.find('@') != text.npos;
  const auto subject = isList ? call.args.address("subject").key() : call.args.domain("subject").text();
  call.note.objectType = isList ? "list" : "domain";
  call.note.objectId = subject;
  return change(tools, call, [&](SiteTables& tables) {
    if (isList) {
      const auto list = tables.lists.find(subject);
      if (!list || list->deletedAt != TimePoint()) refuse("not-found", "there is no list " + subject, "");
      call.note.listId = list->id;
    } else {
      requireOwn(tools, tables, subject);
    }
    tables.dkim.set(subject, parseSigning(word));
    call.note.text("signing", word);
    return json{{"subject", subject}, {"signing", word}};
  });
}

json listSwitches(OrderTools& tools, const OrderCall&) {
  return tools.context.site.read([](SiteTables& tables) {
    auto items = json::array();
    for (const auto& one : tables.dkim.switches())
      items.push_back({{"subject", one.subject}, {"signing", signingWord(one.signing)}});
    return pageOf(std::move(items), {});
  });
}

using app::Role;
constexpr Access Watchers{Role::Admin | Role::Officer | Role::Auditor | Role::Helpdesk};
constexpr Access Careful{Role::Admin, true};

constexpr OrderRow Table[] = {
    {"dkim.add", OrderKind::Changes, addKey},
    {"dkim.list", OrderKind::Reads, listKeys, Watchers},
    {"dkim.show", OrderKind::Reads, showKey, Watchers},
    {"dkim.rotate", OrderKind::Changes, rotateKeys},
    {"dkim.check", OrderKind::ChangesRouting, checkKeys},
    {"dkim.retire", OrderKind::ChangesRouting, retireKey, Careful},
    {"dkim.set", OrderKind::Changes, setSwitch, Careful},
    {"dkim.switches", OrderKind::Reads, listSwitches, Watchers},
};

}  // namespace

std::span<const OrderRow> dkimOrders() {
  return Table;
}

}  // namespace postern::listd
