// rooms: listd
// The search index over many small messages: adding, words that are rare and frequent, two words, a phrase, removal.
//   SearchBench [messages] [words in each]
// Prints rates, times, the size of the file and peak memory.
#include "listd/search/SearchIndex.h"
#include "tests/support/TempFolder.h"

#include <sys/resource.h>

#include <chrono>
#include <cmath>
#include <iostream>
#include <random>

using namespace postern;
using namespace postern::listd;
using Steady = std::chrono::steady_clock;

namespace {

double secondsSince(Steady::time_point start) {
  return std::chrono::duration<double>(Steady::now() - start).count();
}

// Words as in a language: few are frequent, most are rare.
class Words {
public:
  std::string next() {
    const auto rank = static_cast<std::uint64_t>(std::exp(std::uniform_real_distribution<double>(0, 12)(engine_)));
    return "w" + std::to_string(rank);
  }

private:
  std::mt19937_64 engine_{42};
};

std::string mailOf(std::uint64_t id, std::size_t count, Words& words) {
  auto mail = "From: Sender " + std::to_string(id % 5000) + " <s" + std::to_string(id % 5000) +
              "@x.example>\r\nTo: board@lists.example\r\nSubject: " + words.next() + " " + words.next() +
              "\r\nMessage-ID: <" + std::to_string(id) + "@x.example>\r\n\r\n";
  for (std::size_t i = 0; i < count; ++i) mail += words.next() + " ";
  return mail + "\r\n";
}

void look(const SearchIndex& index, const char* text) {
  const auto query = records::Query::parse(text);
  for (const auto* round : {"first", "again"}) {
    const auto start = Steady::now();
    const auto hits = index.find(*query).size();
    std::cout << "find " << text << " (" << round << "): " << hits << " hits, " << secondsSince(start) * 1000
              << " ms\n";
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::uint64_t messages = argc > 1 ? std::stoull(argv[1]) : 100'000;
  const std::size_t words = argc > 2 ? std::stoull(argv[2]) : 20;
  const test::TempFolder folder;
  const auto root = vault::RootKey::create(folder.path() / "root.key");
  const SystemClock clock;
  SearchIndex index(folder.path() / "index", root, clock);
  Words source;
  auto start = Steady::now();
  double making = 0;
  for (std::uint64_t id = 0; id < messages;) {
    const auto made = Steady::now();
    std::vector<SearchIndex::NewObject> batch;
    for (; batch.size() < 200 && id < messages; ++id) batch.push_back({id, mailOf(id, words, source), {}});
    making += secondsSince(made);
    index.addAll(batch);
  }
  const auto seconds = secondsSince(start) - making;
  std::cout << messages << " messages added in " << seconds << " s: " << static_cast<double>(messages) / seconds
            << "/s\nfile: " << std::filesystem::file_size(folder.path() / "index/index.db") / 1'000'000 << " MB\n";
  for (const auto* text : {"w100000", "w3", "w3 w50", "\"w3 w5\"", "subject:w7", "from:s17@x.example", "w3 -w5"})
    look(index, text);
  start = Steady::now();
  const auto all = index.allEvaluable();
  std::cout << "all evaluable: " << secondsSince(start) * 1000 << " ms\n";
  for (const bool spread : {false, true}) {
    std::vector<std::uint64_t> gone;
    const auto left = index.known();
    for (std::size_t i = 0; i < messages / 10; ++i) gone.push_back(left[spread ? i * 9 : i]);
    start = Steady::now();
    index.remove(gone);
    std::cout << gone.size() << (spread ? " spread ones" : " oldest") << " removed in " << secondsSince(start)
              << " s\n";
  }
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  std::cout << "peak memory: " << usage.ru_maxrss / 1024 << " MB\n";
}
