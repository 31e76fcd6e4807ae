#include "core/base/Clock.h"
#include "core/base/Error.h"
#include "core/crypto/SigningIdentity.h"
#include "core/seal/SmimeSealer.h"

#include <openssl/pem.h>

namespace postern::seal {

namespace {

using crypto::check;

constexpr std::string_view KnownText = "Content-Type: text/plain\r\n\r\nThe seal of Postern is whole.\r\n";

struct ThrowAway {
  crypto::RecipientKey recipient;
  std::shared_ptr<EVP_PKEY> privateKey;
};

ThrowAway rsaKey() {
  const auto identity =
      crypto::SigningIdentity::create("self-test@localhost.invalid", SystemClock().now(), std::chrono::days(1));
  EVP_PKEY_up_ref(identity.privateKey());
  return {crypto::RecipientKey::of(identity.certificate()), crypto::PkeyPtr(identity.privateKey())};
}

ThrowAway ecKey() {
  const auto identity = crypto::makeSelfSignedTls("localhost", SystemClock().now());
  const auto bio = crypto::readOnlyBio(identity.privateKeyPem.view());
  crypto::PkeyPtr key(check(PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr), "read a private key"));
  const auto certificate = crypto::Certificate::parse(identity.certificatePem);
  if (!certificate) throw Error(ErrorKind::Crypto, "the self-test's certificate does not parse");
  return {crypto::RecipientKey::of(*certificate), std::move(key)};
}

[[noreturn]] void fail(const std::string& what) {
  crypto::clearOpenSslErrors();
  throw Error(ErrorKind::Crypto,
              "the sealing self-test failed: " + what + ". No copies can be made with this installation of OpenSSL");
}

void testCopy(const SmimeSealer& sealer, ContentCipher cipher, const ThrowAway& key) {
  const auto body = SharedBody::encrypt(KnownText, cipher);
  const auto message = sealer.head(body, key.recipient) + body.tail();
  if (message.find(KnownText.substr(28)) != std::string::npos) fail("the copy holds the text in clear");
  const auto in = crypto::readOnlyBio(message);
  const crypto::CmsPtr cms(SMIME_read_CMS(in.get(), nullptr));
  if (!cms) fail("the copy does not parse");
  if (sk_CMS_RecipientInfo_num(CMS_get0_RecipientInfos(cms.get())) != 1) fail("the copy has not one recipient");
  const crypto::BioPtr out(check(BIO_new(BIO_s_mem()), "open a copy"));
  if (CMS_decrypt(cms.get(), key.privateKey.get(), nullptr, nullptr, out.get(), CMS_BINARY) != 1)
    fail("the copy does not open");
  if (crypto::contentOf(out.get()) != KnownText) fail("the copy opens to other bytes");
}

}  // namespace

void selfTest() {
  const SmimeSealer sealer;
  auto rsa = rsaKey();
  const auto ec = ecKey();
  for (const auto cipher : {ContentCipher::Cbc, ContentCipher::Gcm}) {
    testCopy(sealer, cipher, ec);
    rsa.recipient.readsOaep = false;
    testCopy(sealer, cipher, rsa);
    rsa.recipient.readsOaep = true;
    testCopy(sealer, cipher, rsa);
  }
  crypto::clearOpenSslErrors();
}

}  // namespace postern::seal
