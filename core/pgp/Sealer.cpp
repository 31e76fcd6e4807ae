#include "core/pgp/Sealer.h"

#include "core/base/Mutex.h"
#include "core/crypto/Encoding.h"
#include "core/pgp/Armor.h"
#include "core/pgp/Packets.h"
#include "core/pgp/SharedBodyContent.h"

#include <list>
#include <unordered_map>

namespace postern::pgp {

namespace {

// RFC 3156 §4
std::string mimeStart(const std::string& boundary) {
  std::string out =
      "MIME-Version: 1.0\r\n"
      "Content-Type: multipart/encrypted; protocol=\"application/pgp-encrypted\";\r\n boundary=\"";
  out.reserve(2048);
  out.append(boundary).append("\"\r\n\r\n--").append(boundary).append("\r\n");
  out.append(
      "Content-Type: application/pgp-encrypted\r\n\r\n"
      "Version: 1\r\n\r\n--");
  out.append(boundary);
  return out.append(
      "\r\nContent-Type: application/octet-stream; name=encrypted.asc\r\n"
      "Content-Disposition: inline; filename=encrypted.asc\r\n\r\n"
      "-----BEGIN PGP MESSAGE-----\r\n\r\n");
}

}  // namespace

// The most recently used keys in their OpenSSL form, found by the key itself and by nothing that could be shared by
// two keys.
class Sealer::KeyCache {
public:
  explicit KeyCache(std::size_t capacity) : capacity_(capacity) {}

  std::shared_ptr<WrappingKey> get(const RecipientKey& recipient) {
    const std::string& name = recipient.kind == KeyKind::Rsa ? recipient.modulus : recipient.point;
    {
      MutexLock lock(mutex_);
      const auto found = byKey_.find(name);
      if (found != byKey_.end() && found->second->exponent == recipient.exponent) {
        entries_.splice(entries_.begin(), entries_, found->second);
        return found->second->key;
      }
    }
    auto key = std::make_shared<WrappingKey>(recipient);
    if (capacity_ > 0) keep({name, recipient.exponent, key});
    return key;
  }

private:
  struct Entry {
    std::string name;
    std::string exponent;
    std::shared_ptr<WrappingKey> key;
  };

  void keep(Entry entry) {
    MutexLock lock(mutex_);
    if (byKey_.count(entry.name) > 0) return;
    entries_.push_front(std::move(entry));
    byKey_.emplace(entries_.front().name, entries_.begin());
    if (entries_.size() <= capacity_) return;
    byKey_.erase(entries_.back().name);
    entries_.pop_back();
  }

  const std::size_t capacity_;
  Mutex mutex_;
  std::list<Entry> entries_ GUARDED_BY(mutex_);
  std::unordered_map<std::string_view, std::list<Entry>::iterator> byKey_ GUARDED_BY(mutex_);  // views into entries_
};

Sealer::Sealer(std::size_t cachedKeys) : cache_(std::make_unique<KeyCache>(cachedKeys)) {}
Sealer::~Sealer() = default;

std::string Sealer::head(const SharedBody& body, const RecipientKey& recipient) const {
  const auto& content = *body.content_;
  const auto key = cache_->get(recipient);
  auto bytes = recipient.kind == KeyKind::Rsa
                   ? rsaPacket(content.sessionKey, recipient, *key)
                   : ecdhPacket(content.sessionKey, recipient, *key, content.ephemeral(recipient.kind));
  bytes.reserve(bytes.size() + 1024);
  auto head = mimeStart(content.boundary);
  if (content.isShort) {
    bytes.append(packet(PacketTag::Seipd, content.first));
    return head.append(crypto::base64Lines(bytes)).append(crcLine(crc24(Crc24Start, bytes)));
  }
  bytes.append(packetHeader(PacketTag::Seipd, 0), 0, 1);  // the tag; the lengths come with the parts
  content.cuts.append(bytes, content.first);
  return head.append(crypto::base64Lines(bytes));
}

}  // namespace postern::pgp
