#include "listd/pickup/PickupKeeper.h"

#include "listd/pickup/PickupKeys.h"
#include "listd/retention/Assessment.h"

#include <set>

namespace postern::listd {
namespace {

constexpr std::uint32_t AtOnce = 500;
constexpr std::chrono::hours ContentSettles{1};  // a post under way makes its items after its content

// Posts whose record a hold keeps. What cannot be evaluated counts as held.
class HeldPosts {
public:
  HeldPosts(SiteTables& tables, TimePoint now) : tables_(tables), assessment_(tables, now) {}

  bool holds(std::uint64_t postId) {
    const auto known = held_.find(postId);
    if (known != held_.end()) return known->second;
    const auto post = tables_.posts.find(postId);
    const auto message = post ? tables_.archive.message(post->vaultObject) : std::nullopt;
    const bool held = message && message->object.state == ObjectState::Stored && assessment_.held(*message);
    return held_.emplace(postId, held).first->second;
  }

private:
  SiteTables& tables_;
  const Assessment assessment_;
  std::map<std::uint64_t, bool> held_;
};

std::size_t destroyUnused(SiteContext& context, TimePoint now) {
  const auto ids =
      context.site.read([&](SiteTables& tables) { return tables.pickup.unusedContents(now - ContentSettles, AtOnce); });
  if (ids.empty()) return 0;
  context.vault.destroyAll(ids);
  context.site.write([&](SiteTables& tables) {
    for (const auto id : ids) tables.pickup.removeContent(id);
  });
  return ids.size();
}

}  // namespace

std::size_t destroyEndedPickups(SiteContext& context) {
  const auto now = context.clock.now();
  std::size_t destroyed = 0;
  std::uint64_t after = 0;
  for (;;) {
    std::vector<PickupItem> ended, held;
    const bool more = context.site.read([&](SiteTables& tables) {
      HeldPosts posts(tables, now);
      const auto items = tables.pickup.toDestroy(now, after, AtOnce);
      for (const auto& item : items) (posts.holds(item.postId) ? held : ended).push_back(item);
      if (!items.empty()) after = items.back().id;
      return items.size() == AtOnce;
    });
    if (!ended.empty() || !held.empty()) {
      std::vector<std::uint64_t> keys;
      for (const auto& item : ended) keys.push_back(item.keyObject);
      if (!keys.empty()) context.vault.destroyAll(keys);
      context.site.write([&](SiteTables& tables) {
        for (const auto& item : ended) tables.pickup.noteDestroyed(item.id, now);
        for (const auto& item : held) tables.pickup.end(item.id, PickupState::Expired, now);
      });
      destroyed += keys.size();
    }
    if (!more) break;
  }
  while (destroyUnused(context, now) == AtOnce) {
  }
  return destroyed;
}

}  // namespace postern::listd
