#pragma once
#include "core/base/Clock.h"

#include <optional>
#include <string>
#include <vector>

struct ssl_st;  // of OpenSSL

namespace postern::net {

// The certificate by which a client has shown itself; that it holds the key was proven in the handshake.
struct ClientCertificate {
  std::string fingerprint;         // SHA-256 of the DER, lower-case hex
  std::string subject;             // one printable line, RFC 2253
  std::string issuer;              // likewise
  std::vector<std::string> names;  // DNS names of subjectAltName, lower case; what is no name is left out
  TimePoint notBefore;
  TimePoint notAfter;
  bool trusted = false;  // it chains to the authorities for clients
  std::string distrust;  // why not, a few words

  // Why it counts for nothing at this time, whoever issued it; empty: it may count.
  std::string outOfTime(TimePoint now) const;
};

// What the peer has sent; nothing when it sent none, or one that is malformed or larger than certificates are.
std::optional<ClientCertificate> clientCertificateOf(const ssl_st* ssl, long verifyError);

}  // namespace postern::net
