#include "listd/expand/PostContent.h"

#include "core/base/Error.h"
#include "core/mail/Message.h"
#include "core/seal/SmimeSigner.h"
#include "listd/compose/PostComposer.h"
#include "listd/receive/SenderCheck.h"

namespace postern::listd {

PostContent::PostContent(SiteContext& context, const seal::SmimeSealer& sealer, const Post& post, const List& list)
    : context_(context),
      sealer_(sealer),
      post_(post),
      list_(list),
      facts_(factsOf(list, context.helpLink())),
      expiresAt_(context.clock.now() + context.config.expiry) {
  const auto content = context.vault.get(post.vaultObject);
  if (!content) throw Error(ErrorKind::Store, "its content is not in the vault any more");
  compose(*content);
}

void PostContent::compose(const std::string& content) {
  const auto message = mail::Message::parse(content);
  if (!message) throw Error(ErrorKind::Invariant, "its header cannot be read");
  const PostComposer composer(facts_);
  const PostStamp stamp{post_.outMessageId, post_.plannedAt};
  if (!list_.secure) {
    auto composed = composer.composeOpen(*message, stamp);
    if (!composed) throw Error(ErrorKind::Invariant, composeErrorText(composed.error()));
    entity_ = std::move(*composed);
    return;
  }
  auto composed = composer.composeSecure(*message, stamp, senderCheckOf(*message));
  if (!composed) throw Error(ErrorKind::Invariant, composeErrorText(composed.error()));
  outerHeader_ = std::move(composed->outerHeader);
  entity_ = seal::SmimeSigner(signingIdentity(context_, list_)).sign(composed->inner, post_.plannedAt);
}

// What readers are told of an encrypted or signed post; nothing of a plain one.
std::string PostContent::senderCheckOf(const mail::Message& message) const {
  const auto check = SenderCheck::fromJson(post_.senderCheck);
  if (check.isPlain()) return {};
  const auto from = message.from();
  const auto& author = from.mailboxes.front().address;
  return senderCheckText(check, author ? author->text() : std::string(), list_.address);
}

std::uint64_t PostContent::newTail() {
  return context_.tails.next();
}

std::optional<PostContent::Tail> PostContent::prepareSealed(seal::ContentCipher cipher) {
  if (!list_.secure) throw Error(ErrorKind::Invariant, "a sealed copy was asked for on an open list");
  if (variants_.contains(cipher)) return std::nullopt;
  const Variant variant{newTail(), seal::SharedBody::encrypt(entity_, cipher)};
  variants_.emplace(cipher, variant);
  return Tail{variant.tail, std::make_shared<const std::string>(variant.body.tail())};
}

std::optional<PostContent::Tail> PostContent::preparePlain() {
  if (list_.secure) throw Error(ErrorKind::Invariant, "a plain copy was asked for on a secure list");
  if (plainTail_ != 0) return std::nullopt;
  plainTail_ = newTail();
  return Tail{plainTail_, std::make_shared<const std::string>(entity_)};
}

app::Copy PostContent::envelope(const LedgerRow& row) const {
  app::Copy copy;
  copy.key = row.id;
  copy.kind = app::Copy::Kind::Content;
  copy.floor = list_.secure ? app::Protection::Smime : app::Protection::None;
  copy.mailFrom = context_.verp.make(facts_.address, row.id).text();
  copy.recipient = row.recipient;
  copy.expiresAt = expiresAt_;
  return copy;
}

app::Copy PostContent::sealedCopy(const LedgerRow& row, const crypto::RecipientKey& key) const {
  const auto& variant = variants_.at(key.readsGcm ? seal::ContentCipher::Gcm : seal::ContentCipher::Cbc);
  auto copy = envelope(row);
  copy.protection = app::Protection::Smime;
  copy.tail = variant.tail;
  copy.head = outerHeader_ + sealer_.head(variant.body, key);
  return copy;
}

app::Copy PostContent::plainCopy(const LedgerRow& row) const {
  if (list_.secure || plainTail_ == 0) throw Error(ErrorKind::Invariant, "a plain copy was asked for on a secure list");
  auto copy = envelope(row);
  copy.protection = app::Protection::None;
  copy.tail = plainTail_;
  return copy;
}

}  // namespace postern::listd
