// rooms: vault store crypto
// Keys of many objects: start, destruction, new epoch. Usage: KeysBench [objects]
#include "core/base/Clock.h"
#include "core/vault/Vault.h"
#include "tests/support/TempFolder.h"

#include <cstdlib>
#include <iostream>

using namespace postern;

namespace {

class Timer {
public:
  double seconds() const { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count(); }

private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

void say(const std::string& what, double value, const std::string& unit) {
  std::cout << what << ": " << value << " " << unit << "\n";
}

}  // namespace

int main(int argc, char** argv) {
  const std::uint64_t count = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 1'000'000;
  test::TempFolder folder;
  const SystemClock clock;
  const auto root = vault::RootKey::create(folder / "root.key");
  {
    vault::Journal journal(folder / "journal/register.log");
    vault::KeyStore keys(folder / "keys/keys.db", root, &journal);
    vault::Vault vault(folder / "vault", keys, clock);
    const Timer timer;
    const std::string content(300, 'c');
    for (std::uint64_t id = 1; id <= count;) {
      std::vector<vault::Vault::NewObject> batch;
      for (; batch.size() < 5000 && id <= count; ++id) batch.push_back({id, id % 20 + 1, content});
      vault.putAll(batch);
    }
    say("store", static_cast<double>(count) / timer.seconds(), "objects/s");
  }
  vault::Journal journal(folder / "journal/register.log");
  const Timer starting;
  vault::KeyStore keys(folder / "keys/keys.db", root, &journal);
  vault::Vault vault(folder / "vault", keys, clock);
  say("start", starting.seconds() * 1000, "ms");

  const auto gone = count / 10;
  std::vector<std::uint64_t> ids;
  for (std::uint64_t i = 0; i < gone; ++i) ids.push_back(i * 7 % count + 1);
  {
    const Timer timer;
    const auto some = std::span(ids).subspan(0, ids.size() / 2);
    for (std::size_t at = 0; at < some.size(); at += 5000)
      keys.destroyObjectKeys(some.subspan(at, std::min<std::size_t>(5000, some.size() - at)));
    say("destroy keys", static_cast<double>(some.size()) / timer.seconds(), "keys/s");
  }
  {
    const Timer timer;
    const auto some = std::span(ids).subspan(ids.size() / 2);
    for (std::size_t at = 0; at < some.size(); at += 5000)
      vault.destroyAll(some.subspan(at, std::min<std::size_t>(5000, some.size() - at)));
    say("destroy and wipe", static_cast<double>(ids.size()) / timer.seconds(), "objects/s");
  }
  {
    const Timer timer;
    std::uint64_t done = 0;
    for (const auto list : keys.listsWithKeys()) {
      const auto epoch = keys.startEpoch(list, clock.now());
      while (const auto some = keys.rewrapObjectKeys(epoch, 1000)) done += some;
    }
    say("new epochs", static_cast<double>(done) / timer.seconds(), "keys/s");
  }
  {
    const Timer timer;
    keys.changeRoot(vault::RootKey::generate(), clock.now());
    say("new root", timer.seconds() * 1000, "ms");
  }
}
