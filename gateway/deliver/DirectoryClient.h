#pragma once
#include "core/app/GatewayLink.h"
#include "core/net/Resolver.h"

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace postern::gateway {

// Where a directory is: an ldap or ldaps URL with nothing but host and port.
struct DirectoryPlace {
  bool implicitTls = false;  // ldaps
  std::string host;          // lower case; an IPv6 address without its brackets
  std::uint16_t port = 0;

  std::string url() const;
};
std::optional<DirectoryPlace> parseDirectoryUrl(std::string_view url);

// Asks LDAP directories (RFC 4511) for listd, which has no network. Nothing, the password least of all, is sent before
// TLS 1.2 or later stands with a certificate for the host's name (RFC 4513 §3.1); a server that has no StartTLS gets no
// question. Referrals are not followed: they lead to servers that nobody named. Whatever the server does, a question
// ends with its time, and no more is kept of an answer than one person can have, or, of a question about everybody, the
// members of a list. Ownership: the resolver must outlive
// it. Threads: safe for all. Errors: what the network does stands in the answer.
class DirectoryClient {
public:
  static constexpr int MaxEntries = 10;
  static constexpr int MaxMessages = 100;                   // of one answer, referrals too
  static constexpr std::uint32_t MaxRoster = 250'000;       // people of one answer about everybody
  static constexpr std::size_t MaxRosterBytes = 64u << 20;  // and all their values
  static constexpr int RosterTimes = 6;                     // what it may take, in limits of a single question
  static constexpr std::size_t MaxBytes = 1u << 20;         // of one message of the server, and of all values

  // `trustAnchors`: a PEM file, or a folder with the file ca-certificates.crt, for questions without authorities.
  DirectoryClient(net::Resolver& resolver, std::filesystem::path trustAnchors,
                  std::chrono::milliseconds limit = std::chrono::milliseconds(10000))
      : resolver_(resolver), trustAnchors_(std::move(trustAnchors)), limit_(limit) {}

  app::LdapAnswer ask(const app::LdapQuestion& question) const;

private:
  net::Resolver& resolver_;
  const std::filesystem::path trustAnchors_;
  const std::chrono::milliseconds limit_;
};

}  // namespace postern::gateway
