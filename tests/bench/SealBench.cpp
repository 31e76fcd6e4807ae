// rooms: crypto seal
// How many S/MIME copies one core makes, beside the one operation that each copy cannot do without: an RSA public
// operation (EVP_PKEY_encrypt) or an ECDH (EVP_PKEY_derive). Limit and sealing alternate; medians of CPU time count.
//   SealBench [--json] [--rounds N]
#include "core/base/Error.h"
#include "core/crypto/OpenSsl.h"
#include "core/crypto/Random.h"
#include "core/crypto/SealedBox.h"
#include "core/crypto/SigningIdentity.h"
#include "core/seal/SmimeSealer.h"

#include <sys/resource.h>

#include <cstdio>
#include <nlohmann/json.hpp>

using namespace postern;
using crypto::check;

namespace {

constexpr int PerRound = 2000;

double cpuSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

template <class Work>
double rateOf(int count, Work work) {
  const double start = cpuSeconds();
  for (int i = 0; i < count; ++i) work(i);
  return count / (cpuSeconds() - start);
}

double medianOf(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

// Recipients that all differ, as the members of a list do. An RSA modulus nobody knows the factors of costs the same.
std::vector<crypto::RecipientKey> recipientsOf(bool rsa) {
  const auto now = SystemClock().now();
  const auto identity = crypto::SigningIdentity::create("bench@example.org", now, std::chrono::days(1));
  std::vector<crypto::RecipientKey> recipients(PerRound, crypto::RecipientKey::of(identity.certificate()));
  for (auto& recipient : recipients) {
    if (rsa) {
      recipient.modulus = crypto::randomBytes(256);
      recipient.modulus.front() = static_cast<char>(recipient.modulus.front() | 0x80);
      recipient.modulus.back() = static_cast<char>(recipient.modulus.back() | 1);
      continue;
    }
    const crypto::PkeyPtr key(check(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"), "make a key"));
    recipient.kind = crypto::KeyKind::P256;
    recipient.point.resize(65);
    check(EVP_PKEY_get_octet_string_param(key.get(), "pub", crypto::bytesOf(recipient.point), 65, nullptr),
          "read a key");
  }
  return recipients;
}

// The bare public-key operation, with everything prepared that can be.
class Limit {
public:
  explicit Limit(const crypto::RecipientKey& recipient)
      : rsa_(recipient.kind == crypto::KeyKind::Rsa), key_(recipient.openSslKey()) {
    if (!rsa_) own_.reset(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"));
    context_.reset(check(EVP_PKEY_CTX_new(rsa_ ? key_.get() : own_.get(), nullptr), "prepare"));
    if (rsa_) {
      check(EVP_PKEY_encrypt_init(context_.get()), "prepare");
    } else {
      check(EVP_PKEY_derive_init(context_.get()), "prepare");
      check(EVP_PKEY_derive_set_peer_ex(context_.get(), key_.get(), 0), "prepare");
    }
  }
  void operator()(int) {
    std::array<unsigned char, 512> out{};
    std::size_t size = out.size();
    if (rsa_)
      check(EVP_PKEY_encrypt(context_.get(), out.data(), &size, contentKey_.data(), contentKey_.size()), "encrypt");
    else
      check(EVP_PKEY_derive(context_.get(), out.data(), &size), "derive");
  }

private:
  bool rsa_;
  crypto::PkeyPtr key_;
  crypto::PkeyPtr own_;
  crypto::PkeyContextPtr context_;
  Secret contentKey_ = crypto::randomSecret(32);
};

// Copies of one message to 2,000 recipients: sealed once, a head each; the message's own cost is included.
double sealingRate(const seal::SmimeSealer& sealer, const std::vector<crypto::RecipientKey>& recipients,
                   const std::string& entity, seal::ContentCipher cipher) {
  std::optional<seal::SharedBody> body;
  std::size_t written = 0;
  const double rate = rateOf(PerRound, [&](int i) {
    if (i == 0) body = seal::SharedBody::encrypt(entity, cipher);
    written += sealer.head(*body, recipients[static_cast<std::size_t>(i)]).size();
  });
  if (written == 0) std::abort();
  return rate;
}

nlohmann::json measure(bool rsa, std::size_t size, seal::ContentCipher cipher, int rounds) {
  const auto recipients = recipientsOf(rsa);
  const auto entity = crypto::randomBytes(size);
  const seal::SmimeSealer cached;
  const seal::SmimeSealer uncached(0);
  Limit limit(recipients.front());
  std::vector<double> limits, copies, cold;
  sealingRate(cached, recipients, entity, cipher);  // fills the cache
  for (int round = 0; round < rounds; ++round) {
    limits.push_back(rateOf(PerRound, [&](int i) { limit(i); }));
    copies.push_back(sealingRate(cached, recipients, entity, cipher));
    cold.push_back(sealingRate(uncached, recipients, entity, cipher));
  }
  const auto [least, most] = std::minmax_element(copies.begin(), copies.end());
  return {{"key", rsa ? "RSA-2048" : "P-256"},
          {"cipher", cipher == seal::ContentCipher::Gcm ? "GCM" : "CBC"},
          {"bytes", size},
          {"limit", medianOf(limits)},
          {"copies", medianOf(copies)},
          {"copiesLeast", *least},
          {"copiesMost", *most},
          {"ratio", medianOf(copies) / medianOf(limits)},
          {"uncached", medianOf(cold)},
          {"uncachedRatio", medianOf(cold) / medianOf(limits)}};
}

nlohmann::json measureSealedBox(int rounds) {
  const auto keys = crypto::SealedBoxKeys::generate();
  crypto::SealedBoxWriter writer(keys.publicKey);
  const auto plain = crypto::randomBytes(4000);
  std::vector<double> rates;
  for (int round = 0; round < rounds; ++round)
    rates.push_back(rateOf(PerRound, [&](int) { writer.seal(plain, "accepted"); }));
  return {{"bytes", plain.size()}, {"sealsPerSecond", medianOf(rates)}};
}

void print(const nlohmann::json& row) {
  std::printf(
      "%-9s %-3s %8zu B  limit %7.0f/s  copies %7.0f/s (%.0f to %.0f)  %3.0f %%   keys not cached %7.0f/s  %3.0f %%\n",
      row["key"].get<std::string>().c_str(), row["cipher"].get<std::string>().c_str(), row["bytes"].get<std::size_t>(),
      row["limit"].get<double>(), row["copies"].get<double>(), row["copiesLeast"].get<double>(),
      row["copiesMost"].get<double>(), row["ratio"].get<double>() * 100, row["uncached"].get<double>(),
      row["uncachedRatio"].get<double>() * 100);
}

}  // namespace

int main(int argc, char** argv) {
  bool json = false;
  int rounds = 9;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument == "--json")
      json = true;
    else if (argument == "--rounds" && i + 1 < argc)
      rounds = std::max(1, std::atoi(argv[++i]));
    else
      return std::fprintf(stderr, "usage: SealBench [--json] [--rounds N]\n"), 2;
  }
  auto rows = nlohmann::json::array();
  for (const bool rsa : {true, false})
    for (const std::size_t size : {20'000u, 1'000'000u})
      for (const auto cipher : {seal::ContentCipher::Cbc, seal::ContentCipher::Gcm}) {
        rows.push_back(measure(rsa, size, cipher, rounds));
        if (!json) print(rows.back());
      }
  const auto box = measureSealedBox(rounds);
  if (json)
    std::printf("%s\n", nlohmann::json{{"copies", rows}, {"sealedBox", box}}.dump(2).c_str());
  else
    std::printf("sealed box, 4 kB: %.0f/s\n", box["sealsPerSecond"].get<double>());
}
