// rooms: listd
// How fast a retention run destroys small messages: scan, decision, keys, contents, rows, audit entries, certificate.
#include "core/base/Files.h"
#include "listd/retention/RetentionRun.h"
#include "listd/site/SiteContext.h"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

int main(int argc, char** argv) {
  using namespace postern;
  using namespace postern::listd;
  const std::uint64_t objects = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 20'000;
  char name[] = "/tmp/postern-bench-XXXXXX";
  if (mkdtemp(name) == nullptr) return 1;
  const std::filesystem::path folder = name;
  {
    config::SiteConfig config;
    config.dataFolder = folder;
    config.hostName = "mail.lists.example";
    config.minFreeSpace = 1 << 20;
    const SystemClock clock;
    SiteContext context(config, clock);
    const auto now = clock.now();
    List list;
    list.address = "board@lists.example";
    list.domain = "lists.example";
    list.createdAt = now;
    context.site.write([&](SiteTables& tables) {
      tables.domains.add({list.domain, "list", now, 0});
      list.id = tables.lists.add(list);
      auto rule =
          records::Rule::parse({{"name", "default"}, {"tier", "default"}, {"effect", "both"}, {"period", "1 year"}});
      rule->effectiveFrom = now - std::chrono::days(2000);
      tables.rules.add({*rule, false, now, "bench", "bench", 0});
      tables.retention.trustClock(now);
    });
    const std::string content = "From: a@example.org\r\nSubject: x\r\n\r\n" + std::string(400, 'x') + "\r\n";
    for (std::uint64_t first = 1; first <= objects; first += 1000) {
      std::vector<vault::Vault::NewObject> batch;
      for (auto id = first; id < first + 1000 && id <= objects; ++id) batch.push_back({id, list.id, content});
      context.vault.putAll(batch);
      context.site.write([&](SiteTables& tables) {
        for (const auto& one : batch) {
          StoredObject object;
          object.id = one.id;
          object.receivedAt = now - std::chrono::days(1000);
          object.size = content.size();
          object.sensitivity = "low";
          tables.archive.add(object, list.id, 0);
        }
      });
    }
    Run run;
    run.caller = callerWord(DestructionCaller::RetentionRun);
    run.at = run.startedAt = now;
    run.startedBy = "bench";
    run.approved = objects;
    const auto id = context.site.write([&](SiteTables& tables) { return tables.retention.addRun(run); });
    DestructionGate gate(context);
    const auto begin = std::chrono::steady_clock::now();
    const auto ended = RetentionRun(context, gate, nullptr).go(id, [](std::uint64_t, std::uint64_t) { return true; });
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    std::printf("purge of %llu objects: %.3f s, %.0f objects/s\n", static_cast<unsigned long long>(ended.destroyed),
                took.count(), static_cast<double>(ended.destroyed) / took.count());
  }
  std::filesystem::remove_all(folder);
}
