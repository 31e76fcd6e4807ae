#include "listd/pickup/PickupFile.h"

#include "core/base/Codec.h"
#include "core/base/Error.h"
#include "core/crypto/Aead.h"
#include "core/crypto/Gcm.h"
#include "core/crypto/Hkdf.h"

#include <algorithm>

namespace postern::listd::pickupfile {
namespace {

namespace gcm = crypto::gcm;

constexpr std::string_view Magic = "PSTNPICK";
constexpr std::uint8_t Version = 1;
constexpr std::size_t HeaderSize = 8 + 1 + 4 + 8 + 8;
constexpr std::string_view CardLabel = "postern pickup card v1";

std::string headerOf(std::uint64_t contentId, std::uint64_t plainSize) {
  Writer writer;
  writer.raw(Magic).u8(Version).u32(RecordSize).u64(contentId).u64(plainSize);
  return std::move(writer).bytes();
}

std::string nonceOf(std::uint64_t record) {
  return std::move(Writer().u32(0).u64(record)).bytes();
}

std::string contextOf(std::string_view header, std::uint64_t record, bool last) {
  return std::move(Writer().raw(header).u64(record).u8(last ? 1 : 0)).bytes();
}

const unsigned char* bytesOf(const std::string& text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

[[noreturn]] void broken() {
  throw Error(ErrorKind::Crypto, "the content of a pick-up message is not as it was made");
}

Secret cardKey(const Secret& key) {
  return crypto::hkdfSha256(key, {}, CardLabel);
}

std::string cardContext(std::uint64_t contentId) {
  return std::move(Writer().string("pickup card").u64(contentId)).bytes();
}

}  // namespace

std::string seal(const Secret& key, std::uint64_t contentId, const Inside& inside) {
  std::string plain = std::move(Writer().string(inside.card).string(inside.message)).bytes();
  plain.resize((plain.size() + Padding - 1) / Padding * Padding);
  const auto header = headerOf(contentId, plain.size());
  auto file = header;
  file.reserve(header.size() + plain.size() + (plain.size() / RecordSize + 1) * gcm::TagSize);
  const auto context = gcm::sealingContext(key.data());
  for (std::size_t at = 0, record = 0; at < plain.size(); at += RecordSize, ++record) {
    const bool last = plain.size() - at <= RecordSize;
    gcm::seal(context.get(), bytesOf(nonceOf(record)), std::string_view(plain).substr(at, RecordSize),
              contextOf(header, record, last), file);
  }
  return file;
}

Inside open(const Secret& key, std::uint64_t contentId, std::string_view file) {
  if (file.size() < HeaderSize) broken();
  const std::string header(file.substr(0, HeaderSize));
  Reader facts(std::string_view(header).substr(Magic.size() + 1 + 4 + 8));
  const auto plainSize = facts.u64();
  const auto records = (plainSize + RecordSize - 1) / RecordSize;
  file.remove_prefix(HeaderSize);
  if (header != headerOf(contentId, plainSize) || plainSize == 0 || plainSize > file.size() ||
      file.size() != plainSize + records * gcm::TagSize)
    broken();
  std::string plain(plainSize, '\0');
  const auto context = gcm::openingContext(key.data());
  for (std::uint64_t record = 0; record < records; ++record) {
    const auto at = record * RecordSize;
    const auto size = std::min<std::uint64_t>(RecordSize, plainSize - at);
    gcm::open(context.get(), bytesOf(nonceOf(record)), file.substr(0, size + gcm::TagSize),
              contextOf(header, record, record + 1 == records), reinterpret_cast<unsigned char*>(plain.data()) + at);
    file.remove_prefix(size + gcm::TagSize);
  }
  Reader reader(plain);
  Inside inside;
  inside.card = reader.string();
  inside.message = reader.string();
  return inside;
}

std::string sealCard(const Secret& key, std::uint64_t contentId, std::string_view card) {
  return crypto::AeadKey(cardKey(key)).seal(card, cardContext(contentId));
}

std::string openCard(const Secret& key, std::uint64_t contentId, std::string_view sealed) {
  return crypto::AeadKey(cardKey(key)).open(sealed, cardContext(contentId));
}

}  // namespace postern::listd::pickupfile
