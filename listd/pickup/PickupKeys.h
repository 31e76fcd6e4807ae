#pragma once
#include "core/base/Secret.h"
#include "listd/site/SiteContext.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace postern::listd {

// The content keys of pick-up messages. Each item has an object of its own in the vault that holds the content's key,
// sealed besides under a key made of the record's own: so the key is out of reach for an item whose object was
// destroyed (expiry, recall), and for all of them as soon as the record was destroyed by disposition, in the same
// commit and in every backup. Threads: safe for all. Errors: those of the vault; Error(Crypto).
class PickupKeys {
public:
  explicit PickupKeys(SiteContext& context) : context_(context) {}

  struct Wanted {
    std::uint64_t itemId = 0;
    std::uint64_t contentId = 0;
  };
  static std::uint64_t objectOf(std::uint64_t itemId);
  // Durable on return. An item that has a key already keeps it: false
  // when there was one. Throws Error(Store) when the record is destroyed.
  bool store(std::uint64_t record, std::uint64_t listId, std::span<const Wanted> items, const Secret& key);

  struct Opened {
    std::uint64_t contentId = 0;
    Secret key;
  };
  std::optional<Opened> open(std::uint64_t record, std::uint64_t itemId) const;

private:
  std::optional<Secret> recordKey(std::uint64_t record) const;
  SiteContext& context_;
};

}  // namespace postern::listd
