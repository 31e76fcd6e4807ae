#include "listd/keys/KeyLinks.h"

#include "core/base/Log.h"
#include "core/crypto/Encoding.h"
#include "core/mail/Multipart.h"
#include "core/mail/Parameters.h"
#include "core/mail/Text.h"
#include "core/seal/SmimeReader.h"
#include "listd/compose/LoopGuard.h"
#include "listd/keys/ListKeyMail.h"
#include "listd/mailout/MailToken.h"
#include "listd/mailout/SiteMail.h"
#include "listd/orders/Views.h"

#include <algorithm>
#include <array>

namespace postern::listd {

using nlohmann::json;

namespace {

constexpr std::string_view Purpose = "key link";
constexpr std::chrono::hours LinkLife{72};
constexpr std::chrono::hours ReminderLinkLife{16 * 24};  // until the next reminder
constexpr std::size_t MaxKeyText = 512 * 1024;
constexpr std::size_t MaxReason = 300;
constexpr std::size_t MaxParts = 20;
constexpr int MaxDepth = 3;
constexpr std::size_t MaxTries = 4;  // key material that is judged in one mail

std::string fieldOf(const mail::Message& part, std::string_view name) {
  const auto* const field = part.header().find(name);
  return field == nullptr ? std::string() : std::string(field->value);
}

bool isKeyType(std::string_view type) {
  constexpr std::array Types = {"application/pgp-keys",       "application/pkix-cert",  "application/x-x509-user-cert",
                                "application/x-x509-ca-cert", "application/x-pem-file", "application/octet-stream"};
  return std::find(Types.begin(), Types.end(), type) != Types.end();
}

// The parts that may be keys, decoded. Text counts when a key stands in it as text.
void collectKeys(const mail::Message& part, int depth, std::vector<std::string>& found) {
  if (found.size() >= MaxTries) return;
  const auto type = mail::parseParameterized(fieldOf(part, "Content-Type"));
  if (type.value.starts_with("multipart/")) {
    const auto* const boundary = type.find("boundary");
    if (boundary == nullptr || depth >= MaxDepth) return;
    const auto split = mail::splitMultipart(part.body(), boundary->value, MaxParts);
    if (!split) return;
    for (const auto bytes : split->parts)
      if (const auto inner = mail::Message::parse(std::string(bytes))) collectKeys(*inner, depth + 1, found);
    return;
  }
  // Of what is larger than a key may be, only so much that it is seen to be.
  auto bytes = std::string(part.body().substr(0, MaxKeyText * 2));
  bytes.resize(part.body().size() > bytes.size() ? bytes.rfind('\n') + 1 : bytes.size());
  if (mail::lowerAscii(mail::trim(fieldOf(part, "Content-Transfer-Encoding"))) == "base64") {
    auto decoded = crypto::fromBase64(bytes);
    if (!decoded) return;
    bytes = std::move(*decoded);
  }
  const bool text = bytes.find("-----BEGIN PGP PUBLIC KEY BLOCK-----") != std::string::npos ||
                    bytes.find("-----BEGIN CERTIFICATE-----") != std::string::npos;
  if (!text && !isKeyType(type.value)) return;
  bytes.resize(std::min(bytes.size(), MaxKeyText + 1));
  found.push_back(std::move(bytes));
}

bool bringsKey(const mail::Message& message) {
  std::vector<std::string> found;
  collectKeys(message, 0, found);
  return !found.empty();
}

bool isSmime(const mail::Message& message) {
  const auto type = mail::parseParameterized(fieldOf(message, "Content-Type")).value;
  return type == "multipart/signed" || type.ends_with("pkcs7-mime");
}

// A signature by a key of the author that a person confirmed: it vouches for the next one. Not one that its issuer
// revoked: its private key may be in other hands.
bool vouches(SiteContext& context, const crypto::Certificate& signer, const std::string& author) {
  const auto key =
      context.site.read([&](SiteTables& tables) { return tables.keys.find(author, signer.fingerprint()); });
  return key && key->facts.state == KeyState::Confirmed && key->facts.verdict == Reason::ValidCertificate &&
         crypto::check(signer, author, context.clock.now(), context.trustStore().get(), crypto::CertificateUse::Sign)
             .valid();
}

struct ValidLink {
  KeyLink link;
  std::optional<MemberKey> candidate;  // of "confirm"
};

// A token that is wrong in any way is not valid; it tells nothing more.
ValidLink requireLink(OrderTools& tools, SiteTables& tables, const OrderCall& call) {
  const auto token = call.args.text("token", 200);
  const auto id = numberOfMailToken(token);
  const auto link = id ? tables.keyRing.link(*id) : std::nullopt;
  const bool valid = link && isMailToken(tools.context.root, Purpose, link->address, token) &&
                     link->endsAt > tools.now() && link->usedAt == TimePoint();
  if (!valid) refuse("not-found", "this link is not valid any more", "ask for a new one on the page of your keys");
  return {*link, std::nullopt};
}

json viewOfLink(OrderTools& tools, SiteTables& tables, const KeyLink& link) {
  auto keys = json::array();
  for (const auto& key : tables.keys.page(link.address, 0, 50)) keys.push_back(viewOf(key, tools.now()));
  json candidate;
  const bool confirms = link.purpose == "confirm";
  if (confirms) {
    const auto finding = judgeFinding(tools.context, link.candidate, link.address, "mail");
    if (finding.key) candidate = viewOf(*finding.key, tools.now());
  }
  return {{"address", link.address},
          {"purpose", link.purpose},
          {"endsAt", toMicros(link.endsAt)},
          {"candidate", std::move(candidate)},
          {"unfit", confirms ? std::string() : link.candidate},
          {"keys", std::move(keys)}};
}

json showLink(OrderTools& tools, const OrderCall& call) {
  return tools.context.site.read(
      [&](SiteTables& tables) { return viewOfLink(tools, tables, requireLink(tools, tables, call).link); });
}

// The same answer for members and others.
json askLink(OrderTools& tools, const OrderCall& call) {
  const auto list = call.args.address("list").key(), address = call.args.address("address").key();
  return tools.context.site.write([&](SiteTables& tables) {
    const auto known = tables.lists.find(list);
    if (known && known->deletedAt == TimePoint() && tables.members.isEnabled(known->id, address))
      mailKeyLink(tools.context, tables, address, {});
    return json{{"asked", true}};
  });
}

std::string bytesOf(const Args& args) {
  auto bytes = args.bytes("certificate", MaxKeyText);
  if (bytes.find("-----BEGIN") != std::string::npos) return bytes;
  if (auto binary = crypto::fromBase64(bytes)) return std::move(*binary);
  return bytes;
}

json useLink(OrderTools& tools, const OrderCall& call) {
  const auto link = tools.context.site.read([&](SiteTables& tables) { return requireLink(tools, tables, call).link; });
  const bool confirms = link.purpose == "confirm";
  const auto finding = judgeFinding(tools.context, confirms ? link.candidate : bytesOf(call.args), link.address,
                                    confirms ? "mail" : "web");
  if (!finding.key) refuse("invalid", finding.reason, "give one public key that names your address");
  return change(tools, call, [&](SiteTables& tables) {
    requireLink(tools, tables, call);  // again: two at once use it once
    tables.keyRing.useLink(link.id, tools.now());
    call.note.objectType = "key";
    call.note.objectId = finding.fingerprint;
    call.note.person("address", link.address);
    const auto taken = takeProven(tables, *finding.key, KeyProof::Mailbox, tools.now());
    if (taken == KeyTaken::Revoked)
      refuse("refused", "this key was revoked here and is never used again", "make another one");
    return json{{"state", taken == KeyTaken::Confirmed ? "confirmed" : "proposed"},
                {"fingerprint", finding.fingerprint},
                {"address", link.address}};
  });
}

constexpr OrderRow Table[] = {
    {"key.link-ask", OrderKind::Reads, askLink, {app::Roles()}},
    {"key.link-show", OrderKind::Reads, showLink, {app::Roles()}},
    {"key.link-use", OrderKind::Changes, useLink, {app::Roles()}},
};

}  // namespace

bool mailKeyLink(SiteContext& context, SiteTables& tables, const std::string& address, const KeyLinkWish& wish) {
  const auto now = context.clock.now();
  if (tables.keyRing.linksSince(address, now - std::chrono::hours(24)) >= KeyMailsPerDay) return false;
  KeyLink link;
  link.address = address;
  link.purpose = wish.candidate.empty() ? "upload" : "confirm";
  link.candidate = wish.candidate.empty() ? wish.unfit : wish.candidate;
  link.madeAt = now;
  link.endsAt = now + LinkLife;
  const auto id = tables.keyRing.addLink(link);
  const auto token = makeMailToken(context.root, Purpose, id, address);
  const auto kind = !wish.candidate.empty() ? SiteMail::Kind::KeyConfirm
                    : !wish.unfit.empty()   ? SiteMail::Kind::KeyUnfit
                                            : SiteMail::Kind::KeyPage;
  sendSiteMail(tables, {kind, address, context.webUrl() + "/lists/my-keys/open?token=" + token, {}}, now);
  return true;
}

void mailKeyEnding(SiteContext& context, SiteTables& tables, const EndingKey& key) {
  const auto now = context.clock.now();
  KeyLink link;
  link.address = key.address;
  link.purpose = "upload";
  link.madeAt = now;
  link.endsAt = std::min(std::max(key.endsAt, now + LinkLife), now + ReminderLinkLife);
  const auto id = tables.keyRing.addLink(link);
  const auto seconds = [](TimePoint at) { return formatRfc3339(std::chrono::floor<std::chrono::seconds>(at)); };
  sendSiteMail(tables,
               {SiteMail::Kind::KeyEnding,
                key.address,
                context.webUrl() + "/lists/my-keys/open?token=" + makeMailToken(context.root, Purpose, id, key.address),
                {seconds(key.endsAt), seconds(link.endsAt)}},
               now);
}

void takeKeyRequest(SiteContext& context, const mail::Message& message, const std::string& mailFrom, const List& list) {
  const auto from = message.from();
  const bool oneAuthor = from.wellFormed && from.mailboxes.size() == 1 && from.mailboxes.front().address.has_value();
  const auto author = oneAuthor ? from.mailboxes.front().address->key() : std::string();
  if (oneAuthor && asksForListKeys(message) && !bringsKey(message)) {
    mailListKeys(context, message, mailFrom, list, author);
    if (!isSmime(message)) return;  // a signature may bring a key all the same
  }
  const bool member =
      oneAuthor && context.site.read([&](SiteTables& tables) { return tables.members.isEnabled(list.id, author); });
  if (!member || findLoop(message, mailFrom, factsOf(list, {}))) {
    log::info("keys", "a request that is not of a member was dropped", {{"list", list.address}});
    return;
  }
  const auto verified = seal::verifySmime(message.bytes());
  const auto content =
      verified ? mail::Message::parse(verified->entity) : mail::Message::parse(std::string(message.bytes()));
  std::vector<std::string> found;
  if (content) collectKeys(*content, 0, found);
  const bool vouched = verified && vouches(context, verified->signer, author);
  if (verified && !vouched) found.push_back(verified->signer.der());
  std::optional<KeyFinding> good;
  KeyLinkWish wish;
  for (const auto& each : found) {
    auto finding = judgeFinding(context, each, author, "mail");
    if (!finding.key) {
      if (wish.unfit.empty()) wish.unfit = finding.reason.substr(0, MaxReason);
      continue;
    }
    good = std::move(finding);
    wish.candidate = each;
    break;
  }
  context.site.write([&](SiteTables& tables) {
    const bool taken =
        good && vouched && takeProven(tables, *good->key, KeyProof::OldKey, context.clock.now()) != KeyTaken::Revoked;
    if (taken) wish = {};
    mailKeyLink(context, tables, author, wish);
  });
}

std::span<const OrderRow> keyLinkOrders() {
  return Table;
}

}  // namespace postern::listd
