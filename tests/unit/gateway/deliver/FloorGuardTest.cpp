#include "gateway/deliver/FloorGuard.h"
#include "tests/support/SealedSample.h"

using namespace postern;
using namespace postern::gateway;
using app::Copy;
using app::Protection;
using test::SealedSample;
using namespace std::string_literals;

namespace {

constexpr HopFacts NoTls{false, false};
constexpr HopFacts PlainTls{true, false};
constexpr HopFacts VerifiedTls{true, true};

struct Sealed {
  std::string header = SealedSample::header();
  std::string body;  // base64 lines
  Copy::Kind kind = Copy::Kind::Content;
  Protection protection = Protection::Smime;
  Protection floor = Protection::Smime;
  std::size_t split = 4 * 78;  // where the tail begins
  HopFacts hop = NoTls;

  Sealed() {
    static const auto object = SealedSample({SealedSample::Key::Ec}).object(SealedSample::text(4000));
    body = SealedSample::base64(object);
  }

  std::string problem() const {
    const auto head = header + body.substr(0, split);
    auto tail = OutboundTail::make(std::make_shared<const std::string>(body.substr(std::min(split, body.size()))));
    BOOST_REQUIRE(tail.has_value());
    const auto result = FloorGuard::check(kind, protection, floor, head, tail->get(), hop);
    const auto again = FloorGuard::check(kind, protection, floor, head, tail->get(), hop);
    BOOST_TEST(result.has_value() == again.has_value());  // the remembered verdict is the same
    const auto whole = FloorGuard::check(kind, protection, floor, header + body, nullptr, hop);
    if (kind == Copy::Kind::Content) BOOST_TEST(result.has_value() == whole.has_value());
    return result.has_value() ? "" : result.error();
  }
};

void replace(std::string& text, std::string_view from, std::string_view to) {
  const auto at = text.find(from);
  BOOST_REQUIRE(at != std::string::npos);
  text.replace(at, from.size(), to);
}

std::string notice(const std::string& extra = "",
                   const std::string& subject = "A message to Board could not be sent to you") {
  return "From: postern@lists.example\r\nTo: ann@example.org\r\nSubject: " + subject + "\r\n" + extra +
         "Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\n"
         "A message to the list could not be encrypted for you.\r\n";
}

std::string ownMailProblem(Copy::Kind kind, const std::string& bytes) {
  const auto result = FloorGuard::check(kind, Protection::None, Protection::Smime, bytes, nullptr, NoTls);
  return result.has_value() ? "" : result.error();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(gateway_deliver_FloorGuard)

BOOST_AUTO_TEST_CASE(lets_a_sealed_copy_pass_on_any_connection) {
  Sealed copy;
  BOOST_TEST(copy.problem() == "");
  copy.hop = VerifiedTls;
  BOOST_TEST(copy.problem() == "");
  for (copy.split = 0; copy.split < copy.body.size(); copy.split += 78) BOOST_TEST(copy.problem() == "");
}

BOOST_AUTO_TEST_CASE(lets_an_authenveloped_copy_pass) {
  Sealed copy;
  copy.header = SealedSample::header("authEnveloped-data");
  copy.body = SealedSample::base64(SealedSample().object(SealedSample::text(4000), EVP_aes_256_gcm()));
  BOOST_TEST(copy.problem() == "");
}

BOOST_AUTO_TEST_CASE(blocks_every_weaker_protection_whatever_the_bytes) {
  for (const auto floor : {Protection::Tls, Protection::Pickup, Protection::OpenPgp, Protection::Smime}) {
    for (int protection = 0; protection < static_cast<int>(floor); ++protection) {
      Sealed copy;
      copy.floor = floor;
      copy.protection = static_cast<Protection>(protection);
      copy.hop = VerifiedTls;
      BOOST_TEST(copy.problem() != "");
    }
  }
}

BOOST_AUTO_TEST_CASE(blocks_claims_that_are_not_true) {
  // Plain text that says it is sealed, with and without the right header.
  Sealed copy;
  copy.body = "The canary sings in the mine.\r\n";
  copy.split = 0;
  BOOST_TEST(copy.problem() != "");
  copy.header = "From: a@b\r\nSubject: budget\r\n\r\n";
  BOOST_TEST(copy.problem() != "");
  copy.floor = Protection::None;
  BOOST_TEST(copy.problem() != "");
  for (const auto protection : {Protection::OpenPgp, Protection::Pickup, static_cast<Protection>(9)}) {
    Sealed other;
    other.protection = protection;
    other.floor = Protection::None;
    other.hop = VerifiedTls;
    BOOST_TEST(other.problem() != "");
  }
}

BOOST_AUTO_TEST_CASE(a_floor_of_tls_needs_verified_tls_on_this_connection) {
  const std::string head = "From: a@b\r\nSubject: budget\r\n\r\nplain\r\n";
  const auto passes = [&](const HopFacts& hop) {
    return FloorGuard::check(Copy::Kind::Content, Protection::Tls, Protection::Tls, head, nullptr, hop).has_value();
  };
  BOOST_TEST(!passes(NoTls));
  BOOST_TEST(!passes(PlainTls));
  BOOST_TEST(!passes({false, true}));
  BOOST_TEST(passes(VerifiedTls));
}

BOOST_AUTO_TEST_CASE(open_copies_pass_only_with_an_open_floor) {
  const std::string head = "From: a@b\r\nSubject: party\r\n\r\nplain\r\n";
  BOOST_TEST(
      FloorGuard::check(Copy::Kind::Content, Protection::None, Protection::None, head, nullptr, NoTls).has_value());
  BOOST_TEST(!FloorGuard::check(Copy::Kind::Content, Protection::None, Protection::Tls, head, nullptr, VerifiedTls)
                  .has_value());
}

BOOST_AUTO_TEST_CASE(blocks_every_single_change_of_the_header) {
  const std::pair<const char*, const char*> changes[] = {
      {"Subject: [...]", "Subject: budget"},
      {"Subject: [...]", "Subject: [...] budget"},
      {"Subject: [...]", "Subject: [...]\r\n budget"},
      {"Subject: [...]", "Subject:"},
      {"Subject: [...]\r\n", ""},
      {"Subject: [...]", "Subject: [...]\r\nSubject: budget"},
      {"Subject: [...]", "Subject: [...]\r\nSubject: [...]"},
      {"Subject: [...]", "Subject: [...]\r\nsUBJECT: budget"},
      {"Subject: [...]", "Subject: [...]\r\nSubject : budget"},
      {"Subject: [...]", "Subject: [...]\r\nThread-Topic: budget"},
      {"Subject: [...]", "Subject: [...]\r\nComments: budget"},
      {"Subject: [...]", "Subject: [...]\r\nKeywords: budget"},
      {"Subject: [...]", "Subject: [...]\r\nX-Subject: budget"},
      {"Subject: [...]", "Subject: [...]\r\nContent-Description: budget"},
      {"Subject: [...]", "Subject: [...]\r\n\r\nbudget"},
      {"Subject: [...]", "budget"},
      {"MIME-Version: 1.0", "MIME-Version: 1.1"},
      {"MIME-Version: 1.0\r\n", ""},
      {"application/pkcs7-mime", "text/plain"},
      {"application/pkcs7-mime", "multipart/mixed"},
      {"application/pkcs7-mime", "application/pkcs7-signature"},
      {"enveloped-data", "signed-data"},
      {"enveloped-data", "compressed-data"},
      {"enveloped-data", "authEnveloped-data"},
      {"enveloped-data", "enveloped-data; smime-type=signed-data"},
      {"; smime-type=enveloped-data", ""},
      {"Content-Type:", "Content-Type: text/plain\r\nContent-Type:"},
      {"Content-Transfer-Encoding: base64", "Content-Transfer-Encoding: 7bit"},
      {"Content-Transfer-Encoding: base64", "Content-Transfer-Encoding: base64\r\nContent-Transfer-Encoding: 7bit"},
      {"Content-Transfer-Encoding: base64\r\n", ""},
      {"Date:", " Date:"},
      {"Date:", "Da te:"},
      {"Date:", ":"},
  };
  for (const auto& [from, to] : changes) {
    Sealed copy;
    replace(copy.header, from, to);
    BOOST_TEST(copy.problem() != "", "passed: " << to);
  }
}

BOOST_AUTO_TEST_CASE(blocks_every_change_of_the_body) {
  const std::string text = "Secret budget\r\n";
  for (const auto& change : std::vector<std::function<void(std::string&)>>{
           [&](std::string& body) { body += text; }, [&](std::string& body) { body = text + body; },
           [&](std::string& body) { body.insert(78, text); }, [&](std::string& body) { body.insert(78, "--x\r\n"); },
           [&](std::string& body) { body += body; }, [&](std::string& body) { body.resize(body.size() / 78 / 2 * 78); },
           [&](std::string& body) { body = SealedSample::base64(SealedSample::text(4000)); },
           [&](std::string& body) { body.clear(); },
           [&](std::string& body) {
             body = SealedSample::base64(SealedSample({SealedSample::Key::Rsa, SealedSample::Key::Ec}).object("x"));
           }}) {
    Sealed copy;
    change(copy.body);
    BOOST_TEST(copy.problem() != "");
  }
}

BOOST_AUTO_TEST_CASE(the_remembered_verdict_belongs_to_the_state_that_the_head_leaves) {
  const Sealed copy;
  auto tail = OutboundTail::make(std::make_shared<const std::string>(copy.body.substr(copy.split)));
  const auto check = [&](const std::string& head) {
    return FloorGuard::check(Copy::Kind::Content, Protection::Smime, Protection::Smime, head, tail->get(), NoTls)
        .has_value();
  };
  const auto good = copy.header + copy.body.substr(0, copy.split);
  BOOST_TEST(check(good));
  BOOST_TEST(!check(copy.header));                                         // the tail alone
  BOOST_TEST(!check(copy.header + copy.body.substr(0, copy.split - 78)));  // a line less
  BOOST_TEST(!check(copy.header + copy.body.substr(0, copy.split) + "AAAA\r\n"));
  BOOST_TEST(check(good));
}

BOOST_AUTO_TEST_CASE(notices_have_one_form_only) {
  BOOST_TEST(ownMailProblem(Copy::Kind::Notice, notice()) == "");
  BOOST_TEST(ownMailProblem(Copy::Kind::Notice,
                            notice("", "A message to =?utf-8?Q?B=C3=B6ard?= could not be sent to you")) == "");
  for (const auto& bad :
       {notice("In-Reply-To: <1@x>\r\n"), notice("References: <1@x>\r\n"), notice("", "budget"),
        notice("", "A message to " + std::string(120, 'a') + " could not be sent to you"),
        notice("X-Subject: budget\r\n"), notice("", "A message to  could not be sent to you"),
        notice("", "Your message was delivered to Board"), notice("Subject: budget\r\n"),
        notice("Content-Type: multipart/mixed\r\n"), SealedSample::header() + "AAAA\r\n", "plain text\r\n"s}) {
    BOOST_TEST(ownMailProblem(Copy::Kind::Notice, bad) != "");
  }
  auto unmarked = notice();
  replace(unmarked, "Auto-Submitted: auto-generated\r\n", "");
  BOOST_TEST(ownMailProblem(Copy::Kind::Notice, unmarked) != "");
  auto large = notice();
  large.append(FloorGuard::MaxNotice, 'a');
  BOOST_TEST(ownMailProblem(Copy::Kind::Notice, large) != "");
  auto tail = OutboundTail::make(std::make_shared<const std::string>("plain\r\n"));
  for (const auto kind : {Copy::Kind::Notice, Copy::Kind::Report})
    BOOST_TEST(
        !FloorGuard::check(kind, Protection::None, Protection::None, notice(), tail->get(), VerifiedTls).has_value());
}

BOOST_AUTO_TEST_CASE(a_content_copy_does_not_pass_as_a_notice_or_report) {
  for (const auto kind : {Copy::Kind::Notice, Copy::Kind::Report, static_cast<Copy::Kind>(7)}) {
    Sealed copy;
    copy.kind = kind;
    BOOST_TEST(copy.problem() != "");
  }
}

BOOST_AUTO_TEST_CASE(reports_hold_no_message) {
  const auto report =
      "From: postern@lists.example\r\nSubject: Your message was delivered to Board\r\nAuto-Submitted: auto-replied\r\n"
      "Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\n\r\nhello\r\n"
      "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; x\r\n--b--\r\n"s;
  BOOST_TEST(ownMailProblem(Copy::Kind::Report, report) == "");
  for (const auto& part : {"message/RFC822", "text/rfc822-headers", "message/partial"}) {
    auto bad = report;
    replace(bad, "message/delivery-status", part);
    BOOST_TEST(ownMailProblem(Copy::Kind::Report, bad) != "");
  }
}

BOOST_AUTO_TEST_SUITE_END()
