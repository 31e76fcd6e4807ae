#include "listd/expand/PostContent.h"

#include "core/base/Error.h"
#include "core/mail/Message.h"
#include "core/mail/Text.h"
#include "core/pgp/Signer.h"
#include "core/seal/SmimeSigner.h"
#include "listd/compose/ListFields.h"
#include "listd/receive/SenderCheck.h"
#include "listd/subscribe/Subscriptions.h"

namespace postern::listd {
namespace {

std::string contentOf(SiteContext& context, const Post& post) {
  auto content = context.vault.get(post.vaultObject);
  if (!content) throw Error(ErrorKind::Store, "its content is not in the vault any more");
  return std::move(*content);
}

mail::Message parse(const std::string& content) {
  auto message = mail::Message::parse(content);
  if (!message) throw Error(ErrorKind::Invariant, "its header cannot be read");
  return std::move(*message);
}

template <class Composed>
auto require(Composed composed) {
  if (!composed) throw Error(ErrorKind::Invariant, composeErrorText(composed.error()));
  return std::move(*composed);
}

ListFacts shownFacts(SiteContext& context, const Post& post, const List& list) {
  auto facts = factsOf(list, context.helpLink());
  facts.signedAuthorDomain = signedAuthorDomain(context, post, list);
  return facts;
}

bool takesOneClick(SiteContext& context, const Post& post, const List& list) {
  if (post.domainMail) return false;
  const auto settings =
      context.site.read([&](SiteTables& tables) { return tables.subscriptions.settings(list.id, list.secure); });
  return settings.oneClick && settings.leaving != Leaving::Closed;
}

}  // namespace

std::string signedAuthorDomain(SiteContext& context, const Post& post, const List& list) {
  if (list.secure || post.domainMail || list.shape.author != AuthorShown::Own) return {};
  const auto proof = domainProofOf(post.client);
  const auto author = mail::Address::parse(post.mailFrom);
  if (!author || proof == DomainProof::NotProven || proof == DomainProof::Unknown) return {};
  auto domain = mail::lowerAscii(author->domain());
  const bool isSigned = context.site.read([&](SiteTables& tables) {
    return tables.domains.find(domain) && tables.dkim.signingOf(list.address, domain) != Signing::Off &&
           !tables.dkim.active(domain, "email").empty();
  });
  return isSigned ? domain : std::string();
}

PostContent::PostContent(SiteContext& context, const Sealers& sealers, const Post& post, const List& list)
    : context_(context),
      sealers_(sealers),
      post_(post),
      list_(list),
      facts_(shownFacts(context, post, list)),
      expiresAt_(context.clock.now() + context.config.expiry),
      received_(contentOf(context, post)),
      freshKeys_(list.protection.freshKeys),
      oneClick_(takesOneClick(context, post, list)) {}

// The last of many checks that no copy of a secure list is made readable, and none of an open list sealed.
void PostContent::requireSecure(bool secure) const {
  if (list_.secure != secure)
    throw Error(ErrorKind::Invariant, secure ? "a protected copy was asked for on an open list"
                                             : "a plain copy was asked for on a secure list");
}

// Once: outside and inside of a sealed copy are the same for both ways of sealing.
void PostContent::composeSealed() {
  requireSecure(true);
  if (!inner_.empty()) return;
  const auto message = parse(received_);
  const PostComposer composer(facts_);
  auto composed = require(post_.domainMail ? composer.composeDomain(message, stamp())
                                           : composer.composeSecure(message, stamp(), senderCheckOf(message)));
  outerHeader_ = std::move(composed.outerHeader);
  inner_ = std::move(composed.inner);
}

const std::string& PostContent::signedEntity() {
  composeSealed();
  // Nobody but the author could sign as the author, and a list's signature would not fit From.
  if (post_.domainMail) return inner_;
  if (entity_.empty()) entity_ = seal::SmimeSigner(signingIdentity(context_, list_)).sign(inner_, post_.plannedAt);
  return entity_;
}

// Signed now: an OpenPGP key made at first need is younger than the plan.
const std::string& PostContent::pgpEntity() {
  composeSealed();
  if (post_.domainMail && pgpEntity_.empty()) pgpEntity_ = inner_;
  if (pgpEntity_.empty()) pgpEntity_ = pgp::Signer(openPgpKey(context_, list_)).sign(inner_, context_.clock.now());
  return pgpEntity_;
}

std::string PostContent::composeTls() const {
  const auto message = parse(received_);
  if (post_.domainMail) return require(PostComposer(facts_).composeDomainDirect(message));
  const auto composed = require(PostComposer(facts_).composeSigned(message, stamp(), senderCheckOf(message)));
  return composed.outerHeader + "MIME-Version: 1.0\r\n" +
         seal::SmimeSigner(signingIdentity(context_, list_)).sign(composed.inner, post_.plannedAt);
}

std::string PostContent::composePlain() const {
  return require(PostComposer(facts_).composeOpen(parse(received_), stamp()));
}

std::optional<PostContent::Tail> PostContent::share(std::uint64_t& number, std::shared_ptr<const std::string> bytes) {
  number = context_.tails.next();
  return Tail{number, std::move(bytes)};
}

// With a way out of its own for each recipient, the header stands in each copy and the body alone is shared.
std::optional<PostContent::Tail> PostContent::preparePlain() {
  auto whole = composePlain();
  if (!oneClick_) return share(plainTail_, std::make_shared<const std::string>(std::move(whole)));
  const auto end = whole.find("\r\n\r\n");
  if (end == std::string::npos) throw Error(ErrorKind::Invariant, "a composed post has no end of its header");
  auto body = whole.substr(end + 4);
  if (body.empty()) return share(plainTail_, std::make_shared<const std::string>(std::move(whole)));
  plainHead_ = whole.substr(0, end + 2);
  return share(plainTail_, std::make_shared<const std::string>(std::move(body)));
}

bool PostContent::isWhole(app::Protection protection) const {
  return protection == app::Protection::Tls || (protection == app::Protection::None && plainHead_.empty());
}

// The fields of a copy with the recipient's own way out in the place of the list's (RFC 8058).
std::string PostContent::fieldsFor(const LedgerRow& row, const std::string& fields) const {
  if (!oneClick_ || row.memberId == 0) return fields;
  const auto token = oneClickToken(context_.root, list_, row.memberId, row.recipient);
  return withOneClick(fields, facts_, context_.webUrl() + "/lists/unsubscribe?token=" + token);
}

std::optional<PostContent::Tail> PostContent::prepare(app::Protection protection) {
  switch (protection) {
    case app::Protection::None:
      requireSecure(false);
      if (plainTail_ != 0) return std::nullopt;
      return preparePlain();
    case app::Protection::Tls:
      requireSecure(true);
      if (tlsTail_ != 0) return std::nullopt;
      return share(tlsTail_, std::make_shared<const std::string>(composeTls()));
    case app::Protection::Smime:
      if (freshKeys_) signedEntity();
      if (freshKeys_ || smimeTail_ != 0) return std::nullopt;
      // CBC is what every program reads; the plan does not choose GCM yet.
      smime_ = seal::SharedBody::encrypt(signedEntity(), seal::ContentCipher::Cbc);
      return share(smimeTail_, std::make_shared<const std::string>(smime_->tail()));
    case app::Protection::OpenPgp:
      if (freshKeys_) pgpEntity();
      if (freshKeys_ || pgpTail_ != 0) return std::nullopt;
      pgp_ = pgp::SharedBody::encrypt(pgpEntity());
      return share(pgpTail_, std::make_shared<const std::string>(pgp_->tail()));
    case app::Protection::Pickup:
      return std::nullopt;
  }
  throw Error(ErrorKind::Invariant, "a copy was planned with an unknown protection");
}

// What readers are told of an encrypted or signed post; nothing of a plain one.
std::string PostContent::senderCheckOf(const mail::Message& message) const {
  const auto check = SenderCheck::fromJson(post_.senderCheck);
  if (check.isPlain()) return {};
  const auto from = message.from();
  const auto& author = from.mailboxes.front().address;
  return senderCheckText(check, author ? author->text() : std::string(), list_.address, domainProofOf(post_.client));
}

// Whether bounces go to the author. The envelope sender of domain mail must pass SPF for the author's domain, or for
// one that DMARC takes for the same; where the list's domain is such a one, bounces come here, and the author is told.
bool PostContent::isAuthorsOwn() const {
  if (!post_.domainMail) return false;
  const auto author = mail::Address::parse(post_.mailFrom);
  return !author || !alignedDomains(author->domain(), facts_.address.domain());
}

app::Copy PostContent::envelope(const LedgerRow& row, app::Protection protection) const {
  app::Copy copy;
  copy.key = row.id;
  copy.kind = app::Copy::Kind::Content;
  copy.protection = protection;
  // What was planned; so a copy that was made in a weaker way by mistake is blocked at the socket.
  copy.floor = parseProtection(row.protection).value_or(app::Protection::Smime);
  copy.mailFrom = isAuthorsOwn() ? post_.mailFrom : context_.verp.make(facts_.address, row.id).text();
  copy.recipient = row.recipient;
  copy.expiresAt = expiresAt_;
  return copy;
}

app::Copy PostContent::smimeCopy(const LedgerRow& row, const crypto::RecipientKey& key) const {
  requireSecure(true);
  auto copy = envelope(row, app::Protection::Smime);
  if (freshKeys_) {
    const auto own = seal::SharedBody::encrypt(post_.domainMail ? inner_ : entity_, seal::ContentCipher::Cbc);
    copy.head = fieldsFor(row, outerHeader_) + sealers_.smime.head(own, key) + own.tail();
    return copy;
  }
  copy.tail = smimeTail_;
  copy.head = fieldsFor(row, outerHeader_) + sealers_.smime.head(smime_.value(), key);
  return copy;
}

app::Copy PostContent::openPgpCopy(const LedgerRow& row, const pgp::RecipientKey& key) const {
  requireSecure(true);
  auto copy = envelope(row, app::Protection::OpenPgp);
  if (freshKeys_) {
    const auto own = pgp::SharedBody::encrypt(pgpEntity_);
    copy.head = fieldsFor(row, outerHeader_) + sealers_.openPgp.head(own, key) + own.tail();
    return copy;
  }
  copy.tail = pgpTail_;
  copy.head = fieldsFor(row, outerHeader_) + sealers_.openPgp.head(pgp_.value(), key);
  return copy;
}

app::Copy PostContent::tlsCopy(const LedgerRow& row) const {
  requireSecure(true);
  if (tlsTail_ == 0) throw Error(ErrorKind::Invariant, "a copy was asked for that was not prepared");
  auto copy = envelope(row, app::Protection::Tls);
  copy.tail = tlsTail_;
  return copy;
}

app::Copy PostContent::plainCopy(const LedgerRow& row) const {
  requireSecure(false);
  if (plainTail_ == 0) throw Error(ErrorKind::Invariant, "a copy was asked for that was not prepared");
  auto copy = envelope(row, app::Protection::None);
  if (!plainHead_.empty()) copy.head = fieldsFor(row, plainHead_) + "\r\n";
  copy.tail = plainTail_;
  return copy;
}

}  // namespace postern::listd
