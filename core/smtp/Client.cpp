#include "core/smtp/Client.h"

#include <algorithm>
#include <charconv>

namespace postern::smtp {

namespace {

std::string upper(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(), [](unsigned char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : static_cast<char>(c);
  });
  return result;
}

bool isAscii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x80; });
}

// Whether an address can stand between angle brackets without becoming something else on the command line.
bool isSafePath(std::string_view path) {
  if (path.size() > 320) return false;
  bool quoted = false;
  bool escaped = false;
  for (const unsigned char c : path) {
    if (c < 0x20 || c == 0x7f) return false;
    if (quoted) {
      if (!escaped && c == '"') quoted = false;
      escaped = !escaped && c == '\\';
    } else {
      if (c == ' ' || c == '<' || c == '>' || c == '\\') return false;
      quoted = c == '"';
    }
  }
  return !quoted;
}

ClientResult resultOf(const ClientReply& reply, std::string_view command) {
  ClientResult result;
  result.code = reply.code;
  result.replied = true;
  result.text = reply.text();
  if (reply.group() == 5) result.outcome = ClientResult::Outcome::Permanent;
  if (reply.group() != 5 && reply.group() != 4)
    result.text = printable("unexpected reply to " + std::string(command) + ": " + result.text);
  return result;
}

}  // namespace

ClientDialog::ClientDialog(std::string heloName, ClientTls tls) : heloName_(std::move(heloName)), tls_(tls) {}

ClientDialog::Want ClientDialog::want() const {
  if (step_ == Step::Closed) return Want::Closed;
  if (step_ == Step::Handshake) return Want::TlsHandshake;
  if (contentWanted_) return Want::Content;
  if (step_ == Step::Ready && expected_.empty()) return Want::Idle;
  return Want::Bytes;
}

ClientDialog::Timer ClientDialog::timer() const {
  if (step_ == Step::Greeting) return Timer::Greeting;
  if (expected_.empty()) return Timer::Command;
  switch (expected_.front()) {
    case Expect::Data:
      return Timer::Data;
    case Expect::Final:
    case Expect::EmptyFinal:
      return Timer::Final;
    case Expect::Reset:
    case Expect::Mail:
    case Expect::Recipient:
    case Expect::Quit:
      return Timer::Command;
  }
  return Timer::Command;
}

void ClientDialog::receive(std::string_view bytes) {
  if (step_ == Step::Closed) return;
  parser_.feed(bytes);
  while (step_ != Step::Closed) {
    const auto want = this->want();
    if (want != Want::Bytes) {
      // A server that talks without being asked is out of step with us, or somebody else speaks in its place.
      if (!parser_.hasUnread()) return;
      if (want == Want::TlsHandshake)
        close(0, "bytes came behind the answer to STARTTLS, before TLS: somebody may be injecting replies");
      else if (auto reply = parser_.next(); reply.has_value() && *reply && (*reply)->code == 421)
        close(421, (*reply)->text());
      else
        close(0, "the server spoke out of turn");
      return;
    }
    auto reply = parser_.next();
    if (!reply) return close(0, reply.error());
    if (!*reply) return;
    take(**reply);
  }
}

void ClientDialog::take(const ClientReply& reply) {
  ++repliesTaken_;
  // RFC 5321 §3.8: 421 may answer any command, and the connection ends with it.
  const bool quitting = !expected_.empty() && expected_.front() == Expect::Quit;
  if (reply.code == 421 || quitting) return close(reply.code, reply.text());
  switch (step_) {
    case Step::Greeting:
      return takeGreeting(reply);
    case Step::Ehlo:
      return takeEhlo(reply);
    case Step::Helo:
      if (reply.group() == 2) return ready();
      return close(reply.code, reply.text());
    case Step::StartTls:
      return takeStartTls(reply);
    case Step::Ready: {
      const auto expected = expected_.front();
      expected_.pop_front();
      return takeInTransaction(expected, reply);
    }
    case Step::Handshake:
    case Step::Closed:
      return;
  }
}

void ClientDialog::takeGreeting(const ClientReply& reply) {
  if (reply.group() != 2) return close(reply.code, reply.text());
  step_ = Step::Ehlo;
  output_ += "EHLO " + heloName_ + "\r\n";
}

