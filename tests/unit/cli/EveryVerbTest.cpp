#include "cli/CommandLine.h"
#include "cli/ManPage.h"
#include "cli/OrderVerbs.h"
#include "core/app/Orders.h"
#include "core/base/Files.h"
#include "tests/support/TempFolder.h"

#include <cstdlib>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

using namespace postern;
using cli::Exit;
using nlohmann::json;

BOOST_AUTO_TEST_SUITE(cli_every_verb)

namespace {

struct Outcome {
  Exit exit;
  std::string out;
  std::string err;
};

// A site whose listd answers any order with what the verbs ask it for, and remembers the last one.
class AnsweredSite {
public:
  AnsweredSite() {
    BOOST_REQUIRE((run({"init", "--host-name", "mail.example.org"}).exit == Exit::Ok));
    std::filesystem::create_directories(folder_ / "site/listd");
    files::replaceDurably(folder_ / "site/listd/command.key", "a key");
    files::replaceDurably(input(),
                          "Received: from a.example (a.example [192.0.2.1]) by b.example with ESMTPS id 4\n\n");
    server_ = std::make_unique<app::OrderServer>(
        (folder_ / "site/listd/command.sock").string(),
        [this](std::string_view order, const app::Actor&, const json&) { return answer(order); });
  }

  Outcome run(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), {"--data", (folder_ / "site").string()});
    std::ostringstream out, err;
    const auto exit = cli::runCommandLine(arguments, out, err);
    return {exit, out.str(), err.str()};
  }
  std::string input() const { return (folder_ / "input").string(); }
  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  std::string lastOrder() const { return last_; }

private:
  json answer(std::string_view order) {
    last_ = order;
    const json job{{"id", 1}, {"state", "done"}, {"done", 1}, {"total", 1}, {"message", ""}};
    if (order == "job.show") return job;
    return {{"items", json::array()},
            {"id", "1"},
            {"running", false},
            {"probe", nullptr},
            {"known", nullptr},
            {"state", "failed"},
            {"trouble", "no room"},
            {"job", nullptr},
            {"request", {{"id", 1}}},
            {"from", 1},
            {"to", 2},
            {"size", 1},
            {"checkpoint", "note"},
            {"publicKey", "key"},
            {"revision", 1},
            {"until", 1},
            {"report", {{"ok", true}}}};
  }

  test::TempFolder folder_;
  std::string last_;
  std::unique_ptr<app::OrderServer> server_;
};

std::string nameOf(const cli::OrderVerb& verb) {
  return std::string(verb.noun) + (*verb.verb ? " " : "") + verb.verb;
}

std::vector<std::string> words(const std::string& verb) {
  std::istringstream in(verb);
  return {std::istream_iterator<std::string>(in), {}};
}

// What a verb wants at least.
std::vector<std::string> callOf(const cli::OrderVerb& verb, const AnsweredSite& site) {
  auto arguments = words(nameOf(verb));
  for (const auto& parameter : verb.parameters) {
    if (!parameter.required) continue;
    if (std::string_view(parameter.name).starts_with("--")) arguments.emplace_back(parameter.name);
    arguments.push_back(parameter.kind == cli::Parameter::Kind::FileContent ? site.input() : "1");
  }
  return arguments;
}

// The verbs that are no orders, and what they want. What is missing here fails the test.
std::map<std::string, std::vector<std::string>> otherCalls(const AnsweredSite& site) {
  return {{"init", {}},
          {"reload", {}},
          {"certificate acme", {}},
          {"certificate install", {site.input(), site.input()}},
          {"certificate server", {}},
          {"probe", {"example.org"}},
          {"config check", {}},
          {"config show", {}},
          {"config drift", {}},
          {"hardening", {}},
          {"support-bundle", {site.path("bundle.tar.gz")}},
          {"send", {site.input(), "--from", "a@x", "--to", "b@x"}},
          {"hops", {site.input()}},
          {"tlsrpt", {site.input()}},
          {"mail check", {site.input(), "--ip", "192.0.2.1", "--mail-from", "a@x.invalid"}},
          {"report verify", {site.input()}},
          {"export get", {"1", site.path("archive")}},
          {"evidence get", {"1", site.path("pack")}},
          {"man", {}},
          {"completion", {}},
          {"policy check", {}},
          {"policy test", {}},
          {"policy explain", {site.input()}},
          {"policy reload", {"--reason", "better"}},
          {"policy store", {}},
          {"policy shadow start", {}},
          {"policy shadow stop", {}},
          {"policy shadow report", {}},
          {"policy replay", {}},
          {"keys backup", {site.path("backup")}},
          {"keys verify", {site.path("backup")}},
          {"keys restore", {site.path("backup")}},
          {"backup init", {}},
          {"backup create", {}},
          {"backup list", {}},
          {"backup verify", {}},
          {"backup drill", {}},
          {"backup restore", {"--to", site.path("restored"), "--reason", "fire", "--by", "ada", "--second", "bob"}},
          {"job watch", {"1"}},
          {"audit verify", {}},
          {"audit prove", {"--seq", "1"}},
          {"audit consistency", {"0", "1"}},
          {"audit export", {}},
          {"audit declare-rollback", {"--reason", "a restore"}},
          {"audit anchor", {}}};
}

}  // namespace

