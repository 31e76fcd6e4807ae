#include "core/pgp/Data.h"

#include "core/crypto/Digest.h"
#include "core/crypto/OpenSsl.h"
#include "core/pgp/KeyPacket.h"
#include "core/pgp/Packets.h"
#include "core/pgp/Pkesk.h"

#include <openssl/sha.h>
#include <zlib.h>

#include <algorithm>

namespace postern::pgp {

namespace {

using namespace std::string_view_literals;
using crypto::bytesOf;

constexpr std::size_t X25519Size = 32;
constexpr std::size_t Block = 16;
constexpr std::size_t MdcSize = 2 + SHA_DIGEST_LENGTH;
constexpr std::size_t MostSignatures = 16;

std::size_t keySizeOf(std::uint8_t cipher) {
  return cipher >= 7 && cipher <= 9 ? 16 + 8u * (cipher - 7u) : 0;
}

struct SecretSubkey {
  RecipientKey recipient;
  Secret scalar;  // as X25519 takes it
};

// The secret numbers stand unprotected behind the public part: usage 0, MPI, checksum (RFC 4880 §5.5.3).
std::optional<SecretSubkey> findSubkey(const SecretKey& key, std::string_view keyId) {
  const auto serialized = key.serialized();
  PacketReader reader(serialized.view());
  while (const auto packet = reader.next()) {
    if (packet->tag != PacketTag::SecretSubkey) continue;
    const auto publicPart = readKeyPacket(packet->body);
    if (!publicPart || publicPart->keyId() != keyId || publicPart->recipient.kind != KeyKind::Curve25519) continue;
    FieldReader fields(packet->body.substr(publicPart->publicSize));
    const auto usage = fields.number(1);
    const auto number = fields.mpi(8 * X25519Size);
    if (!fields.ok() || usage != 0) continue;
    SecretSubkey found{publicPart->recipient, Secret::ofSize(X25519Size)};
    std::fill_n(found.scalar.data(), X25519Size, static_cast<unsigned char>(0));
    std::reverse_copy(bytesOf(number), bytesOf(number) + number.size(), found.scalar.data());
    return found;
  }
  return std::nullopt;
}

std::optional<Secret> agree(const Secret& scalar, std::string_view point) {
  const crypto::PkeyPtr own(EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, nullptr, scalar.data(), scalar.size()));
  const crypto::PkeyPtr peer(EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, nullptr, bytesOf(point), point.size()));
  if (!own || !peer) return std::nullopt;
  const crypto::PkeyContextPtr context(EVP_PKEY_CTX_new(own.get(), nullptr));
  auto secret = Secret::ofSize(X25519Size);
  std::size_t size = secret.size();
  if (!context || EVP_PKEY_derive_init(context.get()) <= 0 ||
      EVP_PKEY_derive_set_peer(context.get(), peer.get()) <= 0 ||
      EVP_PKEY_derive(context.get(), secret.data(), &size) <= 0 || size != X25519Size)
    return std::nullopt;
  return secret;
}

