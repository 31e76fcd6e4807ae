#include "core/seal/SmimeSigner.h"

#include "core/base/Error.h"
#include "core/crypto/Encoding.h"
#include "core/crypto/Random.h"

namespace postern::seal {

namespace {

using crypto::check;

using TimePtr = crypto::OpenSslPtr<ASN1_TIME, &ASN1_TIME_free>;

struct CapabilitiesFree {
  void operator()(STACK_OF(X509_ALGOR) * list) const { sk_X509_ALGOR_pop_free(list, X509_ALGOR_free); }
};

void requireCrlf(std::string_view entity) {
  for (std::size_t at = 0; (at = entity.find_first_of("\r\n", at)) != std::string_view::npos; at += 2)
    if (entity.substr(at, 2) != "\r\n")
      throw Error(ErrorKind::Malformed, "cannot sign a message with a bare CR or LF: its lines must end in CR LF");
}

// OpenSSL would offer 3DES and RC2 to those who answer.
void addCapabilities(CMS_SignerInfo* signer) {
  STACK_OF(X509_ALGOR)* list = nullptr;
  check(CMS_add_simple_smimecap(&list, NID_aes_256_cbc, -1), "sign a message");
  const std::unique_ptr<STACK_OF(X509_ALGOR), CapabilitiesFree> owner(list);
  check(CMS_add_smimecap(signer, list), "sign a message");
}

std::string detachedSignature(const crypto::SigningIdentity& identity, std::string_view entity, TimePoint now) {
  constexpr unsigned Flags = CMS_DETACHED | CMS_BINARY | CMS_PARTIAL | CMS_NOSMIMECAP;
  const auto content = crypto::readOnlyBio(entity);
  crypto::CmsPtr cms(check(CMS_sign(nullptr, nullptr, nullptr, content.get(), Flags), "sign a message"));
  CMS_SignerInfo* signer = check(CMS_add1_signer(cms.get(), identity.certificate().handle(), identity.privateKey(),
                                                 crypto::sha256Algorithm(), Flags),
                                 "sign a message");
  // Readers have the root, or do not trust it; what lies between they can only have from here.
  for (const auto& authority : identity.chain())
    if (!authority.selfSigned()) check(CMS_add1_cert(cms.get(), authority.handle()), "sign a message");
  addCapabilities(signer);
  const TimePtr time(
      check(ASN1_TIME_set(nullptr, std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count()),
            "sign a message"));
  check(CMS_signed_add1_attr_by_NID(signer, NID_pkcs9_signingTime, ASN1_STRING_type(time.get()), time.get(), -1),
        "sign a message");
  check(CMS_final(cms.get(), content.get(), nullptr, Flags), "sign a message");
  const crypto::BioPtr out(check(BIO_new(BIO_s_mem()), "write a signature"));
  check(i2d_CMS_bio(out.get(), cms.get()), "write a signature");
  return std::string(crypto::contentOf(out.get()));
}

}  // namespace

std::string SmimeSigner::sign(std::string_view entity, TimePoint now) const {
  requireCrlf(entity);
  const auto signature = detachedSignature(identity_, entity, now);
  const auto boundary = "signed-" + crypto::randomToken(18);
  std::string out =
      "Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\";\r\n"
      " micalg=sha-256; boundary=\"" +
      boundary + "\"\r\n\r\n";
  out.reserve(entity.size() + 2 * signature.size() + 1024);
  out.append("--").append(boundary).append("\r\n");
  out.append(entity);
  out.append("\r\n--").append(boundary).append("\r\n");
  out.append(
      "Content-Type: application/pkcs7-signature; name=smime.p7s\r\n"
      "Content-Transfer-Encoding: base64\r\n"
      "Content-Disposition: attachment; filename=smime.p7s\r\n\r\n");
  out.append(crypto::base64Lines(signature));
  return out.append("\r\n--").append(boundary).append("--\r\n");
}

}  // namespace postern::seal
