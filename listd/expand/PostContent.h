#pragma once
#include "core/app/GatewayLink.h"
#include "core/crypto/RecipientKey.h"
#include "core/mail/Message.h"
#include "core/pgp/RecipientKey.h"
#include "core/pgp/Sealer.h"
#include "core/pgp/SharedBody.h"
#include "core/seal/SharedBody.h"
#include "core/seal/SmimeSealer.h"
#include "listd/compose/PostComposer.h"
#include "listd/site/SiteContext.h"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace postern::listd {

// What makes the heads of copies; they keep recipients' keys ready, so one of each serves all posts.
struct Sealers {
  seal::SmimeSealer smime;
  pgp::Sealer openPgp;
};

// For AuthorShown::Own: the domain of the author, where it is one of the site's, proven for this post and signed for by
// the site; else empty.
std::string signedAuthorDomain(SiteContext& context, const Post& post, const List& list);

// What all content copies of one post share, made in a run when the first copy of a protection needs it: the message
// composed, signed by the list, and encrypted once under one content key for all copies of that protection. After a
// restart it is made again under a new content key and a new tail.
// Threads: prepare…() from one thread; the copies then safe for all. Errors: Error(Store) when the content is gone,
// Error(Crypto), Error(Invariant) when a post that was planned does not compose.
class PostContent {
public:
  PostContent(SiteContext& context, const Sealers& sealers, const Post& post, const List& list);

  // Makes ready what copies of this protection need. Gives the tail that is to be stored at the gateway before such a
  // copy, the first time.
  struct Tail {
    std::uint64_t id = 0;
    std::shared_ptr<const std::string> bytes;
  };
  std::optional<Tail> prepare(app::Protection protection);
  // Whether the tail of such copies is the whole message, the same for all.
  bool isWhole(app::Protection protection) const;

  // The post of a secure list as a signed MIME entity: what S/MIME and pick-up encrypt.
  const std::string& signedEntity();

  // Throw Error(Crypto) when the key cannot be wrapped for; nothing of the copy exists then.
  app::Copy smimeCopy(const LedgerRow& row, const crypto::RecipientKey& key) const;
  app::Copy openPgpCopy(const LedgerRow& row, const pgp::RecipientKey& key) const;
  app::Copy tlsCopy(const LedgerRow& row) const;
  app::Copy plainCopy(const LedgerRow& row) const;

  // A copy for the row without head and tail.
  bool isAuthorsOwn() const;
  app::Copy envelope(const LedgerRow& row, app::Protection protection) const;

private:
  PostStamp stamp() const { return {post_.outMessageId, post_.plannedAt}; }
  void composeSealed();
  std::string senderCheckOf(const mail::Message& message) const;
  const std::string& pgpEntity();
  std::string composeTls() const;
  std::optional<Tail> preparePlain();
  std::string fieldsFor(const LedgerRow& row, const std::string& fields) const;
  std::string composePlain() const;
  std::optional<Tail> share(std::uint64_t& number, std::shared_ptr<const std::string> bytes);
  void requireSecure(bool secure) const;

  SiteContext& context_;
  const Sealers& sealers_;
  const Post& post_;
  const List& list_;
  const ListFacts facts_;
  const TimePoint expiresAt_;
  const std::string received_;  // the post as it came
  std::string plainHead_;       // of plain copies that have each its own way out
  const bool freshKeys_;        // nothing is shared: each copy is encrypted under a key of its own
  const bool oneClick_;         // each copy has a way out of its own (RFC 8058)
  std::string outerHeader_;     // of sealed copies
  std::string inner_;           // composed, not signed
  std::string entity_;          // signed by S/MIME
  std::string pgpEntity_;       // signed by OpenPGP
  std::optional<seal::SharedBody> smime_;
  std::optional<pgp::SharedBody> pgp_;
  std::uint64_t smimeTail_ = 0;
  std::uint64_t pgpTail_ = 0;
  std::uint64_t tlsTail_ = 0;
  std::uint64_t plainTail_ = 0;
};

}  // namespace postern::listd
