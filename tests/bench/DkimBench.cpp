// rooms: mailauth net crypto mail
// What a signature costs per copy: the body hashed once per shared body or with each copy, RSA 2048 and Ed25519.
//
// DkimBench [copies]
#include "core/mailauth/Dkim.h"

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>

using namespace postern;
using namespace postern::mailauth;

namespace {

double cpuSeconds() {
  return static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
}

}  // namespace

int main(int count, char** arguments) {
  const int copies = count > 1 ? std::atoi(arguments[1]) : 2000;
  for (const std::size_t size : {std::size_t{4'000}, std::size_t{20'000}, std::size_t{1'000'000}}) {
    std::string message =
        "From: board@lists.example\r\nTo: board@lists.example\r\nSubject: minutes\r\nDate: Mon, 2 Jan 2023 10:00:00 "
        "+0000\r\nMessage-ID: <1@lists.example>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\n";
    const auto start = message.size();
    while (message.size() < start + size)
      message += "MIAGCSqGSIb3DQEHA6CAMIACAQAxggGQMIIBjAIBADB0MFwxCzAJBgNVBAYTAkRFMRIwEAYDVQQK\r\n";
    const auto header = mail::HeaderBlock::scan(message);
    const auto body = std::string_view(message).substr(start);
    for (const auto kind : {KeyKind::Rsa, KeyKind::Ed25519}) {
      const DkimSigner signer{"lists.example", "s1", SigningKey::create(kind)};
      for (const bool shared : {true, false}) {
        const auto begin = cpuSeconds();
        auto digest = bodyHash(body, Canonical::Relaxed);
        std::size_t written = 0;
        for (int i = 0; i < copies; ++i) {
          if (!shared) digest = bodyHash(body, Canonical::Relaxed);
          written += signer.sign(*header, digest, 1'700'000'000).size();
        }
        const auto micros = (cpuSeconds() - begin) * 1e6 / copies;
        std::printf("%8zu bytes  %-15s  %-15s  %8.1f us of CPU a copy  (%zu bytes a field)\n", size, algorithmOf(kind),
                    shared ? "body once" : "body each copy", micros, written / static_cast<std::size_t>(copies));
      }
    }
  }
  return 0;
}
