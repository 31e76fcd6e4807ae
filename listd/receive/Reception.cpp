#include "listd/receive/Reception.h"

#include "core/base/Error.h"
#include "core/crypto/Encoding.h"
#include "core/mail/EncodedWord.h"
#include "core/mail/MimeTree.h"
#include "core/mail/Multipart.h"
#include "core/mail/Parameters.h"
#include "core/mail/Text.h"
#include "core/pgp/Cleartext.h"
#include "core/pgp/Opening.h"
#include "core/seal/SmimeReader.h"
#include "listd/keys/ListKeys.h"

#include <algorithm>
#include <vector>

namespace postern::listd {
namespace {

mail::ParameterizedValue typeOf(const mail::Message& message) {
  const auto* const field = message.header().find("Content-Type");
  return mail::parseParameterized(field == nullptr ? "text/plain" : field->value);
}

std::string parameterOf(const mail::ParameterizedValue& type, std::string_view name) {
  const auto* const found = type.find(name);
  return found == nullptr ? std::string() : mail::lowerAscii(found->value);
}

std::string authorOf(const mail::Message& post) {
  const auto from = post.from();
  if (from.mailboxes.size() != 1 || !from.mailboxes.front().address) return {};
  return from.mailboxes.front().address->key();
}

bool isSignedByPgp(const mail::Message& message) {
  const auto type = typeOf(message);
  return type.value == "multipart/signed" && parameterOf(type, "protocol") == "application/pgp-signature";
}

// What an OpenPGP program on Linux encrypts may have its line ends.
std::string withCrlf(std::string_view text) {
  std::string out;
  out.reserve(text.size() + text.size() / 32);
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\n' && (i == 0 || text[i - 1] != '\r')) out += '\r';
    out += text[i];
  }
  return out;
}

SignatureStanding worthOf(const pgp::SignatureVerdict& verdict) {
  switch (verdict.state) {
    case pgp::SignatureState::None:
      return SignatureStanding::None;
    case pgp::SignatureState::Valid:
      return verdict.valid() ? SignatureStanding::Good : SignatureStanding::Bad;
    case pgp::SignatureState::UnknownKey:
    case pgp::SignatureState::Expired:
    case pgp::SignatureState::KeyExpired:
    case pgp::SignatureState::KeyRevoked:
      return SignatureStanding::UnknownSigner;
    case pgp::SignatureState::Invalid:
    case pgp::SignatureState::Several:
    case pgp::SignatureState::Partial:
    case pgp::SignatureState::Unsupported:
      return SignatureStanding::Bad;
  }
  throw Error(ErrorKind::Invariant, "unknown state of an OpenPGP signature");
}

// What opening and verifying came to, of either form.
struct Content {
  std::string entity;   // what readers get
  std::string payload;  // what was signed: its header may hold protected fields
};

class Receiver {
public:
  Receiver(SiteContext& context, const mail::Message& post, const List& list)
      : context_(context), post_(post), list_(list), author_(authorOf(post)) {}

  std::optional<Reception> receive() {
    const bool encrypted = isEncrypted(post_);
    const auto opened = encrypted ? open() : std::optional(std::string(post_.bytes()));
    if (!opened) return std::nullopt;
    auto content = judge(*opened);
    if (!encrypted && !wasOpaque_) return Reception{post_, std::move(check_), std::move(signer_)};
    if (encrypted && (check_.standing != SignatureStanding::Good || changedBeside_)) return std::nullopt;
    auto message = withContent(content);
    if (!message) return std::nullopt;
    return Reception{std::move(*message), std::move(check_), std::move(signer_)};
  }

private:
  std::optional<std::string> open() {
    const auto type = typeOf(post_).value;
    if (type == "multipart/encrypted" || type == "text/plain") return openPgp();
    check_.encryption = CryptoForm::Smime;
    if (auto opened = seal::openSmime(post_.bytes(), signingIdentity(context_, list_))) return opened;
    for (const auto& former : formerIdentities(context_, list_))
      if (auto opened = seal::openSmime(post_.bytes(), former)) return opened;
    return std::nullopt;
  }

