#include "listd/probe/ProbeView.h"

#include "core/base/Clock.h"
#include "core/base/Error.h"

namespace postern::listd {

using nlohmann::json;

namespace {

json viewOf(const app::HostProbe& host) {
  return {{"name", host.name},
          {"preference", host.preference},
          {"port", host.port},
          {"address", host.address},
          {"problem", host.problem},
          {"startTls", host.startTls},
          {"requireTls", host.requireTls},
          {"version", host.version},
          {"cipher", host.cipher},
          {"certificate",
           {{"subject", host.subject},
            {"issuer", host.issuer},
            {"notBeforeAt", toMicros(host.notBefore)},
            {"notAfterAt", toMicros(host.notAfter)},
            {"names", host.names}}},
          {"expected", host.expected},
          {"chain", host.chain},
          {"tlsa", host.tlsa},
          {"dane", host.dane},
          {"sts", host.sts},
          {"means", app::tlsMeansWord(host.means)}};
}

}  // namespace

json viewOf(const app::DomainProbe& probe) {
  auto hosts = json::array();
  for (const auto& host : probe.hosts) hosts.push_back(viewOf(host));
  return {{"domain", probe.verdict.domain},
          {"at", toMicros(probe.verdict.checkedAt)},
          {"means", app::tlsMeansWord(probe.verdict.means)},
          {"sentence", verdictSentence(probe.verdict)},
          {"route", probe.route},
          {"problem", probe.problem},
          {"mxSecure", probe.mxSecure},
          {"sts",
           {{"id", probe.stsId},
            {"mode", probe.stsMode},
            {"maxAge", probe.stsMaxAge},
            {"mx", probe.stsMx},
            {"problem", probe.stsProblem}}},
          {"hosts", std::move(hosts)}};
}

std::string verdictSentence(const app::DomainTls& verdict) {
  const auto reached = "Mail to " + verdict.domain + " can be sent over verified TLS: ";
  switch (verdict.means) {
    case app::TlsMeans::Dane:
      return reached + "its DNS records, signed with DNSSEC, say which certificates its servers have (DANE).";
    case app::TlsMeans::Sts:
      return reached + "its MTA-STS policy names its servers, and their certificates are trusted.";
    case app::TlsMeans::Pkix:
      return reached + "its servers have trusted certificates for names that are proven to be the domain's.";
    case app::TlsMeans::None:
      return "Mail to " + verdict.domain + " cannot be sent over verified TLS: " +
             (verdict.problem.empty() ? "nothing was found out" : verdict.problem) + ".";
  }
  throw Error(ErrorKind::Invariant, "unknown means of verified TLS");
}

}  // namespace postern::listd
