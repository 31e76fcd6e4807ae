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
      {"site", "language",
       "The language in which the site writes to people, where a list says no other: \"en\", \"de\", \"fr\" or \"es\".",
       &C::language},

      {"gateway", "listen",
       "Addresses for SMTP with STARTTLS, as in \"0.0.0.0:25\"; sockets that systemd hands over take their place. "
       "Behind an "
       "address may stand submission, as in \"0.0.0.0:587 submission\": for mail programs of people, who sign in by "
       "AUTH; and tls=required, tls-min=1.3, certificate=ask, certificate=required, proxy=192.0.2.7,192.0.2.8 (see "
       "docs/frontdoor.md).",
       &C::listen},
      {"gateway", "listen_tls",
       "Addresses for SMTP in TLS from the first byte, as in \"0.0.0.0:465\" or \"0.0.0.0:465 submission\".",
       &C::listenTls},
      {"gateway", "certificate", "PEM file with the TLS certificate and its chain; read again when it changes.",
       &C::certificate},
      {"gateway", "certificate_key", "PEM file with the private key of the TLS certificate.", &C::certificateKey},
      {"gateway", "max_message_size", "Largest message in bytes, stated in SIZE.",
       Range<std::uint64_t>{&C::maxMessageSize, 1024, 128 * MiB}, true},
      {"gateway", "max_recipients", "Most recipients of one transaction.",
       Range<std::uint32_t>{&C::maxRecipients, 1, 50000}, true},
      {"gateway", "max_connections", "Most connections at a time; the next is answered 421.",
       Range<std::uint32_t>{&C::maxConnections, 1, 100000}, true},
      {"gateway", "max_connections_per_client", "Most connections at a time from one address.",
       Range<std::uint32_t>{&C::maxConnectionsPerClient, 1, 100000}, true},
      {"gateway", "idle_timeout", "Seconds without a byte from the client before 421.",
       Range<seconds>{&C::idleTimeout, 1, 3600}, true},
      {"gateway", "transaction_timeout", "Seconds from MAIL to the end of the content.",
       Range<seconds>{&C::transactionTimeout, 1, Day}, true},
      {"gateway", "max_hops", "Received fields before a message counts as looping.",
       Range<std::uint32_t>{&C::maxHops, 5, 1000}, true},
      {"gateway", "sender_checks",
       "Whose mail is checked by SPF, DKIM, DMARC and ARC: outside (all but this machine and relays), all or off.",
       &C::senderChecks},
      {"gateway", "sender_check_ms", "Milliseconds for the checks of one message; what is missing then is a temperror.",
       Range<milliseconds>{&C::senderCheckTime, 100, 60000}},
      {"gateway", "min_free_space", "Bytes on the data disk below which nothing is accepted (452).",
       Range<std::uint64_t>{&C::minFreeSpace, 0, std::int64_t{1} << 50}},
      {"gateway", "client_authorities",
       "CA certificates (PEM file) that the certificates of relays chain to; empty: relays are known by fingerprint "
       "alone.",
       &C::clientAuthorities},
      {"gateway", "xclient_hosts",
       "Addresses of filters that may say XCLIENT, and so speak for any client, as in \"192.0.2.7, 2001:db8::/64\"; "
       "empty: nobody.",
       &C::xclientHosts, true},

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

      {"tls_reports", "contact",
       "Mail address for questions about the TLS reports that are sent to recipients' domains each day; empty: none "
       "are "
       "sent.",
       &C::tlsReportContact},

      {"dns", "resolver", "Address of the resolver, as in \"127.0.0.1:53\"; empty: /etc/resolv.conf.", &C::resolver},
      {"dns", "trust_anchor", "File with the DNSSEC root trust anchor.", &C::dnsTrustAnchor},

      {"inspection", "dnsbl_reject",
       "Sum of the weights of DNSBL zones from which mail is refused; 0: never, only policies are told.",
       Range<std::uint32_t>{&C::dnsblReject, 0, 100000}},
      {"inspection", "dnsbl_ms",
       "Milliseconds for all DNSBL zones of a client; zones that do not answer count as not listing it.",
       Range<milliseconds>{&C::dnsblTime, 100, 30000}},

      {"inspection.clamav", "address",
       "Local socket of ClamAV's daemon, as in \"unix:/run/clamav/clamd.ctl\"; empty: nothing is scanned.",
       &C::clamavAddress},
      {"inspection.clamav", "timeout_ms", "Milliseconds for one message.",
       Range<milliseconds>{&C::clamavTime, 100, 600000}},
      {"inspection.clamav", "on_failure",
       "Mail that cannot be scanned: defer, or accept, which concerns mail for open lists alone.", &C::clamavFailure},

      {"inspection.rspamd", "address",
       "rspamd's worker on this machine, as in \"127.0.0.1:11333\" or \"unix:/run/rspamd/worker.sock\"; empty: not "
       "asked.",
       &C::rspamdAddress},
      {"inspection.rspamd", "timeout_ms", "Milliseconds for one message.",
       Range<milliseconds>{&C::rspamdTime, 100, 600000}},
      {"inspection.rspamd", "on_failure",
       "Mail that cannot be judged: defer, or accept, which concerns mail for open lists alone.", &C::rspamdFailure},
      {"inspection.rspamd", "reject", "What is done at rspamd's action reject: reject, hold, defer or accept.",
       &C::spamReject},
      {"inspection.rspamd", "suspicious",
       "What is done at add header, rewrite subject and quarantine: hold, reject, defer or accept.",
       &C::spamSuspicious},
      {"inspection.rspamd", "greylist", "What is done at greylist and soft reject: defer, hold, reject or accept.",
       &C::spamGreylist},

      {"quarantine", "keep_days", "Days after which held mail that nobody released is destroyed.",
       Range<std::uint32_t>{&C::quarantineDays, 1, 3650}},
      {"quarantine", "digest", "on: owners of lists are told once a day that mail waits in the quarantine; off.",
       &C::quarantineDigest},

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

      {"backup", "repository",
       "Where postern backup keeps the contents, as restic names it: \"/path\", \"sftp:user@host:/path\", "
       "\"s3:https://host/bucket\"; empty: no backups.",
       &C::backupRepository},
      {"backup", "keys_repository",
       "Where it keeps the keys: another place, for 35 days only, so that what is destroyed stays destroyed.",
       &C::backupKeysRepository},
      {"backup", "password_file", "File with the password of both repositories; keep a copy of it elsewhere.",
       &C::backupPasswordFile},
      {"backup", "environment_file", "File with lines NAME=VALUE for restic, as for S3; empty: none.",
       &C::backupEnvironmentFile},
      {"backup", "keep_days", "Days after which contents leave the repository; 0: never.",
       Range<std::uint32_t>{&C::backupKeepDays, 0, 36500}},

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

      {"keys", "web_key_directories",
       "on: members' OpenPGP keys are looked for in the Web Key Directories of their domains, and proposed; off.",
       &C::webKeyDirectories},

      {"web", "listen", "Address of the web UI (HTTPS); sockets that systemd hands over take its place.",
       &C::webListen},
      {"web", "webhook_hosts",
       "Empty: webhooks are called at public addresses only; private: also at those of the own network.",
       &C::webhookHosts},
      {"web", "url", "Address of the web UI as people reach it; empty: https:// and the listen address.", &C::webUrl},

      {"web", "monitor_networks",
       "Networks that may read /metrics and why /healthz/ready says no, as in \"127.0.0.0/8, 192.0.2.7\"; empty: "
       "nobody.",
       &C::monitorNetworks, true},

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

      {"log", "level", "debug, info, warning or error.", &C::logLevel, true},
      {"log", "to",
       "Where the log goes: auto (the journal under systemd, else standard error), stderr, journal or file.", &C::logTo,
       true},
      {"log", "format", "Lines on standard error and in files: json, or text (key=value).", &C::logFormat, true},
      {"log", "folder", "Folder of the log files, one for each process; opened anew at a reload.", &C::logFolder},

      {"testing", "clock_offset", "Seconds added to the machine's clock. For tests only.",
       Range<seconds>{&C::clockOffset, -36500 * Day, 36500 * Day}},
      {"testing", "mx_port",
       "Port of mail servers that the DNS names. With another than 25 they may be on this machine. For tests only.",
       Range<std::uint32_t>{&C::mxPort, 1, 65535}},
      {"testing", "https_port",
       "Port of web servers that are asked by https: of MTA-STS policies, TLS reports, keys. For tests only.",
       Range<std::uint32_t>{&C::httpsPort, 1, 65535}},
  };
  return settings;
}

}  // namespace postern::config
