// rooms: gateway
#include "gateway/smtp/PendingWork.h"
#include "gateway/smtp/SmtpSession.h"
#include "tests/unit/gateway/smtp/Fakes.h"

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

using namespace postern;
using namespace postern::gateway;

namespace {

void demand(bool condition) {
  if (!condition) std::abort();
}

SessionSettings settings(bool submission, bool filter = false) {
  SessionSettings result;
  if (filter) result.xclientHosts = {*net::IpRange::parse("192.0.2.7")};
  result.submission = submission;
  result.maxMessageSize = 4096;
  result.maxRecipients = 3;
  result.maxHops = 3;
  return result;
}

struct Run {
  std::string output;
  std::size_t accepted = 0;
  bool closed = false;
};

// `submission`: a listener for people, in TLS.
Run run(std::string_view bytes, std::size_t piece, bool submission, bool filter) {
  static const SessionSettings ForFilters = settings(false, true);
  static const SessionSettings ForServers = settings(false);
  static const SessionSettings ForPeople = settings(true);
  fakes::FakeSite site;
  const app::TlsFacts tls{submission ? "TLSv1.3" : "", "", 0, "", {}};
  SmtpSession session(submission ? ForPeople : filter ? ForFilters : ForServers, site.ports, {"192.0.2.7", ""}, tls);
  session.greet();
  Run result;
  const auto take = [&] {
    answerPending(session, site.ports);
    while (session.hasOutput()) {
      result.output += session.takeOutput();
      session.resume();
      answerPending(session, site.ports);
    }
  };
  take();
  for (std::size_t at = 0; at < bytes.size() && !session.closed(); at += piece) {
    session.feed(bytes.substr(at, piece));
    take();
    if (session.wantsTls()) break;
  }
  for (const auto& message : site.acceptor.accepted) {
    demand(!message.recipients.empty());
    // Who signed in may write to anybody; nobody else is relayed for.
    for (const auto& recipient : message.recipients) demand(submission || recipient.ends_with("@lists.example"));
    const auto& text = message.content;
    demand(text.starts_with("Received: from "));
    demand(text.ends_with("\r\n"));
    for (std::size_t i = 0; i < text.size(); ++i) {
      demand(text[i] != '\0');
      if (text[i] == '\n') demand(i > 0 && text[i - 1] == '\r');
      if (text[i] == '\r') demand(i + 1 < text.size() && text[i + 1] == '\n');
    }
  }
  result.accepted = site.acceptor.accepted.size();
  result.closed = session.closed();
  return result;
}

std::size_t count(std::string_view bytes, std::string_view what) {
  std::size_t found = 0;
  for (std::size_t at = bytes.find(what); at != std::string_view::npos; at = bytes.find(what, at + 1)) ++found;
  return found;
}

void demandGoodOutput(std::string_view output) {
  while (!output.empty()) {
    const auto end = output.find("\r\n");
    demand(end != std::string_view::npos && end >= 4 && end + 2 <= 512);
    const auto line = output.substr(0, end);
    demand(line[0] >= '2' && line[0] <= '5' && (line[3] == ' ' || line[3] == '-'));
    for (const char c : line) demand(static_cast<unsigned char>(c) >= 0x20);
    output.remove_prefix(end + 2);
  }
}

// The id of a message, 32 hexadecimal digits, differs from run to run.
std::string withoutIds(std::string output) {
  constexpr std::string_view Mark = "accepted as ";
  for (std::size_t at = output.find(Mark); at != std::string::npos; at = output.find(Mark, at + 1))
    output.erase(at + Mark.size(), 32);
  return output;
}

}  // namespace

// A session between fakes, fed whole and in pieces as the first byte says. The same must come out, and there can be no
// more messages than ends of messages in the input.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const bool submission = data[0] >= 0x80;
  const bool filter = data[0] >= 0x60;  // in front of us, and speaks for others
  const auto whole = run(bytes, bytes.size() + 1, submission, filter);
  demandGoodOutput(whole.output);
  if (submission && whole.accepted > 0) demand(whole.output.find("\r\n235 2.7.0 ") != std::string::npos);
  demand(whole.accepted <= count(bytes, "\n.\r\n") + count(bytes, "L") + count(bytes, "l"));
  const auto pieces = run(bytes, data[0] % 13 + 1, submission, filter);
  demandGoodOutput(pieces.output);
  // Whether content came in one go with a refused DATA is seen only when it did.
  if (whole.output.find("503 5.5.0 ") == std::string::npos && pieces.output.find("503 5.5.0 ") == std::string::npos) {
    demand(withoutIds(whole.output) == withoutIds(pieces.output));
    demand(whole.accepted == pieces.accepted);
    demand(whole.closed == pieces.closed);
  }
  return 0;
}
