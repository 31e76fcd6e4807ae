#include "core/pgp/SharedBody.h"

#include "core/base/Codec.h"
#include "core/base/Error.h"
#include "core/crypto/Encoding.h"
#include "core/crypto/OpenSsl.h"
#include "core/crypto/Random.h"
#include "core/pgp/Armor.h"
#include "core/pgp/Packets.h"
#include "core/pgp/SharedBodyContent.h"

#include <openssl/sha.h>

namespace postern::pgp {

namespace {

using namespace std::string_view_literals;
using crypto::bytesOf;
using crypto::check;

constexpr std::uint8_t CipherAes256 = 9;
constexpr std::size_t KeySize = 32;
constexpr std::size_t Block = 16;
constexpr std::uint8_t ExportVersion = 1;
constexpr char SeipdVersion1 = 1;
constexpr auto MdcHeader = "\xd3\x14"sv;  // modification detection code packet of 20 bytes (RFC 4880 §5.14)
constexpr int MaxDraws = 8;               // see Cuts::prepare
constexpr std::size_t MaxEntity = std::size_t(1) << 30;

// Random block, its last two bytes again, the literal packet, the digest of it all. RFC 4880 §5.13
std::string plainPackets(std::string_view entity) {
  auto plain = crypto::randomBytes(Block);
  plain.reserve(entity.size() + 64);
  plain.append(plain, Block - 2, 2);
  constexpr auto LiteralStart = "b\0\0\0\0\0"sv;  // binary, no file name, no date
  plain.append(packetHeader(PacketTag::Literal, LiteralStart.size() + entity.size()));
  plain.append(LiteralStart).append(entity).append(MdcHeader);
  std::string digest(SHA_DIGEST_LENGTH, '\0');
  check(EVP_Q_digest(nullptr, "SHA1", nullptr, plain.data(), plain.size(), bytesOf(digest), nullptr) ? 1 : 0,
        "digest a message");
  return plain.append(digest);
}

// CFB with an initial vector of zeros: the random block at the start takes its place.
void encryptInPlace(const Secret& key, std::string& bytes) {
  const std::string iv(Block, '\0');
  crypto::CipherContextPtr context(check(EVP_CIPHER_CTX_new(), "encrypt a message"));
  check(EVP_EncryptInit_ex2(context.get(), EVP_aes_256_cfb128(), key.data(), bytesOf(iv), nullptr),
        "encrypt a message");
  int length = 0;
  check(EVP_EncryptUpdate(context.get(), bytesOf(bytes), &length, bytesOf(bytes), static_cast<int>(bytes.size())),
        "encrypt a message");
}

std::string ending(const std::string& boundary) {
  return "-----END PGP MESSAGE-----\r\n\r\n--" + boundary + "--\r\n";
}

}  // namespace

const EphemeralKey& SharedBody::Content::ephemeral(KeyKind curve) const {
  auto& slot = slots_.at(static_cast<std::size_t>(curve) - static_cast<std::size_t>(KeyKind::Curve25519));
  std::call_once(slot.once, [&] { slot.key = makeEphemeral(curve); });
  return slot.key;
}

SharedBody SharedBody::encrypt(std::string_view entity) {
  if (entity.size() > MaxEntity) throw Error(ErrorKind::Crypto, "cannot seal a message of more than 1 GiB");
  auto content = std::make_shared<Content>();
  content->boundary = "pgp-" + crypto::randomToken(18);
  std::string data;
  for (int draw = 0;; ++draw) {
    if (draw == MaxDraws) throw Error(ErrorKind::Crypto, "cannot seal a message: random numbers are not random");
    const auto key = crypto::randomSecret(KeySize);
    content->sessionKey = sessionKeyField(CipherAes256, key.view());
    data = plainPackets(entity);
    encryptInPlace(key, data);
    data.insert(data.begin(), SeipdVersion1);
    content->isShort = data.size() <= Cuts::Bytes;
    if (content->isShort || content->cuts.prepare(data)) break;
  }
  content->first = data.substr(0, Cuts::Bytes);
  if (!content->isShort) {
    const auto rest = std::string_view(data).substr(Cuts::Bytes);
    const auto bytes = packetLength(rest.size()).append(rest);
    content->tail = crypto::base64Lines(bytes).append(crcLine(crc24(0, bytes)));  // the heads have brought it to 0
  }
  content->tail.append(ending(content->boundary));
  return SharedBody(std::move(content));
}

const std::string& SharedBody::tail() const {
  return content_->tail;
}

Secret SharedBody::exportKey() const {
  Writer writer;
  writer.u8(ExportVersion).boolean(content_->isShort).string(content_->sessionKey.view());
  writer.string(content_->boundary).string(content_->first);
  auto bytes = std::move(writer).bytes();
  Secret secret(bytes);
  OPENSSL_cleanse(bytes.data(), bytes.size());
  return secret;
}

SharedBody SharedBody::resume(const Secret& exported) {
  Reader reader(exported.view());
  if (reader.u8() != ExportVersion) throw Error(ErrorKind::Malformed, "a stored session key has an unknown form");
  auto content = std::make_shared<Content>();
  content->isShort = reader.boolean();
  content->sessionKey = Secret(reader.view());
  content->boundary = reader.string();
  content->first = reader.string();
  reader.expectEnd();
  const bool sizesFit = content->isShort ? content->first.size() <= Cuts::Bytes : content->first.size() == Cuts::Bytes;
  if (content->sessionKey.size() != KeySize + 3 || !sizesFit)
    throw Error(ErrorKind::Malformed, "a stored session key is damaged");
  if (!content->isShort && !content->cuts.prepare(content->first))
    throw Error(ErrorKind::Malformed, "a stored session key is damaged");
  return SharedBody(std::move(content));
}

}  // namespace postern::pgp
