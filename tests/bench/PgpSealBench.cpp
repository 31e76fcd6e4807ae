// rooms: crypto pgp
// How many OpenPGP copies one core makes, beside the one operation that each copy cannot do without: an RSA public
// operation or an ECDH. Limit and sealing alternate; medians of CPU time count.
//   PgpSealBench [--json] [--rounds N]
#include "core/crypto/OpenSsl.h"
#include "core/crypto/Random.h"
#include "core/pgp/Sealer.h"

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
double rateOf(Work work) {
  const double start = cpuSeconds();
  for (std::size_t i = 0; i < PerRound; ++i) work(i);
  return PerRound / (cpuSeconds() - start);
}

double medianOf(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

// Recipients that all differ, as the members of a list do. An RSA modulus nobody knows the factors of costs the same.
std::vector<pgp::RecipientKey> recipientsOf(pgp::KeyKind kind) {
  std::vector<pgp::RecipientKey> recipients(PerRound);
  for (auto& recipient : recipients) {
    recipient.kind = kind;
    recipient.fingerprint = recipient.keyFingerprint = crypto::randomBytes(20);
    recipient.kdfHash = 8;
    recipient.kdfCipher = 7;
    recipient.algorithm = kind == pgp::KeyKind::Rsa ? 1 : 18;
    if (kind == pgp::KeyKind::Rsa) {
      recipient.exponent = std::string("\x01\x00\x01", 3);
      recipient.modulus = crypto::randomBytes(256);
      recipient.modulus.front() = static_cast<char>(recipient.modulus.front() | 0x80);
      recipient.modulus.back() = static_cast<char>(recipient.modulus.back() | 1);
      continue;
    }
    const bool edwards = kind == pgp::KeyKind::Curve25519;
    const crypto::PkeyPtr key(check(
        edwards ? EVP_PKEY_Q_keygen(nullptr, nullptr, "X25519") : EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"),
        "make a key"));
    recipient.point.resize(edwards ? 32 : 65);
    std::size_t size = 0;
    check(EVP_PKEY_get_octet_string_param(key.get(), "pub", crypto::bytesOf(recipient.point), recipient.point.size(),
                                          &size),
          "read a key");
  }
  return recipients;
}

// The bare public-key operation, with everything prepared that can be.
class Limit {
public:
  explicit Limit(const pgp::RecipientKey& recipient)
      : rsa_(recipient.kind == pgp::KeyKind::Rsa), key_(recipient.openSslKey()) {
    if (recipient.kind == pgp::KeyKind::Curve25519) own_.reset(EVP_PKEY_Q_keygen(nullptr, nullptr, "X25519"));
    if (recipient.kind == pgp::KeyKind::P256) own_.reset(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"));
    context_.reset(check(EVP_PKEY_CTX_new(rsa_ ? key_.get() : own_.get(), nullptr), "prepare"));
    if (rsa_) {
      check(EVP_PKEY_encrypt_init(context_.get()), "prepare");
    } else {
      check(EVP_PKEY_derive_init(context_.get()), "prepare");
      check(EVP_PKEY_derive_set_peer_ex(context_.get(), key_.get(), 0), "prepare");
    }
  }
  void operator()() {
    std::array<unsigned char, 512> out{};
    std::size_t size = out.size();
    if (rsa_)
      check(EVP_PKEY_encrypt(context_.get(), out.data(), &size, field_.data(), field_.size()), "encrypt");
    else
      check(EVP_PKEY_derive(context_.get(), out.data(), &size), "derive");
  }

private:
  bool rsa_;
  crypto::PkeyPtr key_;
  crypto::PkeyPtr own_;
  crypto::PkeyContextPtr context_;
  Secret field_ = crypto::randomSecret(35);
};

// Copies of one message to 2,000 recipients: sealed once, a head each; the message's own cost is included.
double sealingRate(const pgp::Sealer& sealer, const std::vector<pgp::RecipientKey>& recipients,
                   const std::string& entity) {
  std::optional<pgp::SharedBody> body;
  std::size_t written = 0;
  const double rate = rateOf([&](std::size_t i) {
    if (i == 0) body = pgp::SharedBody::encrypt(entity);
    written += sealer.head(*body, recipients[i]).size();
  });
  if (written == 0) std::abort();
  return rate;
}

nlohmann::json measure(pgp::KeyKind kind, std::size_t size, int rounds) {
  const auto recipients = recipientsOf(kind);
  const auto entity = crypto::randomBytes(size);
  const pgp::Sealer cached;
  const pgp::Sealer uncached(0);
  Limit limit(recipients.front());
  std::vector<double> limits, copies, cold;
  sealingRate(cached, recipients, entity);  // fills the cache
  for (int round = 0; round < rounds; ++round) {
    limits.push_back(rateOf([&](std::size_t) { limit(); }));
    copies.push_back(sealingRate(cached, recipients, entity));
    cold.push_back(sealingRate(uncached, recipients, entity));
  }
  return {{"key", pgp::keyKindName(kind)},
          {"bytes", size},
          {"limit", medianOf(limits)},
          {"copies", medianOf(copies)},
          {"ratio", medianOf(copies) / medianOf(limits)},
          {"uncached", medianOf(cold)},
          {"uncachedRatio", medianOf(cold) / medianOf(limits)}};
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
      return std::fprintf(stderr, "usage: PgpSealBench [--json] [--rounds N]\n"), 2;
  }
  auto rows = nlohmann::json::array();
  for (const auto kind : {pgp::KeyKind::Rsa, pgp::KeyKind::Curve25519, pgp::KeyKind::P256})
    for (const std::size_t size : {20'000u, 1'000'000u}) {
      rows.push_back(measure(kind, size, rounds));
      const auto& row = rows.back();
      if (!json)
        std::printf("%-9s %8zu B  limit %7.0f/s  copies %7.0f/s  %3.0f %%   keys not cached %7.0f/s  %3.0f %%\n",
                    row["key"].get<std::string>().c_str(), size, row["limit"].get<double>(),
                    row["copies"].get<double>(), row["ratio"].get<double>() * 100, row["uncached"].get<double>(),
                    row["uncachedRatio"].get<double>() * 100);
    }
  if (json) std::printf("%s\n", nlohmann::json{{"copies", rows}}.dump(2).c_str());
}