  // Nothing can have been encrypted to a key that was never made.
  std::optional<std::string> openPgp() {
    check_.encryption = CryptoForm::OpenPgp;
    if (list_.openPgpFingerprint.empty()) return std::nullopt;
    auto keys = formerOpenPgpKeys(context_, list_);
    keys.insert(keys.begin(), openPgpKey(context_, list_));
    auto opened = pgp::open(post_.bytes(), keys, authorsKeys(), context_.clock.now());
    if (!opened) return std::nullopt;
    note(opened->signature);
    if (!opened->isEntity) return asEntity(opened->content);
    const bool inPackets = check_.standing == SignatureStanding::Good;
    return inPackets && opened->content.find("\r\n") == std::string::npos ? withCrlf(opened->content)
                                                                          : std::move(opened->content);
  }

  // The text of an inline message. Base64, so that nothing in it can be read as more than text.
  static std::string asEntity(std::string_view text) {
    const auto* const charset = mail::isUtf8(text) ? "utf-8" : "iso-8859-1";
    return std::string("Content-Type: text/plain; charset=") + charset +
           "\r\nContent-Transfer-Encoding: base64\r\n\r\n" + crypto::base64Lines(withCrlf(text));
  }

  // Confirmed, and with the author's address in a user id that the key itself signed.
  std::vector<pgp::PublicKey> authorsKeys() const {
    constexpr std::uint32_t MostKeys = 50;
    std::vector<pgp::PublicKey> keys;
    if (author_.empty()) return keys;
    const auto onFile = context_.site.read([&](SiteTables& tables) { return tables.keys.page(author_, 0, MostKeys); });
    for (const auto& row : onFile) {
      if (row.facts.kind != KeyKind::OpenPgp || row.facts.state != KeyState::Confirmed) continue;
      auto key = pgp::PublicKey::parse(row.certificate);
      if (key && key->inspect(context_.clock.now()).hasAddress(author_)) keys.push_back(std::move(*key));
    }
    return keys;
  }

  void note(const pgp::SignatureVerdict& verdict) {
    check_.standing = worthOf(verdict);
    if (check_.standing == SignatureStanding::None) return;
    check_.signature = CryptoForm::OpenPgp;
    check_.fingerprint = verdict.signer;
    if (!verdict.signer.empty())
      check_.signer = author_;
    else if (!verdict.keyId.empty())
      check_.signer = "0x" + verdict.keyId;
  }

  // By the author's keys first. Who else of the list signed is told, so that nobody takes it for the author.
  template <class Verify>
  void noteVerdict(Verify verify) {
    const auto now = context_.clock.now();
    const auto verdict = verify(authorsKeys(), now);
    if (verdict.state == pgp::SignatureState::UnknownKey)
      for (const auto& [address, key] : membersKeys(verdict.keyId)) {
        const auto other = verify(std::vector{key}, now);
        if (!other.valid()) continue;
        check_.signature = CryptoForm::OpenPgp;
        check_.standing = SignatureStanding::OtherSigner;
        check_.signer = address;
        check_.fingerprint = other.signer;
        return;
      }
    note(verdict);
  }

  std::vector<std::pair<std::string, pgp::PublicKey>> membersKeys(const std::string& keyId) const {
    constexpr std::uint32_t MostKeys = 5;
    std::vector<std::pair<std::string, pgp::PublicKey>> keys;
    const auto bytes = crypto::fromHex(keyId);
    if (!bytes || bytes->empty()) return keys;
    const auto onFile =
        context_.site.read([&](SiteTables& tables) { return tables.keys.withKeyId(list_.id, *bytes, MostKeys); });
    for (const auto& row : onFile) {
      auto key = pgp::PublicKey::parse(row.certificate);
      if (key && key->inspect(context_.clock.now()).hasAddress(row.address))
        keys.emplace_back(row.address, std::move(*key));
    }
    return keys;
  }

