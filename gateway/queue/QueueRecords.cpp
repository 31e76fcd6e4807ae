#include "gateway/queue/QueueRecords.h"

#include "core/base/Codec.h"

namespace postern::gateway {

namespace {

template <class Enum>
std::uint8_t number(Enum value) {
  return static_cast<std::uint8_t>(value);
}

}  // namespace

std::string TailMeta::encode() const {
  Writer writer;
  writer.u64(instance).u64(tail).u64(generation);
  return std::move(writer).bytes();
}

TailMeta TailMeta::decode(std::string_view bytes) {
  Reader reader(bytes);
  TailMeta meta;
  meta.instance = reader.u64();
  meta.tail = reader.u64();
  meta.generation = reader.u64();
  reader.expectEnd();
  return meta;
}

std::string TailMeta::sealContext() const {
  Writer writer;
  writer.string("tail").u64(instance);
  return std::move(writer).bytes();
}

std::string CopyMeta::encode() const {
  Writer writer;
  writer.u64(key).u64(tailInstance).u8(number(kind)).u8(number(protection)).u8(number(floor));
  writer.string(destination).i64(queuedAt).i64(expiresAt).u64(generation).u8(number(tlsAsk)).u64(post);
  return std::move(writer).bytes();
}

CopyMeta CopyMeta::decode(std::string_view bytes) {
  Reader reader(bytes);
  CopyMeta meta;
  meta.key = reader.u64();
  meta.tailInstance = reader.u64();
  meta.kind = reader.enumeration(app::Copy::Kind::Report);
  meta.protection = reader.enumeration(app::Protection::Smime);
  meta.floor = reader.enumeration(app::Protection::Smime);
  meta.destination = reader.string();
  meta.queuedAt = reader.i64();
  meta.expiresAt = reader.i64();
  meta.generation = reader.u64();
  meta.tlsAsk = reader.enumeration(app::TlsAsk::Waive);
  if (!reader.atEnd()) meta.post = reader.u64();  // older releases wrote none
  reader.expectEnd();
  return meta;
}

std::string copySealContext(std::uint64_t key, std::uint64_t tailInstance, app::Copy::Kind kind,
                            app::Protection protection, app::Protection floor, app::TlsAsk tlsAsk) {
  Writer writer;
  writer.string("copy").u64(key).u64(tailInstance).u8(number(kind)).u8(number(protection)).u8(number(floor));
  writer.u8(number(tlsAsk));
  return std::move(writer).bytes();
}

std::string EventMeta::encode() const {
  Writer writer;
  writer.u64(sequence).boolean(refusal).u64(copyKey).u8(number(outcome)).u32(attempt).i64(nextAttempt).string(sealed);
  return std::move(writer).bytes();
}

EventMeta EventMeta::decode(std::string_view bytes) {
  Reader reader(bytes);
  EventMeta meta;
  meta.sequence = reader.u64();
  meta.refusal = reader.boolean();
  meta.copyKey = reader.u64();
  meta.outcome = reader.enumeration(app::DeliveryEvent::Outcome::Dropped);
  meta.attempt = reader.u32();
  meta.nextAttempt = reader.i64();
  meta.sealed = reader.string();
  reader.expectEnd();
  return meta;
}

std::string eventSealContext(std::uint64_t copyKey) {
  Writer writer;
  writer.string("event").u64(copyKey);
  return std::move(writer).bytes();
}

std::string ChangeMeta::encode() const {
  Writer writer;
  writer.u8(number(action)).u64(key).i64(at);
  if (action == Action::Reroute) writer.string(via);
  return std::move(writer).bytes();
}

ChangeMeta ChangeMeta::decode(std::string_view bytes) {
  Reader reader(bytes);
  ChangeMeta meta;
  meta.action = reader.enumeration(Action::Reroute);
  meta.key = reader.u64();
  meta.at = reader.i64();
  if (meta.action == Action::Reroute) meta.via = reader.string();
  reader.expectEnd();
  return meta;
}

std::string encodeNumber(std::uint64_t value) {
  Writer writer;
  writer.u64(value);
  return std::move(writer).bytes();
}

std::uint64_t decodeNumber(std::string_view bytes) {
  return Reader(bytes).u64();
}

}  // namespace postern::gateway
