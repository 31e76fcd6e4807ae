#pragma once
#include "core/app/DestinationShape.h"
#include "core/app/DomainTls.h"
#include "core/base/Clock.h"
#include "core/base/Secret.h"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace postern {
class Reader;
class Writer;
}  // namespace postern

// The messages between listd and the gateway, over the gateway's local socket (run/gateway.sock).
// listd always asks and the gateway always answers, so a hole in the gateway gives no orders to listd.
// Every struct has encode() and decode(); decode throws Error(Malformed).
namespace postern::app {

// How a copy is protected. The order is the strength that a floor compares; None only on open lists.
enum class Protection : std::uint8_t { None = 0, Tls = 1, Pickup = 2, OpenPgp = 3, Smime = 4 };
const char* protectionName(Protection protection);  // "none", "tls", "pickup", "openpgp", "smime"

// What the sender asked of TLS beyond protection (RFC 8689). Require: each server on the way, verified, has to promise
// the same for the next. Waive: what the recipient's domain demands of TLS is passed over; never for what has a floor.
enum class TlsAsk : std::uint8_t { Usual = 0, Require = 1, Waive = 2 };

// What TLS was used on one hop, as recorded in Received lines and the ledger.
struct TlsFacts {
  std::string version;  // "TLSv1.3"; empty: no TLS
  std::string cipher;   // "TLS_AES_256_GCM_SHA384"
  std::uint16_t bits = 0;
  std::string verification;  // "none", "verified", "mta-sts", "dane", or why not: "self-signed certificate"
  std::string peerName;      // subject name of the peer's certificate, if it sent one
  bool operator==(const TlsFacts&) const = default;
};

// What a sealed Submission is bound to (the `context` of core/crypto/SealedBox).
constexpr std::string_view SubmissionContext = "postern submission v1";

// One accepted message before it is sealed to the vault's public key: what the gateway hands to listd.
struct Submission {
  std::string mailFrom;  // empty: the null sender
  std::vector<std::string> recipients;
  std::string clientAddress;
  std::string clientName;  // verified reverse name or empty
  std::string helo;
  TlsFacts tls;
  bool smtpUtf8 = false;
  TimePoint receivedAt;
  std::string queueId;                                     // TraceId.h; in the 250 and in our Received line
  std::vector<std::pair<std::string, std::string>> notes;  // what policies noted: {"tagged", "yes"}
  std::string content;                                     // RFC 5322 message, CRLF, our Received line first

  std::string encode() const;
  static Submission decode(std::string_view bytes);
};

// A list address as the gateway needs it: enough to answer RCPT and to run policies, never a roster.
struct RoutedAddress {
  std::string address;   // lower case, as in board@lists.example
  std::string listName;  // empty for an address that is no list
  bool secure = false;
  // Bounces and Confirm also take `+TAG`. Outbound stands in no view: a recipient elsewhere, of mail from a relay;
  // listName says under which list it is protected.
  enum class Role : std::uint8_t { List, Bounces, Request, Confirm, Outbound } role = Role::List;
};

// Where mail for a domain goes. Domain "*" is for all that have no route of their own; without one, MX is asked.
struct Route {
  std::string domain;
  std::string host;
  std::uint16_t port = 25;
  enum class Tls : std::uint8_t { Opportunistic, Required, Verified } tls = Tls::Opportunistic;
};

// Who may hand over mail for other domains: clients in `range` for senders in `senderDomain`. It is protected by the
// rules of the secure list `listName`, always. With a fingerprint or an issuer the client must show that certificate,
// too: then the range may be AnyAddress.
constexpr std::string_view AnyAddress = "any";
struct Relay {
  std::string range;  // net::IpRange, or AnyAddress
  std::string senderDomain;
  std::string listName;
  std::string fingerprint = {};  // SHA-256, lower-case hex
  std::string issuer = {};       // RFC 2253, of a certificate that chains to the authorities for clients …
  std::string name = {};         // … and vouches for this DNS name, or has this subject
  bool needsCertificate() const { return !fingerprint.empty() || !issuer.empty(); }
};

// The note of a submission that says under which list its recipients elsewhere are protected. The gateway's own:
// what a policy notes by this name is dropped.
constexpr std::string_view OutboundNote = "outbound";
// The note of a submission that is only asked about, before its author sends it: a refusal is none of mail.
constexpr std::string_view TrialNote = "trial";
// The note of a submission whose sender asked for REQUIRETLS. The gateway's own, too.
constexpr std::string_view RequireTlsNote = "requiretls";

// What the gateway found out about the sender, likewise its own: a sentence for people, and whether the domain of From
// is proven ("yes", "no", "unknown" when the DNS failed). Missing: the client is exempt from the checks.
constexpr std::string_view SenderCheckNote = "sender-check";
constexpr std::string_view SenderProvenNote = "sender-proven";

// What the spam filter said, for the trace; and that the message is to be held for a person ("spam: add header",
// "policy NAME: reason", "milter NAME: reason"). The gateway's own, too.
constexpr std::string_view SpamNote = "spam";
constexpr std::string_view QuarantineNote = "quarantine";

// All that the gateway may know of the site. Sent whole on each change; the gateway keeps the last one on disk.
struct RoutingView {
  std::uint64_t revision = 0;
  std::string vaultPublicKey;  // 32 bytes, X25519: content is sealed to it
  std::string helpLink;        // put in refusals
  std::vector<std::string> listDomains;
  std::vector<RoutedAddress> addresses;
  std::vector<Route> routes;
  std::vector<std::string> trustedDomains;     // a certificate for the MX host's name is enough (docs/decisions/0022)
  std::vector<std::string> distrustedDomains;  // TLS does not count as a protection
  std::vector<Relay> relays;
  std::vector<DestinationShape> shapes;

