// rooms: listd
// The nightly look at the keys of members: time and memory for each key, at a tenth of the keys and at all of them,
// since both must stay linear. The certificates lead to an authority of the site, so that each costs the verification
// of its chain; nobody is asked over the network. Usage: KeyHealthBench [keys]
#include "core/base/Error.h"
#include "core/base/Files.h"
#include "listd/keys/KeyHealth.h"
#include "listd/plan/KeyImport.h"
#include "listd/site/SiteContext.h"
#include "tests/support/TempFolder.h"
#include "tests/unit/core/crypto/TestCertificates.h"

#include <sys/resource.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>

using namespace postern;
using namespace postern::listd;

namespace {

struct NoJob : JobContext {
  Job row;
  nlohmann::json kept;
  const Job& job() const override { return row; }
  void progress(std::uint64_t, std::uint64_t, std::string_view) override {}
  nlohmann::json checkpoint() const override { return kept; }
  void saveCheckpoint(const nlohmann::json& checkpoint) override { kept = checkpoint; }
  bool stopRequested() const override { return false; }
};

double cpuSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

double residentMegabytes() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("VmRSS:")) return std::strtod(line.c_str() + 6, nullptr) / 1024;
  return 0;
}

test::TestCertificate authority(TimePoint now) {
  test::TestCertificate ca;
  ca.commonName = "Bench CA";
  ca.addresses.clear();
  ca.notBefore = now - std::chrono::days(10);
  ca.notAfter = now + std::chrono::days(900);
  ca.key = test::testKey("P-256", 1);
  ca.extensions = {{NID_basic_constraints, "critical,CA:TRUE"}, {NID_key_usage, "critical,keyCertSign,cRLSign"}};
  return ca;
}

std::string addressOf(std::size_t number) {
  return "m" + std::to_string(number) + "@members.example";
}

// A certificate of the authority that is not the same as any other.
std::string certificateOf(std::size_t number, X509* ca, TimePoint now) {
  test::TestCertificate certificate;
  certificate.commonName = "Member " + std::to_string(number);
  certificate.addresses = {addressOf(number)};
  certificate.notBefore = now - std::chrono::days(5);
  certificate.notAfter = now + std::chrono::days(100) + std::chrono::seconds(number);
  certificate.key = test::testKey("P-256", 2);
  certificate.issuer = ca;
  certificate.issuerKey = test::testKey("P-256", 1);
  return certificate.der();
}

void add(SiteContext& context, std::size_t from, std::size_t to, X509* ca) {
  for (std::size_t at = from; at < to;)
    context.site.write([&](SiteTables& tables) {
      for (const auto end = std::min(to, at + 2000); at < end; ++at) {
        auto key = importKey(certificateOf(at, ca, context.clock.now()), addressOf(at), context.clock.now(),
                             context.trustStore().get());
        if (!key) throw Error(ErrorKind::Invariant, key.error().message);
        tables.keys.add(*key);
      }
    });
}

void look(SiteContext& context, std::size_t keys, const char* what) {
  NoJob job;
  job.row.args = {{"list", ""}};
  const auto cpu = cpuSeconds(), memory = residentMegabytes();
  const auto begin = std::chrono::steady_clock::now();
  const auto result = checkAllKeys(job, context, [](const app::DocumentRequest&) { return app::FetchedDocument{}; });
  const auto wall = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  if (result.at("keys") != keys || result.at("unfit") != 0) throw Error(ErrorKind::Invariant, result.dump());
  std::printf("%zu keys, %s: %.1f s, %.1f s of CPU, %.0f us of CPU each, %.0f MB (%+.0f MB by the look)\n", keys, what,
              wall, cpuSeconds() - cpu, (cpuSeconds() - cpu) * 1e6 / static_cast<double>(keys), residentMegabytes(),
              residentMegabytes() - memory);
}

}  // namespace

int main(int argc, char** argv) {
  const std::size_t count = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 100'000;
  test::TempFolder folder;
  const SystemClock clock;
  const auto ca = authority(clock.now()).make();
  files::replaceDurably(folder / "ca.pem",
                        crypto::Certificate::parse(test::TestCertificate::derOf(ca.get())).value().pem());
  config::SiteConfig config;
  config.dataFolder = folder.path();
  config.hostName = "mail.lists.example";
  config.minFreeSpace = 1 << 20;
  config.certificateAuthorities = folder / "ca.pem";
  SiteContext context(config, clock);
  std::size_t done = 0;
  for (const auto size : {count / 10, count}) {
    add(context, done, size, ca.get());
    done = size;
    look(context, size, "with new ones");
    look(context, size, "nothing new");
  }
}
