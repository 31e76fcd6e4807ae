#include "core/policy/frame/DeliveryFrame.h"

#include "core/base/Codec.h"
#include "core/base/Error.h"

namespace postern::policy::frame {

namespace {

[[noreturn]] void malformed() {
  throw Error(ErrorKind::Malformed, "a policy frame is malformed: not about a delivery");
}

void write(Writer& writer, const HopFacts& hop) {
  writer.string(hop.host).string(hop.address).boolean(hop.verified).boolean(hop.tls.has_value());
  if (hop.tls) writer.string(hop.tls->version).string(hop.tls->cipher).u32(hop.tls->bits).string(hop.tls->verification);
}

HopFacts readHop(Reader& reader) {
  HopFacts hop;
  hop.host = reader.string();
  hop.address = reader.string();
  hop.verified = reader.boolean();
  if (!reader.boolean()) return hop;
  auto& tls = hop.tls.emplace();
  tls.version = reader.string();
  tls.cipher = reader.string();
  tls.bits = reader.u32();
  tls.verification = reader.string();
  return hop;
}

}  // namespace

std::string encodeDelivery(const DeliveryRequest& request) {
  const auto& facts = request.facts;
  Writer writer;
  writer.u8(static_cast<std::uint8_t>(RequestKind::Delivery)).u8(static_cast<std::uint8_t>(request.hook));
  writer.string(facts.kind).string(facts.mailFrom).string(facts.recipient).string(facts.protection).string(facts.floor);
  writer.u64(facts.attempts).u64(facts.age).string(facts.failure).boolean(facts.hop.has_value());
  if (facts.hop) write(writer, *facts.hop);
  return std::move(writer).bytes();
}

DeliveryRequest decodeDelivery(std::string_view frame) {
  if (requestKind(frame) != RequestKind::Delivery) malformed();
  Reader reader(frame.substr(1));
  DeliveryRequest request;
  request.hook = reader.enumeration(LastHook);
  if (request.hook != Hook::Attempt && request.hook != Hook::Expire) malformed();
  auto& facts = request.facts;
  facts.kind = reader.string();
  facts.mailFrom = reader.string();
  facts.recipient = reader.string();
  facts.protection = reader.string();
  facts.floor = reader.string();
  facts.attempts = reader.u64();
  facts.age = reader.u64();
  facts.failure = reader.string();
  if (reader.boolean()) facts.hop = readHop(reader);
  reader.expectEnd();
  return request;
}

std::string encodeRoute(const RouteFacts& facts) {
  Writer writer;
  writer.u8(static_cast<std::uint8_t>(RequestKind::Route)).string(facts.domain);
  writer.list(facts.hops,
              [](Writer& w, const NextHopFacts& hop) { w.string(hop.host).string(hop.address).u64(hop.port); });
  return std::move(writer).bytes();
}

RouteFacts decodeRoute(std::string_view frame) {
  if (requestKind(frame) != RequestKind::Route) malformed();
  Reader reader(frame.substr(1));
  RouteFacts facts;
  facts.domain = reader.string();
  facts.hops = reader.list<NextHopFacts>([](Reader& r) {
    NextHopFacts hop;
    hop.host = r.string();
    hop.address = r.string();
    hop.port = r.u64();
    return hop;
  });
  reader.expectEnd();
  return facts;
}

}  // namespace postern::policy::frame
