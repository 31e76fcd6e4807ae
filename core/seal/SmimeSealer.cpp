#include "core/seal/SmimeSealer.h"

#include "core/base/Error.h"
#include "core/base/Mutex.h"
#include "core/crypto/Der.h"
#include "core/crypto/Encoding.h"
#include "core/seal/RecipientInfo.h"
#include "core/seal/SharedBodyContent.h"

#include <list>
#include <unordered_map>

namespace postern::seal {

namespace {

using namespace std::string_view_literals;
namespace der = crypto::der;

// ContentInfo, [0] and (Auth)EnvelopedData with indefinite lengths: the tail closes them.
constexpr auto EnvelopedStart = "\x30\x80\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x03\xa0\x80\x30\x80"sv;
constexpr auto AuthEnvelopedStart = "\x30\x80\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01\x17\xa0\x80\x30\x80"sv;
constexpr auto Version0 = "\x02\x01\x00"sv;
constexpr auto Version2 = "\x02\x01\x02"sv;
constexpr auto EncryptedContentStart = "\x30\x80\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01"sv;  // id-data
constexpr auto Aes256CbcId = "\x06\x09\x60\x86\x48\x01\x65\x03\x04\x01\x2a"sv;
constexpr auto Aes256GcmId = "\x06\x09\x60\x86\x48\x01\x65\x03\x04\x01\x2e"sv;
constexpr auto GcmTagLength = "\x02\x01\x10"sv;
constexpr auto EncryptedContentOpen = "\xa0\x80"sv;  // encryptedContent [0], constructed: segments follow

std::string contentAlgorithm(ContentCipher cipher, std::string_view iv) {
  const auto ivItem = der::item(der::OctetString, iv);
  if (cipher == ContentCipher::Cbc) return der::item(der::Sequence, std::string(Aes256CbcId) + ivItem);
  const auto parameters = der::item(der::Sequence, ivItem + std::string(GcmTagLength));  // RFC 5084 §3.2
  return der::item(der::Sequence, std::string(Aes256GcmId) + parameters);
}

// The first ciphertext bytes in as many segments (2 bytes each for tag and length) as bring the head to a multiple of
// three bytes.
void appendSegments(std::string& head, std::string_view first) {
  std::size_t count = 1;
  while ((head.size() + first.size() + 2 * count) % 3 != 0) ++count;
  for (; count > 0; --count) {
    const auto segment = first.substr(0, first.size() / count);
    head.append(der::item(der::OctetString, segment));
    first.remove_prefix(segment.size());
  }
}

std::string_view mimeHeaders(ContentCipher cipher) {
  if (cipher == ContentCipher::Gcm)
    return "MIME-Version: 1.0\r\n"
           "Content-Type: application/pkcs7-mime; smime-type=authEnveloped-data;\r\n name=smime.p7m\r\n"
           "Content-Transfer-Encoding: base64\r\n"
           "Content-Disposition: attachment; filename=smime.p7m\r\n\r\n";
  return "MIME-Version: 1.0\r\n"
         "Content-Type: application/pkcs7-mime; smime-type=enveloped-data;\r\n name=smime.p7m\r\n"
         "Content-Transfer-Encoding: base64\r\n"
         "Content-Disposition: attachment; filename=smime.p7m\r\n\r\n";
}

}  // namespace

// The most recently used keys in their OpenSSL form, found by the key itself and by nothing that could be shared by
// two keys.
class SmimeSealer::KeyCache {
public:
  explicit KeyCache(std::size_t capacity) : capacity_(capacity) {}

  std::shared_ptr<WrappingKey> get(const crypto::RecipientKey& recipient) {
    const std::string& name = recipient.kind == crypto::KeyKind::Rsa ? recipient.modulus : recipient.point;
    {
      MutexLock lock(mutex_);
      const auto found = byKey_.find(name);
      if (found != byKey_.end() && found->second->serves(recipient)) {
        entries_.splice(entries_.begin(), entries_, found->second);
        return found->second->key;
      }
    }
    auto key = std::make_shared<WrappingKey>(recipient);
    if (capacity_ > 0) keep({name, recipient.exponent, recipient.readsOaep, key});
    return key;
  }

private:
  struct Entry {
    std::string name;
    std::string exponent;
    bool oaep;
    std::shared_ptr<WrappingKey> key;

    bool serves(const crypto::RecipientKey& recipient) const {
      return exponent == recipient.exponent && oaep == recipient.readsOaep;
    }
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

SmimeSealer::SmimeSealer(std::size_t cachedKeys) : cache_(std::make_unique<KeyCache>(cachedKeys)) {}
SmimeSealer::~SmimeSealer() = default;

std::string SmimeSealer::head(const SharedBody& body, const crypto::RecipientKey& recipient) const {
  const auto& content = *body.content_;
  const bool gcm = content.cipher == ContentCipher::Gcm;
  const bool rsa = recipient.kind == crypto::KeyKind::Rsa;
  const auto key = cache_->get(recipient);
  const auto info = rsa ? keyTransport(content.contentKey, recipient, *key)
                        : keyAgreement(content.contentKey, recipient, *key, content.ephemeral(recipient.kind));

  std::string bytes(gcm ? AuthEnvelopedStart : EnvelopedStart);
  bytes.reserve(info.size() + 256);
  bytes.append(gcm || rsa ? Version0 : Version2);  // RFC 5652 §6.1
  bytes.append(der::item(der::Set, info));
  bytes.append(EncryptedContentStart).append(contentAlgorithm(content.cipher, content.iv));
  bytes.append(EncryptedContentOpen);
  appendSegments(bytes, content.first);
  return std::string(mimeHeaders(content.cipher)).append(crypto::base64Lines(bytes));
}

}  // namespace postern::seal
