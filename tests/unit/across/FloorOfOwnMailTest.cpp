// What listd composes must be what the gateway's floor guard lets pass. The two live in processes that may not include
// each other, so that only this test sees both: new wording in a notice, or a new field in a list's header, fails here
// and not in the ledger of a customer.
#include "core/base/Language.h"
#include "core/crypto/Encoding.h"
#include "core/crypto/SigningIdentity.h"
#include "core/mail/MessageId.h"
#include "core/pgp/SecretKey.h"
#include "core/seal/SharedBody.h"
#include "core/seal/SmimeSealer.h"
#include "core/seal/SmimeSigner.h"
#include "gateway/deliver/FloorGuard.h"
#include "listd/compose/Notice.h"
#include "listd/compose/PostComposer.h"
#include "listd/mailout/SiteMail.h"

using namespace postern;
using app::Copy;
using app::Protection;
using gateway::FloorGuard;
using gateway::OutboundTail;

namespace {

const TimePoint Now = fromMicros(1'772'366'400'000'000);

mail::Address address(const std::string& text) {
  return mail::Address::parse(text).value();
}

listd::ListFacts facts(const std::string& list, const std::string& name, const std::string& description) {
  return {listd::checkListAddress(address(list)).value(), name, description, true, "https://postern.example/help"};
}

// Names that owners give: none, long, not ASCII, with what a header could choke on.
std::vector<listd::ListFacts> awkwardLists() {
  const std::string longest(listd::MaxListName, 'l');
  return {facts("board@lists.example", "", ""),
          facts(longest + "@" + std::string(60, 'd') + "." + std::string(60, 'e') + ".example", "", "one line"),
          facts("b.o-a_rd@lists.example", "Vorstand der Universit\u00e4tsklinik", "Beschl\u00fcsse"),
          facts("board@lists.example", "Board, \"the\" <real> one: (all) \\ of it", "a; b, c"),
          facts("board@lists.example", std::string(300, 'n'), std::string(900, 'd')),
          facts("board@lists.example", "\u7406\u4e8b\u4f1a \U0001F512", "\u8aac\u660e")};
}

std::string verdict(Copy::Kind kind, Protection protection, std::string_view head, const OutboundTail* tail = nullptr) {
  auto cleared = FloorGuard::check(kind, protection, Protection::Smime, head, tail, {});
  return cleared ? "passes" : cleared.error();
}

std::string newId(const listd::ListFacts& list) {
  return mail::makeMessageId(mail::DomainName::parse(list.address.domain()).value());
}

}  // namespace

BOOST_AUTO_TEST_SUITE(across_FloorOfOwnMail)

BOOST_AUTO_TEST_CASE(every_notice_of_every_list_passes) {
  for (const auto& list : awkwardLists())
    for (int reason = 0; reason <= static_cast<int>(listd::WithheldReason::SealingFailed); ++reason)
      BOOST_TEST(verdict(Copy::Kind::Notice, Protection::None,
                         listd::withheldNotice(list, address("ann@example.org"),
                                               static_cast<listd::WithheldReason>(reason), {newId(list), Now})) ==
                 "passes");
}

BOOST_AUTO_TEST_CASE(every_report_and_rejection_of_every_list_passes) {
  for (const auto& list : awkwardLists()) {
    for (const auto& counts : {listd::DeliveryCounts{5, 0, 0, 0}, listd::DeliveryCounts{4, 1, 0, 0},
                               listd::DeliveryCounts{3, 0, 2, 1}, listd::DeliveryCounts{0, 0, 0, 100'000}})
      BOOST_TEST(verdict(Copy::Kind::Report, Protection::None,
                         listd::deliveryReport(list, address("ann@example.org"),
                                               {"postern.lists.example", "1n0xt04gg3c3dw1", Now, counts},
                                               {newId(list), Now})) == "passes");
    for (int reason = 0; reason <= static_cast<int>(listd::RejectReason::TooLarge); ++reason)
      BOOST_TEST(verdict(Copy::Kind::Report, Protection::None,
                         listd::rejectionNotice(list, address("ann@example.org"),
                                                static_cast<listd::RejectReason>(reason), {newId(list), Now})) ==
                 "passes");
  }
}

BOOST_AUTO_TEST_CASE(every_sealed_copy_of_every_list_passes_and_the_post_in_clear_does_not) {
  const auto member = crypto::RecipientKey::of(
      crypto::SigningIdentity::create("ann@example.org", Now, std::chrono::days(1)).certificate());
  const seal::SmimeSealer sealer;
  for (const auto& list : awkwardLists()) {
    const auto post =
        mail::Message::parse(
            "From: Ann <ann@example.org>\r\nTo: " + list.address.text() +
            "\r\nSubject: Secure: plan\r\nMessage-ID: <1@example.org>\r\nReferences: " + newId(list) +
            "\r\nAuto-Submitted: auto-generated\r\nDate: Sun, 01 Mar 2026 12:00:00 +0000\r\n\r\nthe plan\r\n")
            .value();
    const auto composed = listd::PostComposer(list).composeSecure(post, {newId(list), Now}).value();
    const auto signer =
        seal::SmimeSigner(crypto::SigningIdentity::create(list.address.text(), Now, std::chrono::days(1)));
    const auto body = seal::SharedBody::encrypt(signer.sign(composed.inner, Now));
    const auto tail = OutboundTail::make(std::make_shared<const std::string>(body.tail())).value();
    const auto head = composed.outerHeader + sealer.head(body, member);
    BOOST_TEST(verdict(Copy::Kind::Content, Protection::Smime, head, tail.get()) == "passes");
    const auto clear = OutboundTail::make(std::make_shared<const std::string>("the plan\r\n")).value();
    BOOST_TEST(verdict(Copy::Kind::Content, Protection::Smime, composed.outerHeader + composed.inner, clear.get()) !=
               "passes");
    BOOST_TEST(verdict(Copy::Kind::Notice, Protection::None, composed.outerHeader + composed.inner) != "passes");
  }
}

namespace {

const std::string Token = "AAAAAAAAAAE" + std::string(43, 'z');
const std::string Stamp = "<abc123@postern.example>";

std::string listCertificates() {
  static const auto pem =
      crypto::SigningIdentity::create("board@lists.example", Now, std::chrono::days(9)).certificate().pem();
  return pem + pem;
}

std::string listOpenPgpKey() {
  static const auto key = pgp::SecretKey::create("Board", "board@lists.example", Now, std::chrono::days(9));
  return listd::withLineFeeds(key.publicKey().armored());
}

const std::string Short(24, 'a');
const std::string List = "board@lists.example";
const std::string Confirm = "board-confirm+" + Short + "@lists.example";

std::vector<listd::SiteMail> mailOfEachKind() {
  using Kind = listd::SiteMail::Kind;
  const std::string to = "ann@example.org";
  const std::string time = "2026-03-01T12:00:00Z";
  const std::string root(43, 'r');
  const std::string signature = "\u2014 postern.example/log " + std::string(95, 's') + "=";
  return {
      {Kind::HoldNotice, to, "https://postern.example/notice?token=" + Token, {}},
      {Kind::HoldReminder, to, "https://postern.example:8443/notice?token=" + Token, {}},
      {Kind::ApprovalsWaiting, to, "https://postern.example/approvals", {"12"}},
      {Kind::LonePersonChange, to, "https://[::1]:8443/requests/stop?token=" + Token, {"hold.release", "7", time}},
      {Kind::OnePersonSite, to, "https://postern.example/work", {"7", time}},
      {Kind::AuditAnchor, to, "", {"postern.example/log", "1234", root + "=", "", signature}},
      {Kind::Invitation, to, "https://postern.example/setup?token=" + Token, {time}},
      {Kind::PickupLink, to, "https://postern.example/pickup/open?token=" + Token, {time}},
      {Kind::PickupProblem, to, "https://postern.example/waiting/17953923980006", {time}},
      {Kind::ListKeys, to, "", {"board@lists.example", listCertificates(), listOpenPgpKey()}},
      {Kind::KeyConfirm, to, "https://postern.example/lists/my-keys/open?token=" + Token, {}},
      {Kind::KeyUnfit, to, "https://postern.example/lists/my-keys/open?token=" + Token, {}},
      {Kind::KeyPage, to, "https://postern.example/lists/my-keys/open?token=" + Token, {}},
      {Kind::KeyEnding, to, "https://postern.example/lists/my-keys/open?token=" + Token, {time, time}},
      {Kind::OwnerWork, to, "https://postern.example/work/keys", {"1", "2", "3"}},
      {Kind::Quarantine, to, "https://postern.example/quarantine", {"12", "0"}},
      {Kind::JoinConfirm, to, "https://postern.example/lists/confirm?token=" + Short, {List, Confirm, time}},
      {Kind::LeaveConfirm, to, "https://postern.example/lists/confirm?token=" + Short, {List, Confirm, time}},
      {Kind::AddressConfirm, to, "https://postern.example/lists/confirm?token=" + Short, {List, time}},
      {Kind::ListInvitation, to, "https://postern.example/lists/confirm?token=" + Short, {List, time}},
      {Kind::Joined, to, "https://postern.example/lists/about?token=" + Short, {List}},
      {Kind::JoinedWithoutKey,
       to,
       "https://postern.example/lists/about?token=" + Short,
       {List, "board-request@lists.example"}},
      {Kind::Left, to, "", {List}},
      {Kind::RequestRefused, to, "https://postern.example/lists/confirm?token=" + Short, {List}},
      {Kind::RequestsWaiting, to, "https://postern.example/subscriptions", {"3"}},
      {Kind::ListHelp, to, "https://postern.example/lists/about?token=" + Short, {List, "board-request@lists.example"}},
      {Kind::MemberLink, to, "https://postern.example/lists/membership?token=" + Short, {List, time}},
      {Kind::BreakGlass, to, "https://postern.example/accounts", {time}},
      {Kind::ContentAccess, to, "https://postern.example/lists", {time}}};
}

std::vector<listd::SiteMail> siteMails() {
  std::vector<listd::SiteMail> all;
  for (const auto language : Languages)
    for (auto mail : mailOfEachKind()) {
      mail.language = language;
      all.push_back(std::move(mail));
    }
  return all;
}

std::string composed(const listd::SiteMail& mail) {
  return listd::composeSiteMail(mail, "postern.example", Stamp, Now);
}

std::string asNotice(const std::string& message) {
  return verdict(Copy::Kind::Notice, Protection::None, message);
}

std::string replaced(std::string text, const std::string& what, const std::string& by) {
  const auto at = text.find(what);
  BOOST_REQUIRE(at != std::string::npos);
  return text.replace(at, what.size(), by);
}

std::string bodyOf(const std::string& message) {
  return crypto::fromBase64(message.substr(message.find("\r\n\r\n") + 4)).value();
}

// The same mail with another text in its body.
std::string withBody(const std::string& message, const std::string& text) {
  return message.substr(0, message.find("\r\n\r\n") + 4) + crypto::base64Lines(text);
}

}  // namespace

BOOST_AUTO_TEST_CASE(every_mail_of_the_site_passes_as_a_notice_and_as_nothing_else) {
  for (const auto& mail : siteMails()) {
    BOOST_TEST(asNotice(composed(mail)) == "passes");
    BOOST_TEST(verdict(Copy::Kind::Report, Protection::None, composed(mail)) != "passes");
    BOOST_TEST(verdict(Copy::Kind::Content, Protection::None, composed(mail)) != "passes");
    const auto tail = OutboundTail::make(std::make_shared<const std::string>("the plan\r\n")).value();
    BOOST_TEST(verdict(Copy::Kind::Notice, Protection::None, composed(mail), tail.get()) != "passes");
  }
}

BOOST_AUTO_TEST_CASE(subjects_pass_in_the_one_form_that_is_written) {
  int encoded = 0;
  for (const auto& mail : siteMails()) {
    const auto message = composed(mail);
    if (message.find("=?UTF-8?") == message.npos) continue;
    ++encoded;
    BOOST_TEST(asNotice(replaced(message, "=?UTF-8?", "=?utf-8?")) != "passes");
    BOOST_TEST(asNotice(replaced(message, "=?UTF-8?", "=?UTF-8*de?")) != "passes");
    BOOST_TEST(asNotice(replaced(message, "?=", "?= =?UTF-8?Q?the_plan?=")) != "passes");
  }
  BOOST_TEST(encoded > 10);
}

BOOST_AUTO_TEST_CASE(answers_go_where_the_text_says_or_the_mail_stays_here) {
  for (const auto& mail : siteMails()) {
    const auto message = composed(mail);
    const auto at = message.find("Reply-To: ");
    BOOST_TEST((at != message.npos) ==
               (mail.kind == listd::SiteMail::Kind::JoinConfirm || mail.kind == listd::SiteMail::Kind::LeaveConfirm));
    if (at == message.npos) {
      BOOST_TEST(asNotice(replaced(message, "Date: ", "Reply-To: <" + Confirm + ">\r\nDate: ")) != "passes");
      continue;
    }
    BOOST_TEST(asNotice(replaced(message, "Reply-To: <board-", "Reply-To: <bored-")) != "passes");
    BOOST_TEST(asNotice(replaced(message, "Reply-To: <", "Reply-To: The plan <")) != "passes");
    BOOST_TEST(asNotice(replaced(message, "Reply-To: ", "Reply-To: <board@lists.example>\r\nReply-To: ")) != "passes");
  }
}

BOOST_AUTO_TEST_CASE(no_mail_of_the_site_passes_with_a_word_more_or_less) {
  for (const auto& mail : siteMails()) {
    const auto message = composed(mail);
    const auto text = bodyOf(message);
    BOOST_TEST(asNotice(withBody(message, text)) == "passes");
    BOOST_TEST(asNotice(withBody(message, text + "the plan")) != "passes");
    BOOST_TEST(asNotice(withBody(message, "the plan" + text)) != "passes");
    for (std::size_t at = 0; at < text.size(); at += 3) {
      auto more = text;
      BOOST_TEST(asNotice(withBody(message, more.insert(at, " the plan "))) != "passes");
    }
    BOOST_TEST(asNotice(message + "dGhlIHBsYW4=\r\n") != "passes");
    BOOST_TEST(asNotice(message + "\r\nthe plan") != "passes");
    BOOST_TEST(asNotice(replaced(message, "Subject: ", "Subject: the plan: ")) != "passes");
    BOOST_TEST(asNotice(replaced(message, "Subject: ", "Subject: the plan\r\nSubject: ")) != "passes");
    BOOST_TEST(asNotice(replaced(message, "From: Postern ", "From: The Plan ")) != "passes");
    BOOST_TEST(asNotice(replaced(message, "To: <", "To: The Plan <")) != "passes");
    BOOST_TEST(asNotice(replaced(message, "To: <", "To: <the@plan>, <")) != "passes");
    BOOST_TEST(asNotice(replaced(message, "+0000", "+0000 (the plan)")) != "passes");
    BOOST_TEST(asNotice(replaced(message, "<abc123@", "<the-plan!@")) != "passes");
    BOOST_TEST(asNotice(replaced(message, "MIME-Version: 1.0", "MIME-Version: 1.0 (the plan)")) != "passes");
    BOOST_TEST(asNotice(replaced(message, "utf-8", "utf-8; name=plan")) != "passes");
    BOOST_TEST(asNotice(replaced(message, "auto-generated", "auto-generated; plan=the")) != "passes");
    BOOST_TEST(asNotice(replaced(message, "Date: ", "X-Loop: the plan\r\nDate: ")) != "passes");
    BOOST_TEST(asNotice(replaced(message, "Date: ", "Comments: the plan\r\nDate: ")) != "passes");
  }
}

BOOST_AUTO_TEST_SUITE_END()
