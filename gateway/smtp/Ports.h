#pragma once
#include "core/app/GatewayLink.h"
#include "core/smtp/Reply.h"
#include "gateway/smtp/Transaction.h"

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
  virtual std::optional<app::RoutedAddress> outbound(std::string_view /*client*/, const mail::Address& /*from*/,
                                                     const mail::Address& /*to*/) const {
    return std::nullopt;
  }
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
};

// What inspection says of a whole message: a refusal, or what to take along.
struct MessageDecision {
  std::optional<Refusal> refusal;
  std::vector<std::pair<std::string, std::string>> notes;
  std::vector<std::size_t> discarded;  // indexes of recipients that policy drops silently, ascending
};

// Judges recipients and messages. May block for as long as the policy limit; must not fail open.
// Errors: an exception is a 451 and a log line, made by the caller.
class Inspector {
public:
  virtual ~Inspector() = default;
  // `candidate` is not among the transaction's recipients yet. Nothing: let it join.
  virtual std::optional<Refusal> recipient(const InspectionFacts& facts, const TransactionRecipient& candidate) = 0;
  // `content` is the message as it came, without our Received line.
  virtual MessageDecision message(const InspectionFacts& facts, std::string_view content) = 0;
};

// Takes a message for good. Returns once it survives a power cut.
// Errors: Error(DiskFull) becomes 452 4.3.1, anything else 451 4.3.0; nothing may be kept then.
class Acceptor {
public:
  virtual ~Acceptor() = default;
  virtual void accept(app::Submission submission) = 0;
};

// Counts and reports. Must not block and must not throw.
class Observer {
public:
  virtual ~Observer() = default;
  virtual void sessionOpened() {}
  virtual void sessionClosed() {}
  virtual void connectionRefused() {}
  virtual void accepted(std::string_view /*queueId*/, std::size_t /*recipients*/, std::size_t /*bytes*/) {}
  virtual void refused(const app::RefusalEvent& /*event*/) {}
};

struct Ports {
  Directory& directory;
  Inspector& inspector;
  Acceptor& acceptor;
  Observer& observer;
  const Clock& clock;
};

}  // namespace postern::gateway