  std::string encode() const;
  static RoutingView decode(std::string_view bytes);
};

// The end that many copies of a message share.
struct Tail {
  std::uint64_t id = 0;
  std::string bytes;
};

// One copy for one recipient. On the wire it is `head` followed by the tail it names; the tail may be shared.
struct Copy {
  // Content: the post itself. Notice and Report are built from templates and hold nothing of a post.
  enum class Kind : std::uint8_t { Content, Notice, Report };

  std::uint64_t key = 0;   // given by listd; the gateway takes a key once only, so a repeated submit is harmless
  std::uint64_t tail = 0;  // 0: none, the head is the whole message
  Kind kind = Kind::Content;
  Protection protection = Protection::None;
  Protection floor = Protection::None;  // checked again at the socket
  std::string mailFrom;                 // VERP address; empty: the null sender
  std::string recipient;
  std::string head;  // CRLF
  TimePoint expiresAt;
  TlsAsk tlsAsk = TlsAsk::Usual;
  std::string trace;  // of the message it comes from (TraceId.h); empty: mail of the site itself

  void encode(Writer& writer) const;
  static Copy decode(Reader& reader);
};

// What happened to a copy, or at the door. listd writes it to the ledger, then acknowledges `sequence`.
struct DeliveryEvent {
  enum class Outcome : std::uint8_t { Delivered, Deferred, Failed, Expired, Blocked, Dropped };

  std::uint64_t copyKey = 0;
  Outcome outcome = Outcome::Delivered;
  TimePoint at;
  std::uint32_t attempt = 0;
  TimePoint nextAttempt;  // of a deferred copy
  std::string remoteHost;
  std::string remoteAddress;
  std::uint16_t replyCode = 0;  // 0: no SMTP reply (connection failed, blocked by the floor, …)
  std::string replyText;        // at most 512 bytes, printable
  TlsFacts tls;

  // For the gateway's log and metrics; not told to listd, which knows.
  std::string trace;
  Protection protection = Protection::None;
};
const char* outcomeName(DeliveryEvent::Outcome outcome);  // "delivered", "deferred", …

// A transaction that was refused or deferred, for the dashboard and the audit log. Never holds content.
struct RefusalEvent {
  TimePoint at;
  std::string clientAddress;
  std::string mailFrom;
  std::vector<std::string> recipients;
  std::uint16_t code = 0;
  std::string enhanced;
  std::string reason;  // stable word: "secure-tag", "size", "relay", "unknown-recipient", "policy-broken", …
  std::string policy;  // name of the policy that decided, or empty
};

// Another name of this server, and who still uses it. Days and sums begin when the name was first used.
struct ServerNameUse {
  struct Network {
    std::string network;  // of the clients: "192.0.2.0/24", "2001:db8::/64", or "others"
    TimePoint lastUse;
    std::uint64_t sessions = 0;
    std::uint64_t messages = 0;
  };
  struct Day {
    std::string day;  // UTC
    std::uint64_t sessions = 0;
    std::uint64_t messages = 0;
    std::uint64_t refused = 0;
  };

