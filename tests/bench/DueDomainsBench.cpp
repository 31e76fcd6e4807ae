// rooms: listd
// What the daily look at the TLS of members' domains costs: one secure list with a member in each domain, nothing
// sealed.
//   DueDomainsBench [domains]
#include "listd/plan/Standing.h"
#include "listd/probe/DueDomains.h"
#include "tests/support/TempFolder.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <stdexcept>
#include <string>

namespace {

using namespace postern;
using namespace postern::listd;

constexpr std::size_t Round = 200'000;  // as DomainProbes asks for them: all at once

class Timer {
public:
  double millis() const {
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start_).count();
  }

private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

void fill(SiteStore& site, const Clock& clock, int domains) {
  List list;
  list.address = "board@lists.example";
  list.domain = "lists.example";
  list.secure = true;
  site.write([&](SiteTables& tables) {
    tables.domains.add({list.domain, "list", clock.now(), 0});
    list.id = tables.lists.add(list);
    for (int i = 0; i < domains; ++i) {
      Member member;
      member.listId = list.id;
      member.address = "ann@d" + std::to_string(i) + ".example";
      tables.members.add(member, {app::Protection::None, Reason::NoKey, {}});
    }
  });
}

// The median time of a look, and that it finds what it has to.
double look(SiteStore& site, TimePoint before, std::size_t expected) {
  std::vector<double> times;
  for (int i = 0; i < 9; ++i) {
    const Timer timer;
    const auto due = site.read([&](SiteTables& tables) { return dueDomains(tables, before, Round); });
    times.push_back(timer.millis());
    if (due.size() != expected) throw std::runtime_error("the look found " + std::to_string(due.size()) + " domains");
  }
  std::sort(times.begin(), times.end());
  return times[times.size() / 2];
}

constexpr std::size_t Together = 128;  // as DomainProbes keeps answers while many are due

void keep(SiteStore& site, std::span<const std::string> domains, TimePoint now, const std::string& report) {
  site.write([&](SiteTables& tables) {
    for (const auto& domain : domains) {
      noteDomain(tables, {domain, app::TlsMeans::Dane, now, ""}, now);
      tables.domainTls.setReport(domain, report);
    }
  });
}

}  // namespace

int main(int argc, char** argv) {
  const int domains = argc > 1 ? std::max(2000, std::atoi(argv[1])) : 100'000;
  test::TempFolder folder;
  FakeClock clock{TimePoint(std::chrono::hours(480000))};
  SiteStore site(folder / "listd/site.db", clock);
  fill(site, clock, domains);
  const auto now = clock.now();
  std::printf("domains: %d\n", domains);
  const auto all = static_cast<std::size_t>(domains);
  std::printf("a look, none was ever asked: %.1f ms\n", look(site, now, all));

  const std::string report(3000, 'r');
  const auto first = site.read([&](SiteTables& tables) { return dueDomains(tables, now, 1000); });
  const Timer keeping;
  for (std::size_t i = 0; i < first.size(); i += Together)
    keep(site, std::span(first).subspan(i, std::min(Together, first.size() - i)), now, report);
  const auto each = keeping.millis() / static_cast<double>(first.size());
  std::printf("keeping what probes found, 128 in a commit: %.3f ms each\n", each);

  site.write([&](SiteTables& tables) {
    for (int i = 0; i < domains; ++i) {
      const auto domain = "d" + std::to_string(i) + ".example";
      noteDomain(tables, {domain, app::TlsMeans::Dane, now, ""}, now);
      tables.domainTls.setReport(domain, report);
    }
  });
  std::printf("a look, all are known and none is due: %.1f ms\n", look(site, now, 0));
  std::printf("a look, all are known and due: %.1f ms\n", look(site, now + std::chrono::hours(1), all));
  // One look for all, then each is kept by itself.
  const Timer once;
  site.read([&](SiteTables& tables) { return dueDomains(tables, now + std::chrono::hours(1), Round); });
  std::printf("the bookkeeping of a refresh of all: %.1f s\n", (once.millis() + each * domains) / 1000);
}
