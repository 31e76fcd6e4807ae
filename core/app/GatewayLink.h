#pragma once
#include "core/app/DomainTls.h"
#include "core/base/Clock.h"

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
  std::string queueId;                                     // shown to the sender in the 250 and in our Received line
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
  // Bounces also takes `+TAG`. Outbound stands in no view: a recipient elsewhere, of mail from a relay; listName says
  // under which list it is protected.
  enum class Role : std::uint8_t { List, Bounces, Request, Outbound } role = Role::List;
};

// Where mail for a domain goes. Domain "*" is for all that have no route of their own; without one, MX is asked.
struct Route {
  std::string domain;
  std::string host;
  std::uint16_t port = 25;
  enum class Tls : std::uint8_t { Opportunistic, Required, Verified } tls = Tls::Opportunistic;
};

// Who may hand over mail for other domains: clients in `range` for senders in `senderDomain`. It is protected by the
// rules of the secure list `listName`, always.
struct Relay {
  std::string range;  // net::IpRange
  std::string senderDomain;
  std::string listName;
};

// The note of a submission that says under which list its recipients elsewhere are protected. The gateway's own:
// what a policy notes by this name is dropped.
constexpr std::string_view OutboundNote = "outbound";

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

  std::string encode() const;
  static RoutingView decode(std::string_view bytes);
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

// The queue as seen from outside. `recipient` is empty unless the asker may see it (listd decides who).
struct QueueEntry {
  std::uint64_t copyKey = 0;
  std::string destination;  // domain
  std::string state;        // "waiting", "active", "held"
  std::uint32_t attempts = 0;
  TimePoint queuedAt;
  TimePoint nextAttempt;
  std::string lastReply;

  void encode(Writer& writer) const;
  static QueueEntry decode(Reader& reader);
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

  void encode(Writer& writer) const;
  static GatewayStats decode(Reader& reader);
};

// A document on the web that is signed itself, such as a revocation list: http is as good as https.
struct DocumentRequest {
  std::string url;
  std::string question;  // posted, when there is one
  std::string type;      // of the question
  std::uint32_t maxBytes = 64 * 1024;

  void encode(Writer& writer) const;
  static DocumentRequest decode(Reader& reader);
};
struct FetchedDocument {
  std::string body;
  std::string problem;  // why there is none, a plain sentence

  void encode(Writer& writer) const;
  static FetchedDocument decode(Reader& reader);
};

// The requests. Each is one frame: a verb byte, then fields; the reply frame is a status byte (0 ok, 1 error),
// then fields or the text of the error.
enum class GatewayVerb : std::uint8_t {
  Hello = 1,      // {queueKey: 32 bytes that seal outbound copies at rest} -> {}
  SetRouting,     // RoutingView -> {} once it is on disk and in force
  TakeAccepted,   // {max, waitMillis} -> list of AcceptedItem not taken on this connection; given again to a new one
  StoreTail,      // {tail, bytes} -> {}; durable with the next SubmitCopies
  SubmitCopies,   // list of Copy -> {} once durable
  Finish,         // {accepted id} -> {}: expansion is complete, the accepted content may go
  TakeEvents,     // {acknowledged sequence, max, waitMillis} -> list of GatewayEvent after it
  Stats,          // {} -> GatewayStats
  QueueList,      // {max} -> list of QueueEntry, oldest first
  QueueAct,       // {action: "retry" "hold" "release" "drop" "withdraw", copy key; 0 = all} -> {how many it changed}
                  // withdraw: as drop, but only what is not on its way at that moment
  ProbeDomain,    // {domain, fresh, waitMillis} -> DomainProbe, as far as it is; see GatewayService::probeDomain
  FetchDocument,  // DocumentRequest -> FetchedDocument; see GatewayService::fetchDocument
};

// One connection to the gateway. Throws Error(Unavailable) when it breaks; make a new one then.
// Threads: one at a time.
class GatewayLink {
public:
  explicit GatewayLink(const std::string& socketPath);
  ~GatewayLink();

  void hello(std::string_view queueKey);
  void setRouting(const RoutingView& view);
  std::vector<AcceptedItem> takeAccepted(std::uint32_t max, std::chrono::milliseconds wait);
  void storeTail(std::uint64_t tail, std::string_view bytes);
  void submitCopies(const std::vector<Copy>& copies);
  void finish(const std::vector<std::uint64_t>& acceptedIds);
  std::vector<GatewayEvent> takeEvents(std::uint64_t acknowledged, std::uint32_t max, std::chrono::milliseconds wait);
  GatewayStats stats();
  std::vector<QueueEntry> queueList(std::uint32_t max);
  std::uint64_t queueAct(std::string_view action, std::uint64_t copyKey);
  DomainProbe probeDomain(std::string_view domain, bool fresh, std::chrono::milliseconds wait);
  FetchedDocument fetchDocument(const DocumentRequest& request);

  // Wakes a thread that waits in a call; the call throws.
  void shutdown();

private:
  std::string ask(std::string frame);
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
  virtual void storeTail(std::uint64_t tail, std::string_view bytes) = 0;
  virtual void submitCopies(std::vector<Copy> copies) = 0;
  virtual void finish(const std::vector<std::uint64_t>& acceptedIds) = 0;  // one sync for all
  virtual std::vector<GatewayEvent> takeEvents(std::uint64_t acknowledged, std::uint32_t max,
                                               std::chrono::milliseconds wait) = 0;
  virtual GatewayStats stats() = 0;
  virtual std::vector<QueueEntry> queueList(std::uint32_t max) = 0;
  virtual std::uint64_t queueAct(std::string_view action, std::uint64_t copyKey) = 0;
  // Asks the mail servers of a domain for their TLS, without sending mail. `fresh` starts over; else one that is under
  // way is looked at. Returns when it is finished or `wait` is over. Error(Unavailable) where nothing can be asked.
  virtual DomainProbe probeDomain(std::string_view domain, bool fresh, std::chrono::milliseconds wait);
  // Fetches, within limits of size, time and redirects of the gateway's own. What the network does stands in the
  // answer.
  virtual FetchedDocument fetchDocument(const DocumentRequest& request);
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
