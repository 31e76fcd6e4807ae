#include "core/config/Settings.h"

namespace postern::config {

namespace {

using C = SiteConfig;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::int64_t Day = 24 * 3600;
constexpr std::int64_t MiB = 1 << 20;

}  // namespace

const std::vector<Setting>& allSettings() {
  static const std::vector<Setting> settings = {
      {"site", "host_name", "The name of this machine in the banner, EHLO, Received fields and Message-IDs.",
       &C::hostName},

      {"gateway", "listen", "Addresses for SMTP with STARTTLS, as in \"0.0.0.0:25\".", &C::listen},
      {"gateway", "listen_tls", "Addresses for SMTP in TLS from the first byte, as in \"0.0.0.0:465\".", &C::listenTls},
      {"gateway", "certificate", "PEM file with the TLS certificate and its chain; read again when it changes.",
       &C::certificate},
      {"gateway", "certificate_key", "PEM file with the private key of the TLS certificate.", &C::certificateKey},
      {"gateway", "max_message_size", "Largest message in bytes, stated in SIZE.",
       Range<std::uint64_t>{&C::maxMessageSize, 1024, 128 * MiB}},
      {"gateway", "max_recipients", "Most recipients of one transaction.",
       Range<std::uint32_t>{&C::maxRecipients, 1, 50000}},
      {"gateway", "max_connections", "Most connections at a time; the next is answered 421.",
       Range<std::uint32_t>{&C::maxConnections, 1, 100000}},
      {"gateway", "max_connections_per_client", "Most connections at a time from one address.",
       Range<std::uint32_t>{&C::maxConnectionsPerClient, 1, 100000}},
      {"gateway", "idle_timeout", "Seconds without a byte from the client before 421.",
       Range<seconds>{&C::idleTimeout, 1, 3600}},
      {"gateway", "transaction_timeout", "Seconds from MAIL to the end of the content.",
       Range<seconds>{&C::transactionTimeout, 1, Day}},
      {"gateway", "max_hops", "Received fields before a message counts as looping.",
       Range<std::uint32_t>{&C::maxHops, 5, 1000}},
      {"gateway", "min_free_space", "Bytes on the data disk below which nothing is accepted (452).",
       Range<std::uint64_t>{&C::minFreeSpace, 0, std::int64_t{1} << 50}},

      {"delivery", "connections_per_destination", "Most connections to one destination at a time.",
       Range<std::uint32_t>{&C::connectionsPerDestination, 1, 1000}},
      {"delivery", "first_retry", "Seconds before the second attempt; doubled after each.",
       Range<seconds>{&C::firstRetry, 1, Day}},
      {"delivery", "max_retry", "Longest wait between attempts in seconds.", Range<seconds>{&C::maxRetry, 1, Day}},
      {"delivery", "expiry", "Seconds after which a copy is given up and reported.",
       Range<seconds>{&C::expiry, 1, 60 * Day}},
      {"delivery", "connect_timeout", "Seconds to wait for a connection.", Range<seconds>{&C::connectTimeout, 1, 600}},
      {"delivery", "reply_timeout", "Seconds to wait for a reply.", Range<seconds>{&C::replyTimeout, 1, 3600}},
      {"delivery", "trust_anchors", "CA certificates (file or folder) that verified TLS trusts.", &C::trustAnchors},

      {"dns", "resolver", "Address of the resolver, as in \"127.0.0.1:53\"; empty: /etc/resolv.conf.", &C::resolver},
      {"dns", "trust_anchor", "File with the DNSSEC root trust anchor.", &C::dnsTrustAnchor},

      {"policy", "folder", "Folder of the Lua policies in force.", &C::policyFolder},
      {"policy", "workers", "Worker processes that run policies.", Range<std::uint32_t>{&C::policyWorkers, 1, 64}},
      {"policy", "timeout_ms", "Milliseconds that one policy call may take before its worker is killed.",
       Range<milliseconds>{&C::policyTimeout, 10, 60000}},

      {"store", "root_key_source",
       "Where the root key comes from: file, credential:NAME (systemd) or passphrase. Beside the data the key protects "
       "nothing from whoever takes the disk.",
       &C::rootKeySource},
      {"store", "root_key", "File with the root key, readable by Postern alone: in clear or under the passphrase.",
       &C::rootKey},

      {"smime", "certificate_authorities",
       "CA certificates (file or folder) that members' certificates must chain to; empty: trusted when imported.",
       &C::certificateAuthorities},
      {"smime", "revocation",
       "Revocation lists and OCSP of members' certificates: soft (revoked ones are not used; without an answer mail "
       "goes "
       "on), strict (without an answer nothing is sealed to the certificate) or off.",
       &C::revocation},
      {"smime", "revocation_hosts",
       "Empty: only public addresses are asked about revocation; private: also those of the own network.",
       &C::revocationHosts},

      {"web", "listen", "Address of the web UI (HTTPS).", &C::webListen},
      {"web", "url", "Address of the web UI as people reach it; empty: https:// and the listen address.", &C::webUrl},

      {"audit", "anchor_folder",
       "Folder for the audit log's checkpoints, receipts and public key; best on another machine's disk.",
       &C::anchorFolder},
      {"audit", "mail", "Mail address of the auditor, who gets the newest checkpoint each day.", &C::auditMail},
      {"audit", "syslog", "Remote syslog for checkpoints, as in \"tcp://log.example.org:601\" or \"udp://…:514\".",
       &C::auditSyslog},
      {"audit", "timestamp_url", "RFC 3161 time-stamp authority, as in \"http://tsa.example.org/\".", &C::timestampUrl},
      {"audit", "timestamp_authorities",
       "CA certificates (PEM file) that time stamps must chain to; needed with timestamp_url.",
       &C::timestampAuthorities},

      {"records", "outside_address",
       "Mail address of somebody outside, told of each change that nobody else on the site can approve; seven days "
       "later it is made. Empty: on a site with one person such changes are refused.",
       &C::outsideAddress},

      {"log", "level", "debug, info, warning or error.", &C::logLevel},

      {"testing", "clock_offset", "Seconds added to the machine's clock. For tests only.",
       Range<seconds>{&C::clockOffset, -36500 * Day, 36500 * Day}},
  };
  return settings;
}

}  // namespace postern::config
