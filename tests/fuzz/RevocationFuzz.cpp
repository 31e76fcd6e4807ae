// rooms: crypto
#include "core/crypto/Revocation.h"

using namespace postern;
using namespace postern::crypto;

namespace {

constexpr const char* Authority =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBijCCAS+gAwIBAgIUERf8Tdg5tU3vD8p24kkC9D7eSKowCgYIKoZIzj0EAwIw\n"
    "EjEQMA4GA1UEAwwHRnV6eiBDQTAeFw0yNjExMjMwMzA1NTRaFw0zNTAyMDkwMzA1\n"
    "NTRaMBIxEDAOBgNVBAMMB0Z1enogQ0EwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNC\n"
    "AATT7jarGY5G85zdt0/6cqCoTiMx/AmXOthn8dm3dby1nn35lZql4280p5a0P5qk\n"
    "wFXvASr2+3jYBR8VnX9JiqvUo2MwYTAdBgNVHQ4EFgQU7EyvQaZWKuxg4QuxaIVS\n"
    "YtLCpCQwHwYDVR0jBBgwFoAU7EyvQaZWKuxg4QuxaIVSYtLCpCQwDwYDVR0TAQH/\n"
    "BAUwAwEB/zAOBgNVHQ8BAf8EBAMCAQYwCgYIKoZIzj0EAwIDSQAwRgIhAN5nDzsO\n"
    "49P8TbXGY/B+WYCq0D+WdCPY+ARKf4NYj5y8AiEAwW71KoL2xEadyNFItUxahdJ6\n"
    "DKgMsy7ypwWo/VYeIjU=\n"
    "-----END CERTIFICATE-----\n";
constexpr const char* Member =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIB0jCCAXmgAwIBAgICEAAwCgYIKoZIzj0EAwIwEjEQMA4GA1UEAwwHRnV6eiBD\n"
    "QTAeFw0yNjExMjMwMzA1NTRaFw0zNTAyMDkwMzA1NTRaMBExDzANBgNVBAMMBm1l\n"
    "bWJlcjBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABFP/11wx9y2qNuDOWU1I/jEY\n"
    "/25rM+uL93MT1vhyQVBVvav4uR+6H4Os79csTnKU1cuqObdv3NgcWcImE2Tw0quj\n"
    "gb8wgbwwHQYDVR0RBBYwFIESbWVtYmVyQGV4YW1wbGUub3JnMCsGA1UdHwQkMCIw\n"
    "IKAeoByGGmh0dHA6Ly9jYS5leGFtcGxlL2xpc3QuY3JsMC4GCCsGAQUFBwEBBCIw\n"
    "IDAeBggrBgEFBQcwAYYSaHR0cDovL2NhLmV4YW1wbGUvMB0GA1UdDgQWBBSxGMUy\n"
    "CgrMG7pskIkSZnSSc+VHHjAfBgNVHSMEGDAWgBTsTK9BplYq7GDhC7FohVJi0sKk\n"
    "JDAKBggqhkjOPQQDAgNHADBEAiBjhDQUPVIfLEYCltK2eKdEaFZ2GuKPKvm8Cq36\n"
    "vEedQwIgNJ2DkWX+QjZYCBYkshZ+0pupu1Qsa++NBtCNrLq1kwI=\n"
    "-----END CERTIFICATE-----\n";
constexpr const char* Url = "http://ca.example/list.crl";
const TimePoint Now(std::chrono::seconds(1795403155));

bool isInDate(const RevocationAnswer& answer) {
  return answer.state == RevocationState::Unknown ? !answer.detail.empty() : answer.freshUntil > Now;
}

}  // namespace

// Revocation lists ("L") and OCSP answers ("O") from the network: a value or a refusal, never a crash. What counts is
// in date, and bytes that were changed say nothing else than the issuer did: the seeds are signed by an authority whose
// key was thrown away.
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  if (size == 0) return 0;
  static const auto issuer = Certificate::parse(Authority).value();
  static const auto member = Certificate::parse(Member).value();
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (data[0] == 'O') {
    static const OcspQuestion question(member, issuer);
    if (!isInDate(question.read(bytes, Now))) __builtin_trap();
    return 0;
  }
  const auto list = RevocationList::parse(bytes, issuer, Url, Now);
  if (!list && list.error().empty()) __builtin_trap();
  if (!list) return 0;
  if (list->freshUntil() <= Now || !isInDate(list->find(member))) __builtin_trap();
  return 0;
}
