#include "cli/CommandLine.h"
#include "cli/ManPage.h"
#include "cli/OrderVerbs.h"
#include "core/base/Files.h"
#include "tests/support/TempFolder.h"

#include <sstream>

using namespace postern;
using cli::Exit;

namespace {

struct Outcome {
  Exit exit;
  std::string out;
  std::string err;
};

Outcome run(const std::vector<std::string>& arguments) {
  std::ostringstream out, err;
  const auto exit = cli::runCommandLine(arguments, out, err);
  return {exit, out.str(), err.str()};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(cli_CommandLine)

BOOST_AUTO_TEST_CASE(wrong_usage_is_exit_2_and_help_is_0) {
  BOOST_TEST((run({}).exit == Exit::Usage));
  BOOST_TEST((run({"no-such-noun"}).exit == Exit::Usage));
  BOOST_TEST((run({"list"}).exit == Exit::Usage));
  BOOST_TEST((run({"list", "create"}).exit == Exit::Usage));
  BOOST_TEST((run({"queue", "list", "--limit", "many"}).exit == Exit::Usage));
  BOOST_TEST((run({"--help"}).exit == Exit::Ok));
}

BOOST_AUTO_TEST_CASE(every_verb_has_help) {
  for (const auto& verb : cli::orderVerbs()) {
    std::vector<std::string> arguments{verb.noun};
    if (*verb.verb) arguments.emplace_back(verb.verb);
    arguments.emplace_back("--help");
    const auto outcome = run(arguments);
    BOOST_TEST((outcome.exit == Exit::Ok));
    BOOST_TEST(outcome.out.find(verb.doc) != std::string::npos);
  }
}

BOOST_AUTO_TEST_CASE(every_noun_says_what_it_is) {
  for (const auto& verb : cli::orderVerbs())
    if (*verb.verb) BOOST_TEST(!cli::nounDoc(verb.noun).empty(), verb.noun << " has no words of its own");
}

BOOST_AUTO_TEST_CASE(a_release_without_its_what_if_is_wrong_usage_that_names_it) {
  const auto outcome = run({"hold", "release", "3", "--reason", "settled"});
  BOOST_TEST((outcome.exit == Exit::Usage));
  BOOST_TEST((outcome.out + outcome.err).find("--what-if") != std::string::npos);
  BOOST_TEST(run({"hold", "release", "--help"}).out.find("--release-hold") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(without_a_site_it_says_how_to_make_one) {
  test::TempFolder folder;
  const auto outcome = run({"--data", folder.path().string(), "status"});
  BOOST_TEST((outcome.exit == Exit::Broken));
  BOOST_TEST(outcome.err.find("init") != std::string::npos);
  const auto json = run({"--json", "--data", folder.path().string(), "status"});
  BOOST_TEST(json.out.find("\"error\"") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(hops_tells_of_each_hop_without_a_site) {
  test::TempFolder folder;
  const auto file = (folder / "mail.eml").string();
  files::replaceDurably(
      file, "Received: from a.example (a.example [192.0.2.1])\n\tby mx.b.example (Postfix) with ESMTP id 4\n\n");
  const auto plain = run({"hops", file});
  BOOST_TEST((plain.exit == Exit::No));
  BOOST_TEST(plain.out.find("recorded-plain") != std::string::npos);
  BOOST_TEST(plain.out.find("The message went in clear on hop 1 (a.example to b.example).") != std::string::npos);
  BOOST_TEST(run({"--json", "hops", file}).out.find("\"verdict\": \"plain\"") != std::string::npos);

  files::replaceDurably(
      file, "Received: from a.example (a.example [192.0.2.1]) by mx.b.example (Postfix) with ESMTPS id 4\n\n");
  BOOST_TEST((run({"hops", file}).exit == Exit::Ok));
  BOOST_TEST((run({"hops", (folder / "missing").string()}).exit == Exit::Broken));
}

BOOST_AUTO_TEST_CASE(tlsrpt_shows_what_another_site_reports) {
  test::TempFolder folder;
  const auto file = (folder / "report.json").string();
  const auto report = [&](const std::string& failed) {
    files::replaceDurably(file, R"({"organization-name":"Sender","date-range":{"start-datetime":"2026-01-01T00:00:00Z",
"end-datetime":"2026-01-01T23:59:59Z"},"policies":[{"policy":{"policy-type":"tlsa","policy-domain":"lists.example"},
"summary":{"total-successful-session-count":7,"total-failure-session-count":)" +
                                    failed + R"(},
"failure-details":[{"result-type":"dane-required","failed-session-count":)" +
                                    failed + "}]}]}");
  };
  report("2");
  const auto shown = run({"tlsrpt", file});
  BOOST_TEST((shown.exit == Exit::No));
  BOOST_TEST(shown.out.find("Sender, 2026-01-01T00:00:00Z to 2026-01-01T23:59:59Z") != std::string::npos);
  BOOST_TEST(shown.out.find("dane-required") != std::string::npos);
  report("0");
  BOOST_TEST((run({"--json", "tlsrpt", file}).exit == Exit::Ok));
  files::replaceDurably(file, "no report");
  BOOST_TEST((run({"tlsrpt", file}).exit == Exit::Broken));
}

BOOST_AUTO_TEST_CASE(init_makes_a_site_once_and_never_a_second_root_key) {
  test::TempFolder folder;
  const auto data = (folder / "site").string();
  BOOST_TEST((run({"--data", data, "init", "--host-name", "mail.example.org"}).exit == Exit::Ok));
  BOOST_TEST((run({"--data", data, "config", "check"}).exit == Exit::Ok));
  BOOST_TEST(run({"--data", data, "config", "show"}).out.find("mail.example.org") != std::string::npos);
  BOOST_TEST((run({"--data", data, "init"}).exit == Exit::Broken));
  const auto mode = std::filesystem::status(folder / "site/keys/root.key").permissions();
  BOOST_TEST((mode == (std::filesystem::perms::owner_read | std::filesystem::perms::owner_write)));
}

BOOST_AUTO_TEST_CASE(init_refuses_a_wrong_address_before_it_makes_anything) {
  test::TempFolder folder;
  const auto data = (folder / "site").string();
  BOOST_TEST((run({"--data", data, "init", "--smtp", "nowhere"}).exit == Exit::Broken));
  BOOST_TEST(!std::filesystem::exists(data));
}

BOOST_AUTO_TEST_CASE(the_manual_page_and_the_completion_name_every_verb) {
  const auto page = run({"man"}).out;
  const auto completion = run({"completion"}).out;
  for (const auto& verb : cli::orderVerbs()) {
    BOOST_TEST(page.find(std::string("postern ") + verb.noun) != std::string::npos);
    BOOST_TEST(completion.find(verb.noun) != std::string::npos);
  }
}

BOOST_AUTO_TEST_SUITE_END()
