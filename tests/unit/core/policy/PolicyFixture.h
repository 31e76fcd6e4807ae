#pragma once
#include "core/base/Files.h"
#include "core/policy/PolicyHost.h"
#include "core/policy/WorkerProcess.h"
#include "tests/support/TempFolder.h"

#include <chrono>
#include <filesystem>
#include <string>

namespace postern::policy::test {

inline const std::filesystem::path WorkerProgram = std::filesystem::path(POSTERN_BINARY_DIR) / "bin/postern-policy";
inline const std::filesystem::path ShippedFolder = std::filesystem::path(POSTERN_SOURCE_DIR) / "lua-policies";

// A policy file around the body of one hook.
inline std::string policyText(const std::string& name, const std::string& body, const std::string& hook = "message",
                              const std::string& before = "") {
  const std::string second = hook == "rcpt" ? "rcpt" : "msg";
  return before + "\nreturn { name = \"" + name + "\", doc = \"for a test\", hooks = { " + hook + " = function(tx, " +
         second + ")\n" + body + "\nend } }\n";
}

// A policy folder that a test writes.
class SetFolder {
public:
  SetFolder() = default;
  explicit SetFolder(const std::string& body, const std::string& before = "") {
    write("probe.lua", policyText("probe", body, "message", before));
  }

  void write(const std::string& name, const std::string& text) {
    files::makePrivateFolder((folder_ / name).parent_path());
    files::replaceDurably(folder_ / name, text);
  }
  const std::filesystem::path& path() const { return folder_.path(); }

  PolicyHostOptions options() const {
    PolicyHostOptions options;
    options.folder = folder_.path();
    options.workerProgram = WorkerProgram;
    options.workers = 1;
    options.limits.timeout = std::chrono::milliseconds(1500);
    return options;
  }

private:
  postern::test::TempFolder folder_;
};

// A transaction to a secure and an open list.
inline TransactionFacts twoLists() {
  TransactionFacts facts;
  facts.client = {"192.0.2.7", "relay.example.org", TlsFacts{"TLSv1.3", "TLS_AES_256_GCM_SHA384", 256, "ok"}};
  facts.helo = "relay.example.org";
  facts.mailFrom = "ann@example.org";
  facts.recipients = {{"board@lists.example.org", "board", true}, {"social@lists.example.org", "social", false}};
  facts.size = 1234;
  return facts;
}

inline MessageFacts mail(const std::string& subject) {
  MessageFacts message;
  message.subject = subject;
  message.headers = {{"From", "Ann <ann@example.org>", " Ann <ann@example.org>"}, {"Subject", subject, " " + subject}};
  message.from = "ann@example.org";
  message.size = 1234;
  message.messageId = "<1@example.org>";
  return message;
}

// Asks a new host with this hook body once.
inline MessageOutcome askOnce(const std::string& body, const std::string& before = "",
                              std::chrono::milliseconds timeout = std::chrono::milliseconds(1500)) {
  const SetFolder folder(body, before);
  auto options = folder.options();
  options.limits.timeout = timeout;
  PolicyHost host(options);
  BOOST_REQUIRE_MESSAGE(host.status().hasSet, [&] {
    std::string text = "the set was refused";
    for (const auto& problem : host.status().lastReload.check.problems) text += "; " + problem.text;
    return text;
  }());
  return host.message(twoLists(), mail("hello"));
}

template <class Outcome>
std::string detailOf(const Outcome& outcome) {
  return outcome ? "no failure" : outcome.error().detail;
}

inline std::string failureWord(const MessageOutcome& outcome) {
  return outcome ? "no failure" : wordFor(outcome.error().kind);
}

}  // namespace postern::policy::test
