// postern-listd: what a list does to a post. Usage: postern-listd --data DIR
// With --rehearse it opens a site that was put back from a backup, without serving it; see Rehearsal.h. The wish comes
// on standard input and the result goes to standard output, both JSON.
//
// SECURITY
//   This process alone opens the vault, the key ring and site.db. It listens on no network: orders come over
//   listd/web.sock from webadmin and over listd/command.sock from the command line, which proves itself by a key that
//   webadmin cannot read (docs/decisions/0013), and it asks the gateway over
//   run/gateway.sock, which never asks back. What the gateway gives it was written by strangers: messages are parsed
//   by core/mail within limits, and nothing in them is run, fetched or believed without proof (VERP tags, members'
//   addresses). Contents and subjects are kept in the vault only, never in site.db, in the log or in temporary files.
//   Copies of secure lists leave as ciphertext alone; the gateway checks that again on the bytes.
//   It may be killed at any instant: what was accepted is planned or still at the gateway, what is planned goes on
//   from site.db under the same copy keys.
//
// STANDARDS
//   RFC 2369 (list headers), RFC 2919 (List-Id), RFC 3464 and 3834 (reports, automatic mail), RFC 5322, RFC 5652 and
//   8551 (CMS, S/MIME), RFC 6238 (one-time codes), RFC 9106 (Argon2), RFC 9788 (header protection).
#include "core/app/Daemon.h"
#include "core/base/Files.h"
#include "listd/backup/Rehearsal.h"
#include "listd/Listd.h"

#include <sys/mman.h>
#include <sys/resource.h>

#include <cstdlib>
#include <iostream>

namespace {

using namespace postern;

app::Confinement confinementOf(const config::SiteConfig& config) {
  app::Confinement confinement;
  confinement.mayRead(config.dataFolder / "postern.toml").mayRead(config.path(config.rootKey));
  if (const auto* credentials = std::getenv("CREDENTIALS_DIRECTORY")) confinement.mayRead(credentials);
  if (!config.certificateAuthorities.empty()) confinement.mayRead(config.path(config.certificateAuthorities));
  for (const auto* folder : {"listd", "keys", "vault", "run", "index", "exports", "journal"}) {
    files::makePrivateFolder(config.path(folder));  // of a site that an older version made
    confinement.mayWrite(config.path(folder));
  }
  return confinement;
}

// Keys are not to be written to swap. Only where the system lets us lock what we need: with a limit, memory would run
// out in the middle of work instead.
void keepMemoryOffSwap() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_MEMLOCK, &limit) == 0 && limit.rlim_cur == RLIM_INFINITY)
    ::mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT);
}

int rehearseSite(const config::SiteConfig& config) {
  keepMemoryOffSwap();
  const SystemClock clock(config.clockOffset);
  std::cout << listd::rehearse(config, clock, nlohmann::json::parse(std::cin)).dump() << std::endl;
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 4 && std::string_view(argv[3]) == "--rehearse")
    return app::runTask("postern-listd", argv[2], confinementOf, rehearseSite);
  return app::runDaemon("postern-listd", argc, argv, confinementOf, [](const config::SiteConfig& config) {
    keepMemoryOffSwap();
    return std::make_shared<listd::Listd>(config);
  });
}
