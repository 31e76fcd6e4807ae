// rooms: policy
// N9: what a message costs in policy: the shipped set, worker round trip included, CPU of both processes.
//
// PolicyBench [messages] [folder]
#include "core/base/Error.h"
#include "core/base/Log.h"
#include "core/policy/PolicyHost.h"

#include <sys/resource.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
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
  return message;
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
      "%-28s %2d callers  %6.1f us CPU a message (%5.1f of them in the host)  %8.0f messages/s  start %.0f ms\n", name,
      threads, all / messages * 1e6, own / messages * 1e6, messages / std::chrono::duration<double>(wall).count(),
      (started - before) * 1e3);
}

}  // namespace

int main(int count, char** arguments) {
  log::open("bench", "error");
  const int messages = count > 1 ? std::atoi(arguments[1]) : 20'000;
  PolicyHostOptions options;
  options.folder = count > 2 ? arguments[2] : "lua-policies";
  options.limits.timeout = std::chrono::seconds(10);
  measure("plain subject", options, "Re: [Social] lunch on Friday", messages, 1);
  measure("plain subject", options, "Re: [Social] lunch on Friday", messages, 4);
  measure("tagged subject", options, "Re: Secure: the budget", messages, 1);
  measure("subject in other scripts", options, "Встреча в пятницу: 会議 金曜日", messages, 1);
  std::printf("N9 target: at most 150 us CPU a message\n");
}
