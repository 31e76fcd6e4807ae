#pragma once
#include "core/smtp/ClientReply.h"

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace postern::smtp {

// Envelope and needs of one message for one recipient.
struct ClientEnvelope {
  std::string_view mailFrom;  // empty: the null sender
  std::string_view recipient;
  std::uint64_t size = 0;
  bool eightBit = false;        // the content holds bytes above 127
  bool eightBitHeader = false;  // and so does its header: needs SMTPUTF8, as does an address that is not ASCII
  bool requireTls = false;      // asks the server, if it knows how and TLS stands, to demand the same of the next one
  bool mustRequireTls = false;  // without that promise it is not sent: 5.7.30 (RFC 8689 §4.2.1)
};

// What came of one message.
struct ClientResult {
  enum class Outcome : std::uint8_t { Accepted, Temporary, Permanent };
  Outcome outcome = Outcome::Temporary;
  std::uint16_t code = 0;    // 0: no reply decided it
  std::string text;          // printable, at most 512 bytes
  bool replied = false;      // the server judged this message; false: the connection ended or no command was sent
  bool contentSent = false;  // the final dot may have arrived: trying again may deliver twice
};

// Why a connection came to nothing before a message could be sent, or ended.
struct ClientFailure {
  std::uint16_t code = 0;
  std::string text;
  bool tlsHandshake = false;  // STARTTLS was agreed and the handshake failed
  bool loop = false;          // the server answers with our own name
};

enum class ClientTls : std::uint8_t {
  None,           // not even if it is offered
  Opportunistic,  // when it is offered, unverified
  Required,       // no message without TLS, unverified
  Verified,       // no message without TLS to a verified peer
};

// The dialogue of an SMTP client on one connection, without I/O (RFC 5321, 2920, 3207, 1870, 6152, 6531, 8689). The
// driver loops: write takeOutput(), then do what want() says, until the result it waits for is there.
//
// Invariants: 1. With Required and Verified no MAIL leaves before tlsStarted(). 2. Extensions count only from the last
// EHLO; what was said before TLS is forgotten. 3. Bytes behind the 220 of STARTTLS refuse the connection. 4. A server
// that says more than it was asked ends the connection; a result that was already there stands. 5. No CR, LF, space or
// angle bracket of an address reaches a command line.
// Threads: one. Errors: none are thrown; REQUIRES stand at the functions.
class ClientDialog {
public:
  enum class Want : std::uint8_t { Bytes, TlsHandshake, Content, Idle, Closed };
  // Which of the deadlines of RFC 5321 §4.5.3.2 runs.
  enum class Timer : std::uint8_t { Greeting, Command, Data, Final };

  ClientDialog(std::string heloName, ClientTls tls);

  Want want() const;
  Timer timer() const;
  std::string takeOutput() { return std::exchange(output_, {}); }

  void receive(std::string_view bytes);
  void tlsStarted();                           // REQUIRES want() TlsHandshake
  void handshakeFailed(std::string_view why);  // REQUIRES want() TlsHandshake
  void begin(const ClientEnvelope& envelope);  // REQUIRES mayBegin()
  void contentSent();                          // REQUIRES want() Content; it is called just before the bytes leave
  void broken(std::string_view why);           // the connection was lost or a deadline passed
  void quit();

  // Idle, or the content of the last message is sent and the server takes pipelined commands: RFC 2920 §3.1 lets the
  // next MAIL stand right behind the final dot.
  bool mayBegin() const;
  std::optional<ClientResult> takeResult();                  // oldest first
  const ClientFailure& failure() const { return failure_; }  // when Closed
  bool hasTls() const { return tlsOn_; }
  std::uint64_t repliesTaken() const { return repliesTaken_; }
  bool pipelining() const { return offers("PIPELINING"); }
  bool offers(const std::string& keyword) const { return extensions_.contains(keyword); }  // in capitals

private:
  enum class Step : std::uint8_t { Greeting, Ehlo, Helo, StartTls, Handshake, Ready, Closed };
  enum class Expect : std::uint8_t { Reset, Mail, Recipient, Data, Final, EmptyFinal, Quit };
  struct Transaction {
    std::string mailCommand;
    std::string recipientCommand;
    std::optional<ClientResult> failed;  // first refusal, while replies to later commands are still to come
    bool contentSent = false;
  };

  void take(const ClientReply& reply);
  void takeGreeting(const ClientReply& reply);
  void takeEhlo(const ClientReply& reply);
  void takeStartTls(const ClientReply& reply);
  void takeInTransaction(Expect expected, const ClientReply& reply);
  void takeData(const ClientReply& reply);
  void send(std::string_view command, Expect expected);
  void ready();
  void sendNext();
  void refuse(const ClientReply& reply);
  void conclude(ClientResult result);
  void close(std::uint16_t code, std::string_view text);
  std::optional<std::string> prepare(const ClientEnvelope& envelope, Transaction& transaction) const;

  const std::string heloName_;
  const ClientTls tls_;
  Step step_ = Step::Greeting;
  ClientReplyParser parser_;
  std::string output_;
  std::map<std::string, std::string> extensions_;  // keyword in capitals -> its parameters
  bool tlsOn_ = false;
  bool contentWanted_ = false;
  bool resetNeeded_ = false;
  std::deque<Expect> expected_;           // replies to come, in order
  std::deque<Transaction> transactions_;  // begun and not concluded, at most two
  std::deque<ClientResult> results_;
  std::uint64_t repliesTaken_ = 0;
  ClientFailure failure_;
};

}  // namespace postern::smtp
