#pragma once
#include "core/hops/ReceivedField.h"

#include <cstdint>
#include <optional>
#include <string>

namespace postern::hops {

// What a server wrote down of the TLS on which it received a message. Empty fields: it did not say.
struct TlsRecord {
  std::string version;  // as written: "TLSv1.3", "TLS1_2", "TLSv1/SSLv3"
  std::string cipher;
  std::uint16_t bits = 0;
  std::string verification;  // sendmail's word: "OK", "NO", "NOT", "FAIL"
  bool operator==(const TlsRecord&) const = default;
};

// The forms of Postfix, Postern, Proofpoint ("using TLSv1.2 with cipher …"), sendmail, Gmail and Exchange ("version=…
// cipher=…"), Exim and OpenSMTPD ("TLS1.2:ECDHE…:256", "tls TLS_AES…"), Exchange of old ("(TLS)"), patched qmail
// ("AES256-SHA encrypted"), and the protocol names of RFC 3848 that say TLS. Nothing where none of them stands.
// A form must begin its comment, so that a sender's name for itself, which some servers quote, is not taken for it.
std::optional<TlsRecord> findTlsRecord(const ReceivedField& field);

// The protocol of the with clause in upper case, as "ESMTPS"; empty when it names none.
std::string protocolOf(const ReceivedField& field);

}  // namespace postern::hops
