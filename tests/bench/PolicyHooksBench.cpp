// rooms: policy mail crypto
// What each hook costs: the shipped set at the hook `message` and a small policy at each hook behind the 250, CPU of
// both processes, beside what a message costs without policies (read and sealed), and what is paid where no policy has
// the hook.
//
// PolicyHooksBench [messages] [folder]
#include "core/base/Error.h"
#include "core/base/Log.h"
#include "core/crypto/SealedBox.h"
#include "core/mail/Message.h"
#include "core/mail/MimeTree.h"
#include "core/policy/PolicyHost.h"

#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

using namespace postern;
using namespace postern::policy;

namespace {

double cpuSeconds(int who) {
  rusage usage{};
  ::getrusage(who, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

MessageFacts mailWith(const std::string& subject) {
  MessageFacts message;
  for (int i = 0; i < 24; ++i)
    message.headers.push_back({"X-Header-" + std::to_string(i), "a value of ordinary length, as they are in mail",
                               " a value of ordinary length, as they are in mail"});
  message.headers.push_back({"Subject", subject, " " + subject});
  message.subject = subject;
  message.from = "ann@example.org";
  message.size = 20'000;
  message.content = [] {
    std::string text;
    while (text.size() < 20'000) text += "A line of ordinary words as people write them in mail, 42 of them.\n";
    return MessageContent{{{"text/plain", "", text.size(), "", false}}, text, false};
  };
  return message;
}

double withoutPolicy = 0;  // CPU of a message that no policy looks at, in microseconds

// What the gateway does with 20 kB anyhow before it is stored: reads it and seals it.
void measureWithout(int messages) {
  std::string text = "From: ann@example.org\r\nTo: board@example.org\r\nSubject: hello\r\n\r\n";
  while (text.size() < 20'000) text += "A line of ordinary words as people write them in mail, 42 of them.\r\n";
  crypto::SealedBoxWriter writer(crypto::SealedBoxKeys::generate().publicKey);
  const auto before = cpuSeconds(RUSAGE_SELF);
  for (int i = 0; i < messages; ++i) {
    const auto message = mail::Message::parse(text);
    if (!message || mail::MimeTree::parse(*message).isEncrypted() || writer.seal(text, "bench").size() < text.size())
      throw Error(ErrorKind::Invariant, "a message cannot be read");
  }
  withoutPolicy = (cpuSeconds(RUSAGE_SELF) - before) / messages * 1e6;
  std::printf("%-28s             %6.1f us CPU a message, read and sealed\n", "no policy", withoutPolicy);
}

void measure(const char* name, const PolicyHostOptions& options, const std::string& subject, int messages,
             int threads) {
  TransactionFacts facts;
  facts.client.address = "192.0.2.7";
  facts.mailFrom = "ann@example.org";
  facts.recipients = {{"board@example.org", "board", true}, {"social@example.org", "social", false}};
  const auto message = mailWith(subject);
  const auto before = cpuSeconds(RUSAGE_SELF) + cpuSeconds(RUSAGE_CHILDREN);
  double own = 0;
  double started = 0;
  std::chrono::steady_clock::duration wall{};
  {
    PolicyHost host(options);
    (void)host.message(facts, message);
    started = cpuSeconds(RUSAGE_SELF) + cpuSeconds(RUSAGE_CHILDREN);
    const auto ownBefore = cpuSeconds(RUSAGE_SELF);
    const auto start = std::chrono::steady_clock::now();
    {
      std::vector<std::jthread> callers;
      for (int thread = 0; thread < threads; ++thread)
        callers.emplace_back([&] {
          for (int i = 0; i < messages / threads; ++i)
            if (!host.message(facts, message)) throw Error(ErrorKind::Invariant, "a call failed");
        });
    }
    wall = std::chrono::steady_clock::now() - start;
    own = cpuSeconds(RUSAGE_SELF) - ownBefore;
  }
  // The workers' time counts once they are collected; their start is in it, spread over all messages.
  const auto all = cpuSeconds(RUSAGE_SELF) + cpuSeconds(RUSAGE_CHILDREN) - started;
  std::printf(
      "%-28s %2d callers  %6.1f us CPU a message (%5.1f of them in the host)  %8.0f messages/s  start %.0f ms  ratio "
      "%.2f\n",
      name, threads, all / messages * 1e6, own / messages * 1e6, messages / std::chrono::duration<double>(wall).count(),
      (started - before) * 1e3, (withoutPolicy + all / messages * 1e6) / withoutPolicy);
}

const char* const BehindThe250 = R"(return { name = "behind", doc = "for a bench", hooks = {
  post = function(post, list) if post.subject == "x" and list.secure then return hold() end end,
  member = function(post, member) if member.domain == "partner.example" then return protect{ protection = "smime" } end end,
  attempt = function(copy) if copy.domain == "x.example" then return protect{ protection = "tls" } end end,
  route = function(domain, hops) if domain == "x.example" then return route{ hosts = { hops[1].host } } end end,
} })";

// Calls of one hook, and of the same where no policy has it.
template <class Call>
void measureHook(const char* name, PolicyHostOptions options, int calls, int things, Call call) {
  double each[2] = {0, 0};
  for (const bool there : {false, true}) {
    const auto folder = std::filesystem::temp_directory_path() / ("policy-bench-hook-" + std::to_string(::getpid()));
    std::filesystem::create_directories(folder);
    std::ofstream(folder / "behind.lua")
        << (there ? BehindThe250 : "return { name = 'behind', doc = 'x', hooks = { ehlo = function() end } }");
    options.folder = folder;
    double before = 0;
    {
      PolicyHost host(options);
      call(host);
      before = cpuSeconds(RUSAGE_SELF) + cpuSeconds(RUSAGE_CHILDREN);
      for (int i = 0; i < calls; ++i) call(host);
    }
    each[there] = (cpuSeconds(RUSAGE_SELF) + cpuSeconds(RUSAGE_CHILDREN) - before) / calls / things * 1e6;
    std::filesystem::remove_all(folder);
  }
  std::printf("hook %-10s %7.2f us CPU each; %.3f us where no policy has it; ratio to a message without policy %.3f\n",
              name, each[1], each[0], (withoutPolicy + each[1]) / withoutPolicy);
}

void measureHooks(const PolicyHostOptions& options, int calls) {
  PostFacts post;
  post.subject = "hello";
  post.list = {"board@example.org", "Board", true, "high", false, 500};
  std::vector<MemberFacts> members;
  for (int i = 0; i < 500; ++i) members.push_back({"member" + std::to_string(i) + "@example.org"});
  DeliveryFacts copy;
  copy.recipient = "ann@example.org";
  copy.hop = HopFacts{"mx.example.org", "192.0.2.1", {}, false};
  const auto expect = [](bool good) {
    if (!good) throw Error(ErrorKind::Invariant, "a call failed");
  };
  measureHook("post", options, calls, 1, [&](PolicyHost& host) { expect(host.post(post).has_value()); });
  measureHook("member", options, calls / 100 + 1, 500,
              [&](PolicyHost& host) { expect(host.members(post, members).has_value()); });
  measureHook("attempt", options, calls, 1,
              [&](PolicyHost& host) { expect(host.delivery(Hook::Attempt, copy).has_value()); });
  const RouteFacts route{"example.org", {{"mx.example.org", "192.0.2.1", 25}}};
  measureHook("route", options, calls, 1, [&](PolicyHost& host) { expect(host.route(route).has_value()); });
}

}  // namespace

int main(int count, char** arguments) {
  log::open("bench", "error");
  const int messages = count > 1 ? std::atoi(arguments[1]) : 20'000;
  PolicyHostOptions options;
  options.folder = count > 2 ? arguments[2] : "lua-policies";
  options.limits.timeout = std::chrono::seconds(10);
  measureWithout(messages / 4 + 1);
  measure("plain subject", options, "Re: [Social] lunch on Friday", messages, 1);
  measureHooks(options, messages / 4 + 1);
}
