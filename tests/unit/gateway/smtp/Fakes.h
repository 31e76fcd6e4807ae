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
  std::optional<app::RoutedAddress> outboundOfPerson(const mail::Address& from,
                                                     const mail::Address& to) const override {
    if (from.domain() != "client.example" || to.domain() != "outside.example") return std::nullopt;
    return app::RoutedAddress{to.key(), "board@lists.example", true, app::RoutedAddress::Role::Outbound};
  }
  std::string helpLink() const override { return "https://help.example/secure"; }
};

class FakeInspector : public Inspector {
public:
  policy::HookSet hooks;       // that there are
  std::string refusedConnect;  // "refused", "deferred", "broken"
  bool refusesSignIn = false;

  bool asks(policy::Hook hook) const override { return hooks.has(hook); }
  std::optional<Refusal> session(policy::Hook hook, const InspectionFacts& facts) override {
    const auto& from = facts.transaction.from;
    const auto word = hook == policy::Hook::Connect
                          ? facts.client.address == "203.0.113.66" ? "refused" : refusedConnect
                      : hook == policy::Hook::Ehlo    ? facts.helo.substr(0, facts.helo.find('.'))
                      : hook == policy::Hook::Mail    ? (from ? from->localPart() : std::string())
                      : facts.person && refusesSignIn ? std::string("refused")
                                                      : std::string();
    if (word == "broken") throw Error(ErrorKind::Unavailable, "the fake inspector is broken");
    if (word == "refused")
      return Refusal{smtp::makeReply(smtp::ReplyId::RecipientRefused, {"not from you"}), "fake", "fake"};
    if (word == "deferred") return Refusal{smtp::makeReply(smtp::ReplyId::PolicyDeferred, {"not now"}), "fake", "fake"};
    return std::nullopt;
  }
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

// Ann's password is "right"; "later" finds listd away.
class FakeSignIns : public SignIns {
public:
  Outcome signIn(std::string_view, std::string_view name, const Secret& password) override {
    if (password.view() == "later") return {};
    if (password.view() == "broken") throw Error(ErrorKind::Unavailable, "the fake is broken");
    if (name != "ann" || password.view() != "right") return {Outcome::Kind::Wrong, {}, {}};
    return {Outcome::Kind::Right, {"ann", "ann@client.example"}, {}};
  }
};

// The site is also known as old.example, and was as retired.example; who connects to an "address" of that name means
// it.
class FakeNames : public ServerNames {
public:
  std::optional<ServerName> byName(std::string_view name) const override {
    if (name == "old.example") return ServerName{"old.example", "", false};
    if (name == "warned.example") return ServerName{"warned.example", "2026-02-01", false};
    if (name == "retired.example") return ServerName{"retired.example", "2026-02-01", true};
    return std::nullopt;
  }
  std::optional<ServerName> byAddress(std::string_view address) const override { return byName(address); }
  void used(const std::string& name, std::string_view client, Use use) override {
    const std::lock_guard lock(mutex);
    const char* word = use == Use::Session ? "session" : use == Use::Message ? "message" : "refusal";
    uses.push_back(name + " " + std::string(client) + " " + word);
  }
  std::vector<std::string> seen() {
    const std::lock_guard lock(mutex);
    return uses;
  }
  std::mutex mutex;
  std::vector<std::string> uses;
};

// All of them together.
struct FakeSite {
  FakeDirectory directory;
  FakeInspector inspector;
  FakeAcceptor acceptor;
  FakeObserver observer;
  FakeSignIns signIns;
  FakeNames names;
  FakeClock clock{fromMicros(1'772'366'400'000'000)};  // 2026-03-01 12:00:00
  Ports ports{directory, inspector, acceptor, observer, clock, &signIns, &names};
};

}  // namespace postern::gateway::fakes
