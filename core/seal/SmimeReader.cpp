#include "core/seal/SmimeReader.h"

#include "core/base/Error.h"
#include "core/crypto/Encoding.h"
#include "core/mail/Message.h"
#include "core/mail/Multipart.h"
#include "core/mail/Parameters.h"
#include "core/mail/Text.h"

#include <algorithm>
#include <array>
#include <ctime>

namespace postern::seal {
namespace {

using crypto::CmsPtr;

constexpr std::size_t MaxSignature = 256u << 10;  // DER of a detached signature with its certificates
constexpr int MaxCertificates = 20;
constexpr int MaxRecipients = 1000;

// What the outermost part of a message says of itself.
struct Outermost {
  mail::Message message;
  mail::ParameterizedValue type;
  std::string encoding;  // lower case

  static std::optional<Outermost> read(std::string_view bytes) {
    auto message = mail::Message::parse(std::string(bytes));
    if (!message) return std::nullopt;
    const auto& header = message->header();
    if (header.count("Content-Type") != 1 || header.count("Content-Transfer-Encoding") > 1) return std::nullopt;
    auto type = mail::parseParameterized(header.find("Content-Type")->value);
    if (!type.wellFormed) return std::nullopt;
    auto encoding = mail::lowerAscii(header.value("Content-Transfer-Encoding").value_or("7bit"));
    return Outermost{std::move(*message), std::move(type), std::move(encoding)};
  }

