// rooms: listd
// What pick-up costs for each item that waits: a recipient's page of the inbox, a recall, a sweep that finds nothing
// and one that ends everything. At a tenth of the items and at all of them, since the cost of one must stay flat.
#include "core/crypto/Random.h"
#include "listd/pickup/PickupKeeper.h"
#include "listd/pickup/PickupKeys.h"
#include "listd/site/SiteContext.h"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

namespace {

using namespace postern;
using namespace postern::listd;

constexpr std::uint64_t PerPost = 1000;
constexpr std::uint64_t Record = 4711;
constexpr std::uint32_t PageSize = 50;

// A clock that is set ahead to let everything expire.
class BenchClock : public Clock {
public:
  TimePoint now() const override { return SystemClock().now() + ahead; }
  std::chrono::seconds ahead{0};
};

template <typename Work>
double seconds(Work work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

std::uint64_t contentOf(std::uint64_t item) {
  return 1'000'000'000 + item / PerPost;
}

// Every post waits for a thousand recipients; one of them has something of every tenth item.
void fill(SiteContext& context, std::uint64_t listId, std::uint64_t postId, std::uint64_t items) {
  const auto now = context.clock.now();
  PickupKeys keys(context);
  for (std::uint64_t first = 0; first < items; first += PerPost) {
    std::vector<PickupKeys::Wanted> wanted;
    for (auto id = first; id < first + PerPost; ++id) wanted.push_back({id + 1, contentOf(id)});
    keys.store(Record, listId, wanted, Secret(crypto::randomBytes(32)));
    context.site.write([&](SiteTables& tables) {
      tables.pickup.addContent({contentOf(first), postId, "ann@example.org", 2048, std::string(300, 'c'), now});
      for (const auto& one : wanted) {
        PickupItem item;
        item.id = one.itemId;
        item.postId = first == 0 ? postId + 1 : postId;
        item.contentId = one.contentId;
        item.listId = listId;
        item.address = one.itemId % 10 == 0 ? "bob@example.net" : "r" + std::to_string(one.itemId) + "@example.net";
        item.keyObject = PickupKeys::objectOf(one.itemId);
        item.createdAt = item.linkIssuedAt = now;
        item.expiresAt = now + std::chrono::days(30);
        tables.pickup.add(item);
      }
    });
  }
}

// As the order of the inbox does: rows, then the key of each for its card.
void readInbox(SiteContext& context) {
  const auto items =
      context.site.read([](SiteTables& tables) { return tables.pickup.ofAddress("bob@example.net", 0, PageSize); });
  for (const auto& item : items)
    if (!PickupKeys(context).open(Record, item.id)) std::abort();
}

std::size_t recallPost(SiteContext& context, std::uint64_t postId) {
  context.site.write([&](SiteTables& tables) {
    for (const auto& item : tables.pickup.ofPost(postId))
      tables.pickup.end(item.id, PickupState::Recalled, context.clock.now());
  });
  return destroyEndedPickups(context);
}

void measure(std::uint64_t items) {
  char name[] = "/tmp/postern-bench-XXXXXX";
  if (mkdtemp(name) == nullptr) std::abort();
  const std::filesystem::path folder = name;
  {
    config::SiteConfig config;
    config.dataFolder = folder;
    config.hostName = "mail.lists.example";
    config.minFreeSpace = 1 << 20;
    BenchClock clock;
    SiteContext context(config, clock);
    List list;
    list.address = "board@lists.example";
    list.domain = "lists.example";
    list.createdAt = clock.now();
    std::uint64_t postId = 0;
    context.vault.put(Record, 1, "From: ann@example.org\r\n\r\nx\r\n");
    context.site.write([&](SiteTables& tables) {
      tables.domains.add({list.domain, "list", clock.now(), 0});
      list.id = tables.lists.add(list);
      for (int i = 0; i < 2; ++i) {
        Post post;
        post.queueId = "Q" + std::to_string(i);
        post.listId = list.id;
        post.mailFrom = "ann@example.org";
        post.receivedAt = clock.now();
        post.sensitivity = "moderate";
        post.client = "{}";
        post.verdict = "accepted";
        const auto id = tables.posts.add(post);
        if (i == 0) postId = id;
      }
    });
    const double rows = static_cast<double>(items);
    const auto filled = seconds([&] { fill(context, list.id, postId, items); });
    const auto page = seconds([&] {
      for (int i = 0; i < 20; ++i) readInbox(context);
    });
    const auto idle = seconds([&] {
      for (int i = 0; i < 5; ++i)
        if (destroyEndedPickups(context) != 0) std::abort();
    });
    std::size_t recalled = 0, expired = 0;
    const auto recall = seconds([&] { recalled = recallPost(context, postId + 1); });
    clock.ahead = std::chrono::days(31);
    const auto sweep = seconds([&] { expired = destroyEndedPickups(context); });
    if (recalled != PerPost || expired != items - PerPost) std::abort();
    std::printf(
        "%7llu items: store %.1f us/item, inbox page of %u in %.2f ms (%.1f us/row), idle sweep %.2f us/item, recall "
        "of "
        "%llu %.1f us/item, expiry %.1f us/item\n",
        static_cast<unsigned long long>(items), filled / rows * 1e6, PageSize, page / 20 * 1e3,
        page / 20 / PageSize * 1e6, idle / 5 / rows * 1e6, static_cast<unsigned long long>(PerPost),
        recall / PerPost * 1e6, sweep / static_cast<double>(expired) * 1e6);
  }
  std::filesystem::remove_all(folder);
}

}  // namespace

int main(int argc, char** argv) {
  const std::uint64_t items = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 100'000;
  if (items < 20'000 || items % 10'000 != 0) return 2;
  measure(items / 10);
  measure(items);
}
