#pragma once
#include "core/base/Error.h"
#include "gateway/smtp/Ports.h"
#include "gateway/smtp/SmtpSession.h"

#include <map>
#include <mutex>
#include <string>
#include <vector>

// A small site for session tests and fuzz targets: lists board (secure), social (open) and one with a non-ASCII name,
// each with its bounces address. What the inspector and the acceptor answer is steered by addresses and content.
namespace postern::gateway::fakes {

class FakeDirectory : public Directory {
public:
  bool isReady = true;

  bool ready() const override { return isReady; }
  bool isLocalDomain(std::string_view domain) const override { return domain == "lists.example"; }
  std::optional<app::RoutedAddress> find(const mail::Address& address) const override {
    const auto key = address.key();
    for (const char* name : {"board", "social", "refused", "deferred", "broken",
                             "gr\xc3\xbc\xc3\x9f"
                             "e"}) {
      const std::string list = name;
      if (key == list + "@lists.example")
        return app::RoutedAddress{key, list, list == "board", app::RoutedAddress::Role::List};
      const std::string bounces = list + "-bounces";
      if (key == bounces + "@lists.example" || (key.starts_with(bounces + "+") && key.ends_with("@lists.example")))
        return app::RoutedAddress{bounces + "@lists.example", list, list == "board", app::RoutedAddress::Role::Bounces};
    }
    return std::nullopt;
  }
  std::string helpLink() const override { return "https://help.example/secure"; }
};

class FakeInspector : public Inspector {
public:
  std::optional<Refusal> recipient(const InspectionFacts&, const TransactionRecipient& candidate) override {
    const auto name = candidate.address.localPart();
    if (name == "broken") throw Error(ErrorKind::Unavailable, "the fake inspector is broken");
    if (name == "refused")
      return Refusal{smtp::makeReply(smtp::ReplyId::RecipientRefused, {"not for you"}), "fake", "fake"};
    if (name == "deferred") return Refusal{smtp::makeReply(smtp::ReplyId::PolicyDeferred, {"not now"}), "fake", "fake"};
    return std::nullopt;
  }
  MessageDecision message(const InspectionFacts&, std::string_view content) override {
    MessageDecision decision;
    if (content.find("Subject: broken policy") != content.npos)
      throw Error(ErrorKind::Unavailable, "the fake inspector is broken");
    if (content.find("Subject: refuse") != content.npos)
      decision.refusal = Refusal{smtp::makeReply(smtp::ReplyId::MessageRefused).line("help: https://help.example"),
                                 "secure-tag", "secure_tag"};
    if (content.find("Subject: drop first") != content.npos) decision.discarded = {0};
    return decision;
  }
};

class FakeAcceptor : public Acceptor {
public:
  void accept(app::Submission submission) override {
    if (submission.content.find("Subject: disk full") != std::string::npos)
      throw Error(ErrorKind::DiskFull, "the fake disk is full");
    if (submission.content.find("Subject: store broken") != std::string::npos)
      throw Error(ErrorKind::Store, "the fake store is broken");
    const std::lock_guard lock(mutex);
    accepted.push_back(std::move(submission));
  }
  std::size_t count() const {
    const std::lock_guard lock(mutex);
    return accepted.size();
  }
  mutable std::mutex mutex;
  std::vector<app::Submission> accepted;
};

class FakeObserver : public Observer {
public:
  void refused(const app::RefusalEvent& event) override {
    const std::lock_guard lock(mutex);
    refusals.push_back(event);
  }
  std::mutex mutex;
  std::vector<app::RefusalEvent> refusals;
};

// All of them together.
struct FakeSite {
  FakeDirectory directory;
  FakeInspector inspector;
  FakeAcceptor acceptor;
  FakeObserver observer;
  FakeClock clock{fromMicros(1'772'366'400'000'000)};  // 2026-03-01 12:00:00
  Ports ports{directory, inspector, acceptor, observer, clock};
};

}  // namespace postern::gateway::fakes
