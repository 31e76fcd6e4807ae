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
  std::string language = "en";                     // in which the site writes to people: one of Languages

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
  std::string senderChecks = "outside";  // SPF, DKIM, DMARC, ARC: "off", "outside" or "all" (this machine's own, too)
  std::chrono::milliseconds senderCheckTime{5000};  // for one message
  std::uint64_t minFreeSpace = 64u << 20;           // bytes on the data disk below which nothing is accepted
  std::filesystem::path clientAuthorities;  // CAs of certificates by which relays are known; empty: fingerprints alone
  std::string xclientHosts;                 // ranges of addresses, with commas: who may say XCLIENT

  // [[gateway.alias]]: other names of this server
  struct Alias {
    std::string name;  // lower case
    std::filesystem::path certificate;
    std::filesystem::path certificateKey;
    std::vector<std::string> addresses;  // of this machine: who connects there means this name
    std::string retires;                 // the first day (UTC) on which it is retired, "2027-03-31"; empty: never
    std::string afterwards = "warn";     // of mail over a retired name: "warn" takes and counts it, or "refuse"
    bool operator==(const Alias&) const = default;
  };
  std::vector<Alias> aliases;

  // [[gateway.sender_tls]]: mail of these senders is taken over TLS alone
  struct SenderTls {
    std::string domain;         // and what is below it
    std::string least = "1.2";  // or "1.3"
    bool operator==(const SenderTls&) const = default;
  };
  std::vector<SenderTls> senderTls;

  // [delivery]
  std::uint32_t connectionsPerDestination = 8;
  std::chrono::seconds firstRetry{60};
  std::chrono::seconds maxRetry{3600};
  std::chrono::seconds expiry{5 * 24 * 3600};
  std::chrono::seconds connectTimeout{30};
  std::chrono::seconds replyTimeout{300};
  std::filesystem::path trustAnchors = "/etc/ssl/certs/ca-certificates.crt";  // CAs for verified TLS: file or folder

  // [tls_reports]
  std::string tlsReportContact;  // named in the TLS reports that we send; empty: none are sent

  // [dns]
  std::string resolver;  // "127.0.0.1:53"; empty: /etc/resolv.conf
  std::filesystem::path dnsTrustAnchor = "/usr/share/dns/root.key";

  // [inspection.clamav]: companions are on this machine (core/base/CompanionAddress.h)
  std::string clamavAddress;  // "unix:/run/clamav/clamd.ctl"; empty: nothing is scanned
  std::chrono::milliseconds clamavTime{30000};
  std::string clamavFailure = "defer";  // "defer", or "accept" (mail for open lists only)

  // [inspection.rspamd]
  std::string rspamdAddress;  // "127.0.0.1:11333" or "unix:/…"; empty: not asked
  std::chrono::milliseconds rspamdTime{10000};
  std::string rspamdFailure = "defer";
  std::string spamReject = "reject";    // what is done at rspamd's action: "reject", "hold", "defer" or "accept"
  std::string spamSuspicious = "hold";  // … at "add header", "rewrite subject" and "quarantine"
  std::string spamGreylist = "defer";   // … at "greylist" and "soft reject"

  // [[inspection.milter]], in the order in which they are asked
  struct Milter {
    std::string name;
    std::string address;
    std::chrono::milliseconds time{30000};
    std::string failure = "defer";
    bool operator==(const Milter&) const = default;
  };
  std::vector<Milter> milters;

  // [inspection] and [[inspection.dnsbl]]
  std::uint32_t dnsblReject = 10;  // sum of weights from which mail is refused; 0: never, policies are told alone
  std::chrono::milliseconds dnsblTime{3000};  // for all zones
  struct DnsblZone {
    std::string zone;
    std::uint32_t weight = 10;
    std::vector<std::string> replies{"127.0.0.2-255"};  // addresses that count
    bool operator==(const DnsblZone&) const = default;
  };
  std::vector<DnsblZone> dnsbls;

  // [quarantine]
  std::uint32_t quarantineDays = 30;    // until what nobody released is destroyed
  std::string quarantineDigest = "on";  // "off": owners are not told each day that mail waits

  // [policy]
  std::filesystem::path policyFolder = "policies";
  std::uint32_t policyWorkers = 2;
  std::chrono::milliseconds policyTimeout{2000};  // wall clock of one call

  // [store]
  std::string rootKeySource = "file";               // "file", "credential:NAME" or "passphrase"
  std::filesystem::path rootKey = "keys/root.key";  // the key in hexadecimal, or sealed under the passphrase

  // [backup]: repositories of restic
  std::string backupRepository;      // contents: "/path", "sftp:user@host:/path", "s3:https://host/bucket"; empty: none
  std::string backupKeysRepository;  // the keys, which live elsewhere and for 35 days only
  std::filesystem::path backupPasswordFile = "backup/password";  // of both repositories
  std::filesystem::path backupEnvironmentFile;  // lines NAME=VALUE that restic needs, as for S3; empty: none
  std::uint32_t backupKeepDays = 0;             // contents older than this leave the repository; 0: all are kept

  // [smime]
  std::filesystem::path certificateAuthorities;  // CAs that members' certificates must chain to; empty: pinned only

  std::string revocation = "soft";        // "strict", "soft" or "off": what revocation lists and OCSP decide
  std::string webKeyDirectories = "off";  // "on": members' keys are looked for in the directories of their domains
  std::string revocationHosts;            // "private": issuers in the own network may be asked, too

  // [web]
  HostPort webListen{"127.0.0.1", 8443};
  std::string webhookHosts;  // "private": webhooks may be in the own network, too
  std::string webUrl;        // as people reach it; empty: https://HOST:PORT of webListen

  std::string monitorNetworks = "127.0.0.0/8, ::1/128";  // who may read /metrics

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
  std::string logTo = "auto";               // "auto", "stderr", "journal" or "file"
  std::string logFormat = "json";           // "json" or "text"
  std::filesystem::path logFolder = "log";  // of PROCESS.log

  // [testing]
  std::chrono::seconds clockOffset{0};
  std::uint32_t mxPort = 25;      // of mail servers that the DNS names; another one may also be on this machine
  std::uint32_t httpsPort = 443;  // of hosts of MTA-STS policies and of TLS reports

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

// A setting with another value in the one than in the other, as "gateway.max_recipients".
struct SettingChange {
  std::string setting;
  bool reloads = false;  // else it counts from the next start
};
std::vector<SettingChange> changesBetween(const SiteConfig& before, const SiteConfig& after);

// `running` with those values of `fresh` that a reload takes over.
SiteConfig takeReloadable(const SiteConfig& running, const SiteConfig& fresh);

}  // namespace postern::config
