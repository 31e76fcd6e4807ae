#include "listd/receive/Reception.h"

#include "core/base/Error.h"
#include "core/mail/EncodedWord.h"
#include "core/mail/Parameters.h"
#include "core/mail/Text.h"
#include "core/seal/SmimeReader.h"

#include <algorithm>

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
    auto content = verify(*opened);
    if (!encrypted && !wasOpaque_) return Reception{post_, std::move(check_), std::move(signer_)};
    if (encrypted && check_.standing != SignatureStanding::Good) return std::nullopt;
    auto message = withContent(content);
    if (!message) return std::nullopt;
    return Reception{std::move(*message), std::move(check_), std::move(signer_)};
  }

private:
  std::optional<std::string> open() {
    check_.encryption = CryptoForm::Smime;
    return seal::openSmime(post_.bytes(), signingIdentity(context_, list_));
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
    const auto now = context_.clock.now();
    const auto holds = [&](const crypto::TrustStore* trust) {
      return crypto::check(signer, author_, now, trust, crypto::CertificateUse::Sign).valid();
    };
    if (context_.trustStore() != nullptr && holds(context_.trustStore())) return SignatureStanding::Good;
    return isConfirmed(signer.fingerprint()) && holds(nullptr) ? SignatureStanding::Good
                                                               : SignatureStanding::UnknownSigner;
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
