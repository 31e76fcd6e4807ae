#include "listd/plan/PostingRule.h"
#include "tests/unit/listd/ListdFixture.h"

using namespace postern;
using namespace postern::test;
using Verdict = PostingRuling::Verdict;

namespace {

ListFacts boardFacts(bool secure = true) {
  return {mail::Address::parse("board@lists.example").value(), "Board", "", secure, "https://x.example/help"};
}

PostingRuling judge(const std::string& header, const PostingSettings& settings = {}, bool secure = true,
                    const std::string& mailFrom = "ann@example.org",
                    std::vector<std::pair<std::string, std::string>> notes = {}) {
  app::Submission submission;
  submission.mailFrom = mailFrom;
  submission.notes = std::move(notes);
  const auto message =
      mail::Message::parse(header + "Subject: x\r\nDate: Sun, 01 Mar 2026 12:00:00 +0000\r\n\r\nHello\r\n");
  return judgePost(message.value(), submission, boardFacts(secure), settings,
                   [](const std::string& address) { return address == "ann@example.org"; });
}

}  // namespace

BOOST_AUTO_TEST_SUITE(listd_plan_PostingRule)

BOOST_AUTO_TEST_CASE(a_member_may_post_whatever_letter_case_and_envelope) {
  BOOST_TEST((judge("From: Ann <ann@example.org>\r\n").verdict == Verdict::Accept));
  BOOST_TEST((judge("From: ANN@Example.ORG\r\n").verdict == Verdict::Accept));
  BOOST_TEST((judge("From: ann@example.org\r\n", {}, true, "bounce@relay.example").verdict == Verdict::Accept));
}

BOOST_AUTO_TEST_CASE(a_stranger_is_rejected_also_with_a_member_in_the_display_name_or_envelope) {
  for (const auto* from : {"From: eve@evil.example\r\n", "From: \"ann@example.org\" <eve@evil.example>\r\n"}) {
    const auto ruling = judge(from);
    BOOST_TEST((ruling.verdict == Verdict::Reject));
    BOOST_TEST(ruling.reason == "not-a-member");
    BOOST_TEST((ruling.report == RejectReason::NotAMember));
  }
}

BOOST_AUTO_TEST_CASE(anyone_may_post_where_the_list_says_so) {
  PostingSettings settings;
  settings.anyonePosts = true;
  BOOST_TEST((judge("From: eve@evil.example\r\n", settings).verdict == Verdict::Accept));
}

BOOST_AUTO_TEST_CASE(two_authors_two_from_fields_and_none_are_rejected_as_malformed) {
  for (const auto* from :
       {"From: ann@example.org, eve@evil.example\r\n", "From: ann@example.org\r\nFrom: eve@evil.example\r\n", "",
        "From: <>\r\n", "From: ann@example.org (\r\n"}) {
    const auto ruling = judge(from);
    BOOST_TEST((ruling.verdict == Verdict::Reject), from);
    BOOST_TEST(ruling.reason == "malformed", from);
  }
}

// Or else a forged From and a message that no list distributes would tell quietly who is a member.
BOOST_AUTO_TEST_CASE(what_is_malformed_is_rejected_alike_for_members_and_strangers) {
  for (const auto* from : {"From: ann@example.org\r\n", "From: eve@evil.example\r\n"})
    BOOST_TEST(judge(from + std::string("Content-Type: text/plain; nonsense\r\n")).reason == "malformed", from);
}

BOOST_AUTO_TEST_CASE(a_closed_list_rejects_its_members) {
  PostingSettings settings;
  settings.open = false;
  BOOST_TEST(judge("From: ann@example.org\r\n", settings).reason == "closed");
}

BOOST_AUTO_TEST_CASE(loops_and_machines_are_ignored_without_a_report) {
  for (const auto* header : {"List-Id: <board.lists.example>\r\n", "Auto-Submitted: auto-replied\r\n",
                             "Precedence: bulk\r\n", "X-Loop: board@lists.example\r\n"}) {
    const auto ruling = judge(std::string("From: ann@example.org\r\n") + header);
    BOOST_TEST((ruling.verdict == Verdict::Ignore), header);
    BOOST_TEST(!ruling.report, header);
    BOOST_TEST(ruling.automatic, header);
  }
  BOOST_TEST((judge("From: ann@example.org\r\n", {}, true, "").verdict == Verdict::Ignore));
}

BOOST_AUTO_TEST_CASE(a_tagged_post_passes_a_secure_list_only) {
  // The note as the shipped policy secure_tag writes it.
  const std::vector<std::pair<std::string, std::string>> tagged{{"tagged", "yes"}};
  BOOST_TEST((judge("From: ann@example.org\r\n", {}, true, "ann@example.org", tagged).verdict == Verdict::Accept));
  BOOST_TEST(judge("From: ann@example.org\r\n", {}, false, "ann@example.org", tagged).reason == "secure-tag");
}

BOOST_AUTO_TEST_CASE(the_plan_is_wished_for_by_a_field_and_only_the_author_gets_it) {
  const std::string from = "From: Ann <ann@example.org>\r\n";
  BOOST_TEST(judge(from + "Postern-Plan: yes\r\n").wantsPlan);
  BOOST_TEST(judge(from + "postern-plan:  YES \r\n").wantsPlan);
  BOOST_TEST(!judge(from).wantsPlan);
  BOOST_TEST(!judge(from + "Postern-Plan: no\r\n").wantsPlan);
  BOOST_TEST(!judge(from + "Subject: Postern-Plan: yes\r\n").wantsPlan);
  BOOST_TEST(!judge(from + "Postern-Plan: yes\r\n", {}, true, "mallory@elsewhere.example").wantsPlan);
  BOOST_TEST(!judge(from + "Postern-Plan: yes\r\n", {}, true, "").wantsPlan);
}

BOOST_AUTO_TEST_SUITE_END()
