#include "core/app/DomainTls.h"

#include "core/base/Codec.h"
#include "core/base/Error.h"

namespace postern::app {

const char* tlsMeansWord(TlsMeans means) {
  switch (means) {
    case TlsMeans::None:
      return "none";
    case TlsMeans::Pkix:
      return "pkix";
    case TlsMeans::Sts:
      return "mta-sts";
    case TlsMeans::Dane:
      return "dane";
  }
  throw Error(ErrorKind::Invariant, "unknown means of verified TLS");
}

namespace {

void writeText(Writer& writer, const std::string& text) {
  writer.string(text);
}
std::string readText(Reader& reader) {
  return reader.string();
}

void writeHost(Writer& writer, const HostProbe& host) {
  writer.string(host.name).u16(host.preference).u16(host.port).string(host.address).string(host.problem);
  writer.boolean(host.startTls).boolean(host.requireTls).string(host.version).string(host.cipher);
  writer.string(host.subject).string(host.issuer).i64(toMicros(host.notBefore)).i64(toMicros(host.notAfter));
  writer.list(host.names, writeText).string(host.chain).list(host.expected, writeText).list(host.tlsa, writeText);
  writer.string(host.dane).string(host.sts).u8(static_cast<std::uint8_t>(host.means));
}

HostProbe readHost(Reader& reader) {
  HostProbe host;
  host.name = reader.string();
  host.preference = reader.u16();
  host.port = reader.u16();
  host.address = reader.string();
  host.problem = reader.string();
  host.startTls = reader.boolean();
  host.requireTls = reader.boolean();
  host.version = reader.string();
  host.cipher = reader.string();
  host.subject = reader.string();
  host.issuer = reader.string();
  host.notBefore = fromMicros(reader.i64());
  host.notAfter = fromMicros(reader.i64());
  host.names = reader.list<std::string>(readText);
  host.chain = reader.string();
  host.expected = reader.list<std::string>(readText);
  host.tlsa = reader.list<std::string>(readText);
  host.dane = reader.string();
  host.sts = reader.string();
  host.means = reader.enumeration(TlsMeans::Dane);
  return host;
}

}  // namespace

void DomainProbe::encode(Writer& writer) const {
  writer.string(verdict.domain).u8(static_cast<std::uint8_t>(verdict.means)).i64(toMicros(verdict.checkedAt));
  writer.string(verdict.problem).boolean(finished).string(progress).string(route).string(problem).boolean(mxSecure);
  writer.string(stsId).string(stsMode).i64(stsMaxAge).list(stsMx, writeText).string(stsProblem);
  writer.list(hosts, writeHost);
}

DomainProbe DomainProbe::decode(Reader& reader) {
  DomainProbe probe;
  probe.verdict.domain = reader.string();
  probe.verdict.means = reader.enumeration(TlsMeans::Dane);
  probe.verdict.checkedAt = fromMicros(reader.i64());
  probe.verdict.problem = reader.string();
  probe.finished = reader.boolean();
  probe.progress = reader.string();
  probe.route = reader.string();
  probe.problem = reader.string();
  probe.mxSecure = reader.boolean();
  probe.stsId = reader.string();
  probe.stsMode = reader.string();
  probe.stsMaxAge = reader.i64();
  probe.stsMx = reader.list<std::string>(readText);
  probe.stsProblem = reader.string();
  probe.hosts = reader.list<HostProbe>(readHost);
  return probe;
}

}  // namespace postern::app
