// rooms: policy
// N9: what a message costs in policy: the shipped set, worker round trip included, CPU of both processes; and how many
// times that of a set with one policy that passes everything, in the same run.
//
// PolicyBench [messages] [folder]
#include "core/base/Error.h"
#include "core/base/Log.h"
#include "core/policy/PolicyHost.h"
#include "tests/support/TempFolder.h"

#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
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

// A letter of ordinary length, again and again up to so many bytes.
std::string textOf(std::size_t size) {
  const std::string line =
      "Dear all, the next meeting is on 4 March at 12:30 in room 4111; call 555-0104 if you cannot come.\r\n";
  std::string text;
  while (text.size() < size) text += line;
  text.resize(size);
  return text;
}

MessageFacts mailWith(const std::string& subject, std::size_t textSize) {
  MessageFacts message;
  for (int i = 0; i < 24; ++i)
    message.headers.push_back({"X-Header-" + std::to_string(i), "a value of ordinary length, as they are in mail",
                               " a value of ordinary length, as they are in mail"});
  message.headers.push_back({"Subject", subject, " " + subject});
  message.subject = subject;
  message.from = "ann@example.org";
  message.size = 20'000;
  message.content = [text = textOf(textSize)] {
    MessageContent content;
    content.parts = {{"text/plain", "", text.size(), "", false},
                     {"application/pdf", "agenda.pdf", 15'000, "attachment"}};
    content.text = text;
    return content;
  };
  return message;
}

// Microseconds of CPU a message.
double measure(const char* name, const PolicyHostOptions& options, const MessageFacts& message, int messages,
               int threads) {
  TransactionFacts facts;
  facts.client.address = "192.0.2.7";
  facts.mailFrom = "ann@example.org";
  facts.recipients = {{"board@example.org", "board", true}, {"social@example.org", "social", false}};
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
  return all / messages * 1e6;
}

// Reads the text, with a pattern and a set of 10,000 words.
constexpr const char* Reads = R"(
return { name = "reads", doc = "for a bench", sets = { words = "words" }, hooks = { message = function(tx, msg)
  local text = msg:text()
  if matches([[\b\d{3}-\d{2}-\d{4}\b]], text) then return reject{ reason = "number" } end
  if #words_in("words", text) > 0 then return reject{ reason = "word" } end
end } }
)";

constexpr const char* PassesAll = R"(
return { name = "passes_all", doc = "Passes everything.", hooks = { message = function() return pass() end } }
)";

}  // namespace

int main(int count, char** arguments) {
  log::open("bench", "error");
  const int messages = count > 1 ? std::atoi(arguments[1]) : 20'000;
  PolicyHostOptions options;
  options.folder = count > 2 ? arguments[2] : "lua-policies";
  options.limits.timeout = std::chrono::seconds(10);
  const std::string plain = "Re: [Social] lunch on Friday";
  const postern::test::TempFolder folder;
  std::ofstream(folder.path() / "passes_all.lua") << PassesAll;
  PolicyHostOptions nothing = options;
  nothing.folder = folder.path();
  const auto base = measure("one policy that passes all", nothing, mailWith(plain, 2000), messages, 1);
  const auto shipped = measure("plain subject", options, mailWith(plain, 2000), messages, 1);
  measure("plain subject", options, mailWith(plain, 2000), messages, 4);
  measure("tagged subject", options, mailWith("Re: Secure: the budget", 2000), messages, 1);
  measure("subject in other scripts", options, mailWith("Встреча в пятницу: 会議 金曜日", 2000), messages, 1);
  const auto large = measure("text of 64 kB", options, mailWith(plain, 64u << 10), std::max(messages / 20, 1), 1);
  const postern::test::TempFolder readingFolder;
  std::ofstream(readingFolder.path() / "reads.lua") << Reads;
  PolicyHostOptions reading = options;
  reading.folder = readingFolder.path();
  for (int i = 0; i < 10'000; ++i) reading.sets["words"].push_back("rareword" + std::to_string(i));
  measure("20 kB read, pattern, set", reading, mailWith(plain, 20'000), std::max(messages / 10, 1), 1);
  std::printf("the shipped set costs %.1f times a policy that passes all, with a text of 64 kB %.1f times\n",
              shipped / base, large / base);
  std::printf("N9 target: at most 150 us CPU a message\n");
}