  std::string name;
  std::string retires;  // a day; empty: never
  bool retired = false;
  std::string afterwards;  // "warn", "refuse"
  std::vector<std::string> addresses;
  bool hasCertificate = false;
  TimePoint certificateEnds;       // zero where there is none, or it cannot be read
  std::string certificateProblem;  // why it cannot be used, a plain sentence
  TimePoint lastUse;               // zero: never
  std::vector<Network> networks;   // the latest first
  std::vector<Day> days;           // the latest first

  void encode(Writer& writer) const;
  static ServerNameUse decode(Reader& reader);
};

struct GatewayEvent {
  std::uint64_t sequence = 0;
  std::variant<DeliveryEvent, RefusalEvent> what;

  void encode(Writer& writer) const;
  static GatewayEvent decode(Reader& reader);
};

struct AcceptedItem {
  std::uint64_t id = 0;  // never used again, also after a restart
  std::string sealed;    // Submission sealed to the vault's public key (core/crypto/SealedBox)
};

// What a person should do something about, by a rule of docs/status.md.
struct Finding {
  std::string rule;      // stable word, as "certificate.ending"
  std::string severity;  // "error", "warning"
  std::string what;      // a plain sentence
  std::string todo;

  void encode(Writer& writer) const;
  static Finding decode(Reader& reader);
};

struct GatewayStats {
  std::uint64_t sessions = 0;
  std::uint64_t acceptedTotal = 0;  // since the gateway started
  std::uint64_t refusedTotal = 0;
  std::uint64_t deliveredTotal = 0;
  std::uint64_t deferredTotal = 0;
  std::uint64_t waitingAccepted = 0;  // accepted, not yet expanded
  std::uint64_t queued = 0;           // copies waiting or active
  std::uint64_t held = 0;
  std::uint64_t freeBytes = 0;
  TimePoint oldestQueued;             // zero: none
  std::vector<std::string> problems;  // plain sentences, empty when all is well
  std::vector<Finding> findings;      // besides; mail goes on in spite of them

  void encode(Writer& writer) const;
  static GatewayStats decode(Reader& reader);
};

// A document on the web that is signed itself, such as a revocation list: http is as good as https.
struct DocumentRequest {
  std::string url;
  std::string question;  // posted, when there is one
  std::string type;      // of the question
  std::uint32_t maxBytes = 64 * 1024;
  bool secureOnly = false;               // https alone, also behind a redirect: for what is not signed itself
  std::vector<std::string> fields = {};  // more fields of the request, each "Name: value"
  bool webhook = false;  // an address that an administrator gave: [web] webhook_hosts says whether it may be private

  void encode(Writer& writer) const;
  static DocumentRequest decode(Reader& reader);
};
struct FetchedDocument {
  enum class Outcome : std::uint8_t { Got, NoHost, NotThere, Failed };

  std::string body;
  std::string problem;                // why there is none, a plain sentence
  Outcome outcome = Outcome::Failed;  // NoHost: the name does not exist; NotThere: the server says 404 or 410

  void encode(Writer& writer) const;
  static FetchedDocument decode(Reader& reader);
};

// A question to an LDAP directory (RFC 4511): the given attributes of the entries below `base` that `filter` fits.
struct LdapQuestion {
  std::string url;          // ldaps://host[:port], or ldap://host[:port], which is used with StartTLS only
  std::string authorities;  // PEM that the server's certificate must chain to; empty: the site's trust anchors
  std::string bindName;     // empty: anonymous
  Secret bindSecret;
  std::string base;
  std::string filter;  // RFC 4515, with all values escaped
  std::vector<std::string> attributes;
  // Everybody who fits, instead of one person: the answer has one value for each attribute of each entry, empty where
  // there is none, and is whole or has a problem.
  bool roster = false;

  void encode(Writer& writer) const;
  static LdapQuestion decode(Reader& reader);
};
struct LdapAnswer {
  std::vector<std::string> values;  // of all these attributes of all entries
  std::uint32_t entries = 0;
  std::string problem;  // why there is no answer, a plain sentence

  void encode(Writer& writer) const;
  static LdapAnswer decode(Reader& reader);
};

// TXT records as the gateway's resolver sees them.
struct TextAnswer {
  enum class Outcome : std::uint8_t { Found, None, Failed };

  Outcome outcome = Outcome::Failed;
  std::vector<std::string> records;  // strings of one record joined
  std::string problem;               // of a failed one: why, a plain sentence

