// What is shipped, and what the reference says of it.
#include "core/base/Files.h"
#include "core/policy/PolicySet.h"
#include "tests/unit/core/policy/PolicyFixture.h"

#include <map>
#include <regex>
#include <set>
#include <sstream>

using namespace postern::policy;
using namespace postern::policy::test;

namespace {

const auto Reference = ShippedFolder.parent_path() / "docs/policies";

// Lines that nothing runs, or that run when a file is loaded: blank, comments, ends, and what stands outside of any
// function. What is left of a policy must be run by its cases.
std::vector<std::uint32_t> linesOfHooks(const std::string& text) {
  static const std::regex Begin("^(?:local )?function (.*)$|^local .*function\\(.*$|^local M\\.map = .*$");
  static const std::regex Silent(
      "^\\s*(?:--.*|\\}?\\)*|end[,)\\s}]*|else|\\{|local function .*|function .*|local [a-z, ]+|repeat|do|text = "
      "\".*)$");
  std::vector<std::uint32_t> lines;
  std::istringstream stream(text);
  std::string line;
  bool inside = false, inCases = false;
  for (std::uint32_t number = 1; std::getline(stream, line); ++number) {
    if (std::regex_match(line, Begin)) {
      inside = line.find(" end") == std::string::npos;
      inCases = line.starts_with("local function cases(");
    } else if (line.starts_with("end")) {
      inside = false;
    } else if (inside && !inCases && !std::regex_match(line, Silent)) {
      lines.push_back(number);
    }
  }
  return lines;
}

std::string lineAt(const std::string& text, std::uint32_t number) {
  std::istringstream stream(text);
  std::string line;
  for (std::uint32_t i = 0; i < number; ++i) std::getline(stream, line);
  return line;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(core_policy_Shipped)

BOOST_AUTO_TEST_CASE(each_shipped_policy_has_a_title_and_stands_in_the_reference) {
  const auto report = checkSet(ShippedFolder, WorkerProgram);
  BOOST_REQUIRE(report.ok);
  const auto page = postern::files::read(Reference / "shipped.md");
  for (const auto& info : report.policies) {
    const auto end = info.doc.find("\n\n");
    BOOST_TEST_CONTEXT(info.name) {
      BOOST_TEST(end < 60u);
      BOOST_TEST(info.doc.find('\n') == end);
      BOOST_TEST(page.find("\n## `" + info.name + "`\n") != std::string::npos);
      BOOST_TEST(page.find("\n| `" + info.name + "` | ") != std::string::npos);
      for (const auto& set : info.sets) BOOST_TEST(page.find("`" + set.name + "`") != std::string::npos);
    }
  }
}

BOOST_AUTO_TEST_CASE(each_hook_has_a_page_whose_example_works) {
  static const std::regex Block("```lua\n([^`]*)```");
  static const std::regex Name("name = \"(\\w+)\"");
  SetFolder folder;
  folder.write("lib/lists.lua", postern::files::read(ShippedFolder / "lib/lists.lua"));
  std::set<std::string> hooks;
  for (const auto& entry : std::filesystem::directory_iterator(Reference)) {
    if (entry.path().filename() == "shipped.md") continue;
    const auto page = postern::files::read(entry.path());
    const auto hook = entry.path().stem().string();
    BOOST_TEST(page.starts_with("# Hook `" + hook + "("));
    std::smatch block, name;
    BOOST_REQUIRE_MESSAGE(std::regex_search(page, block, Block), "no example in " << entry.path());
    const auto text = block[1].str();
    BOOST_REQUIRE(std::regex_search(text, name, Name));
    BOOST_TEST(text.find("\n    " + hook + " = function(") != std::string::npos);
    folder.write(name[1].str() + ".lua", text);
    hooks.insert(hook);
  }
  const auto report = testSet(folder.path(), WorkerProgram);
  for (const auto& problem : report.check.problems) BOOST_TEST_ERROR(problem.file << ": " << problem.text);
  for (const auto& result : report.cases)
    BOOST_TEST(result.ok, result.policy << ": " << result.title << ": " << result.text);
  BOOST_TEST(report.ok);
  for (const char* hook :
       {"connect", "ehlo", "auth", "mail", "rcpt", "message", "post", "member", "attempt", "route", "expire"})
    BOOST_TEST(hooks.contains(hook), hook);
}

BOOST_AUTO_TEST_CASE(the_cases_of_shipped_policies_run_each_line_of_them) {
  const auto report = testSet(ShippedFolder, WorkerProgram);
  BOOST_REQUIRE(report.ok);
  std::map<std::string, std::set<std::uint32_t>> covered;
  for (const auto& file : report.covered()) covered[file.file].insert(file.lines.begin(), file.lines.end());
  std::size_t seen = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(ShippedFolder)) {
    const auto file = entry.path().lexically_relative(ShippedFolder).string();
    if (!entry.is_regular_file() || file.starts_with("meta/") || !file.ends_with(".lua")) continue;
    const auto text = postern::files::read(entry.path());
    for (const auto line : linesOfHooks(text)) {
      ++seen;
      BOOST_TEST(covered[file].contains(line), file << ":" << line << " is run by no case: " << lineAt(text, line));
    }
  }
  BOOST_TEST(seen > 200u);
}

BOOST_AUTO_TEST_SUITE_END()
