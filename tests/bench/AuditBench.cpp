// rooms: listd
// What an entry of the audit log costs, and how long it takes to verify, prove and page through 1,000,000 of them.
#include "core/audit/Verify.h"
#include "listd/site/SiteStore.h"

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>

using namespace postern;
using namespace postern::listd;
using Steady = std::chrono::steady_clock;

namespace {

double cpuSeconds() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

audit::Event eventNo(std::uint64_t number) {
  audit::Event event;
  event.actorKind = "user";
  event.actor = "person" + std::to_string(number % 50) + "@example.org";
  event.roleUsed = "admin";
  event.sessionRef = "s-0123456789abcdef";
  event.sourceIp = "192.0.2.7";
  event.action = number % 3 == 0 ? "member.add" : "object.read";
  event.objectType = number % 3 == 0 ? "member" : "object";
  event.objectId = std::to_string(number);
  event.listId = number % 20 + 1;
  event.person("address", "member" + std::to_string(number % 1000) + "@example.org");
  return event;
}

template <class Work>
double seconds(Work work) {
  const auto start = Steady::now();
  work();
  return std::chrono::duration<double>(Steady::now() - start).count();
}

}  // namespace

int main(int argc, char** argv) {
  const std::uint64_t count = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 1'000'000;
  const auto folder = std::filesystem::temp_directory_path() / ("postern-audit-bench-" + std::to_string(::getpid()));
  std::filesystem::create_directories(folder / "listd");
  {
    const SystemClock clock;
    SiteStore site(folder / "listd/site.db", clock);
    const auto cpu = cpuSeconds();
    for (std::uint64_t done = 0; done < count; done += 1000)
      site.write([&](SiteTables& tables) {
        for (std::uint64_t i = 0; i < 1000; ++i) tables.audit.append(eventNo(done + i));
      });
    std::printf("append: %.1f us CPU an entry (1,000 in a transaction; at most 30)\n",
                (cpuSeconds() - cpu) * 1e6 / static_cast<double>(count));
    audit::Verdict verdict;
    const auto verified = seconds([&] {
      site.read([&](SiteTables& tables) {
        audit::VerifyOptions options;
        options.now = clock.now();
        verdict = audit::verifyLog(tables.audit.file(), options);
      });
    });
    std::printf("verify: %.2f s for %llu entries (at most 3 for 1,000,000): %s\n", verified,
                static_cast<unsigned long long>(verdict.size), verdict.text.c_str());
    site.read([&](SiteTables& tables) {
      const auto log = tables.audit.file();
      std::printf("prove: %.2f ms, consistency: %.2f ms\n",
                  seconds([&] { audit::inclusionProof(count / 3, count, log.nodes()); }) * 1e3,
                  seconds([&] { audit::consistencyProof(count / 3, count, log.nodes()); }) * 1e3);
      const auto page = [&](const char* what, const AuditFilter& filter) {
        std::printf("page %s: %.2f ms\n", what, seconds([&] { tables.audit.list(filter); }) * 1e3);
      };
      page("newest", {});
      page("of an actor", {.actor = "person7@example.org"});
      page("of an action", {.action = "member.add"});
      page("of an object", {.objectType = "object", .objectId = "77"});
      page("denied", {.outcome = "denied"});
      page("of a matter", {.matterId = 3});
      page("of an action that never was", {.action = "hold.place", .outcome = "ok"});
    });
  }
  std::filesystem::remove_all(folder);
  return 0;
}
