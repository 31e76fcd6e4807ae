// What one call or one policy leaves behind, no other may find: the worker sets the machine of a hook back before each
// call instead of making a new one.
#include "tests/unit/core/policy/PolicyFixture.h"

#include <set>

using namespace postern::policy;
using namespace postern::policy::test;

namespace {

// The reasons of the first recipient, for the same host and these subjects.
std::vector<std::string> reasons(PolicyHost& host, const std::vector<std::string>& subjects) {
  std::vector<std::string> all;
  for (const auto& subject : subjects) {
    auto message = mail(subject);
    message.content = [] { return MessageContent{{{"text/plain", "", 5, "", false}}, "hello", false}; };
    const auto outcome = host.message(twoLists(), message);
    all.push_back(outcome ? outcome->recipients[0].reason : "failure-" + wordFor(outcome.error().kind));
  }
  return all;
}

void expectReasons(const SetFolder& folder, const std::vector<std::string>& subjects,
                   const std::vector<std::string>& expected) {
  PolicyHost host(folder.options());
  BOOST_REQUIRE(host.status().hasSet);
  const auto got = reasons(host, subjects);
  BOOST_TEST(got == expected, boost::test_tools::per_element());
}

// All that an outcome says.
std::string wordsOf(const MessageOutcome& outcome) {
  if (!outcome) return "failure " + wordFor(outcome.error().kind);
  std::string words;
  for (const auto& verdict : outcome->recipients)
    words += wordFor(verdict.kind) + " " + std::to_string(verdict.code) + " " + verdict.enhanced + " " +
             verdict.policy + " " + verdict.reason + " " + verdict.text + "; ";
  for (const auto& note : outcome->notes) words += note.policy + " " + note.key + "=" + note.value + "; ";
  return words;
}

// Mail about which one or the other of the shipped policies has something to say.
std::vector<MessageFacts> mailOfAllKinds() {
  std::vector<MessageFacts> all;
  for (const std::string subject : {"lunch", "Secure: results", "[encrypt] x", "Secrue: results", "\u0405ecure: x"})
    for (const std::string text : {"hello", "card 4111 1111 1111 1111", "SSN 219-09-9999 of the patient"})
      for (const std::string file : {"", "plan.pdf", "run.exe"})
        for (const std::string field : {"", "Auto-Submitted: auto-replied", "List-Id: <board.lists.example.org>"}) {
          auto message = mail(subject);
          if (const auto colon = field.find(':'); colon != std::string::npos)
            message.headers.push_back({field.substr(0, colon), field.substr(colon + 2), field.substr(colon + 1)});
          message.content = [text, file] {
            MessageContent content{{{"text/plain", "", text.size(), "", false}}, text, false};
            if (!file.empty()) content.parts.push_back({"application/octet-stream", file, 5, "", false});
            return content;
          };
          all.push_back(std::move(message));
        }
  return all;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(core_policy_Isolation)

BOOST_AUTO_TEST_CASE(what_is_shipped_says_the_same_in_a_machine_set_back_as_in_one_made_anew) {
  SetFolder shipped, tooBigToKeep;
  for (auto* folder : {&shipped, &tooBigToKeep})
    std::filesystem::copy(ShippedFolder, folder->path(),
                          std::filesystem::copy_options::recursive | std::filesystem::copy_options::overwrite_existing);
  tooBigToKeep.write("zz_big.lua", policyText("zz_big", "return big == '' and reject() or pass()", "message",
                                              "local big = ('x'):rep(5000000)"));
  for (auto* folder : {&shipped, &tooBigToKeep}) std::filesystem::remove(folder->path() / "probe.lua");
  PolicyHost kept(shipped.options()), anew(tooBigToKeep.options());
  BOOST_REQUIRE((kept.status().hasSet && anew.status().hasSet));
  std::set<std::string> seen;
  for (int round = 0; round < 2; ++round)
    for (const auto& message : mailOfAllKinds()) {
      const auto words = wordsOf(kept.message(twoLists(), message));
      BOOST_TEST(words == wordsOf(anew.message(twoLists(), message)));
      seen.insert(words);
    }
  BOOST_TEST(seen.size() >= 8u);
}

BOOST_AUTO_TEST_CASE(a_policy_cannot_change_a_table_inside_a_helper_for_the_next) {
  for (const std::string when : {"file", "hook"}) {
    BOOST_TEST_CONTEXT("required in the " << when) {
      SetFolder folder;
      const std::string require = "local helper = require 'lib/helper' ";
      const auto before = when == "file" ? require : "";
      const auto inside = when == "file" ? "" : require;
      folder.write("a_first.lua",
                   policyText("a_first", inside + "helper.map.word = 'poison' return pass()", "message", before));
      folder.write("b_second.lua",
                   policyText("b_second", inside + "return accept{ reason = helper.map.word }", "message", before));
      folder.write("lib/helper.lua", "return { map = { word = 'clean' } }");
      expectReasons(folder, {"x", "y"}, {"clean", "clean"});
    }
  }
}

BOOST_AUTO_TEST_CASE(a_policy_cannot_change_what_the_next_is_asked) {
  SetFolder folder;
  folder.write(
      "a_first.lua",
      policyText("a_first",
                 "for _, change in ipairs{ function() tx.helo = 'x' end, function() tx.client.address = 'x' end,"
                 " function() msg.subject = 'x' end, function() tx.recipients[1] = nil end,"
                 " function() tx.recipients[1].secure = false end } do"
                 " if pcall(change) then return reject{ reason = 'changed' } end end "
                 "local fields = msg:headers('subject') fields[1] = 'x' "
                 "for _, part in ipairs(msg:parts()) do part.type = 'x' end return pass()"));
  folder.write("b_second.lua",
               policyText("b_second",
                          "if msg:parts()[1].type ~= 'text/plain' then return reject{ reason = 'changed' } "
                          "end return accept{ reason = msg:headers('subject')[1] }"));
  expectReasons(folder, {"hello"}, {"hello"});
}

BOOST_AUTO_TEST_CASE(what_a_call_did_is_gone_in_the_next_also_after_a_failure) {
  const SetFolder folder(
      "if #seen > 0 or settings.limit ~= 3 or again() ~= 1 then return reject{ reason = 'carried-over' } end "
      "seen[1] = msg.subject settings.limit = 9 "
      "if msg.subject == 'loop' then while true do end end "
      "if msg.subject == 'big' then local s = 'x' while true do s = s .. s end end "
      "if msg.subject == 'error' then error('x') end "
      "if msg.subject == 'many' then local t = {} for i = 1, 200000 do t[i] = { i } end end "
      "if msg.subject == 'grow' then for i = 1, 50000 do seen[i] = 'entry ' .. i end end "
      "return accept{ reason = 'clean' }",
      "local seen, settings, calls = {}, { limit = 3 }, 0 local function again() calls = calls + 1 return calls end");
  expectReasons(folder, {"a", "loop", "b", "big", "c", "error", "d", "many", "e", "grow", "f", "a"},
                {"clean", "failure-instructions", "clean", "failure-memory", "clean", "failure-script", "clean",
                 "clean", "clean", "clean", "clean", "clean"});
}

BOOST_AUTO_TEST_CASE(notes_and_counts_belong_to_one_call) {
  const SetFolder folder("msg:note('subject', msg.subject) for i = 1, 40 do count('k' .. i, 60) end return accept()");
  PolicyHost host(folder.options());
  for (const std::string subject : {"first", "second", "third"}) {
    const auto outcome = host.message(twoLists(), mail(subject));
    BOOST_REQUIRE_MESSAGE(outcome.has_value(), detailOf(outcome));
    BOOST_REQUIRE(outcome->notes.size() == 1u);
    BOOST_TEST(outcome->notes[0].value == subject);
  }
}

BOOST_AUTO_TEST_CASE(each_call_has_the_whole_budget) {
  // Nearly the half of the instructions and of the memory; twice in one call would be too much.
  const SetFolder folder(
      "local n = 0 for i = 1, 500000 do n = n + i % 7 end "
      "local s = ('x'):rep(9000000) return accept{ reason = #s == 9000000 and 'fine' or 'short' }");
  expectReasons(folder, {"a", "b", "c", "d", "e", "f"}, {"fine", "fine", "fine", "fine", "fine", "fine"});
}

BOOST_AUTO_TEST_CASE(a_set_too_big_to_be_kept_is_judged_as_any_other) {
  const SetFolder folder(
      "seen = seen + 1 return accept{ reason = #big == 5000000 and seen == 1 and 'fine' or 'carried-over' }",
      "local big, seen = ('x'):rep(5000000), 0");
  expectReasons(folder, {"a", "b", "c"}, {"fine", "fine", "fine"});
}

BOOST_AUTO_TEST_CASE(a_new_set_is_not_judged_by_what_was_kept_of_the_old_one) {
  SetFolder folder("return accept{ reason = 'old' }");
  PolicyHost host(folder.options());
  BOOST_TEST(reasons(host, {"x", "y"}) == (std::vector<std::string>{"old", "old"}), boost::test_tools::per_element());
  folder.write("probe.lua", policyText("probe", "return accept{ reason = 'new' }"));
  BOOST_REQUIRE(host.reload().ok);
  BOOST_TEST(reasons(host, {"x", "y"}) == (std::vector<std::string>{"new", "new"}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()
