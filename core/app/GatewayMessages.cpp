// Encoding of what the gateway and listd send each other. Fields are read in the order in which they are written.
#include "core/app/GatewayLink.h"
#include "core/base/Codec.h"
#include "core/base/Error.h"

namespace postern::app {

namespace {

constexpr std::uint8_t FormatVersion = 1;

void expectVersion(Reader& reader, const char* what) {
  const auto version = reader.u8();
  if (version != FormatVersion)
    throw Error(ErrorKind::Malformed, std::string(what) + " has the unknown format version " + std::to_string(version) +
                                          "; the processes are of different releases");
}

void writeString(Writer& writer, const std::string& text) {
  writer.string(text);
}
std::string readString(Reader& reader) {
  return reader.string();
}

void writeTime(Writer& writer, TimePoint time) {
  writer.i64(toMicros(time));
}
TimePoint readTime(Reader& reader) {
  return fromMicros(reader.i64());
}

void writeTls(Writer& writer, const TlsFacts& tls) {
  writer.string(tls.version).string(tls.cipher).u16(tls.bits).string(tls.verification).string(tls.peerName);
}

TlsFacts readTls(Reader& reader) {
  TlsFacts tls;
  tls.version = reader.string();
  tls.cipher = reader.string();
  tls.bits = reader.u16();
  tls.verification = reader.string();
  tls.peerName = reader.string();
  return tls;
}

void writeDelivery(Writer& writer, const DeliveryEvent& event) {
  writer.u64(event.copyKey).u8(static_cast<std::uint8_t>(event.outcome));
  writeTime(writer, event.at);
  writer.u32(event.attempt);
  writeTime(writer, event.nextAttempt);
  writer.string(event.remoteHost).string(event.remoteAddress).u16(event.replyCode).string(event.replyText);
  writeTls(writer, event.tls);
}

DeliveryEvent readDelivery(Reader& reader) {
  DeliveryEvent event;
  event.copyKey = reader.u64();
  event.outcome = reader.enumeration(DeliveryEvent::Outcome::Dropped);
  event.at = readTime(reader);
  event.attempt = reader.u32();
  event.nextAttempt = readTime(reader);
  event.remoteHost = reader.string();
  event.remoteAddress = reader.string();
  event.replyCode = reader.u16();
  event.replyText = reader.string();
  event.tls = readTls(reader);
  return event;
}

void writeRefusal(Writer& writer, const RefusalEvent& event) {
  writeTime(writer, event.at);
  writer.string(event.clientAddress).string(event.mailFrom).list(event.recipients, writeString);
  writer.u16(event.code).string(event.enhanced).string(event.reason).string(event.policy);
}

RefusalEvent readRefusal(Reader& reader) {
  RefusalEvent event;
  event.at = readTime(reader);
  event.clientAddress = reader.string();
  event.mailFrom = reader.string();
  event.recipients = reader.list<std::string>(readString);
  event.code = reader.u16();
  event.enhanced = reader.string();
  event.reason = reader.string();
  event.policy = reader.string();
  return event;
}

constexpr const char* ProtectionNames[] = {"none", "tls", "pickup", "openpgp", "smime"};
constexpr const char* OutcomeNames[] = {"delivered", "deferred", "failed", "expired", "blocked", "dropped"};

}  // namespace

const char* protectionName(Protection protection) {
  return ProtectionNames[static_cast<std::size_t>(protection)];
}

const char* outcomeName(DeliveryEvent::Outcome outcome) {
  return OutcomeNames[static_cast<std::size_t>(outcome)];
}

std::string Submission::encode() const {
  Writer writer;
  writer.u8(FormatVersion).string(mailFrom).list(recipients, writeString);
  writer.string(clientAddress).string(clientName).string(helo);
  writeTls(writer, tls);
  writer.boolean(smtpUtf8);
  writeTime(writer, receivedAt);
  writer.string(queueId);
  writer.list(notes, [](Writer& w, const auto& note) { w.string(note.first).string(note.second); });
  writer.string(content);
  return std::move(writer).bytes();
}

Submission Submission::decode(std::string_view bytes) {
  Reader reader(bytes);
  expectVersion(reader, "an accepted message");
  Submission submission;
  submission.mailFrom = reader.string();
  submission.recipients = reader.list<std::string>(readString);
  submission.clientAddress = reader.string();
  submission.clientName = reader.string();
  submission.helo = reader.string();
  submission.tls = readTls(reader);
  submission.smtpUtf8 = reader.boolean();
  submission.receivedAt = readTime(reader);
  submission.queueId = reader.string();
  submission.notes = reader.list<std::pair<std::string, std::string>>([](Reader& r) {
    auto name = r.string();
    return std::pair(std::move(name), r.string());
  });
  submission.content = reader.string();
  reader.expectEnd();
  return submission;
}

std::string RoutingView::encode() const {
  Writer writer;
  writer.u8(FormatVersion).u64(revision).string(vaultPublicKey).string(helpLink).list(listDomains, writeString);
  writer.list(addresses, [](Writer& w, const RoutedAddress& a) {
    w.string(a.address).string(a.listName).boolean(a.secure).u8(static_cast<std::uint8_t>(a.role));
  });
  writer.list(routes, [](Writer& w, const Route& r) {
    w.string(r.domain).string(r.host).u16(r.port).u8(static_cast<std::uint8_t>(r.tls));
  });
  writer.list(trustedDomains, writeString).list(distrustedDomains, writeString);
  writer.list(relays, [](Writer& w, const Relay& r) { w.string(r.range).string(r.senderDomain).string(r.listName); });
  writer.list(relays, [](Writer& w, const Relay& r) { w.string(r.fingerprint).string(r.issuer).string(r.name); });
  writer.list(shapes, [](Writer& w, const DestinationShape& s) {
    w.string(s.destination).u32(s.connections).u32(s.perMinute).boolean(s.paused);
    w.list(s.retry, [](Writer& inner, std::uint32_t seconds) { inner.u32(seconds); });
  });
  return std::move(writer).bytes();
}

RoutingView RoutingView::decode(std::string_view bytes) {
  Reader reader(bytes);
  expectVersion(reader, "the routing view");
  RoutingView view;
  view.revision = reader.u64();
  view.vaultPublicKey = reader.string();
  view.helpLink = reader.string();
  view.listDomains = reader.list<std::string>(readString);
  view.addresses = reader.list<RoutedAddress>([](Reader& r) {
    RoutedAddress address;
    address.address = r.string();
    address.listName = r.string();
    address.secure = r.boolean();
    address.role = r.enumeration(RoutedAddress::Role::Confirm);
    return address;
  });
  view.routes = reader.list<Route>([](Reader& r) {
    Route route;
    route.domain = r.string();
    route.host = r.string();
    route.port = r.u16();
    route.tls = r.enumeration(Route::Tls::Verified);
    return route;
  });
  if (!reader.atEnd()) {  // a view that an older version kept on disk ends here
    view.trustedDomains = reader.list<std::string>(readString);
    view.distrustedDomains = reader.list<std::string>(readString);
  }
  if (!reader.atEnd()) {
    view.relays = reader.list<Relay>([](Reader& r) {
      Relay relay;
      relay.range = r.string();
      relay.senderDomain = r.string();
      relay.listName = r.string();
      return relay;
    });
  }
  if (!reader.atEnd()) {
    auto next = view.relays.begin();
    reader.list<bool>([&](Reader& r) {
      if (next == view.relays.end()) throw Error(ErrorKind::Malformed, "certificates of more relays than there are");
      next->fingerprint = r.string();
      next->issuer = r.string();
      next->name = r.string();
      ++next;
      return true;
    });
    if (next != view.relays.end()) throw Error(ErrorKind::Malformed, "certificates of fewer relays than there are");
  }
  if (!reader.atEnd()) {
    view.shapes = reader.list<DestinationShape>([](Reader& r) {
      DestinationShape shape;
      shape.destination = r.string();
      shape.connections = r.u32();
      shape.perMinute = r.u32();
      shape.paused = r.boolean();
      shape.retry = r.list<std::uint32_t>([](Reader& inner) { return inner.u32(); });
      return shape;
    });
  }
  reader.expectEnd();
  return view;
}

void ServerNameUse::encode(Writer& writer) const {
  writer.string(name).string(retires).boolean(retired).string(afterwards).list(addresses, writeString);
  writer.boolean(hasCertificate);
  writeTime(writer, certificateEnds);
  writer.string(certificateProblem);
  writeTime(writer, lastUse);
  writer.list(networks, [](Writer& w, const Network& n) {
    w.string(n.network);
    writeTime(w, n.lastUse);
    w.u64(n.sessions).u64(n.messages);
  });
  writer.list(days, [](Writer& w, const Day& d) { w.string(d.day).u64(d.sessions).u64(d.messages).u64(d.refused); });
}

ServerNameUse ServerNameUse::decode(Reader& reader) {
  ServerNameUse use;
  use.name = reader.string();
  use.retires = reader.string();
  use.retired = reader.boolean();
  use.afterwards = reader.string();
  use.addresses = reader.list<std::string>(readString);
  use.hasCertificate = reader.boolean();
  use.certificateEnds = readTime(reader);
  use.certificateProblem = reader.string();
  use.lastUse = readTime(reader);
  use.networks = reader.list<Network>([](Reader& r) {
    Network network;
    network.network = r.string();
    network.lastUse = readTime(r);
    network.sessions = r.u64();
    network.messages = r.u64();
    return network;
  });
  use.days = reader.list<Day>([](Reader& r) {
    Day day;
    day.day = r.string();
    day.sessions = r.u64();
    day.messages = r.u64();
    day.refused = r.u64();
    return day;
  });
  return use;
}

void Copy::encode(Writer& writer) const {
  writer.u64(key).u64(tail).u8(static_cast<std::uint8_t>(kind));
  writer.u8(static_cast<std::uint8_t>(protection)).u8(static_cast<std::uint8_t>(floor));
  writer.string(mailFrom).string(recipient).string(head);
  writeTime(writer, expiresAt);
  writer.u8(static_cast<std::uint8_t>(tlsAsk)).string(trace);
}

Copy Copy::decode(Reader& reader) {
  Copy copy;
  copy.key = reader.u64();
  copy.tail = reader.u64();
  copy.kind = reader.enumeration(Kind::Report);
  copy.protection = reader.enumeration(Protection::Smime);
  copy.floor = reader.enumeration(Protection::Smime);
  copy.mailFrom = reader.string();
  copy.recipient = reader.string();
  copy.head = reader.string();
  copy.expiresAt = readTime(reader);
  copy.tlsAsk = reader.enumeration(TlsAsk::Waive);
  copy.trace = reader.string();
  return copy;
}

void GatewayEvent::encode(Writer& writer) const {
  writer.u64(sequence).u8(static_cast<std::uint8_t>(what.index()));
  if (const auto* delivery = std::get_if<DeliveryEvent>(&what)) writeDelivery(writer, *delivery);
  if (const auto* refusal = std::get_if<RefusalEvent>(&what)) writeRefusal(writer, *refusal);
}

GatewayEvent GatewayEvent::decode(Reader& reader) {
  GatewayEvent event;
  event.sequence = reader.u64();
  const auto index = reader.u8();
  if (index > 1) throw Error(ErrorKind::Malformed, "an event of an unknown kind");
  if (index == 0)
    event.what = readDelivery(reader);
  else
    event.what = readRefusal(reader);
  return event;
}

void Finding::encode(Writer& writer) const {
  writer.string(rule).string(severity).string(what).string(todo);
}

Finding Finding::decode(Reader& reader) {
  Finding finding;
  finding.rule = reader.string();
  finding.severity = reader.string();
  finding.what = reader.string();
  finding.todo = reader.string();
  return finding;
}

void GatewayStats::encode(Writer& writer) const {
  writer.u64(sessions).u64(acceptedTotal).u64(refusedTotal).u64(deliveredTotal).u64(deferredTotal);
  writer.u64(waitingAccepted).u64(queued).u64(held).u64(freeBytes);
  writeTime(writer, oldestQueued);
  writer.list(problems, writeString);
  writer.list(findings, [](Writer& w, const Finding& finding) { finding.encode(w); });
}

GatewayStats GatewayStats::decode(Reader& reader) {
  GatewayStats stats;
  stats.sessions = reader.u64();
  stats.acceptedTotal = reader.u64();
  stats.refusedTotal = reader.u64();
  stats.deliveredTotal = reader.u64();
  stats.deferredTotal = reader.u64();
  stats.waitingAccepted = reader.u64();
  stats.queued = reader.u64();
  stats.held = reader.u64();
  stats.freeBytes = reader.u64();
  stats.oldestQueued = readTime(reader);
  stats.problems = reader.list<std::string>(readString);
  stats.findings = reader.list<Finding>(Finding::decode);
  return stats;
}

}  // namespace postern::app