  void encode(Writer& writer) const;
  static TextAnswer decode(Reader& reader);
};

// A key that signs the gateway's reports on TLS and counts for nothing else (RFC 8460 §3, s=tlsrpt).
struct ReportKey {
  std::string domain;
  std::string selector;
  Secret key;  // PKCS#8

  void encode(Writer& writer) const;
  static ReportKey decode(Reader& reader);
};

// What the site's policies say of a message that somebody wrote on our pages, before it is taken: as of one by SMTP.
struct Judgement {
  bool passed = false;
  bool later = false;  // not passed now, and perhaps tomorrow: a policy defers or cannot be asked
  std::string text;    // why not, for the author
  std::string reason;  // stable word, as of a refusal
  std::string policy;  // that decided, or empty
  std::vector<std::pair<std::string, std::string>> notes;

  void encode(Writer& writer) const;
  static Judgement decode(Reader& reader);
};

// The requests. Each is one frame: a verb byte, then fields; the reply frame is a status byte (0 ok, 1 error),
// then fields or the text of the error.
enum class GatewayVerb : std::uint8_t {
  Hello = 1,      // {queueKey: 32 bytes that seal outbound copies at rest} -> {}
  SetRouting,     // RoutingView -> {} once it is on disk and in force
  TakeAccepted,   // {max, waitMillis} -> list of AcceptedItem not taken on this connection; given again to a new one;
                  // then the list hooks that policies have (GatewayService::activeHooks)
  StoreTail,      // {tail, bytes} -> {}: kept for the next SubmitCopies of this connection, which makes it durable
  SubmitCopies,   // list of Copy -> {} once durable
  Finish,         // {accepted id} -> {}: expansion is complete, the accepted content may go
  TakeEvents,     // {acknowledged sequence, max, waitMillis} -> list of GatewayEvent after it
  Stats,          // {} -> GatewayStats
  AskQueue,       // {action, JSON} -> JSON; see GatewayService::askQueue
  QueueAct,       // {action: "withdraw", copy key} -> {how many it changed}; as drop, but only what is not on its way
                  // at that moment
  ProbeDomain,    // {domain, fresh, waitMillis} -> DomainProbe, as far as it is; see GatewayService::probeDomain
  FetchDocument,  // DocumentRequest -> FetchedDocument; see GatewayService::fetchDocument
  AskDirectory,   // LdapQuestion -> LdapAnswer; see GatewayService::askDirectory
  JudgeMessage,   // Submission -> Judgement; see GatewayService::judge
  CopyQueue,      // {} -> {} once DATA/gateway/backup holds the whole queue as it was at one moment since
  LookUpText,     // {name} -> TextAnswer; see GatewayService::lookUpText
  SetReportKeys,  // list of ReportKey -> {}; in memory only, in place of those before
  Metrics,        // {} -> JSON; see GatewayService::metrics
  ServerNames,    // {} -> list of ServerNameUse
  AskPolicies,    // {action, JSON, Submission or nothing} -> JSON; see GatewayService::askPolicies
  JudgePost,      // PostQuestion -> PostAnswer (core/app/PolicyLink.h)
  JudgeMembers,   // MembersQuestion -> MembersAnswer
};

struct PostQuestion;
struct PostAnswer;
struct MembersQuestion;
struct MembersAnswer;

// One connection to the gateway. Throws Error(Unavailable) when it breaks; make a new one then.
// Threads: one at a time.
class GatewayLink {
public:
  explicit GatewayLink(const std::string& socketPath);
  ~GatewayLink();

  void hello(std::string_view queueKey);
  void setRouting(const RoutingView& view);
  std::vector<AcceptedItem> takeAccepted(std::uint32_t max, std::chrono::milliseconds wait);
  // Does not wait for the answer: what goes wrong is thrown by the next call.
  void storeTail(std::uint64_t tail, std::string_view bytes);
  void submitCopies(const std::vector<Copy>& copies);
  void finish(const std::vector<std::uint64_t>& acceptedIds);
  std::vector<GatewayEvent> takeEvents(std::uint64_t acknowledged, std::uint32_t max, std::chrono::milliseconds wait);
  GatewayStats stats();
  std::string askQueue(std::string_view action, std::string_view request);
  std::uint64_t queueAct(std::string_view action, std::uint64_t copyKey);
  DomainProbe probeDomain(std::string_view domain, bool fresh, std::chrono::milliseconds wait);
  FetchedDocument fetchDocument(const DocumentRequest& request);
  LdapAnswer askDirectory(const LdapQuestion& question);
  Judgement judge(const Submission& submission);
  PostAnswer judgePost(const PostQuestion& question);
  MembersAnswer judgeMembers(const MembersQuestion& question);
  // As the gateway said with the last messages that were taken here.
  std::uint16_t activeHooks() const { return activeHooks_; }
  void copyQueue();
  TextAnswer lookUpText(std::string_view name);
  void setReportKeys(const std::vector<ReportKey>& keys);
  std::string metrics();
  std::vector<ServerNameUse> serverNames();
  std::string askPolicies(std::string_view action, std::string_view request, std::string_view submission = {});

