// What policies see of the text and the parts of a message, and how they look through it.
#include "core/mail/Message.h"
#include "core/mail/MimeTree.h"
#include "core/policy/Counters.h"
#include "core/policy/MailFacts.h"
#include "core/policy/PolicyHost.h"
#include "tests/unit/core/policy/PolicyFixture.h"

#include <atomic>
#include <thread>

using namespace postern::policy;
using namespace postern::policy::test;
using namespace std::chrono_literals;

namespace {

MessageContent contentOf(const std::string& message) {
  const auto parsed = postern::mail::Message::parse(message);
  BOOST_REQUIRE(parsed.has_value());
  return describeContent(postern::mail::MimeTree::parse(*parsed));
}

const std::string Head = "From: a@example.org\r\nMIME-Version: 1.0\r\n";

std::string mixed(const std::vector<std::string>& parts) {
  auto text = Head + "Content-Type: multipart/mixed; boundary=b1\r\n\r\n";
  for (const auto& part : parts) text += "--b1\r\n" + part + "\r\n";
  return text + "--b1--\r\n";
}

MessageFacts mailWithText(const std::string& text, std::vector<PartFacts> parts = {}) {
  auto message = mail("hello");
  message.content = [text, parts] { return MessageContent{parts, text, false}; };
  return message;
}

// The reason of the verdict that a hook body gives, or the word of its failure.
std::string reasonOf(PolicyHost& host, const MessageFacts& message) {
  const auto outcome = host.message(twoLists(), message);
  return outcome ? outcome->recipients[0].reason : failureWord(outcome) + ": " + outcome.error().detail;
}

std::string reasonOf(const std::string& body, const MessageFacts& message, const std::string& before = "") {
  const SetFolder folder(body, before);
  PolicyHost host(folder.options());
  BOOST_REQUIRE(host.status().hasSet);
  return reasonOf(host, message);
}

std::string withSets(const std::string& body, const std::string& sets) {
  return "return { name = 'probe', doc = 'for a test', sets = " + sets + ", hooks = { message = function(tx, msg)\n" +
         body + "\nend } }\n";
}

// Turns `answer` into a reason.
const char* const Answer =
    " answer = tostring(answer) if answer == '' then answer = 'none' end "
    "return accept{ reason = (answer:lower():gsub('[^a-z0-9]+', '-')) }";

}  // namespace

BOOST_AUTO_TEST_SUITE(core_policy_Content)

BOOST_AUTO_TEST_CASE(shown_text_is_decoded_and_attachments_are_parts_only) {
  const auto content = contentOf(mixed(
      {"Content-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\ncaf=E9",
       "Content-Type: text/html; charset=utf-8\r\n\r\n<p>hel<b>lo</b> &amp; more<script>no</script></p>",
       "Content-Type: text/plain\r\nContent-Disposition: attachment; filename=notes.txt\r\n\r\nhidden"}));
  BOOST_TEST(content.text.starts_with("caf\xc3\xa9\n\n"));
  BOOST_TEST(content.text.find("hello & more") != std::string::npos);
  BOOST_TEST(content.text.find("hidden") == std::string::npos);
  BOOST_TEST(content.text.find("no<") == std::string::npos);
  BOOST_TEST(!content.textCut);
  BOOST_REQUIRE(content.parts.size() == 3u);
  BOOST_TEST(content.parts[2].filename == "notes.txt");
  BOOST_TEST(content.parts[2].disposition == "attachment");
  BOOST_TEST(content.parts[2].size == 6u);
}

BOOST_AUTO_TEST_CASE(hostile_names_are_decoded_and_lose_folders_and_controls) {
  const auto name = [](const std::string& disposition) {
    const auto content = contentOf(mixed(
        {"Content-Type: application/octet-stream\r\nContent-Disposition: attachment; " + disposition + "\r\n\r\nx"}));
    BOOST_REQUIRE(!content.parts.empty());
    return content.parts[0].filename;
  };
  BOOST_TEST(name("filename*=UTF-8''%2e%2e%2f%2e%2e%2fetc%2fpa%07sswd.exe") == "passwd.exe");
  BOOST_TEST(name("filename*0=\"inv\"; filename*1=\"oice.\"; filename*2=\"exe\"") == "invoice.exe");
  BOOST_TEST(name("filename=\"=?utf-8?B?cmVwb3J0LmV4ZQ==?=\"") == "report.exe");
  BOOST_TEST(name("filename=\"" + std::string(5000, 'a') + ".exe\"").size() <= 255u);
}

