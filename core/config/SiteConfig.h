#pragma once
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace postern::config {

// A host and a port to listen on or to connect to: "127.0.0.1:2525", "[::1]:2525".
struct HostPort {
  std::string host;
  std::uint16_t port = 0;
  bool operator==(const HostPort&) const = default;
};

// What must be known before the store opens: postern.toml. All else lives in the store and is set by orders.
// Immutable after load; shared by reference. Relative paths are below the data folder.
struct SiteConfig {
  std::filesystem::path dataFolder;

  // [site]
  std::string hostName = "localhost.localdomain";  // in the banner, EHLO, Received and Message-IDs

  // [gateway]
  std::vector<HostPort> listen;     // plain SMTP with STARTTLS
  std::vector<HostPort> listenTls;  // implicit TLS
  std::filesystem::path certificate = "tls/cert.pem";
  std::filesystem::path certificateKey = "tls/key.pem";
  std::uint64_t maxMessageSize = 20u << 20;  // bytes after SMTP transport decoding
  std::uint32_t maxRecipients = 1000;        // per transaction
  std::uint32_t maxConnections = 10000;
  std::uint32_t maxConnectionsPerClient = 200;
  std::chrono::seconds idleTimeout{300};          // without a byte from the client
  std::chrono::seconds transactionTimeout{1800};  // from MAIL to the end of the content
  std::uint32_t maxHops = 50;                     // Received fields before a message counts as looping
  std::uint64_t minFreeSpace = 64u << 20;         // bytes on the data disk below which nothing is accepted

  // [delivery]
  std::uint32_t connectionsPerDestination = 8;
  std::chrono::seconds firstRetry{60};
  std::chrono::seconds maxRetry{3600};
  std::chrono::seconds expiry{5 * 24 * 3600};
  std::chrono::seconds connectTimeout{30};
  std::chrono::seconds replyTimeout{300};
  std::filesystem::path trustAnchors = "/etc/ssl/certs/ca-certificates.crt";  // CAs for verified TLS: file or folder

  // [dns]
  std::string resolver;  // "127.0.0.1:53"; empty: /etc/resolv.conf
  std::filesystem::path dnsTrustAnchor = "/usr/share/dns/root.key";

  // [policy]
  std::filesystem::path policyFolder = "policies";
  std::uint32_t policyWorkers = 2;
  std::chrono::milliseconds policyTimeout{2000};  // wall clock of one call

  // [store]
  std::string rootKeySource = "file";               // "file", "credential:NAME" or "passphrase"
  std::filesystem::path rootKey = "keys/root.key";  // the key in hexadecimal, or sealed under the passphrase

  // [smime]
  std::filesystem::path certificateAuthorities;  // CAs that members' certificates must chain to; empty: pinned only

  std::string revocation = "soft";  // "strict", "soft" or "off": what revocation lists and OCSP decide
  std::string revocationHosts;      // "private": issuers in the own network may be asked, too

  // [web]
  HostPort webListen{"127.0.0.1", 8443};
  std::string webUrl;  // as people reach it; empty: https://HOST:PORT of webListen

  // [audit]
  std::filesystem::path anchorFolder = "anchors";  // checkpoints and receipts, and the log's public key
  std::string auditMail;                           // the auditor, who gets the checkpoint each day
  std::string auditSyslog;                         // "tcp://HOST:PORT" or "udp://HOST:PORT"
  std::string timestampUrl;                        // RFC 3161 time-stamp authority over HTTP
  std::filesystem::path timestampAuthorities;      // CA certificates (PEM) that its time stamps must chain to

  // [records]
  std::string outsideAddress;  // told of what a one-person site would change; empty: such changes are refused

  // [log]
  std::string logLevel = "info";

  // [testing]
  std::chrono::seconds clockOffset{0};

  std::string publicUrl() const;  // of the web UI, without a slash at the end
  std::filesystem::path path(const std::filesystem::path& relative) const { return dataFolder / relative; }
  std::filesystem::path gatewaySocket() const { return dataFolder / "run/gateway.sock"; }
  // Where listd takes orders. In its own folder, so that no other of our processes can put a socket in their place:
  // of the web process, and of the command line with the key that proves it (docs/decisions/0013).
  std::filesystem::path webSocket() const { return dataFolder / "listd/web.sock"; }
  std::filesystem::path commandSocket() const { return dataFolder / "listd/command.sock"; }
  std::filesystem::path commandKey() const { return dataFolder / "listd/command.key"; }
};

// Reads DATA/postern.toml. Throws Error(Config) with "FILE:LINE:COLUMN: what is wrong; what is allowed" for syntax
// errors, unknown sections and keys, wrong types and values out of range.
SiteConfig loadSiteConfig(const std::filesystem::path& dataFolder);
SiteConfig parseSiteConfig(std::string_view toml, const std::filesystem::path& dataFolder, std::string_view fileName);

// Every setting with its value, range and meaning, as TOML with comments: `postern config show` and the file that
// `postern init` writes.
std::string describeSiteConfig(const SiteConfig& config);

}  // namespace postern::config
