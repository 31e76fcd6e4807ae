#include "core/crypto/Totp.h"

#include "core/crypto/Digest.h"
#include "core/crypto/Encoding.h"
#include "core/crypto/OpenSsl.h"
#include "core/crypto/Random.h"

#include <openssl/hmac.h>

#include <array>

namespace postern::crypto {

namespace {

constexpr std::int64_t StepSeconds = 30;
constexpr std::size_t SecretSize = 20;

std::uint64_t stepAt(TimePoint at) {
  return static_cast<std::uint64_t>(std::chrono::floor<std::chrono::seconds>(at).time_since_epoch().count() /
                                    StepSeconds);
}

// RFC 4226 §5.3
std::string codeOfStep(const Secret& secret, std::uint64_t step) {
  std::string counter;
  for (int shift = 56; shift >= 0; shift -= 8) counter.push_back(static_cast<char>((step >> shift) & 0xff));
  std::array<unsigned char, 20> mac{};
  check(HMAC(EVP_sha1(), secret.data(), static_cast<int>(secret.size()), bytesOf(counter), counter.size(), mac.data(),
             nullptr),
        "compute a one-time code");
  const std::size_t offset = mac[19] & 15u;
  const std::uint32_t number = (mac[offset] & 0x7fu) << 24 | static_cast<std::uint32_t>(mac[offset + 1]) << 16 |
                               static_cast<std::uint32_t>(mac[offset + 2]) << 8 | mac[offset + 3];
  const auto digits = std::to_string(number % 1000000);
  return std::string(6 - digits.size(), '0') + digits;
}

std::string percentEncoded(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                       c == '.' || c == '_' || c == '~';
    if (plain)
      out.push_back(c);
    else
      out.append("%").append(hex(std::string_view(&c, 1)));
  }
  return out;
}

}  // namespace

Secret makeTotpSecret() {
  return randomSecret(SecretSize);
}

std::string totpCode(const Secret& secret, TimePoint at) {
  return codeOfStep(secret, stepAt(at));
}

std::optional<std::uint64_t> checkTotp(const Secret& secret, std::string_view code, TimePoint now,
                                       std::uint64_t lastStep) {
  const auto present = stepAt(now);
  std::optional<std::uint64_t> matched;
  for (const auto step : {present - 1, present, present + 1})
    if (equalConstantTime(codeOfStep(secret, step), code) && step > lastStep && !matched) matched = step;
  return matched;
}

std::string totpUri(std::string_view issuer, std::string_view account, const Secret& secret) {
  return "otpauth://totp/" + percentEncoded(issuer) + ":" + percentEncoded(account) +
         "?secret=" + base32(secret.view()) + "&issuer=" + percentEncoded(issuer) +
         "&algorithm=SHA1&digits=6&period=30";
}

}  // namespace postern::crypto
