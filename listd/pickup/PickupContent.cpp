#include "listd/pickup/PickupContent.h"

#include "core/base/Codec.h"
#include "core/base/Error.h"
#include "core/crypto/Aead.h"
#include "core/crypto/Random.h"
#include "core/mail/MessageId.h"
#include "core/mail/MimeTree.h"
#include "core/mail/Text.h"
#include "listd/compose/PostComposer.h"
#include "listd/pickup/PickupFile.h"
#include "listd/pickup/PickupKeys.h"
#include "listd/pickup/PickupLink.h"
#include "listd/search/MessageCard.h"

#include <nlohmann/json.hpp>

namespace postern::listd {

PickupContent::PickupContent(SiteContext& context, const Post& post, const List& list, std::string message)
    : context_(context),
      post_(post),
      list_(list),
      message_(std::move(message)),
      settings_(context.site.read([&](SiteTables& tables) { return tables.pickup.settings(list.id); })),
      envelope_(
          envelopeOf(factsOf(list, context.helpLink()), settings_.neutral, context.config.hostName, context.webUrl())),
      expiresAt_(context.clock.now() + std::chrono::days(settings_.days)),
      key_(crypto::AeadKey::generate()) {}

// The row before the object, so that an object without a row cannot be left behind.
void PickupContent::makeContent() {
  const auto id = Reader(crypto::randomBytes(8)).u64() >> 1;
  sealed_ = pickupfile::seal(key_, id, {pickupCard(message_, true), message_});
  sealedSize_ = sealed_.size();
  PickupContentRow row{id,
                       post_.id,
                       mail::lowerAscii(post_.mailFrom),
                       sealedSize_,
                       pickupfile::sealCard(key_, id, pickupCard(message_, false)),
                       context_.clock.now()};
  context_.site.write([&](SiteTables& tables) { tables.pickup.addContent(row); });
  context_.vault.put(id, list_.id, sealed_);
  contentId_ = id;
  message_.clear();
}

bool PickupContent::wantsFile(std::string_view recipient) {
  const std::string domain(recipient.substr(recipient.rfind('@') + 1));
  auto known = limits_.find(domain);
  if (known == limits_.end())
    known = limits_
                .emplace(domain,
                         context_.site.read([&](SiteTables& tables) { return tables.pickup.attachmentLimit(domain); }))
                .first;
  return known->second && sealedSize_ <= *known->second;
}

void PickupContent::makeItems(const std::vector<const LedgerRow*>& rows) {
  if (contentId_ == 0) makeContent();
  std::vector<PickupKeys::Wanted> wanted;
  for (const auto* row : rows) wanted.push_back({row->id, contentId_});
  PickupKeys keys(context_);
  const bool allNew = keys.store(post_.vaultObject, list_.id, wanted, key_);
  const auto now = context_.clock.now();
  for (const auto* row : rows) {
    // A key from before a crash opens the content of before the crash.
    const auto opened =
        allNew ? std::optional(PickupKeys::Opened{contentId_, {}}) : keys.open(post_.vaultObject, row->id);
    if (!opened) continue;
    PickupItem item;
    item.id = row->id;
    item.postId = post_.id;
    item.contentId = opened->contentId;
    item.listId = list_.id;
    item.address = row->recipient;
    item.keyObject = PickupKeys::objectOf(row->id);
    item.createdAt = now;
    item.expiresAt = expiresAt_;
    item.linkIssuedAt = now;
    letters_.emplace(row->id, Letter{item, item.contentId == contentId_ && wantsFile(row->recipient)});
  }
  context_.site.write([&](SiteTables& tables) {
    for (const auto* row : rows)
      if (const auto letter = letters_.find(row->id); letter != letters_.end()) tables.pickup.add(letter->second.item);
  });
}

std::optional<PickupContent::Tail> PickupContent::prepare(std::span<const LedgerRow> rows) {
  letters_.clear();
  std::vector<const LedgerRow*> fresh;
  context_.site.read([&](SiteTables& tables) {
    for (const auto& row : rows) {
      if (auto item = tables.pickup.find(row.id))
        letters_.emplace(row.id, Letter{std::move(*item), false});
      else
        fresh.push_back(&row);
    }
  });
  if (!fresh.empty()) makeItems(fresh);
  const bool needed =
      std::any_of(letters_.begin(), letters_.end(), [](const auto& letter) { return letter.second.attached; });
  if (!needed || tail_ != 0) return std::nullopt;
  tail_ = context_.tails.next();
  auto bytes = std::make_shared<const std::string>(envelopeTail(envelope_.webUrl, contentId_, sealed_));
  sealed_.clear();
  return Tail{tail_, std::move(bytes)};
}

std::optional<app::Copy> PickupContent::copy(const LedgerRow& row) const {
  const auto found = letters_.find(row.id);
  if (found == letters_.end()) return std::nullopt;
  const auto& [item, attached] = found->second;
  const auto now = context_.clock.now();
  if (item.state != PickupState::Waiting || item.expiresAt <= now) return std::nullopt;
  EnvelopeLetter letter;
  letter.recipient = row.recipient;
  letter.token = makePickupToken(context_.root, {PickupToken::Kind::Item, item.id, item.linkIssuedAt}, item.address);
  letter.expiresAt = item.expiresAt;
  letter.at = now;
  letter.messageId = mail::makeMessageId(mail::DomainName::parse(envelope_.sender.domain()).value());
  app::Copy copy;
  copy.key = row.id;
  copy.kind = app::Copy::Kind::Content;
  copy.protection = app::Protection::Pickup;
  copy.floor = app::Protection::Pickup;
  copy.mailFrom = context_.verp.make(factsOf(list_, {}).address, row.id).text();
  copy.recipient = row.recipient;
  copy.expiresAt = now + context_.config.expiry;
  copy.tail = attached ? tail_ : 0;
  copy.head = attached ? envelopeHead(envelope_, letter, contentId_) : envelopeMail(envelope_, letter);
  return copy;
}

std::string pickupMessage(SiteContext& context, const Post& post, const List& list) {
  const auto content = context.vault.get(post.vaultObject);
  if (!content) throw Error(ErrorKind::Store, "its content is not in the vault any more");
  const auto message = mail::Message::parse(*content);
  if (!message) throw Error(ErrorKind::Invariant, "its header cannot be read");
  const PostComposer composer(factsOf(list, context.helpLink()));
  const PostStamp stamp{post.outMessageId, post.plannedAt};
  auto composed = post.domainMail ? composer.composeDomain(*message, stamp) : composer.composeSecure(*message, stamp);
  if (!composed) throw Error(ErrorKind::Invariant, composeErrorText(composed.error()));
  return std::move(composed->inner);
}

std::string pickupCard(std::string_view message, bool withBody) {
  using nlohmann::json;
  const auto card = MessageCard::read(message, withBody);
  json view{{"subject", card.subject}, {"from", card.from}, {"to", card.to}, {"date", card.date}};
  view["attachments"] = json::array();
  if (const auto parsed = mail::Message::parse(std::string(message))) {
    const auto tree = mail::MimeTree::parse(*parsed);
    std::size_t number = 0;
    for (const auto& part : tree.parts()) {
      if (!part.filename.empty())
        view["attachments"].push_back({{"name", mail::repairUtf8(part.filename)},
                                       {"type", mail::repairUtf8(part.type)},
                                       {"size", part.size},
                                       {"part", number}});
      if (withBody && part.type == "text/html" && part.disposition != "attachment" && !view.contains("html"))
        view["html"] = part.text;
      ++number;
    }
  }
  if (withBody) view["text"] = card.text;
  return view.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace postern::listd
