// postern-gateway: receives mail by SMTP, asks the policies, stores what is accepted, and delivers copies.
//
// SECURITY
//   Faces the network. Holds the TLS key and the vault's public key, and in memory the key of the outbound queue. Seals
//   accepted content at once and cannot open it again. The kernel (Landlock) keeps it from every file but its
//   configuration, TLS files, policies and DATA/gateway. Takes orders from listd over a local socket; gives none.
//
// STANDARDS
//   RFC 5321 (SMTP), 5322, 1870 (SIZE), 2034 and 3463 (enhanced codes), 2920 (PIPELINING), 3030 (CHUNKING),
//   3207 (STARTTLS), 3848 (Received types), 6152 (8BITMIME), 6531 (SMTPUTF8), 7505 (null MX), 8314 (implicit TLS).
#include "core/app/Daemon.h"
#include "gateway/Gateway.h"

namespace {

using namespace postern;

app::Confinement confinementOf(const config::SiteConfig& config) {
  app::Confinement confinement;
  confinement.mayReadTlsFiles(config);
  for (const auto& alias : config.aliases)
    if (!alias.certificate.empty())
      confinement.mayReadTlsFile(config, alias.certificate).mayReadTlsFile(config, alias.certificateKey);
  if (!config.clientAuthorities.empty()) confinement.mayReadTlsFile(config, config.clientAuthorities);
  confinement.mayRead(config.dataFolder / "postern.toml").mayRead(config.path(config.policyFolder));
  confinement.mayRead(config.path(config.trustAnchors)).mayRead(config.path(config.dnsTrustAnchor));
  return confinement.mayWrite(config.path("gateway")).mayWrite(config.path("run"));
}

}  // namespace

int main(int argc, char** argv) {
  return app::runDaemon("postern-gateway", argc, argv, confinementOf,
                        [](const config::SiteConfig& config) { return std::make_shared<gateway::Gateway>(config); });
}