BOOST_AUTO_TEST_CASE(parts_of_encrypted_mail_are_marked) {
  const auto content =
      contentOf(Head +
                "Content-Type: multipart/encrypted; boundary=b1; protocol=\"application/pgp-encrypted\"\r\n\r\n"
                "--b1\r\nContent-Type: application/pgp-encrypted\r\n\r\nVersion: 1\r\n--b1\r\n"
                "Content-Type: application/octet-stream\r\n\r\nx\r\n--b1--\r\n");
  BOOST_REQUIRE(content.parts.size() == 2u);
  BOOST_TEST(content.parts[0].isEncrypted);
  BOOST_TEST(content.parts[1].isEncrypted);
  BOOST_TEST(!contentOf(Head + "\r\nplain\r\n").parts[0].isEncrypted);
}

BOOST_AUTO_TEST_CASE(a_text_of_50_MB_and_bombs_of_HTML_and_parts_stay_small_and_fast) {
  const auto start = std::chrono::steady_clock::now();
  std::string line = "0123456789012345678901234567890123456789\r\n";
  std::string large;
  while (large.size() < (50u << 20)) large += line;
  const auto text = contentOf(Head + "\r\n" + large);
  BOOST_TEST(text.text.size() <= MaxContentText);
  BOOST_TEST(text.textCut);
  std::string html;
  while (html.size() < (2u << 20)) html += "<div title=\"";
  const auto bomb = contentOf(Head + "Content-Type: text/html\r\n\r\n" + html + "\r\n");
  BOOST_TEST(bomb.text.size() <= MaxContentText);
  std::vector<std::string> parts(9'990, "Content-Type: text/plain\r\n\r\nx");
  const auto many = contentOf(mixed(parts));
  BOOST_TEST(many.parts.size() <= 10'000u);
  BOOST_TEST(many.text.size() <= MaxContentText);
  BOOST_TEST((std::chrono::steady_clock::now() - start < 60s));
}

BOOST_AUTO_TEST_CASE(a_policy_reads_the_content_once_asked_for_and_others_do_not_pay) {
  std::atomic<int> made = 0;
  auto message = mail("hello");
  message.content = [&] {
    ++made;
    return MessageContent{{{"application/pdf", "a.pdf", 7, "attachment", true}}, "the text", true};
  };
  const SetFolder reads(
      "local text, cut = msg:text() local part = msg:parts()[1] msg:text() "
      "if text == 'the text' and cut and part.type == 'application/pdf' and part.filename == 'a.pdf' and part.size == "
      "7 "
      "and part.disposition == 'attachment' and part.is_encrypted and #msg:parts() == 1 then "
      "return accept{ reason = 'read' } end");
  PolicyHost host(reads.options());
  BOOST_TEST(reasonOf(host, message) == "read");
  BOOST_TEST(made == 1);
  BOOST_TEST(reasonOf("return accept{ reason = 'blind' }", message) == "blind");
  BOOST_TEST(made == 1);
}

BOOST_AUTO_TEST_CASE(content_that_is_not_there_or_cannot_be_made_fails_closed) {
  BOOST_TEST(!askOnce("msg:text() return accept()"));
  auto message = mail("hello");
  message.content = []() -> MessageContent { throw std::runtime_error("broken"); };
  const SetFolder folder("pcall(msg.text, msg) return accept()");
  PolicyHost host(folder.options());
  BOOST_TEST(!host.message(twoLists(), message));
  BOOST_TEST(host.message(twoLists(), mailWithText("x")).has_value());  // the next call has a new worker
}

BOOST_AUTO_TEST_CASE(ten_thousand_parts_and_a_full_text_fit_the_limits_of_a_call) {
  const std::vector<PartFacts> parts(10'000, PartFacts{"text/plain", std::string(255, 'n'), 1, "inline", false});
  const auto message = mailWithText(std::string(MaxContentText, 'x'), parts);
  BOOST_TEST(reasonOf("local n = 0 for _, part in ipairs(msg:parts()) do n = n + #part.filename end "
                      "if n == 2550000 and #msg:text() == 262144 then return accept{ reason = 'all' } end",
                      message) == "all");
}

BOOST_AUTO_TEST_CASE(patterns_match_and_find) {
  const auto message = mailWithText("Card 4111-1111-1111-1111, SSN 078-05-1120 and 219-09-9999. \xc3\x84RZTIN");
  const auto is = [&](const std::string& expression) {
    return reasonOf("local answer = " + expression + Answer, message);
  };
  BOOST_TEST(is("matches([[\\b\\d{3}-\\d{2}-\\d{4}\\b]], msg:text())") == "true");
  BOOST_TEST(is("matches('(?i)\xc3\xa4rztin', msg:text())") == "true");
  BOOST_TEST(is("matches('^SSN', msg:text())") == "false");
  BOOST_TEST(is("table.concat(find_all([[\\b\\d{3}-\\d{2}-\\d{4}\\b]], msg:text()), ' ')") ==
             "078-05-1120-219-09-9999");
  BOOST_TEST(is("#find_all([[\\d]], msg:text(), 5)") == "5");
  BOOST_TEST(is("#find_all('x*', msg:text())") == "0");  // empty matches are none
}

BOOST_AUTO_TEST_CASE(pattern_bombs_are_refused_or_take_no_time) {
  const auto message = mailWithText(std::string(200'000, 'a'));
  const auto start = std::chrono::steady_clock::now();
  BOOST_TEST(reasonOf("local answer = matches('(a*)*(a*)*(a*)*b', msg:text())" + std::string(Answer), message) ==
             "false");
  BOOST_TEST(reasonOf("local answer = matches('(a|aa)+$', msg:text() .. 'b')" + std::string(Answer), message) ==
             "false");
  BOOST_TEST(reasonOf("local answer = matches(('a?'):rep(500) .. ('a'):rep(500) .. 'b', msg:text():sub(1, 5000))" +
                          std::string(Answer),
                      message) == "false");
  BOOST_TEST((std::chrono::steady_clock::now() - start < 20s));
  for (const auto* bomb : {"('(a{1,900}){1,900}')", "('(?:a{0,1000}){0,1000}')", "('('):rep(3000)", "('a'):rep(5000)",
                           "'(a)\\\\1'", "'(?=a)'"})
    BOOST_TEST(!askOnce("local p = " + std::string(bomb) + " matches(p, 'aaa') return accept()"), bomb);
}

BOOST_AUTO_TEST_CASE(scanning_counts_as_instructions) {
  const auto message = mailWithText(std::string(250'000, 'a'));
  const auto reason =
      reasonOf("for i = 1, 1000 do pcall(matches, 'b' .. i % 40, msg:text()) end return accept()", message);
  BOOST_TEST(reason.starts_with("instructions"), reason);
}

BOOST_AUTO_TEST_CASE(a_bad_pattern_or_an_unknown_set_in_a_file_is_found_before_any_mail) {
  const auto problemOf = [](const std::string& body) {
    const SetFolder folder(body);
    const auto report = checkSet(folder.path(), WorkerProgram);
    return report.problems.empty() ? std::string()
                                   : std::to_string(report.problems[0].line) + ": " + report.problems[0].text;
  };
  BOOST_TEST(problemOf("\nreturn matches('(', msg.subject) and accept() or pass()").starts_with("4: matches(): not a"));
  BOOST_TEST(problemOf("find_all ( [==[a{1,5000}]==] , msg.subject)").find("find_all()") != std::string::npos);
  BOOST_TEST(problemOf("in_set(\"nobodys\", msg.from)").find("`nobodys` is not declared") != std::string::npos);
  BOOST_TEST(problemOf("words_in('nobodys', msg.subject)").find("`nobodys` is not declared") != std::string::npos);
  BOOST_TEST(problemOf("-- matches('(', x)\n--[[ matches('(', x) ]] local s = \"matches('(', x)\" "
                       "local t = { matches = function() end } t.matches('(', s) matches('(' .. ')', s)") == "");
}

BOOST_AUTO_TEST_CASE(words_are_found_whole_in_any_case_and_disguise) {
  const auto message = mailWithText(
      "The DIAGNOSIS\xe2\x80\x8b was: Type-2 diabetes; \xc3\x84rztin, social  security\nnumber. undiagnosis F32.1");
  const auto is = [&](const std::string& list) {
    return reasonOf("local answer = table.concat(words_in(" + list + ", msg:text()), ' ')" + Answer, message);
  };
  BOOST_TEST(is("{ 'diabetes', 'Diagnosis', 'diag', 'gnosis', 'x' }") == "diagnosis-diabetes");
  BOOST_TEST(is("{ 'Social Security Number', 'type 2', 'f32.1', '' }") == "type-2-social-security-number-f32-1");
  BOOST_TEST(is("{ '\xc3\xa4rztin' }") == "-rztin");
  BOOST_TEST(is("{}") == "none");
}

BOOST_AUTO_TEST_CASE(sets_are_looked_up_and_changed_while_calls_run) {
  SetFolder folder;
  folder.write("probe.lua",
               withSets("local answer = tostring(in_set('trusted', msg:header('X-Value') or '')) .. ' ' .. "
                        "table.concat(words_in('trusted', msg.subject), ' ')" +
                            std::string(Answer),
                        "{ trusted = 'domains that we trust' }"));
  auto options = folder.options();
  options.workers = 2;
  PolicyHost host(options);
  BOOST_REQUIRE(host.status().hasSet);
  BOOST_REQUIRE(host.status().declaredSets.size() == 1u);
  BOOST_TEST(host.status().declaredSets[0].doc == "domains that we trust");
  const auto ask = [&](const std::string& value, const std::string& subject = "hello") {
    auto message = mail(subject);
    message.headers.push_back({"X-Value", value, value});
    return reasonOf(host, message);
  };
  BOOST_TEST(ask("example.org") == "false-");  // declared, not filled
  BOOST_TEST(!host.useSets(
      {{"trusted", {"Example.ORG", ".sub.example.net", "m\xc3\xbcller.example", "top secret"}}, {"other", {"x"}}}));
  BOOST_TEST(ask("EXAMPLE.org") == "true-");
  BOOST_TEST(ask("a.example.org") == "false-");
  BOOST_TEST(ask("sub.example.net") == "true-");
  BOOST_TEST(ask("a.b.SUB.example.net") == "true-");
  BOOST_TEST(ask("notsub.example.net") == "false-");
  BOOST_TEST(ask("a@x.sub.example.net") == "false-");
  BOOST_TEST(ask("M\xc3\x9cLLER.example") == "true-");
  BOOST_TEST(ask("muller.example") == "false-");
  BOOST_TEST(ask("x", "a Top  Secret thing") == "false-top-secret");
  BOOST_TEST(host.useSets({{"trusted", {""}}}).has_value());
  BOOST_TEST(host.useSets({{"trusted", {std::string(1001, 'x')}}}).has_value());
  BOOST_TEST(ask("example.org") == "true-");
  const auto failuresBefore = host.status().failures;
  {
    const std::jthread caller([&](const std::stop_token& stop) {
      while (!stop.stop_requested()) (void)ask("example.org");
    });
    for (int i = 0; i < 20; ++i) BOOST_TEST(!host.useSets({{"trusted", {std::to_string(i)}}}));
  }
  BOOST_TEST(ask("19") == "true-");
  BOOST_TEST(host.status().failures == failuresBefore);
}

BOOST_AUTO_TEST_CASE(a_set_of_100000_entries_costs_nothing_per_message) {
  SetFolder folder;
  folder.write("probe.lua", withSets("if in_set('many', msg.subject) then return accept{ reason = 'known' } end",
                                     "{ many = 'a lot' }"));
  auto options = folder.options();
  SiteSets sets;
  for (int i = 0; i < 100'000; ++i) sets["many"].push_back("domain-" + std::to_string(i) + ".example.org");
  options.sets = sets;
  PolicyHost host(options);
  BOOST_TEST(reasonOf(host, mail("domain-99999.example.org")) == "known");  // loads the set
  const auto started = host.status().workersStarted;
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < 200; ++i) (void)reasonOf(host, mail("domain-77.example.org"));
  BOOST_TEST((std::chrono::steady_clock::now() - start < 2s));
  BOOST_TEST(host.status().workersStarted == started);
}

BOOST_AUTO_TEST_CASE(the_name_of_a_set_or_a_counter_may_come_from_the_mail_and_harms_nobody) {
  const auto ask = [](const std::string& call, const std::string& subject) {
    SetFolder folder;
    folder.write("probe.lua", withSets("local answer = " + call + Answer, "{ mine = 'for a test' }"));
    auto options = folder.options();
    options.sets = {{"mine", {"x"}}, {"yours", {"x"}}};
    PolicyHost host(options);
    BOOST_REQUIRE(host.status().hasSet);
    return reasonOf(host, mail(subject));
  };
  BOOST_TEST(ask("in_set(msg.subject, 'x')", "mine") == "true");
  BOOST_TEST(ask("in_set(msg.subject, 'x')", "yours").starts_with("script"));
  BOOST_TEST(ask("in_set(msg.subject, 'x')", std::string("mine\0", 5)).starts_with("script"));
  BOOST_TEST(ask("count(msg.subject, 60)", std::string("a\0b\n", 4)) == "1");
  BOOST_TEST(ask("count(msg.subject, 60)", std::string(257, 'x')).starts_with("script"));
  BOOST_TEST(ask("count(msg.subject, 60)", "").starts_with("script"));
  BOOST_TEST(ask("count('k', 0)", "").starts_with("script"));
}

BOOST_AUTO_TEST_CASE(cases_bring_their_own_content_sets_and_counts) {
  SetFolder folder;
  folder.write("probe.lua", R"(
return { name = "probe", doc = "for a test", sets = { words = "bad words" }, hooks = { message = function(tx, msg)
  if #words_in("words", msg:text()) > 0 then return reject{ reason = "word" } end
  if msg:parts()[1].type == "application/zip" then return reject{ reason = "zip" } end
  if count(tx.mail_from, 60) > 2 then return defer{ reason = "rate" } end
end }, cases = {
  { title = "a word", tx = { recipients = { "a@b" } }, sets = { words = { "Budget" } }, msg = { text = "our budget." },
    expect = { verdict = "reject", reason = "word" } },
  { title = "no set", tx = { recipients = { "a@b" } }, msg = { text = "our budget." }, expect = { verdict = "pass" } },
  { title = "a part", tx = { recipients = { "a@b" } }, msg = { parts = { { type = "application/zip" } } },
    expect = { verdict = "reject", reason = "zip" } },
  { title = "third", tx = { recipients = { "a@b" }, mail_from = "x@y" }, counts = { ["x@y"] = 3 }, msg = {},
    expect = { verdict = "defer", reason = "rate" } },
} })");
  const auto report = testSet(folder.path(), WorkerProgram);
  for (const auto& result : report.cases) BOOST_TEST(result.ok, result.title << ": " << result.text);
  for (const auto& problem : report.check.problems) BOOST_TEST_MESSAGE(problem.text);
  BOOST_TEST(report.ok);
}

BOOST_AUTO_TEST_CASE(counts_are_shared_by_all_workers_and_end_with_their_window) {
  const SetFolder folder("local answer = count('k', 3600)" + std::string(Answer));
  auto options = folder.options();
  options.workers = 2;
  PolicyHost host(options);
  for (int i = 1; i <= 5; ++i) BOOST_TEST(reasonOf(host, mail("x")) == std::to_string(i));
  {
    std::vector<std::jthread> callers;
    for (int i = 0; i < 4; ++i)
      callers.emplace_back([&] {
        for (int n = 0; n < 10; ++n) (void)host.message(twoLists(), mail("x"));
      });
  }
  BOOST_TEST(reasonOf(host, mail("x")) == "46");

  Counters counters(3);
  const Counters::Clock::time_point start{100h};
  for (int i = 1; i <= 4; ++i)
    BOOST_TEST(counters.count("p", "k", 60, false, start + i * 1s) == static_cast<unsigned>(i));
  BOOST_TEST(counters.count("p", "k", 60, true, start + 5s) == 5u);
  BOOST_TEST(counters.count("p", "k", 60, true, start + 5s) == 5u);
  BOOST_TEST(counters.count("q", "k", 60, false, start + 5s) == 1u);
  BOOST_TEST(counters.count("p", "k", 61, false, start + 5s) == 1u);
  BOOST_TEST(counters.count("p", "k", 60, false, start + 50s) == 5u);
  BOOST_TEST(counters.count("p", "k", 60, false, start + 75s) == 2u);
  BOOST_TEST(counters.count("p", "k", 60, false, start + 1h) == 1u);
  BOOST_TEST(counters.count("p", "new", 60, false, start + 1h) == 1u);
  BOOST_TEST(counters.size() == 3u);
  BOOST_TEST(counters.count("p", "other", 60, true, start + 1h) == 1u);
  BOOST_TEST(counters.size() == 3u);
}

BOOST_AUTO_TEST_CASE(a_call_cannot_count_without_end) {
  BOOST_TEST(!askOnce("for i = 1, 100 do pcall(count, 'k' .. i, 60) end count('x', 60) return accept()"));
}

BOOST_AUTO_TEST_SUITE_END()
