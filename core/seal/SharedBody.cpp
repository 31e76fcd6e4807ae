#include "core/seal/SharedBody.h"

#include "core/base/Codec.h"
#include "core/base/Error.h"
#include "core/crypto/Der.h"
#include "core/crypto/Encoding.h"
#include "core/crypto/Gcm.h"
#include "core/crypto/Random.h"
#include "core/seal/SharedBodyContent.h"

#include <openssl/core_names.h>

#include <algorithm>

namespace postern::seal {

namespace {

using namespace std::string_view_literals;
namespace der = crypto::der;
using crypto::bytesOf;
using crypto::check;

constexpr std::size_t ContentKeySize = 32;
constexpr std::size_t CbcBlock = 16;
constexpr std::uint8_t ExportVersion = 1;
constexpr auto EndOfContents = "\0\0"sv;                                                 // closes one indefinite length
constexpr auto EcPublicKeyAlgorithm = "\x30\x09\x06\x07\x2a\x86\x48\xce\x3d\x02\x01"sv;  // parameters absent

std::size_t ivSize(ContentCipher cipher) {
  return cipher == ContentCipher::Gcm ? crypto::gcm::NonceSize : CbcBlock;
}

std::string encryptCbc(const Secret& key, std::string_view iv, std::string_view plain) {
  if (plain.size() > 1u << 30) throw Error(ErrorKind::Crypto, "cannot seal a message of more than 1 GiB");
  crypto::CipherContextPtr context(check(EVP_CIPHER_CTX_new(), "encrypt a message"));
  check(EVP_EncryptInit_ex2(context.get(), crypto::aes256Cbc(), key.data(), bytesOf(iv), nullptr), "encrypt a message");
  std::string out(plain.size() + CbcBlock, '\0');
  int length = 0;
  int last = 0;
  check(EVP_EncryptUpdate(context.get(), bytesOf(out), &length, bytesOf(plain), static_cast<int>(plain.size())),
        "encrypt a message");
  check(EVP_EncryptFinal_ex(context.get(), bytesOf(out) + length, &last), "encrypt a message");
  out.resize(static_cast<std::size_t>(length + last));
  return out;
}

// What follows the heads: the rest of the encrypted content, the ends of encryptedContent and EncryptedContentInfo,
// for GCM the mac, and the ends of (Auth)EnvelopedData, [0] and ContentInfo.
std::string tailBytes(std::string_view rest, std::string_view mac) {
  std::string out;
  out.reserve(rest.size() + 48);
  if (!rest.empty()) {
    out.push_back(static_cast<char>(der::OctetString));
    der::appendLength(out, rest.size());
    out.append(rest);
  }
  out.append(EndOfContents).append(EndOfContents);
  if (!mac.empty()) out.append(der::item(der::OctetString, mac));
  return out.append(EndOfContents).append(EndOfContents).append(EndOfContents);
}

const char* groupOf(crypto::KeyKind curve) {
  switch (curve) {
    case crypto::KeyKind::P256:
      return "P-256";
    case crypto::KeyKind::P384:
      return "P-384";
    case crypto::KeyKind::P521:
      return "P-521";
    case crypto::KeyKind::Rsa:
    case crypto::KeyKind::Unsupported:
      break;
  }
  throw Error(ErrorKind::Invariant, "an ephemeral key was asked for a key that is on no curve");
}

// originator [0] EXPLICIT: originatorKey [1] OriginatorPublicKey { algorithm, publicKey }
EphemeralKey makeEphemeral(crypto::KeyKind curve) {
  EphemeralKey result;
  result.key.reset(check(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", groupOf(curve)), "make an ephemeral key"));
  std::string bits(1, '\0');  // no unused bits
  bits.resize(1 + 2 * 66 + 1);
  std::size_t size = 0;
  check(EVP_PKEY_get_octet_string_param(result.key.get(), OSSL_PKEY_PARAM_PUB_KEY, bytesOf(bits) + 1, bits.size() - 1,
                                        &size),
        "write an ephemeral key");
  bits.resize(1 + size);
  auto publicKey = std::string(EcPublicKeyAlgorithm).append(der::item(der::BitString, bits));
  result.originator = der::item(0xa0, der::item(0xa1, publicKey));
  return result;
}

}  // namespace

const EphemeralKey& SharedBody::Content::ephemeral(crypto::KeyKind curve) const {
  groupOf(curve);
  auto& slot = slots_.at(static_cast<std::size_t>(curve) - static_cast<std::size_t>(crypto::KeyKind::P256));
  std::call_once(slot.once, [&] { slot.key = makeEphemeral(curve); });
  return slot.key;
}

SharedBody SharedBody::encrypt(std::string_view entity, ContentCipher cipher) {
  auto content = std::make_shared<Content>();
  content->cipher = cipher;
  content->contentKey = crypto::randomSecret(ContentKeySize);
  content->iv = crypto::randomBytes(ivSize(cipher));
  std::string encrypted;
  std::string mac;
  if (cipher == ContentCipher::Gcm) {
    crypto::gcm::seal(crypto::gcm::sealingContext(content->contentKey.data()).get(), bytesOf(content->iv), entity, "",
                      encrypted);
    mac = encrypted.substr(entity.size());
    encrypted.resize(entity.size());
  } else {
    encrypted = encryptCbc(content->contentKey, content->iv, entity);
  }
  content->first = encrypted.substr(0, FirstBytes);
  content->tail = crypto::base64Lines(tailBytes(std::string_view(encrypted).substr(content->first.size()), mac));
  return SharedBody(std::move(content));
}

ContentCipher SharedBody::cipher() const {
  return content_->cipher;
}
const std::string& SharedBody::tail() const {
  return content_->tail;
}

Secret SharedBody::exportKey() const {
  auto out = Secret::ofSize(2 + ContentKeySize + content_->iv.size() + content_->first.size());
  unsigned char* at = out.data();
  *at++ = ExportVersion;
  *at++ = static_cast<unsigned char>(content_->cipher);
  for (const auto part :
       {content_->contentKey.view(), std::string_view(content_->iv), std::string_view(content_->first)})
    at = std::copy_n(bytesOf(part), part.size(), at);
  return out;
}

SharedBody SharedBody::resume(const Secret& exported) {
  Reader reader(exported.view());
  if (reader.u8() != ExportVersion) throw Error(ErrorKind::Malformed, "a stored content key has an unknown form");
  const auto cipher = static_cast<ContentCipher>(reader.u8());
  if (cipher != ContentCipher::Cbc && cipher != ContentCipher::Gcm)
    throw Error(ErrorKind::Malformed, "a stored content key has an unknown cipher");
  auto content = std::make_shared<Content>();
  content->cipher = cipher;
  content->contentKey = Secret(reader.raw(ContentKeySize));
  content->iv = reader.raw(ivSize(cipher));
  content->first = reader.rest();
  if (content->first.size() > FirstBytes) throw Error(ErrorKind::Malformed, "a stored content key is too long");
  return SharedBody(std::move(content));
}

}  // namespace postern::seal