std::optional<Secret> unwrap(const Secret& wrappingKey, std::string_view wrapped) {
  const char* name = wrappingKey.size() == 16   ? "AES-128-WRAP"
                     : wrappingKey.size() == 24 ? "AES-192-WRAP"
                                                : "AES-256-WRAP";
  const crypto::CipherPtr cipher(EVP_CIPHER_fetch(nullptr, name, nullptr));
  const crypto::CipherContextPtr context(EVP_CIPHER_CTX_new());
  if (!cipher || !context) return std::nullopt;
  EVP_CIPHER_CTX_set_flags(context.get(), EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
  auto plain = Secret::ofSize(wrapped.size() + 8);
  int length = 0;
  if (EVP_DecryptInit_ex2(context.get(), cipher.get(), wrappingKey.data(), nullptr, nullptr) <= 0 ||
      EVP_DecryptUpdate(context.get(), plain.data(), &length, bytesOf(wrapped), static_cast<int>(wrapped.size())) <=
          0 ||
      length <= 0)
    return std::nullopt;
  return Secret(plain.view().substr(0, static_cast<std::size_t>(length)));
}

// Cipher, key, checksum, padding (RFC 6637 §8).
std::optional<SessionKey> readField(const Secret& field) {
  const auto cipher = field.data()[0];
  const auto size = keySizeOf(cipher);
  if (size == 0 || field.size() < size + 4) return std::nullopt;
  const auto expected = sessionKeyField(cipher, field.view().substr(1, size));
  const auto padding = field.size() - expected.size();
  if (padding > 255 || !crypto::equalConstantTime(expected.view(), field.view().substr(0, expected.size())))
    return std::nullopt;
  for (std::size_t i = expected.size(); i < field.size(); ++i)
    if (field.data()[i] != padding) return std::nullopt;
  return SessionKey{cipher, Secret(field.view().substr(1, size))};
}

// Never more than `most` bytes come out, whatever went in.
std::optional<std::string> inflated(std::string_view compressed, int windowBits, std::size_t most) {
  z_stream stream{};
  if (inflateInit2(&stream, windowBits) != Z_OK) return std::nullopt;
  const std::unique_ptr<z_stream, int (*)(z_stream*)> owner(&stream, &inflateEnd);
  std::string in(compressed);
  stream.next_in = bytesOf(in);
  stream.avail_in = static_cast<uInt>(in.size());
  std::string out;
  std::string buffer(64 * 1024, '\0');
  for (;;) {
    stream.next_out = bytesOf(buffer);
    stream.avail_out = static_cast<uInt>(buffer.size());
    const int result = inflate(&stream, Z_NO_FLUSH);
    out.append(buffer, 0, buffer.size() - stream.avail_out);
    if (out.size() > most || (result != Z_OK && result != Z_STREAM_END)) return std::nullopt;
    if (result == Z_STREAM_END) break;
  }
  // sq hides the length of a message by bytes behind the end of a raw stream. Nobody reads them, and the integrity
  // check has covered them.
  if (stream.avail_in != 0 && windowBits > 0) return std::nullopt;
  return out;
}

std::optional<std::string> decompressed(std::string_view body, std::size_t most) {
  if (body.empty()) return std::nullopt;
  const auto content = body.substr(1);
  switch (body[0]) {
    case 0:
      return std::string(content);
    case 1:
      return inflated(content, -MAX_WBITS, most);  // ZIP: raw deflate
    case 2:
      return inflated(content, MAX_WBITS, most);
    default:
      return std::nullopt;  // BZip2: what it makes of few bytes has no bound
  }
}

bool readLiteral(std::string_view body, std::string& literal) {
  FieldReader fields(body);
  fields.number(1);
  fields.raw(fields.number(1));
  fields.number(4);
  if (!fields.ok()) return false;
  literal = fields.rest();
  return true;
}

std::optional<Contents> readPackets(std::string_view packets, std::size_t most, bool mayBeCompressed) {
  Contents contents;
  std::size_t onePass = 0;
  std::size_t before = 0;
  bool literal = false;
  PacketReader reader(packets);
  while (const auto packet = reader.next()) {
    switch (packet->tag) {
      case PacketTag::Marker:
      case PacketTag::Padding:
        continue;
      case PacketTag::Compressed: {
        if (!mayBeCompressed || literal || onePass + before > 0) return std::nullopt;
        const std::string body(packet->body);
        if (reader.next() || reader.malformed()) return std::nullopt;
        const auto inner = decompressed(body, most);
        return inner ? readPackets(*inner, most, false) : std::nullopt;
      }
      case PacketTag::OnePass:
        if (literal || ++onePass > MostSignatures) return std::nullopt;
        continue;
      case PacketTag::Signature:
        if (contents.signatures.size() >= MostSignatures) return std::nullopt;
        contents.signatures.push_back(pgp::packet(PacketTag::Signature, packet->body));
        if (!literal) ++before;
        continue;
      case PacketTag::Literal:
        if (literal || !readLiteral(packet->body, contents.literal)) return std::nullopt;
        literal = true;
        continue;
      default:
        return std::nullopt;
    }
  }
  if (reader.malformed() || !literal || contents.literal.size() > most) return std::nullopt;
  // Either signatures before the text without one-pass packets, or as many after it as were announced.
  contents.inOrder =
      before == 0 ? onePass == contents.signatures.size() : onePass == 0 && before == contents.signatures.size();
  return contents;
}

}  // namespace

std::optional<SessionKey> unwrapSessionKey(std::string_view body, const SecretKey& key) {
  FieldReader fields(body);
  const auto version = fields.number(1);
  const auto keyId = fields.raw(8);
  const auto algorithm = fields.number(1);
  const auto point = fields.mpi(8 * (1 + X25519Size));
  const auto wrapped = fields.raw(fields.number(1));
  if (!fields.ok() || !fields.atEnd() || version != 3 || algorithm != 18 || point.size() != 1 + X25519Size ||
      point[0] != 0x40 || wrapped.size() < 24 || wrapped.size() > 72 || wrapped.size() % 8 != 0)
    return std::nullopt;
  const auto subkey = findSubkey(key, keyId);
  if (!subkey) return std::nullopt;
  std::optional<SessionKey> result;
  if (const auto agreed = agree(subkey->scalar, point.substr(1)))
    if (const auto field = unwrap(keyWrappingKey(subkey->recipient, *agreed), wrapped)) result = readField(*field);
  crypto::clearOpenSslErrors();
  return result;
}

std::optional<std::string> decryptData(std::string_view body, const SessionKey& key) {
  if (body.size() < 1 + Block + 2 + MdcSize || body[0] != 1 || key.key.size() != keySizeOf(key.cipher))
    return std::nullopt;
  body.remove_prefix(1);
  const auto* cipher = key.cipher == 7   ? EVP_aes_128_cfb128()
                       : key.cipher == 8 ? EVP_aes_192_cfb128()
                                         : EVP_aes_256_cfb128();
  const crypto::CipherContextPtr context(crypto::check(EVP_CIPHER_CTX_new(), "decrypt a message"));
  const std::string iv(Block, '\0');
  std::string plain(body.size(), '\0');
  int length = 0;
  crypto::check(EVP_DecryptInit_ex2(context.get(), cipher, key.key.data(), bytesOf(iv), nullptr), "decrypt a message");
  crypto::check(EVP_DecryptUpdate(context.get(), bytesOf(plain), &length, bytesOf(body), static_cast<int>(body.size())),
                "decrypt a message");
  // The digest decides alone. The two repeated bytes at the start are not looked at: to answer for them would be an
  // oracle (RFC 4880 §14).
  const auto hashed = std::string_view(plain).substr(0, plain.size() - SHA_DIGEST_LENGTH);
  std::string digest(SHA_DIGEST_LENGTH, '\0');
  SHA1(bytesOf(hashed), hashed.size(), bytesOf(digest));
  const bool whole = crypto::equalConstantTime(digest, std::string_view(plain).substr(hashed.size())) &&
                     hashed.ends_with("\xd3\x14"sv);
  if (!whole) return std::nullopt;
  return plain.substr(Block + 2, plain.size() - Block - 2 - MdcSize);
}

std::optional<Contents> readContents(std::string_view packets, std::size_t most) {
  return readPackets(packets, most, true);
}

}  // namespace postern::pgp