void ClientDialog::takeEhlo(const ClientReply& reply) {
  extensions_.clear();
  const bool needsTls = tls_ == ClientTls::Required || tls_ == ClientTls::Verified;
  if (reply.group() == 5 && !needsTls) {
    step_ = Step::Helo;  // RFC 5321 §3.2: a server that knows no EHLO
    output_ += "HELO " + heloName_ + "\r\n";
    return;
  }
  if (reply.group() != 2) return close(reply.code, reply.text());
  const auto& first = reply.lines.front();
  if (upper(std::string_view(first).substr(0, first.find(' '))) == upper(heloName_)) {
    failure_.loop = true;
    return close(0, "the server answers with our own name " + heloName_ + ": mail would come back to us");
  }
  for (std::size_t i = 1; i < reply.lines.size(); ++i) {
    const auto line = upper(reply.lines[i]);
    const auto space = line.find(' ');
    extensions_[line.substr(0, space)] = space == std::string::npos ? "" : line.substr(space + 1);
  }
  if (tlsOn_ || tls_ == ClientTls::None) return ready();
  if (offers("STARTTLS")) {
    step_ = Step::StartTls;
    output_ += "STARTTLS\r\n";
    return;
  }
  ready();
}

void ClientDialog::takeStartTls(const ClientReply& reply) {
  if (reply.code == 220) {
    step_ = Step::Handshake;
    return;
  }
  if (reply.group() != 4 && reply.group() != 5)
    return close(reply.code, "unexpected reply to STARTTLS: " + reply.text());
  if (tls_ == ClientTls::Opportunistic) return ready();
  close(reply.code, "TLS is required and the server refuses STARTTLS: " + reply.text());
}

void ClientDialog::tlsStarted() {
  tlsOn_ = true;
  parser_.clear();
  extensions_.clear();  // RFC 3207 §4.2: nothing that was learnt in clear counts
  step_ = Step::Ehlo;
  output_ += "EHLO " + heloName_ + "\r\n";
}

void ClientDialog::handshakeFailed(std::string_view why) {
  failure_.tlsHandshake = true;
  close(0, why);
}

void ClientDialog::ready() {
  if (!tlsOn_ && (tls_ == ClientTls::Required || tls_ == ClientTls::Verified))
    return close(0, "TLS is required and the server does not offer STARTTLS");
  step_ = Step::Ready;
}

bool ClientDialog::mayBegin() const {
  if (step_ != Step::Ready || contentWanted_) return false;
  if (expected_.empty()) return transactions_.empty();
  return pipelining() && expected_.size() == 1 && expected_.front() == Expect::Final && !parser_.hasUnread();
}

std::optional<std::string> ClientDialog::prepare(const ClientEnvelope& envelope, Transaction& transaction) const {
  if (!isSafePath(envelope.mailFrom) || !isSafePath(envelope.recipient) || envelope.recipient.empty())
    return "internal error: the address cannot stand in an SMTP command";
  const bool utf8 = !isAscii(envelope.mailFrom) || !isAscii(envelope.recipient) || envelope.eightBitHeader;
  if (utf8 && !offers("SMTPUTF8"))
    return "5.6.7 the message has addresses or header fields in UTF-8 and the server does not take them (no SMTPUTF8)";
  if (envelope.eightBit && !offers("8BITMIME"))
    return "5.6.3 the message has 8-bit content and the server does not take it (no 8BITMIME)";
  const bool promised = envelope.requireTls && tlsOn_ && offers("REQUIRETLS");
  if (envelope.mustRequireTls && !promised)
    return "5.7.30 REQUIRETLS support required: the sender wants TLS all the way, and the server does not promise it";
  transaction.mailCommand = "MAIL FROM:<" + std::string(envelope.mailFrom) + ">";
  if (const auto size = extensions_.find("SIZE"); size != extensions_.end()) {
    std::uint64_t limit = 0;
    std::from_chars(size->second.data(), size->second.data() + size->second.size(), limit);
    if (limit != 0 && envelope.size > limit)
      return "5.3.4 the message is larger (" + std::to_string(envelope.size) + " bytes) than the server takes (" +
             std::to_string(limit) + ")";
    transaction.mailCommand += " SIZE=" + std::to_string(envelope.size);
  }
  if (envelope.eightBit) transaction.mailCommand += " BODY=8BITMIME";
  if (utf8) transaction.mailCommand += " SMTPUTF8";
  if (promised) transaction.mailCommand += " REQUIRETLS";
  transaction.mailCommand += "\r\n";
  transaction.recipientCommand = "RCPT TO:<" + std::string(envelope.recipient) + ">\r\n";
  return std::nullopt;
}

