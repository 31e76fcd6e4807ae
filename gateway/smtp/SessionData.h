#pragma once
#include "core/base/Secret.h"
#include "core/config/SiteConfig.h"
#include "core/net/IpRange.h"
#include "core/smtp/Command.h"
#include "core/smtp/DataDecoder.h"
#include "core/smtp/Reply.h"
#include "gateway/smtp/Ports.h"
#include "gateway/smtp/Transaction.h"

#include <cstdint>
#include <optional>
#include <string>

namespace postern::gateway {

// What the administrator has set for all sessions. Immutable, outlives them.
struct SessionSettings {
  std::string hostName = "localhost.localdomain";
  bool offerTls = true;
  std::uint64_t maxMessageSize = 20u << 20;
  std::uint32_t maxRecipients = 1000;
  std::uint32_t maxHops = 50;
  std::uint32_t maxContentLine = 998;        // 0: any
  std::uint32_t maxErrors = 20;              // commands that are wrong, then 421
  std::uint32_t maxRefusedRecipients = 100;  // in a session, then 421: nobody shall try out addresses here
  bool submission = false;                   // for people: nothing is taken before TLS and AUTH
  std::uint32_t maxSignInTries = 3;          // wrong ones in a session, then 421
  std::uint32_t maxIdleCommands = 100;       // NOOP, RSET and the like between two messages, then 421
  std::vector<net::IpRange> xclientHosts;    // filters in front that may say who the client is
  std::vector<config::SiteConfig::SenderTls> senderTls;
};

// What the listener demands, and where the client knocked.
struct Door {
  bool tlsRequired = false;
  bool certificateRequired = false;
  std::string address;  // of ours; empty: not known
};

// What a TLS handshake told of the client.
struct TlsPeer {
  std::string serverName;  // asked for; empty: none
  std::optional<net::ClientCertificate> certificate;
};

enum class State : std::uint8_t {
  Greeted,      // no EHLO or HELO yet
  Ready,        // no transaction
  Sender,       // MAIL accepted
  Recipients,   // at least one RCPT accepted
  Chunking,     // at least one BDAT chunk accepted, more to come
  Content,      // bytes of DATA
  ChunkBytes,   // bytes of one BDAT chunk
  SignIn,       // a line of an AUTH dialogue
  StartingTls,  // 220 given; nothing is read until the handshake is done
  Closed,       // nothing is read any more
};

// What an AUTH dialogue waits for.
enum class SignInStep : std::uint8_t { Plain, LoginName, LoginPassword };

struct Credentials {
  std::string name;
  Secret password;
};

// What one session knows, and what its verbs read and change. Only SmtpSession and the files in verbs/ use it.
// Invariants:
//  1. `transaction` is there from Sender to the end of the content, and never in Greeted and Ready.
//  2. `decoder` is there in Content, and in Chunking and ChunkBytes unless the chunk is being skipped.
struct SessionData {
  SessionData(const SessionSettings& sessionSettings, const Ports& ports, ClientFacts clientFacts,
              app::TlsFacts tlsFacts)
      : settings(sessionSettings),
        directory(ports.directory),
        inspector(ports.inspector),
        observer(ports.observer),
        clock(ports.clock),
        names(ports.names),
        client(std::move(clientFacts)),
        tls(std::move(tlsFacts)) {}

  const SessionSettings& settings;
  const Directory& directory;
  const Inspector& inspector;
  Observer& observer;
  const Clock& clock;
  ServerNames* const names;
  ClientFacts client;
  app::TlsFacts tls;
  Door door;
  bool mayXclient = false;                   // the connection comes from a filter that speaks for others
  std::optional<ServerName> name;            // another one of this server, over which the client came
  std::optional<std::string> forwardedHelo;  // said by the filter; stands instead of the filter's own

  State state = State::Greeted;
  std::string helo;
  bool extended = false;  // EHLO rather than HELO
  std::optional<Transaction> transaction;
  std::optional<smtp::DataDecoder> decoder;
  std::uint64_t chunkSize = 0;
  std::uint64_t chunkLeft = 0;
  bool chunkIsLast = false;
  std::optional<smtp::Reply> chunkRefusal;  // the octets are skipped, then this is the reply

  SignInStep signInStep = SignInStep::Plain;
  std::string signInName;                  // of LOGIN, while the password is missing
  std::optional<Credentials> credentials;  // whole, to be asked about
  std::optional<app::SignedIn> person;     // signed in
  std::uint32_t signInFailures = 0;

  std::uint32_t errors = 0;
  std::uint32_t refusedRecipients = 0;
  std::uint32_t idleCommands = 0;
  std::uint64_t transactions = 0;  // begun so far
  bool saidQuit = false;
  std::string output;

  bool encrypted() const { return !tls.version.empty(); }
  // In the banner and in replies: the name that the client knows.
  const std::string& hostName() const { return name ? name->name : settings.hostName; }
  // Who may say XCLIENT is a matter of the connection; a client that was named by it gains nothing.
  void clientKnown();
  // Looks up by which name the client came, and counts it once. `asked` in TLS; empty: by the address alone.
  void findName(std::string_view asked);

  void say(const smtp::Reply& reply) { output += reply.render(transaction && transaction->smtpUtf8); }
  void say(smtp::ReplyId id, std::initializer_list<std::string_view> arguments = {}) {
    say(smtp::makeReply(id, arguments));
  }
  // Back to Ready (or Greeted): whatever was collected is gone.
  void dropTransaction() {
    transaction.reset();
    decoder.reset();
    chunkRefusal.reset();
    chunkLeft = 0;
    state = helo.empty() ? State::Greeted : State::Ready;
  }
  void close() {
    dropTransaction();
    state = State::Closed;
  }
  // Tells the observer of a refusal. `recipient` is empty when all recipients of the transaction are meant.
  void report(const smtp::Reply& reply, std::string_view reason, std::string_view policy = {},
              std::string_view recipient = {}) const;
};

}  // namespace postern::gateway