  std::string parameter(std::string_view name) const {
    const auto* const found = type.find(name);
    return found == nullptr ? std::string() : found->value;
  }
  bool isPkcs7Mime() const {
    return type.value == "application/pkcs7-mime" || type.value == "application/x-pkcs7-mime";
  }
  std::optional<std::string> decodedBody() const {
    if (encoding == "base64") return crypto::fromBase64(message.body());
    if (encoding == "binary") return std::string(message.body());
    return std::nullopt;
  }
};

// The CMS object that fills `der` to its last byte.
CmsPtr parseCms(const std::string& der) {
  const unsigned char* at = crypto::bytesOf(der);
  const auto* const end = at + der.size();
  CmsPtr cms(d2i_CMS_ContentInfo(nullptr, &at, static_cast<long>(der.size())));
  if (cms && at != end) cms.reset();
  crypto::clearOpenSslErrors();
  return cms;
}

bool isEnveloped(CMS_ContentInfo* cms) {
  const auto type = OBJ_obj2nid(CMS_get0_type(cms));
  return type == NID_pkcs7_enveloped || type == NID_id_smime_ct_authEnvelopedData;
}

void freeView(STACK_OF(X509) * stack) {
  sk_X509_free(stack);
}
void freeStack(STACK_OF(X509) * stack) {
  sk_X509_pop_free(stack, X509_free);
}
using CertificateView = crypto::OpenSslPtr<STACK_OF(X509), &freeView>;  // of certificates that the CMS object owns
using CertificateStack = crypto::OpenSslPtr<STACK_OF(X509), &freeStack>;

using SignatureResult = Result<SignedContent, SignatureFault>;

bool isStrong(CMS_SignerInfo* signer) {
  X509_ALGOR* digest = nullptr;
  CMS_SignerInfo_get0_algs(signer, nullptr, nullptr, &digest, nullptr);
  constexpr std::array Strong{NID_sha256, NID_sha384, NID_sha512, NID_sha3_256, NID_sha3_384, NID_sha3_512};
  const auto nid = digest == nullptr ? NID_undef : OBJ_obj2nid(digest->algorithm);
  return std::find(Strong.begin(), Strong.end(), nid) != Strong.end();
}

std::optional<TimePoint> signingTime(CMS_SignerInfo* signer) {
  const auto* const time = static_cast<const ASN1_TIME*>(
      CMS_signed_get0_data_by_OBJ(signer, OBJ_nid2obj(NID_pkcs9_signingTime), -3, V_ASN1_UTCTIME));
  std::tm parts{};
  if (time == nullptr || ASN1_TIME_to_tm(time, &parts) != 1) return std::nullopt;
  return TimePoint(std::chrono::seconds(timegm(&parts)));
}

// The certificate by which the one signature verified.
std::optional<crypto::Certificate> signerOf(CMS_ContentInfo* cms) {
  const CertificateView signers(CMS_get0_signers(cms));
  if (!signers || sk_X509_num(signers.get()) != 1) return std::nullopt;
  unsigned char* der = nullptr;
  const int size = i2d_X509(sk_X509_value(signers.get(), 0), &der);
  if (size <= 0) return std::nullopt;
  const std::string bytes(reinterpret_cast<const char*>(der), static_cast<std::size_t>(size));
  OPENSSL_free(der);
  auto parsed = crypto::Certificate::parse(bytes);
  if (!parsed) return std::nullopt;
  return std::move(*parsed);
}

bool hasFewCertificates(CMS_ContentInfo* cms) {
  const CertificateStack certificates(CMS_get1_certs(cms));
  return certificates && sk_X509_num(certificates.get()) <= MaxCertificates;
}

// `detached`: the bytes that were signed, or null when they are inside.
SignatureResult verifyCms(const std::string& der, const std::string* detached) {
  const auto cms = parseCms(der);
  if (!cms || OBJ_obj2nid(CMS_get0_type(cms.get())) != NID_pkcs7_signed) return Unexpected(SignatureFault::Unsupported);
  auto* const content = CMS_get0_content(cms.get());
  const bool isInside = content != nullptr && *content != nullptr;
  if (isInside == (detached != nullptr)) return Unexpected(SignatureFault::Partial);
  auto* const signers = CMS_get0_SignerInfos(cms.get());
  if (signers == nullptr || sk_CMS_SignerInfo_num(signers) != 1) return Unexpected(SignatureFault::Several);
  auto* const signer = sk_CMS_SignerInfo_value(signers, 0);
  if (!isStrong(signer) || !hasFewCertificates(cms.get())) return Unexpected(SignatureFault::Unsupported);

  const auto in = detached != nullptr ? crypto::readOnlyBio(*detached) : crypto::BioPtr();
  const crypto::BioPtr out(crypto::check(BIO_new(BIO_s_mem()), "verify a signature"));
  const bool good =
      CMS_verify(cms.get(), nullptr, nullptr, in.get(), out.get(), CMS_NO_SIGNER_CERT_VERIFY | CMS_BINARY) == 1;
  crypto::clearOpenSslErrors();
  if (!good) return Unexpected(SignatureFault::Invalid);
  auto certificate = signerOf(cms.get());
  if (!certificate) return Unexpected(SignatureFault::Unsupported);
  return SignedContent{std::move(*certificate),
                       detached != nullptr ? *detached : std::string(crypto::contentOf(out.get())), signingTime(signer),
                       true};
}

// No control characters but those of lines, and well-formed: chance does not make sixteen such bytes of a block.
bool isText(std::string_view bytes) {
  return mail::isUtf8(bytes) && std::none_of(bytes.begin(), bytes.end(), [](unsigned char c) {
           return (c < ' ' && c != '\r' && c != '\n' && c != '\t') || c == 0x7f;
         });
}

bool isCmsSignature(std::string_view type) {
  return type == "application/pkcs7-signature" || type == "application/x-pkcs7-signature";
}

SignatureResult verifyMultipart(const Outermost& outermost) {
  if (!isCmsSignature(mail::lowerAscii(outermost.parameter("protocol")))) return Unexpected(SignatureFault::NotSigned);
  const auto split = mail::splitMultipart(outermost.message.body(), outermost.parameter("boundary"), 2);
  if (!split || split->parts.size() != 2 || !mail::trim(split->epilogue).empty())
    return Unexpected(SignatureFault::Partial);
  const auto signature = Outermost::read(split->parts[1]);
  if (!signature || !isCmsSignature(signature->type.value)) return Unexpected(SignatureFault::Unsupported);
  const auto der = signature->decodedBody();
  if (!der || der->size() > MaxSignature) return Unexpected(SignatureFault::Unsupported);
  const std::string entity(split->parts[0]);
  auto verified = verifyCms(*der, &entity);
  if (verified)
    verified->textBeside = isText(outermost.message.head()) && isText(split->preamble) && isText(split->parts[1]);
  return verified;
}

}  // namespace

const char* faultName(SignatureFault fault) {
  switch (fault) {
    case SignatureFault::NotSigned:
      return "not-signed";
    case SignatureFault::Several:
      return "several";
    case SignatureFault::Partial:
      return "partial";
    case SignatureFault::Unsupported:
      return "unsupported";
    case SignatureFault::Invalid:
      return "invalid";
  }
  throw Error(ErrorKind::Invariant, "unknown fault of a signature");
}

std::optional<std::string> openSmime(std::string_view message, const crypto::SigningIdentity& recipient) {
  const auto outermost = Outermost::read(message);
  if (!outermost || !outermost->isPkcs7Mime()) return std::nullopt;
  const auto der = outermost->decodedBody();
  if (!der) return std::nullopt;
  const auto cms = parseCms(*der);
  if (!cms || !isEnveloped(cms.get())) return std::nullopt;
  if (sk_CMS_RecipientInfo_num(CMS_get0_RecipientInfos(cms.get())) > MaxRecipients) return std::nullopt;
  const crypto::BioPtr out(crypto::check(BIO_new(BIO_s_mem()), "open a message"));
  const bool opened = CMS_decrypt(cms.get(), recipient.privateKey(), recipient.certificate().handle(), nullptr,
                                  out.get(), CMS_BINARY) == 1;
  crypto::clearOpenSslErrors();
  if (!opened) return std::nullopt;
  return std::string(crypto::contentOf(out.get()));
}

SignatureResult verifySmime(std::string_view message) {
  const auto outermost = Outermost::read(message);
  if (!outermost) return Unexpected(SignatureFault::NotSigned);
  if (outermost->type.value == "multipart/signed") return verifyMultipart(*outermost);
  if (!outermost->isPkcs7Mime()) return Unexpected(SignatureFault::NotSigned);
  const auto kind = mail::lowerAscii(outermost->parameter("smime-type"));
  if (!kind.empty() && kind != "signed-data") return Unexpected(SignatureFault::NotSigned);
  const auto der = outermost->decodedBody();
  if (!der) return Unexpected(SignatureFault::Unsupported);
  return verifyCms(*der, nullptr);
}

}  // namespace postern::seal
