#pragma once
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
  std::uint32_t maxIdleCommands = 100;       // NOOP, RSET and the like between two messages, then 421
};

enum class State : std::uint8_t {
  Greeted,      // no EHLO or HELO yet
  Ready,        // no transaction
  Sender,       // MAIL accepted
  Recipients,   // at least one RCPT accepted
  Chunking,     // at least one BDAT chunk accepted, more to come
  Content,      // bytes of DATA
  ChunkBytes,   // bytes of one BDAT chunk
  StartingTls,  // 220 given; nothing is read until the handshake is done
  Closed,       // nothing is read any more
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
        observer(ports.observer),
        clock(ports.clock),
        client(std::move(clientFacts)),
        tls(std::move(tlsFacts)) {}

  const SessionSettings& settings;
  const Directory& directory;
  Observer& observer;
  const Clock& clock;
  ClientFacts client;
  app::TlsFacts tls;

  State state = State::Greeted;
  std::string helo;
  bool extended = false;  // EHLO rather than HELO
  std::optional<Transaction> transaction;
  std::optional<smtp::DataDecoder> decoder;
  std::uint64_t chunkSize = 0;
  std::uint64_t chunkLeft = 0;
  bool chunkIsLast = false;
  std::optional<smtp::Reply> chunkRefusal;  // the octets are skipped, then this is the reply

  std::uint32_t errors = 0;
  std::uint32_t refusedRecipients = 0;
  std::uint32_t idleCommands = 0;
  std::uint64_t transactions = 0;  // begun so far
  bool saidQuit = false;
  std::string output;

  bool encrypted() const { return !tls.version.empty(); }

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
