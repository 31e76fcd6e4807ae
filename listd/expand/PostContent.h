#pragma once
#include "core/app/GatewayLink.h"
#include "core/crypto/RecipientKey.h"
#include "core/mail/Message.h"
#include "core/seal/SharedBody.h"
#include "core/seal/SmimeSealer.h"
#include "listd/site/SiteContext.h"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace postern::listd {

// What all content copies of one post share, made once in a run: the composed message, signed once and encrypted once
// for each cipher that a recipient needs. After a restart it is made again under a new content key and a new tail.
// Threads: prepare() from one thread; copy() then safe for all. Errors: Error(Store) when the content is gone,
// Error(Crypto), Error(Invariant) when a post that was planned does not compose.
class PostContent {
public:
  PostContent(SiteContext& context, const seal::SmimeSealer& sealer, const Post& post, const List& list);

  // Makes ready what copies for keys that do (or do not) read GCM need. Gives the tail that is to be stored at the
  // gateway before such a copy, the first time.
  struct Tail {
    std::uint64_t id = 0;
    std::shared_ptr<const std::string> bytes;
  };
  std::optional<Tail> prepareSealed(seal::ContentCipher cipher);
  std::optional<Tail> preparePlain();

  // Throws Error(Crypto) when the key cannot be wrapped for; nothing of the copy exists then.
  app::Copy sealedCopy(const LedgerRow& row, const crypto::RecipientKey& key) const;
  app::Copy plainCopy(const LedgerRow& row) const;

private:
  void compose(const std::string& content);
  std::string senderCheckOf(const mail::Message& message) const;
  app::Copy envelope(const LedgerRow& row) const;
  std::uint64_t newTail();

  struct Variant {
    std::uint64_t tail;
    seal::SharedBody body;
  };
  SiteContext& context_;
  const seal::SmimeSealer& sealer_;
  const Post& post_;
  const List& list_;
  const ListFacts facts_;
  const TimePoint expiresAt_;
  std::string outerHeader_;
  std::string entity_;  // secure: composed and signed; open: the whole message
  std::map<seal::ContentCipher, Variant> variants_;
  std::uint64_t plainTail_ = 0;
};

}  // namespace postern::listd
