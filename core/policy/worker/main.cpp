// postern-policy: runs one policy set for the gateway or the command line. Not for use by hand.
//
// Descriptor 0 is one end of a socket pair; everything comes and goes there (core/policy/frame/PolicyFrame.h), the
// texts of the policies too. `postern-policy --try NAME` puts up the walls, then tries a forbidden thing and must be
// killed for it; exit 0 means that the kernel let it through.
//
// SECURITY
//   Runs scripts that an administrator wrote, on mail that anybody sent; assumes that both are hostile. Before any
//   Lua runs it has no descriptor but the socket, no way to get one, no new processes, no files, limits on memory and
//   CPU, and a system call filter that kills (Walls.h). Inside Lua: sealed libraries, a fresh state per call, limits
//   that a script cannot swallow (Sandbox.h, LuaState.h). The parent kills it by the wall clock. It holds the header
//   fields of the mail at hand and nothing else: no keys, no store, no body.
#include "core/base/Error.h"
#include "core/policy/frame/FrameChannel.h"
#include "core/policy/frame/PolicyFrame.h"
#include "core/policy/worker/CaseRunner.h"
#include "core/policy/worker/PolicyRunner.h"
#include "core/policy/worker/Walls.h"

#include <unistd.h>

#include <cstdio>
#include <exception>
#include <optional>
#include <string>

namespace {

using namespace postern;
using namespace postern::policy;

MessageOutcome withoutSet() {
  return Unexpected(Failure{FailureKind::NoSet, "", "no set was loaded"});
}

std::string answer(std::string_view request, std::optional<worker::PolicyRunner>& runner) {
  switch (frame::requestKind(request)) {
    case frame::RequestKind::Load:
      runner.emplace(frame::decodeLoad(request));
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
  std::optional<worker::PolicyRunner> runner;
  std::string request;
  if (channel.send(frame::encodeReady(false), std::nullopt) != FrameChannel::Status::Ok) return 3;
  while (channel.receive(request, FrameChannel::MaxRequest, std::nullopt) == FrameChannel::Status::Ok)
    if (channel.send(answer(request, runner), std::nullopt) != FrameChannel::Status::Ok) return 3;
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
