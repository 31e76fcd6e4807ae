#pragma once
#include "core/app/GatewayLink.h"
#include "core/base/Secret.h"
#include "listd/pickup/Envelope.h"
#include "listd/site/SiteContext.h"

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace postern::listd {

// What the pick-up copies of one post share, made once in a run: the message encrypted under a fresh key, stored in the
// vault. Each copy is an item in the store with a key of its own, and an envelope mail. After a restart a new content
// is made for the rows that have no item yet; those that have one keep it.
// `message`: what the recipient is to read, a whole message with its header. Everything given must outlive it.
// Threads: prepare() from one thread; copy() then safe for all. Errors: Error(Store) when the record is gone,
// Error(DiskFull), Error(Crypto).
class PickupContent {
public:
  PickupContent(SiteContext& context, const Post& post, const List& list, std::string message);

  // Makes the items of a batch, durable on return. Gives the tail that is to be stored at the gateway before these
  // copies, the first time that one of them needs it.
  struct Tail {
    std::uint64_t id = 0;
    std::shared_ptr<const std::string> bytes;
  };
  std::optional<Tail> prepare(std::span<const LedgerRow> rows);

  // The envelope mail of a row that was prepared. Nothing for an item that was recalled or expired meanwhile.
  std::optional<app::Copy> copy(const LedgerRow& row) const;

private:
  struct Letter {
    PickupItem item;
    bool attached = false;
  };
  void makeContent();
  void makeItems(const std::vector<const LedgerRow*>& rows);
  bool wantsFile(std::string_view recipient);

  SiteContext& context_;
  const Post& post_;
  const List& list_;
  std::string message_;  // empty once it is sealed
  const PickupSettings settings_;
  const EnvelopeFacts envelope_;
  const TimePoint expiresAt_;
  Secret key_;
  std::uint64_t contentId_ = 0;
  std::uint64_t sealedSize_ = 0;
  std::string sealed_;  // kept for the tail
  std::uint64_t tail_ = 0;
  std::map<std::string, std::optional<std::uint64_t>, std::less<>> limits_;  // by recipients' domain
  std::map<std::uint64_t, Letter> letters_;                                  // of the batch, by ledger row
};

// What a recipient of the post is to read: the message as the list composes it, unsigned.
std::string pickupMessage(SiteContext& context, const Post& post, const List& list);

// What an inbox shows of a message, and its readable parts: JSON {subject from to date text html attachments[{name type
// size part}]}. `withBody`: text and html, too.
std::string pickupCard(std::string_view message, bool withBody);

}  // namespace postern::listd
