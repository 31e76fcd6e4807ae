#include "listd/orders/RelayOrders.h"

#include "core/app/GatewayLink.h"
#include "core/crypto/Certificate.h"
#include "core/mail/Text.h"
#include "core/net/IpRange.h"
#include "listd/orders/OrderTools.h"
#include "listd/orders/Views.h"

#include <algorithm>

namespace postern::listd {

using nlohmann::json;

namespace {

json viewOf(const RelayRow& relay) {
  return {{"range", relay.range},   {"domain", relay.domain}, {"list", relay.list}, {"fingerprint", relay.fingerprint},
          {"issuer", relay.issuer}, {"name", relay.name}};
}

bool hasCertificate(const RelayRow& relay) {
  return !relay.fingerprint.empty() || !relay.issuer.empty();
}

// "any" stands for every address.
std::string rangeOf(const Args& args) {
  const auto text = args.textOr("range", std::string(app::AnyAddress), 100);
  if (text.empty() || text == app::AnyAddress) return std::string(app::AnyAddress);
  const auto range = net::IpRange::parse(text);
  if (!range)
    refuse("invalid", "\"" + text + "\" is no range of addresses", "give it as in 192.0.2.0/24 or 2001:db8::25");
  return range->isEverybody() ? std::string(app::AnyAddress) : range->text();
}

// As openssl and browsers show it, with or without colons.
std::string fingerprintOf(const std::string& text) {
  std::string digits;
  for (const char c : mail::lowerAscii(text))
    if (c != ':' && c != ' ') digits += c;
  if (digits.size() != 64 || digits.find_first_not_of("0123456789abcdef") != std::string::npos)
    refuse("invalid", "this is no SHA-256 fingerprint", "see: openssl x509 -in FILE -noout -fingerprint -sha256");
  return digits;
}

// By which certificate the relay is known, if by any. One of: the certificate itself, its fingerprint, or its issuer
// and the name it is for.
void takeCertificate(const Args& args, TimePoint now, RelayRow& relay) {
  const bool file = args.has("certificate") && !args.bytes("certificate", 64 * 1024).empty();
  const auto fingerprint = args.textOr("fingerprint", "", 200);
  const auto issuer = args.textOr("issuer", "", 500);
  const auto name = args.textOr("name", "", 500);
  if (int{file} + int{!fingerprint.empty()} + int{!issuer.empty() || !name.empty()} > 1)
    refuse("invalid", "a relay is known by one certificate",
           "give the certificate, or its fingerprint, or its issuer and name");
  if (issuer.empty() != name.empty())
    refuse("invalid", "an issuer and a name belong together", "say who issued the certificate, and for which name");
  if (!fingerprint.empty()) relay.fingerprint = fingerprintOf(fingerprint);
  relay.issuer = issuer;
  relay.name = name.find('=') == std::string::npos ? mail::lowerAscii(name) : name;
  if (!file) return;
  const auto certificate = crypto::Certificate::parse(args.bytes("certificate", 64 * 1024));
  if (!certificate) refuse("invalid", certificate.error().message, "give the relay's certificate, without its key");
  if (certificate->notAfter() < now)
    refuse("refused", "this certificate ended on " + formatRfc3339(certificate->notAfter()).substr(0, 10),
           "give the one that the relay uses");
  relay.fingerprint = certificate->fingerprint();
}

std::string objectOf(const RelayRow& relay) {
  auto text = relay.range + " " + relay.domain;
  if (!relay.fingerprint.empty()) text += " " + relay.fingerprint.substr(0, 16);
  if (!relay.name.empty()) text += " " + relay.name;
  return text;
}

json addRelay(OrderTools& tools, const OrderCall& call) {
  RelayRow relay{rangeOf(call.args), call.args.domain("domain").text(), 0, {}};
  takeCertificate(call.args, tools.now(), relay);
  if (relay.range == app::AnyAddress && !hasCertificate(relay))
    refuse("refused", "this range holds every address, so that anybody could send mail through here",
           "name the addresses of the relay, or its certificate");
  call.note.objectType = "relay";
  call.note.objectId = objectOf(relay);
  return change(tools, call, [&](SiteTables& tables) {
    const auto address = call.args.address("list").key();
    const auto list = tables.lists.find(address);
    if (!list || list->deletedAt != TimePoint())
      refuse("not-found", "there is no list " + address,
             "make one for this mail: postern list create --secure " + address);
    if (!list->secure)
      refuse("refused", address + " is an open list, whose mail goes out unprotected", "name a secure list");
    relay.listId = list->id;
    relay.list = list->address;
    tables.relays.set(relay);
    tables.counters.take(CounterStore::Routing);
    return viewOf(relay);
  });
}

json listRelays(OrderTools& tools, const OrderCall&) {
  return tools.context.site.read([](SiteTables& tables) {
    auto items = json::array();
    for (const auto& relay : tables.relays.all()) items.push_back(viewOf(relay));
    return pageOf(std::move(items), {});
  });
}

json removeRelay(OrderTools& tools, const OrderCall& call) {
  const auto range = rangeOf(call.args);
  const auto domain = call.args.domain("domain").text();
  const auto fingerprint = call.args.textOr("fingerprint", "", 200);
  const auto name = call.args.textOr("name", "", 500);
  call.note.objectType = "relay";
  call.note.objectId = range + " " + domain;
  return change(tools, call, [&](SiteTables& tables) {
    std::vector<RelayRow> meant;
    for (auto& relay : tables.relays.all())
      if (relay.range == range && relay.domain == domain &&
          (fingerprint.empty() || relay.fingerprint == fingerprintOf(fingerprint)) &&
          (name.empty() || relay.name == name))
        meant.push_back(std::move(relay));
    if (meant.empty()) refuse("not-found", "there is no relay " + range + " for " + domain, "see: postern relay list");
    // The one without a certificate is meant by its addresses alone.
    if (meant.size() > 1 && fingerprint.empty() && name.empty())
      std::stable_partition(meant.begin(), meant.end(), [](const auto& relay) { return !hasCertificate(relay); });
    if (meant.size() > 1 && hasCertificate(meant.front()))
      refuse("invalid", "several relays have these addresses and this domain",
             "say which by its fingerprint or name; see: postern relay list");
    tables.relays.remove(meant.front());
    call.note.objectId = objectOf(meant.front());
    tables.counters.take(CounterStore::Routing);
    return json::object();
  });
}

using app::Role;
constexpr Access Watchers{Role::Admin | Role::Officer | Role::Auditor | Role::Helpdesk};

constexpr OrderRow Table[] = {
    {"relay.add", OrderKind::ChangesRouting, addRelay},
    {"relay.list", OrderKind::Reads, listRelays, Watchers},
    {"relay.remove", OrderKind::ChangesRouting, removeRelay},
};

}  // namespace

std::span<const OrderRow> relayOrders() {
  return Table;
}

}  // namespace postern::listd
