// postern-policy: runs one policy set for the gateway or the command line. Not for use by hand.
//
// Descriptor 0 is one end of a socket pair; everything comes and goes there (core/policy/frame/PolicyFrame.h), the
// texts of the policies too. `postern-policy --try NAME` puts up the walls, then tries a forbidden thing and must be
// killed for it; exit 0 means that the kernel let it through.
//
// SECURITY
//   Runs scripts that an administrator wrote, on mail that anybody sent; assumes that both are hostile. Before any
//   Lua runs it has no descriptor but the socket, no way to get one, no new processes, no files, limits on memory and
//   CPU, and a system call filter that kills (Walls.h). Inside Lua: sealed libraries, a state without a trace of the
//   call before (Arena.h), limits that a script cannot swallow (Sandbox.h, LuaState.h). The parent kills it by the wall
//   clock. It holds the header fields of the mail at hand, its text and the names of its parts if a policy asked for
//   them, the site's sets, and nothing else: no keys, no store, no attachment.
#include "core/base/Error.h"
#include "core/policy/frame/DeliveryFrame.h"
#include "core/policy/frame/FrameChannel.h"
#include "core/policy/frame/ListFrame.h"
#include "core/policy/frame/PolicyFrame.h"
#include "core/policy/frame/QueryFrame.h"
#include "core/policy/worker/CaseRunner.h"
#include "core/policy/worker/PolicyRunner.h"
#include "core/policy/worker/Walls.h"

#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <exception>
#include <optional>
#include <string>

namespace {

using namespace postern;
using namespace postern::policy;

// Asks the host over the socket on which the call came.
class ChannelHost : public worker::HostPort {
public:
  explicit ChannelHost(FrameChannel& channel) : channel_(channel) {}
  MessageContent content() override { return frame::decodeContent(ask(frame::encodeContentQuery())); }
  std::uint64_t count(const std::string& policy, const std::string& key, std::uint32_t seconds) override {
    return frame::decodeCount(ask(frame::encode(frame::CountQuery{policy, key, seconds})));
  }

private:
  std::string ask(const std::string& query) {
    std::string answer;
    const bool answered = channel_.send(query, std::nullopt) == FrameChannel::Status::Ok &&
                          channel_.receive(answer, FrameChannel::MaxRequest, std::nullopt) == FrameChannel::Status::Ok;
    if (!answered) throw Error(ErrorKind::Unavailable, "the policy host does not answer");
    return answer;
  }

  FrameChannel& channel_;
};

MessageOutcome withoutSet() {
  return Unexpected(Failure{FailureKind::NoSet, "", "no set was loaded"});
}

Explanation explain(std::string_view question, std::optional<worker::PolicyRunner>& runner) {
  Explanation explanation;
  if (!runner) {
    explanation.outcome = withoutSet();
  } else if (frame::requestKind(question) == frame::RequestKind::Session) {
    const auto asked = frame::decodeSession(question);
    explanation.outcome =
        runner->explain(worker::sessionQuestion(asked.hook, asked.facts, asked.user), explanation.steps);
  } else if (frame::requestKind(question) == frame::RequestKind::Rcpt) {
    const auto asked = frame::decodeRcpt(question);
    explanation.outcome = runner->explain(worker::rcptQuestion(asked.facts, asked.recipient), explanation.steps);
  } else {
    const auto asked = frame::decodeMessage(question);
    explanation.outcome = runner->explain(worker::messageQuestion(asked.facts, asked.message), explanation.steps);
  }
  return explanation;
}

std::string answer(std::string_view request, std::optional<worker::PolicyRunner>& runner, worker::HostPort& host) {
  switch (frame::requestKind(request)) {
    case frame::RequestKind::Load:
      runner.emplace(frame::decodeLoad(request), host);
      return frame::encodeLoaded(runner->report(), worker::wantsToRetire());
    case frame::RequestKind::Rcpt: {
      const auto asked = frame::decodeRcpt(request);
      return frame::encodeOutcome(runner ? runner->rcpt(asked.facts, asked.recipient) : withoutSet(),
                                  worker::wantsToRetire());
    }
    case frame::RequestKind::Message: {
      const auto asked = frame::decodeMessage(request);
      return frame::encodeOutcome(runner ? runner->message(asked.facts, asked.message) : withoutSet(),
                                  worker::wantsToRetire());
    }
    case frame::RequestKind::Explain:
      return frame::encodeExplained(explain(frame::decodeExplain(request), runner), worker::wantsToRetire());
    case frame::RequestKind::Session: {
      const auto asked = frame::decodeSession(request);
      return frame::encodeOutcome(runner ? runner->session(asked.hook, asked.facts, asked.user) : withoutSet(),
                                  worker::wantsToRetire());
    }
    case frame::RequestKind::Post: {
      const auto asked = frame::decodeList(request);
      return frame::encodeOutcome(runner ? runner->post(asked.post) : withoutSet(), worker::wantsToRetire());
    }
    case frame::RequestKind::Members: {
      const auto asked = frame::decodeList(request);
      return frame::encodeOutcome(runner ? runner->members(asked.post, asked.members) : withoutSet(),
                                  worker::wantsToRetire());
    }
    case frame::RequestKind::Delivery: {
      const auto asked = frame::decodeDelivery(request);
      return frame::encodeOutcome(runner ? runner->delivery(asked.hook, asked.facts) : withoutSet(),
                                  worker::wantsToRetire());
    }
    case frame::RequestKind::Route: {
      const auto asked = frame::decodeRoute(request);
      return frame::encodeOutcome(runner ? runner->route(asked) : withoutSet(), worker::wantsToRetire());
    }
    case frame::RequestKind::Case: {
      const auto asked = frame::decodeCase(request);
      if (!runner) throw Error(ErrorKind::Malformed, "a case without a set");
      return frame::encodeCaseDone(worker::runCase(*runner, asked.policy, asked.number), worker::wantsToRetire());
    }
  }
  throw Error(ErrorKind::Malformed, "unknown request");
}

// Until the host closes the connection. Anything unexpected ends the process: the host sees that and fails closed.
int serve(FrameChannel channel) {
  ChannelHost host(channel);
  std::optional<worker::PolicyRunner> runner;
  std::string request;
  if (channel.send(frame::encodeReady(false), std::nullopt) != FrameChannel::Status::Ok) return 3;
  while (channel.receive(request, FrameChannel::MaxRequest, std::nullopt) == FrameChannel::Status::Ok)
    if (channel.send(answer(request, runner, host), std::nullopt) != FrameChannel::Status::Ok) return 3;
  return 0;
}

}  // namespace

int main(int count, char** arguments) {
  int status = 3;
  try {
    if (count == 3 && std::string(arguments[1]) == "--try") {
      worker::confine(STDIN_FILENO);
      status = worker::tryForbidden(arguments[2]) ? 0 : 1;
    } else if (count == 1) {
      worker::confine(STDIN_FILENO);
      status = serve(FrameChannel(FileDescriptor(STDIN_FILENO)));
    } else {
      std::fputs("postern-policy is started by Postern and takes no arguments; see `postern policy --help`\n", stderr);
      status = 2;
    }
  } catch (const std::exception& error) {
    std::fprintf(stderr, "postern-policy: %s\n", error.what());
  }
  // No destructors and exit handlers: they have no business left and might want forbidden system calls.
  ::_exit(status);
}