  // The text of a message that is text alone, as its reader sees it; nothing when it cannot be one that is signed so.
  static std::optional<std::string> clearSignedText(const mail::Message& message) {
    const auto type = typeOf(message);
    if (type.value != "text/plain" || !shownAsWritten(parameterOf(type, "charset"))) return std::nullopt;
    const auto* const encoding = message.header().find("Content-Transfer-Encoding");
    const bool base64 = encoding != nullptr && mail::lowerAscii(mail::trim(encoding->value)) == "base64";
    if (!base64 && !pgp::isClearSigned(message.body())) return std::nullopt;
    mail::MimeLimits limits;
    limits.keepContent = true;
    const auto tree = mail::MimeTree::parse(message, limits);
    const auto& text = tree.parts().front();
    if (tree.parts().size() != 1 || text.type != "text/plain" || !pgp::isClearSigned(text.content)) return std::nullopt;
    return text.content;
  }

  // The charset is not signed: one in which ASCII bytes mean other letters could change what is read.
  static bool shownAsWritten(const std::string& charset) {
    return charset.empty() || charset == "us-ascii" || charset == "utf-8" || charset.starts_with("iso-8859-") ||
           charset.starts_with("windows-125");
  }

  // What OpenPGP packets sign is all there is; otherwise the content may be a signed entity.
  Content judge(const std::string& message) {
    const auto outermost = mail::Message::parse(message);
    const auto clear = outermost ? clearSignedText(*outermost) : std::nullopt;
    if (!outermost || (!isSignedByPgp(*outermost) && !clear)) {
      if (check_.signature == CryptoForm::None) return verify(message);
      return {message, message};
    }
    if (check_.signature == CryptoForm::None)
      noteVerdict([&](const std::vector<pgp::PublicKey>& keys, TimePoint now) {
        return clear ? pgp::verifyClearSigned(*clear, keys, now) : pgp::verifySigned(message, keys, now);
      });
    if (clear) return {message, message};
    const auto type = typeOf(*outermost);
    const auto* const boundary = type.find("boundary");
    const auto split = mail::splitMultipart(outermost->body(), boundary == nullptr ? "" : boundary->value, 2);
    return {message, split ? std::string(split->parts.front()) : std::string()};
  }

  Content verify(const std::string& message) {
    auto verified = seal::verifySmime(message);
    if (!verified) {
      if (verified.error() != seal::SignatureFault::NotSigned) {
        check_.signature = CryptoForm::Smime;
        check_.standing = SignatureStanding::Bad;
      }
      return {message, {}};
    }
    changedBeside_ = !verified->textBeside;
    const auto& signer = verified->signer;
    check_.signature = CryptoForm::Smime;
    check_.standing = standingOf(signer);
    check_.signer = signer.addresses().empty() ? signer.subject() : signer.addresses().front();
    check_.fingerprint = signer.fingerprint();
    signer_ = signer.der();
    const auto outermost = mail::Message::parse(message);
    wasOpaque_ = outermost && typeOf(*outermost).value != "multipart/signed";
    // Opaque signatures are taken off, since half of the readers' programs show them as a file.
    return {wasOpaque_ ? verified->entity : message, verified->entity};
  }

  SignatureStanding standingOf(const crypto::Certificate& signer) const {
    const auto& names = signer.addresses();
    const bool isAuthors =
        std::any_of(names.begin(), names.end(), [&](const auto& name) { return crypto::sameAddress(name, author_); });
    if (!isAuthors) return SignatureStanding::OtherSigner;
    if (isRevoked(signer.fingerprint())) return SignatureStanding::UnknownSigner;
    const auto now = context_.clock.now();
    const auto holds = [&](const crypto::TrustStore* trust) {
      return crypto::check(signer, author_, now, trust, crypto::CertificateUse::Sign).valid();
    };
    if (const auto trust = context_.trustStore(); trust && holds(trust.get())) return SignatureStanding::Good;
    return isConfirmed(signer.fingerprint()) && holds(nullptr) ? SignatureStanding::Good
                                                               : SignatureStanding::UnknownSigner;
  }