BOOST_AUTO_TEST_CASE(every_order_answers_in_one_json_document_with_json) {
  const AnsweredSite site;
  for (const auto& verb : cli::orderVerbs()) {
    auto arguments = callOf(verb, site);
    arguments.emplace_back("--json");
    const auto outcome = site.run(arguments);
    BOOST_TEST((outcome.exit == Exit::Ok), nameOf(verb) << ": " << outcome.out << outcome.err);
    BOOST_TEST(site.lastOrder() == verb.order);
    const auto document = json::parse(outcome.out, nullptr, false);
    BOOST_TEST(document.is_object(), nameOf(verb) << " prints " << outcome.out);
    BOOST_TEST(outcome.err == "", nameOf(verb));
  }
}

BOOST_AUTO_TEST_CASE(every_other_verb_answers_in_one_json_document_with_json_also_when_it_fails) {
  const AnsweredSite site;
  std::set<std::string> orders;
  for (const auto& verb : cli::orderVerbs()) orders.insert(nameOf(verb));
  const auto others = otherCalls(site);
  std::size_t seen = 0;
  for (const auto& verb : cli::allVerbs()) {
    // run: the site itself, until it is stopped; report delivery: one signed document a line (DeliveryReportsTest)
    if (orders.contains(verb) || verb == "run" || verb == "report delivery") continue;
    const auto known = others.find(verb);
    BOOST_TEST_REQUIRE((known != others.end()), verb << " is not tried with --json: name its arguments here");
    ++seen;
    auto arguments = words(verb);
    arguments.insert(arguments.end(), known->second.begin(), known->second.end());
    arguments.emplace_back("--json");
    const auto outcome = site.run(arguments);
    const auto document = json::parse(outcome.out, nullptr, false);
    BOOST_TEST(!document.is_discarded(), verb << " prints " << outcome.out << outcome.err);
    BOOST_TEST((document.is_structured() && !document.is_null()), verb);
    const bool good = verb.starts_with("config") || verb == "man" || verb == "completion" || verb == "hops" ||
                      verb == "job watch" || verb == "audit declare-rollback";
    if (good) BOOST_TEST((outcome.exit == Exit::Ok), verb << ": " << outcome.out);
  }
  BOOST_TEST(seen == others.size());
}

BOOST_AUTO_TEST_CASE(wrong_usage_is_one_json_document_with_json) {
  const AnsweredSite site;
  for (const std::vector<std::string>& wrong :
       {std::vector<std::string>{"--json", "no-such-noun"}, {"--json", "list"}, {"--json", "list", "create"}}) {
    const auto outcome = site.run(wrong);
    BOOST_TEST((outcome.exit == Exit::Usage));
    BOOST_TEST(json::parse(outcome.out, nullptr, false).at("error").at("code") == "usage");
  }
}

BOOST_AUTO_TEST_CASE(the_manual_page_names_every_verb_and_groff_has_no_complaint) {
  std::ostringstream page;
  cli::writeManPage(page);
  auto plain = page.str();
  std::erase(plain, '\\');
  for (const auto& verb : cli::allVerbs())
    BOOST_TEST(plain.find(".B postern " + verb + "\n") != std::string::npos, verb << " is not in the manual page");
  test::TempFolder folder;
  const auto file = (folder / "postern.1").string();
  files::replaceDurably(file, page.str());
  BOOST_TEST(std::system(("groff -man -Tutf8 -ww -z " + file + " > " + file + ".said 2>&1").c_str()) == 0);
  BOOST_TEST(files::read(file + ".said") == "");
}

BOOST_AUTO_TEST_SUITE_END()
