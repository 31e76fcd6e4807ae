#pragma once
#include "core/app/GatewayLink.h"
#include "core/mail/Address.h"
#include "core/net/ClientCertificate.h"
#include "core/smtp/Command.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace postern::gateway {

// Who is at the other end of a session. Lives as long as the connection.
struct ClientFacts {
  std::string address;  // "192.0.2.1", "2001:db8::1"
  std::string name;     // verified reverse name, or what a filter in front says, or empty
  std::optional<net::ClientCertificate> certificate = {};  // proven on this connection
  bool known = true;  // false: somebody in front of us spoke, and did not say for whom
};

// A recipient that RCPT has accepted.
struct TransactionRecipient {
  mail::Address address;
  app::RoutedAddress route;
};

// One mail transaction: from an accepted MAIL to the reply behind the content. RSET, EHLO and TLS throw it away whole,
// so nothing of one transaction can reach the next.
struct Transaction {
  std::optional<mail::Address> from;  // none: the null sender
  std::uint64_t declaredSize = 0;     // 0: not declared
  smtp::BodyType body = smtp::BodyType::SevenBit;
  bool smtpUtf8 = false;
  bool requireTls = false;
  TimePoint startedAt;
  std::vector<TransactionRecipient> recipients;  // each address once

  std::string mailFrom() const { return from ? from->text() : std::string(); }
};

}  // namespace postern::gateway