void ClientDialog::begin(const ClientEnvelope& envelope) {
  Transaction transaction;
  auto problem = prepare(envelope, transaction);
  if (problem) transaction.mailCommand.clear();  // nothing of it may be sent
  transactions_.push_back(std::move(transaction));
  if (problem) {
    ClientResult result;
    result.outcome = ClientResult::Outcome::Permanent;
    result.text = printable(*problem);
    // Behind another message's final dot its own result has to come first.
    if (transactions_.size() > 1) {
      transactions_.back().failed = std::move(result);
      return;
    }
    return conclude(std::move(result));
  }
  if (!pipelining()) return sendNext();
  if (std::exchange(resetNeeded_, false)) send("RSET\r\n", Expect::Reset);
  send(transactions_.back().mailCommand, Expect::Mail);
  send(transactions_.back().recipientCommand, Expect::Recipient);
  send("DATA\r\n", Expect::Data);
}

// Without pipelining: the first command of the message at hand.
void ClientDialog::sendNext() {
  if (std::exchange(resetNeeded_, false)) return send("RSET\r\n", Expect::Reset);
  send(transactions_.front().mailCommand, Expect::Mail);
}

void ClientDialog::send(std::string_view command, Expect expected) {
  output_ += command;
  expected_.push_back(expected);
}

void ClientDialog::takeInTransaction(Expect expected, const ClientReply& reply) {
  const bool positive = reply.group() == 2;
  const bool pipelined = pipelining();
  switch (expected) {
    case Expect::Reset:
      if (!positive) return close(reply.code, "the server refuses RSET: " + reply.text());
      if (!pipelined) sendNext();
      return;
    case Expect::Mail:
      if (!positive) return refuse(reply);
      if (!pipelined) send(transactions_.front().recipientCommand, Expect::Recipient);
      return;
    case Expect::Recipient:
      if (!positive) return refuse(reply);
      if (!pipelined) send("DATA\r\n", Expect::Data);
      return;
    case Expect::Data:
      return takeData(reply);
    case Expect::Final: {
      auto result = resultOf(reply, "the end of the content");
      if (positive) {
        result.outcome = ClientResult::Outcome::Accepted;
        result.text = reply.text();
      }
      result.contentSent = true;
      if (reply.group() == 3) return close(reply.code, result.text);
      return conclude(std::move(result));
    }
    case Expect::EmptyFinal:
      return conclude(std::move(*transactions_.front().failed));
    case Expect::Quit:
      return;
  }
}

void ClientDialog::takeData(const ClientReply& reply) {
  auto& transaction = transactions_.front();
  if (reply.code != 354) {
    if (reply.group() == 2 || reply.group() == 3) return close(reply.code, "unexpected reply to DATA: " + reply.text());
    return refuse(reply);
  }
  if (!transaction.failed) {
    contentWanted_ = true;
    return;
  }
  // RFC 2920 §3.1: DATA was taken although no recipient was; an empty message ends it.
  send(".\r\n", Expect::EmptyFinal);
}

void ClientDialog::refuse(const ClientReply& reply) {
  if (reply.group() == 3) return close(reply.code, "unexpected reply: " + reply.text());
  auto& transaction = transactions_.front();
  if (!transaction.failed) transaction.failed = resultOf(reply, "a command");
  resetNeeded_ = true;
  const bool more = !expected_.empty() && expected_.front() != Expect::Reset && expected_.front() != Expect::Quit;
  if (!more) conclude(std::move(*transaction.failed));
}

void ClientDialog::contentSent() {
  contentWanted_ = false;
  transactions_.front().contentSent = true;
  expected_.push_back(Expect::Final);
}

void ClientDialog::conclude(ClientResult result) {
  results_.push_back(std::move(result));
  transactions_.pop_front();
  // The next one may have been refused by ourselves while it waited behind this one's final dot.
  if (!transactions_.empty() && transactions_.front().failed && transactions_.front().mailCommand.empty()) {
    results_.push_back(std::move(*transactions_.front().failed));
    transactions_.pop_front();
  }
}

void ClientDialog::broken(std::string_view why) {
  close(0, why);
}

void ClientDialog::close(std::uint16_t code, std::string_view text) {
  if (step_ == Step::Closed) return;
  step_ = Step::Closed;
  contentWanted_ = false;
  expected_.clear();
  output_.clear();
  failure_.code = code;
  failure_.text = printable(text);
  for (auto& transaction : transactions_) {
    ClientResult result = transaction.failed.value_or(ClientResult{});
    if (!transaction.failed) {
      result.code = code;
      result.text = failure_.text;
      result.contentSent = transaction.contentSent;
    }
    results_.push_back(std::move(result));
  }
  transactions_.clear();
}

void ClientDialog::quit() {
  if (step_ == Step::Closed) return;
  if (want() != Want::Idle) return close(0, "given up");
  send("QUIT\r\n", Expect::Quit);
}

std::optional<ClientResult> ClientDialog::takeResult() {
  if (results_.empty()) return std::nullopt;
  auto result = std::move(results_.front());
  results_.pop_front();
  return result;
}

}  // namespace postern::smtp
