#include "core/crypto/CertificateScan.h"

#include "core/crypto/Der.h"

namespace postern::crypto {

namespace {

using namespace std::string_view_literals;

constexpr auto RsaKey = "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01"sv;
constexpr auto EcKey = "\x2a\x86\x48\xce\x3d\x02\x01"sv;
constexpr auto SubjectAltName = "\x55\x1d\x11"sv;
constexpr std::uint8_t Rfc822Name = 0x81;

constexpr std::size_t MaxModulusBytes = 1024 + 1;  // 8192 bits and a sign byte
constexpr std::size_t MaxExponentBytes = 4 + 1;
constexpr std::size_t MaxNameBytes = 2048;
constexpr std::size_t MaxExtensions = 40;
constexpr std::size_t MaxAddress = 320;
constexpr std::size_t MaxSerialBytes = 32;  // RFC 5280 says 20; some issuers differ

using Failure = std::optional<CertificateError>;

CertificateError malformed() {
  return {"malformed", "This is not an X.509 certificate."};
}
CertificateError tooComplex(const std::string& what) {
  return {"too-complex", "This certificate is not accepted: " + what + "."};
}

Failure scanRsa(std::string_view keyBits) {
  const auto key = der::single(keyBits, der::Sequence);
  if (!key) return malformed();
  der::Reader numbers(key->content);
  const auto modulus = numbers.next(der::Integer);
  const auto exponent = numbers.next(der::Integer);
  if (!modulus || !exponent || !numbers.atEnd()) return malformed();
  if (modulus->content.size() > MaxModulusBytes) return tooComplex("its RSA key has more than 8192 bits");
  if (exponent->content.size() > MaxExponentBytes) return tooComplex("its RSA exponent has more than 32 bits");
  return std::nullopt;
}

Failure scanPublicKey(std::string_view info) {
  der::Reader parts(info);
  const auto algorithm = parts.next(der::Sequence);
  const auto bits = parts.next(der::BitString);
  if (!algorithm || !bits || !parts.atEnd() || bits->content.empty() || bits->content[0] != 0) return malformed();
  der::Reader algorithmParts(algorithm->content);
  const auto id = algorithmParts.next(der::ObjectId);
  if (!id) return malformed();
  if (id->content == RsaKey) return scanRsa(bits->content.substr(1));
  if (id->content == EcKey) {
    // Explicit curve parameters would make OpenSSL compute with numbers of the sender's choice.
    const auto curve = algorithmParts.next();
    if (!curve) return malformed();
    if (curve->tag != der::ObjectId) return tooComplex("its EC key describes a curve of its own");
  }
  return std::nullopt;
}

bool printableAddress(std::string_view text) {
  if (text.empty() || text.size() > MaxAddress) return false;
  for (const char c : text)
    if (c <= ' ' || c > '~') return false;
  return true;
}

Failure scanAltNames(std::string_view value, std::vector<std::string>& addresses) {
  const auto names = der::single(value, der::Sequence);
  if (!names) return malformed();
  der::Reader reader(names->content);
  for (std::size_t count = 1; !reader.atEnd(); ++count) {
    if (count > Certificate::MaxNames) return tooComplex("it has more than 64 alternative names");
    const auto name = reader.next();
    if (!name) return malformed();
    if (name->tag != Rfc822Name) continue;
    // A NUL or a blank in an address is an attempt to be read differently by two programs.
    if (!printableAddress(name->content)) return malformed();
    addresses.emplace_back(name->content);
  }
  return std::nullopt;
}

Failure scanExtensions(std::string_view list, std::vector<std::string>& addresses) {
  const auto sequence = der::single(list, der::Sequence);
  if (!sequence) return malformed();
  der::Reader reader(sequence->content);
  bool sawAltNames = false;
  for (std::size_t count = 1; !reader.atEnd(); ++count) {
    if (count > MaxExtensions) return tooComplex("it has more than 40 extensions");
    const auto extension = reader.next(der::Sequence);
    if (!extension) return malformed();
    der::Reader parts(extension->content);
    const auto id = parts.next(der::ObjectId);
    parts.nextIf(der::Boolean);
    const auto value = parts.next(der::OctetString);
    if (!id || !value || !parts.atEnd()) return malformed();
    if (id->content != SubjectAltName) continue;
    if (sawAltNames) return malformed();
    sawAltNames = true;
    if (auto failure = scanAltNames(value->content, addresses)) return failure;
  }
  return std::nullopt;
}

}  // namespace

// RFC 5280 §4.1
Result<CertificateScan, CertificateError> scanCertificate(std::string_view bytes) {
  const auto whole = der::single(bytes, der::Sequence);
  if (!whole) return Unexpected(malformed());
  der::Reader outer(whole->content);
  const auto body = outer.next(der::Sequence);
  if (!body) return Unexpected(malformed());

  der::Reader fields(body->content);
  fields.nextIf(0xa0);  // version
  const auto serial = fields.next(der::Integer);
  const auto signatureAlgorithm = fields.next(der::Sequence);
  const auto issuer = fields.next(der::Sequence);
  const auto validity = fields.next(der::Sequence);
  const auto subject = fields.next(der::Sequence);
  const auto publicKey = fields.next(der::Sequence);
  if (!serial || !signatureAlgorithm || !issuer || !validity || !subject || !publicKey) return Unexpected(malformed());
  if (serial->content.empty() || serial->content.size() > MaxSerialBytes) return Unexpected(malformed());
  if (issuer->whole.size() > MaxNameBytes || subject->whole.size() > MaxNameBytes)
    return Unexpected(tooComplex("its names are longer than 2048 bytes"));
  if (auto failure = scanPublicKey(publicKey->content)) return Unexpected(*failure);

  CertificateScan scan{issuer->whole, serial->whole, serial->content, {}};
  fields.nextIf(0x81);  // unique ids of issuer and subject
  fields.nextIf(0x82);
  if (const auto extensions = fields.nextIf(0xa3))
    if (auto failure = scanExtensions(extensions->content, scan.addresses)) return Unexpected(*failure);
  if (!fields.atEnd()) return Unexpected(malformed());
  return scan;
}

}  // namespace postern::crypto
