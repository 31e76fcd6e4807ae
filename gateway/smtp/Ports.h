#pragma once
#include "core/app/GatewayLink.h"
#include "core/app/SignInLink.h"
#include "core/policy/Verdict.h"
#include "core/smtp/Reply.h"
#include "gateway/smtp/Transaction.h"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// What an SMTP session needs of the rest of the gateway. Implemented by main's wiring, and by fakes in tests.
// Everything here is called from many threads at once.
namespace postern::gateway {

// Which addresses there are. Answers at once, from memory.
class Directory {
public:
  virtual ~Directory() = default;
  // False until a routing view is in force: no session is let in then, no recipient judged.
  virtual bool ready() const = 0;
  virtual bool isLocalDomain(std::string_view domain) const = 0;
  // The list address or bounces address that mail for `address` belongs to. `list-bounces+TAG@` finds the bounces
  // address of the list; the `address` of the result is the one in the view, without the tag.
  virtual std::optional<app::RoutedAddress> find(const mail::Address& address) const = 0;
  // How mail from this client and sender to an address elsewhere is taken: Role::Outbound, for relays only.
  virtual std::optional<app::RoutedAddress> outbound(const ClientFacts& /*client*/, const mail::Address& /*from*/,
                                                     const mail::Address& /*to*/) const {
    return std::nullopt;
  }
  // How mail of a person who has signed in is taken for an address elsewhere.
  virtual std::optional<app::RoutedAddress> outboundOfPerson(const mail::Address& /*from*/,
                                                             const mail::Address& /*to*/) const {
    return std::nullopt;
  }
  // A client that hands over mail for the site, so that the site vouches for what it brings.
  virtual bool isRelay(const ClientFacts& /*client*/) const { return false; }
  // A relay at this address has to show a certificate, so that it is asked for one.
  virtual bool asksCertificate(std::string_view /*address*/) const { return false; }
  // A relay is known by exactly this certificate, whoever issued it.
  virtual bool pinsCertificate(std::string_view /*fingerprint*/) const { return false; }
  virtual std::string helpLink() const = 0;
};

// A refusal as a value: the reply, and the words for the log and the dashboard.
struct Refusal {
  smtp::Reply reply;
  std::string reason;  // stable word: "secure-tag", "policy-broken", …
  std::string policy;  // name of the policy that decided, or empty
};

// All that inspection may see of a session. References are valid during the call.
struct InspectionFacts {
  const ClientFacts& client;
  const std::string& helo;
  const app::TlsFacts& tls;
  const Transaction& transaction;
  bool writtenHere = false;               // on our pages, to be sent protected whatever its subject says
  const app::SignedIn* person = nullptr;  // who has signed in, on a submission listener
  bool trial = false;                     // nothing comes of it: a preview
  std::string_view queueId = {};          // of the message; empty before there is one
};

// What inspection says of a whole message: a refusal, or what to take along.
struct MessageDecision {
  std::optional<Refusal> refusal;
  std::vector<std::pair<std::string, std::string>> notes;
  std::optional<std::string> content;  // to be taken instead of what came: with fields of ours, without forged ones
  std::vector<std::size_t> discarded;  // indexes of recipients that policy drops silently, ascending
};

// Judges recipients and messages. May block for as long as the policy limit; must not fail open.
// Errors: an exception is a 451 and a log line, made by the caller.
class Inspector {
public:
  virtual ~Inspector() = default;
  // Whether a policy has this hook of those before RCPT. Answers at once; where none has, nobody waits.
  virtual bool asks(policy::Hook /*hook*/) const { return false; }
  // Judges a session before there is a recipient: Connect, Ehlo, Auth (of facts.person), Mail. Nothing: go on.
  virtual std::optional<Refusal> session(policy::Hook /*hook*/, const InspectionFacts& /*facts*/) {
    return std::nullopt;
  }
  // `candidate` is not among the transaction's recipients yet. Nothing: let it join.
  virtual std::optional<Refusal> recipient(const InspectionFacts& facts, const TransactionRecipient& candidate) = 0;
  // `content` is the message as it came, without our Received line.
  virtual MessageDecision message(const InspectionFacts& facts, std::string_view content) = 0;
};

// Who is who on submission listeners. May block for some seconds. Errors: an exception is a 454, made by the caller.
class SignIns {
public:
  struct Outcome {
    enum class Kind : std::uint8_t { Right, Wrong, TooMany, Unavailable };
    Kind kind = Kind::Unavailable;
    app::SignedIn person;          // when Right
    std::chrono::seconds wait{0};  // when TooMany
  };
  virtual ~SignIns() = default;
  virtual Outcome signIn(std::string_view client, std::string_view name, const Secret& password) = 0;
};

// Takes a message for good. Returns once it survives a power cut.
// Errors: Error(DiskFull) becomes 452 4.3.1, anything else 451 4.3.0; nothing may be kept then.
class Acceptor {
public:
  virtual ~Acceptor() = default;
  virtual void accept(app::Submission submission) = 0;
};

// Another name of this server, as clients know it.
struct ServerName {
  std::string name;
  std::string retiredOn;  // a day; empty while it is not retired
  bool refuses = false;   // mail over it, since it is retired
};

// The other names of this server, and who still uses them. Must not block and must not throw.
class ServerNames {
public:
  enum class Use : std::uint8_t { Session, Message, Refusal };
  virtual ~ServerNames() = default;
  virtual std::optional<ServerName> byName(std::string_view name) const = 0;        // asked for in TLS
  virtual std::optional<ServerName> byAddress(std::string_view address) const = 0;  // that the client connected to
  virtual void used(const std::string& name, std::string_view client, Use use) = 0;
};

// Counts and reports. Must not block and must not throw.
class Observer {
public:
  virtual ~Observer() = default;
  virtual void sessionOpened() {}
  virtual void sessionClosed() {}
  virtual void connectionRefused() {}
  // After it is durable; without recipients: discarded by policy.
  virtual void accepted(std::string_view /*queueId*/, std::size_t /*recipients*/, std::size_t /*bytes*/) {}
  virtual void refused(const app::RefusalEvent& /*event*/) {}
};

struct Ports {
  Directory& directory;
  Inspector& inspector;
  Acceptor& acceptor;
  Observer& observer;
  const Clock& clock;
  SignIns* signIns = nullptr;    // none: nobody can sign in
  ServerNames* names = nullptr;  // none: this server has one name
};

}  // namespace postern::gateway
