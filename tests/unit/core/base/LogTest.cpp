#include "core/base/Error.h"
#include "core/base/Files.h"
#include "core/base/Log.h"
#include "core/base/LogEvents.h"
#include "tests/support/TempFolder.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <iostream>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <thread>

using namespace postern;
using nlohmann::json;

namespace {

// What is written to standard error meanwhile.
struct Caught {
  std::ostringstream text;
  std::streambuf* const before = std::cerr.rdbuf(text.rdbuf());
  ~Caught() {
    std::cerr.rdbuf(before);
    log::open("test", "error");
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(core_base_Log)

BOOST_AUTO_TEST_CASE(a_line_is_one_json_object_whatever_the_values_hold) {
  Caught caught;
  log::open("unit", "info");
  log::event(log::events::CopyDelivered, {{"trace", "0af7651916cd43dd8448eb211c80319c"}, {"reply", "a\r\nb\xff\"{"}});
  const auto text = caught.text.str();
  BOOST_TEST(std::count(text.begin(), text.end(), '\n') == 1);
  const auto line = json::parse(text);
  BOOST_TEST(line.at("event") == "copy.delivered");
  BOOST_TEST(line.at("process") == "unit");
  BOOST_TEST(line.at("level") == "info");
  BOOST_TEST(line.at("trace") == "0af7651916cd43dd8448eb211c80319c");
}

BOOST_AUTO_TEST_CASE(key_value_lines_quote_what_has_blanks_or_line_ends) {
  Caught caught;
  log::open("unit", log::Options{.format = "text"});
  log::info("area", "two words", {{"plain", "x"}, {"split", "a\nb=\"c\""}, {"empty", ""}, {"count", 3}});
  const auto text = caught.text.str();
  BOOST_TEST(std::count(text.begin(), text.end(), '\n') == 1);
  BOOST_TEST(
      text.find(R"( level=info process=unit area=area text="two words" plain=x split="a\nb=\"c\"" empty="" count=3)") !=
          std::string::npos,
      text);
}

BOOST_AUTO_TEST_CASE(levels_below_the_one_in_force_are_counted_and_not_written) {
  Caught caught;
  log::open("unit", "warning");
  const auto before = log::written(log::Level::Info);
  log::info("area", "quiet");
  log::warning("area", "loud");
  BOOST_TEST(log::written(log::Level::Info) == before + 1);
  BOOST_TEST(caught.text.str().find("quiet") == std::string::npos);
  BOOST_TEST(caught.text.str().find("loud") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(fields_by_the_names_of_secrets_are_left_out_in_each_form) {
  for (const auto* format : {"json", "text"}) {
    Caught caught;
    log::open("unit", log::Options{.level = "debug", .format = format});
    for (const auto* name : {"password", "passphrase", "token", "secret", "authorization", "cookie", "subject", "body"})
      log::debug("area", "text", {{name, "Wendehals"}});
    BOOST_TEST(caught.text.str().find("Wendehals") == std::string::npos, caught.text.str());
  }
}

BOOST_AUTO_TEST_CASE(a_file_that_was_moved_away_is_opened_anew) {
  const test::TempFolder folder;
  const log::Options options{.to = "file", .folder = folder.path()};
  log::open("unit", options);
  log::info("area", "first");
  std::filesystem::rename(folder / "unit.log", folder / "unit.log.1");
  log::info("area", "second");
  log::open("unit", options);
  log::info("area", "third");
  log::open("test", "error");
  const auto old = files::read(folder / "unit.log.1");
  BOOST_TEST(old.find("second") != std::string::npos);
  BOOST_TEST(old.find("third") == std::string::npos);
  BOOST_TEST(files::read(folder / "unit.log").find("third") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_file_that_cannot_be_opened_leaves_the_log_as_it_was) {
  Caught caught;
  log::open("unit", "info");
  BOOST_CHECK_THROW(log::open("unit", log::Options{.to = "file", .folder = "/nowhere/at/all"}), Error);
  log::info("area", "still here");
  BOOST_TEST(caught.text.str().find("still here") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(lines_of_many_threads_stay_whole) {
  const test::TempFolder folder;
  log::open("unit", log::Options{.to = "file", .folder = folder.path()});
  std::vector<std::jthread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([] {
      for (int i = 0; i < 200; ++i) log::info("area", std::string(300, 'x'), {{"number", i}});
    });
  threads.clear();
  log::open("test", "error");
  std::istringstream lines(files::read(folder / "unit.log"));
  std::string line;
  int count = 0;
  for (; std::getline(lines, line); ++count) BOOST_REQUIRE(json::accept(line));
  BOOST_TEST(count == 800);
}

BOOST_AUTO_TEST_CASE(the_journal_gets_fields_in_its_own_protocol) {
  const test::TempFolder folder;
  const auto path = (folder / "socket").string();
  const FileDescriptor journal(::socket(AF_UNIX, SOCK_DGRAM, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  BOOST_REQUIRE(::bind(journal.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  log::open("unit", log::Options{.to = "journal", .journal = path});
  log::event(log::events::MessageAccepted, {{"trace", "0af7"}, {"queueId", "Q1"}, {"note", "a\nb"}});
  log::open("test", "error");
  char buffer[2048];
  const auto size = ::recv(journal.get(), buffer, sizeof buffer, MSG_DONTWAIT);
  BOOST_REQUIRE(size > 0);
  const std::string text(buffer, static_cast<std::size_t>(size));
  for (const std::string field :
       {"PRIORITY=6\n", "SYSLOG_IDENTIFIER=unit\n", "POSTERN_AREA=smtp\n", "POSTERN_EVENT=message.accepted\n",
        "POSTERN_TRACE=0af7\n", "POSTERN_QUEUE_ID=Q1\n", "MESSAGE=a message was accepted trace=0af7 queueId=Q1"})
    BOOST_TEST(text.find(field) != std::string::npos, field);
  const std::string binary("POSTERN_NOTE\n\x03\0\0\0\0\0\0\0a\nb\n", 25);
  BOOST_TEST(text.find(binary) != std::string::npos);
}

BOOST_AUTO_TEST_CASE(each_event_has_its_own_name_and_stands_in_the_documentation) {
  std::set<std::string> names;
  const auto page = files::read(std::filesystem::path(POSTERN_SOURCE_DIR) / "docs/logs.md");
  for (const auto* event : log::events::All) {
    BOOST_TEST(names.insert(event->name).second, event->name);
    BOOST_TEST(page.find("| `" + std::string(event->name) + "` |") != std::string::npos, event->name);
  }
}

BOOST_AUTO_TEST_SUITE_END()