  // By a person here or by its issuer, for whatever address: whoever has the private key may have written this.
  bool isRevoked(const std::string& fingerprint) const {
    const auto same = context_.site.read([&](SiteTables& tables) { return tables.keys.withFingerprint(fingerprint); });
    return std::any_of(same.begin(), same.end(), [](const MemberKey& key) {
      return key.facts.state == KeyState::Revoked || key.facts.verdict == Reason::Revoked;
    });
  }

  bool isConfirmed(const std::string& fingerprint) const {
    const auto key = context_.site.read([&](SiteTables& tables) { return tables.keys.find(author_, fingerprint); });
    return key && key->facts.state == KeyState::Confirmed;
  }

  // The outer header with the content that was in the message.
  std::optional<mail::Message> withContent(const Content& content) const {
    const auto entity = mail::Message::parse(content.entity);
    const auto payload = mail::Message::parse(content.payload);
    if (!entity || !payload || !namesSameAuthor(*payload)) return std::nullopt;
    std::vector<mail::HeaderEdit> edits{mail::HeaderEdit::remove("MIME-Version")};
    for (const auto& field : post_.header().fields())
      if (isMimeField(field)) edits.push_back(mail::HeaderEdit::remove(std::string(field.name)));
    if (const auto subject = protectedSubject(*payload))
      edits.push_back(mail::HeaderEdit::replace("Subject", mail::encodeUnstructured("Subject", *subject)));
    std::string mimeFields = "MIME-Version: 1.0\r\n";
    for (const auto& field : entity->header().fields())
      if (isMimeField(field)) mimeFields += field.raw;
    if (!mail::areWholeFields(mimeFields)) return std::nullopt;
    edits.push_back(mail::HeaderEdit::append(std::move(mimeFields)));
    const auto header = mail::Message::parse(std::string(post_.head()));
    if (!header) return std::nullopt;
    auto message = mail::Message::parse(header->edited(edits) + std::string(entity->body()));
    if (!message) return std::nullopt;
    return std::move(*message);
  }

  static bool isMimeField(const mail::HeaderField& field) {
    return mail::lowerAscii(field.name).starts_with("content-");
  }

  bool namesSameAuthor(const mail::Message& payload) const {
    return payload.header().find("From") == nullptr || authorOf(payload) == author_;
  }

  // RFC 9788 §2.1, and the draft that came before it.
  static std::optional<std::string> protectedSubject(const mail::Message& payload) {
    const auto type = typeOf(payload);
    if (type.find("hp") == nullptr && type.find("protected-headers") == nullptr) return std::nullopt;
    if (payload.header().count("Subject") != 1) return std::nullopt;
    return payload.subject();
  }

  SiteContext& context_;
  const mail::Message& post_;
  const List& list_;
  const std::string author_;
  SenderCheck check_;
  std::string signer_;
  bool wasOpaque_ = false;
  bool changedBeside_ = false;  // CBC lets an attacker change what nobody signed
};

}  // namespace

bool isEncrypted(const mail::Message& message) {
  const auto type = typeOf(message);
  if (type.value == "multipart/encrypted") return true;
  if (type.value == "application/pkcs7-mime" || type.value == "application/x-pkcs7-mime") {
    const auto kind = parameterOf(type, "smime-type");
    if (kind == "enveloped-data" || kind == "authenveloped-data") return true;
    if (!kind.empty()) return false;
    const auto verified = seal::verifySmime(message.bytes());
    return !verified && verified.error() == seal::SignatureFault::Unsupported;
  }
  return type.value == "text/plain" && mail::trim(message.body()).starts_with("-----BEGIN PGP MESSAGE-----");
}

std::optional<Reception> receivePost(SiteContext& context, const mail::Message& post, const List& list) {
  return Receiver(context, post, list).receive();
}

}  // namespace postern::listd