  // Wakes a thread that waits in a call; the call throws.
  void shutdown();

private:
  std::uint16_t activeHooks_ = 0xffff;
  std::string ask(std::string frame);
  std::string answer();
  struct Connection;
  std::unique_ptr<Connection> connection_;
};

// The gateway's side: decodes each request and calls these. Implemented by the gateway's queue.
// Threads: called from one thread per connection.
class GatewayService {
public:
  virtual ~GatewayService() = default;
  // `session` is fresh for each connection: what was taken by one that broke is given again.
  virtual void hello(std::string_view queueKey) = 0;
  virtual void setRouting(const RoutingView& view) = 0;
  virtual std::vector<AcceptedItem> takeAccepted(std::uint64_t session, std::uint32_t max,
                                                 std::chrono::milliseconds wait) = 0;
  virtual void sessionEnded(std::uint64_t session) = 0;
  virtual void submitCopies(std::vector<Copy> copies, std::vector<Tail> tails) = 0;  // one sync for all
  virtual void finish(const std::vector<std::uint64_t>& acceptedIds) = 0;            // one sync for all
  virtual std::vector<GatewayEvent> takeEvents(std::uint64_t acknowledged, std::uint32_t max,
                                               std::chrono::milliseconds wait) = 0;
  virtual GatewayStats stats() = 0;
  // Questions and orders about the queue (gateway/queue/QueueDesk.h). Error(Unavailable) where there is none.
  virtual std::string askQueue(std::string_view action, std::string_view request);
  virtual std::uint64_t queueAct(std::string_view action, std::uint64_t copyKey) = 0;
  // Asks the mail servers of a domain for their TLS, without sending mail. `fresh` starts over; else one that is under
  // way is looked at. Returns when it is finished or `wait` is over. Error(Unavailable) where nothing can be asked.
  virtual DomainProbe probeDomain(std::string_view domain, bool fresh, std::chrono::milliseconds wait);
  // Fetches, within limits of size, time and redirects of the gateway's own. What the network does stands in the
  // answer.
  virtual FetchedDocument fetchDocument(const DocumentRequest& request);
  // Asks over TLS only, within limits of time and size of the gateway's own. What the network does stands in the
  // answer.
  virtual LdapAnswer askDirectory(const LdapQuestion& question);
  // Asks the policies; takes nothing. Not passed where no policy can be asked.
  virtual Judgement judge(const Submission& submission);
  // The hooks of lists that a policy has: bits of ListHook. Posts wait where a policy cannot be asked.
  virtual std::uint16_t activeHooks() { return 0; }
  virtual PostAnswer judgePost(const PostQuestion& question);
  virtual MembersAnswer judgeMembers(const MembersQuestion& question);
  // Copies the queue for a backup. Error(Unavailable) where there is none.
  virtual void copyQueue();
  // Asks the DNS for the TXT records of a name. What the network does stands in the answer.
  virtual TextAnswer lookUpText(std::string_view name);
  // Keeps them in memory, for its own reports.
  virtual void setReportKeys(std::vector<ReportKey> keys);
  // {families, config}: the numbers for Prometheus, as metrics::Page::toJson() writes them, and settingsState().
  virtual std::string metrics() { return "{}"; }
  // The other names of this server.
  virtual std::vector<ServerNameUse> serverNames() { return {}; }
  // Questions and orders about policies (gateway/policy/PolicyDesk.h). Error(Unavailable) where there are none.
  virtual std::string askPolicies(std::string_view action, std::string_view request, std::string_view submission);
};

// Listens on the gateway's local socket and serves until stop(). One thread per connection.
class GatewayLinkServer {
public:
  GatewayLinkServer(const std::string& socketPath, GatewayService& service);
  ~GatewayLinkServer();
  void stop();

private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace postern::app
