#include "core/base/Error.h"
#include "core/mail/EncodedWord.h"
#include "core/mail/MimeTree.h"
#include "core/mail/Text.h"
#include "listd/compose/PostComposer.h"

#include <random>

using namespace postern;
using namespace postern::listd;
using namespace std::string_literals;

namespace {

const TimePoint Noon = TimePoint(std::chrono::sys_days(std::chrono::year(2026) / 3 / 1)) + std::chrono::hours(12);
const PostStamp Stamp{"<abcdefghijklmnopqrstuvwxyz@lists.example>", Noon};
const std::string OwnId = "<zyxwvutsrqponmlkjihgfedcba@lists.example>";

ListFacts board() {
  return {*mail::Address::parse("board@lists.example"), "The Board", "Plans of the takeover", true,
          "https://help.example/l"};
}

ListFacts social() {
  auto list = board();
  list.address = *mail::Address::parse("social@lists.example");
  list.secure = false;
  return list;
}

const std::string Head =
    "Received: from client.example ([192.0.2.7]) by mx; Sun, 1 Mar 2026 11:59:00 +0000\r\n"
    "DKIM-Signature: v=1; d=x.example\r\nFrom: Alice Canary <alice@x.example>\r\nTo: board@lists.example, Bob "
    "<bob@x.example>\r\n"
    "Cc: carol@x.example\r\nSubject: CANARY-SUBJECT\r\nDate: Sun, 1 Mar 2026 13:59:00 +0200\r\nMessage-ID: "
    "<orig-CANARY@x.example>\r\n"
    "In-Reply-To: " +
    OwnId + "\r\nReferences: <foreign@y.example> " + OwnId +
    "\r\nBcc: secret@x.example\r\n"
    "Disposition-Notification-To: alice@x.example\r\nReturn-Receipt-To: alice@x.example\r\nList-Id: "
    "<forged.example>\r\n"
    "Authentication-Results: lists.example; dkim=pass\r\nApproved: password\r\nX-Mailer: CanaryMail\r\nReply-To: "
    "else@x.example\r\n"
    "HP-Outer: Subject: forged\r\nMIME-Version: 1.0\r\n";
const std::string Body = "CANARY-BODY\r\n.\r\nend\r\n";

mail::Message message(std::string text) {
  auto parsed = mail::Message::parse(std::move(text));
  BOOST_REQUIRE(parsed.has_value());
  return std::move(*parsed);
}

mail::Message post(const std::string& more = "Content-Type: text/plain; charset=utf-8\r\n") {
  return message(Head + more + "\r\n" + Body);
}

SecurePost secure(const mail::Message& from, const ListFacts& list = board()) {
  auto result = PostComposer(list).composeSecure(from, Stamp);
  BOOST_REQUIRE(result.has_value());
  return std::move(*result);
}

std::string open(const mail::Message& from, const ListFacts& list = social()) {
  auto result = PostComposer(list).composeOpen(from, Stamp);
  BOOST_REQUIRE(result.has_value());
  return std::move(*result);
}

// A header that any server takes and any reader reads the same way.
bool isCleanHeader(std::string_view fields) {
  if (!mail::areWholeFields(fields)) return false;
  const auto block = mail::HeaderBlock::scan(fields);
  return std::none_of(block->findings().begin(), block->findings().end(),
                      [](const auto& f) { return f.defect == mail::HeaderDefect::DuplicateField; });
}

bool has(std::string_view text, std::string_view what) {
  return text.find(what) != text.npos;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(listd_compose_PostComposer)

BOOST_AUTO_TEST_CASE(the_outer_header_tells_the_list_and_nothing_of_the_post) {
  const auto outer = secure(post()).outerHeader;
  BOOST_TEST(
      outer ==
      "From: The Board <board@lists.example>\r\nTo: board@lists.example\r\nSubject: [...]\r\n"
      "Date: Sun, 01 Mar 2026 12:00:00 +0000\r\nMessage-ID: " +
          Stamp.messageId + "\r\nIn-Reply-To: " + OwnId + "\r\nReferences: " + OwnId +
          "\r\nList-Id: <board.lists.example>\r\nList-Post: <mailto:board@lists.example>\r\n"
          "List-Help: <https://help.example/l>,\r\n <mailto:board-request@lists.example?subject=help>\r\n"
          "List-Unsubscribe: <mailto:board-leave@lists.example>\r\nList-Owner: <mailto:board-owner@lists.example>\r\n"
          "Precedence: list\r\nX-Loop: board@lists.example\r\n");
}

BOOST_AUTO_TEST_CASE(the_inner_message_protects_the_header) {
  const auto result = secure(post());
  const auto inner = message(result.inner);
  const auto& header = inner.header();
  BOOST_TEST(header.findings().empty());
  BOOST_TEST(*header.value("From") == "Alice Canary via The Board <board@lists.example>");
  BOOST_TEST(*header.value("Author") == "Alice Canary <alice@x.example>");
  BOOST_TEST(*header.value("Reply-To") == "Alice Canary <alice@x.example>");
  BOOST_TEST(*header.value("To") == "board@lists.example, Bob <bob@x.example>");
  BOOST_TEST(*header.value("Subject") == "CANARY-SUBJECT");
  BOOST_TEST(*header.value("Date") == "Sun, 1 Mar 2026 13:59:00 +0200");
  BOOST_TEST(*header.value("Message-ID") == Stamp.messageId);
  BOOST_TEST(*header.value("References") == "<foreign@y.example> " + OwnId + " <orig-CANARY@x.example>");
  BOOST_TEST(*header.value("Content-Type") == "text/plain; charset=utf-8; hp=\"cipher\"; protected-headers=\"v1\"");
  BOOST_TEST(inner.body() == Body);
  for (const auto* gone : {"Received", "DKIM-Signature", "Bcc", "Disposition-Notification-To", "Return-Receipt-To",
                           "Authentication-Results", "Approved", "X-Mailer", "Sender"})
    BOOST_TEST(header.count(gone) == 0u, gone);
  BOOST_TEST(!has(result.inner, "forged"));
  BOOST_TEST(!has(result.inner, "else@x.example"));
}

BOOST_AUTO_TEST_CASE(every_outer_field_is_repeated_inside_as_hp_outer) {
  const auto result = secure(post());
  const auto outer = mail::HeaderBlock::scan(result.outerHeader);
  const auto inner = message(result.inner);
  std::vector<std::string> repeated;
  for (const auto& field : inner.header().fields())
    if (field.name == "HP-Outer") repeated.push_back(mail::unfold(field.value));
  BOOST_REQUIRE(repeated.size() == outer->fields().size());
  for (std::size_t i = 0; i < repeated.size(); ++i)
    BOOST_TEST(repeated[i] == std::string(outer->fields()[i].name) + ": " + mail::unfold(outer->fields()[i].value));
}

BOOST_AUTO_TEST_CASE(inner_and_outer_from_have_the_same_address) {
  const auto result = secure(post());
  const auto outer = message(result.outerHeader + "\r\n").from();
  const auto inner = message(result.inner).from();
  BOOST_TEST(outer.mailboxes.at(0).address->text() == inner.mailboxes.at(0).address->text());
}

BOOST_AUTO_TEST_CASE(a_forged_hp_mark_of_the_author_is_replaced) {
  const auto inner = message(
      secure(post("Content-Type: multipart/mixed; HP=\"clear\"; boundary=\"a b\"; protected-headers=v1\r\n")).inner);
  BOOST_TEST(*inner.header().value("Content-Type") ==
             "multipart/mixed; boundary=\"a b\"; hp=\"cipher\"; protected-headers=\"v1\"");
}

BOOST_AUTO_TEST_CASE(empty_lines_after_the_closing_boundary_are_left_out_and_nothing_else) {
  const auto body = [](const std::string& type, const std::string& content) {
    const auto parsed = message("From: a@x.example\r\nContent-Type: " + type + "\r\n\r\n" + content);
    return std::string(message(secure(parsed).inner).body());
  };
  const std::string parts = "--b\r\n\r\nx\r\n--b--\r\n";
  BOOST_TEST(body("multipart/mixed; boundary=b", parts + "\r\n\r\n") == parts);
  BOOST_TEST(body("multipart/mixed; boundary=b", parts) == parts);
  BOOST_TEST(body("multipart/mixed; boundary=b", parts + "\r\nepilogue\r\n") == parts + "\r\nepilogue\r\n");
  BOOST_TEST(body("text/plain; boundary=b", parts + "\r\n") == parts + "\r\n");
}

BOOST_AUTO_TEST_CASE(a_post_without_mime_fields_becomes_a_whole_entity) {
  auto inner = message(secure(message("From: a@x.example\r\n\r\nplain\r\n")).inner);
  BOOST_TEST(*inner.header().value("Content-Type") ==
             "text/plain; charset=us-ascii; hp=\"cipher\"; protected-headers=\"v1\"");
  BOOST_TEST(*inner.header().value("To") == "board@lists.example");
  BOOST_TEST(*inner.header().value("Subject") == "");
  BOOST_TEST(*inner.header().value("Date") == "Sun, 01 Mar 2026 12:00:00 +0000");
  BOOST_TEST(*inner.header().value("From") == "a via The Board <board@lists.example>");
  inner = message(secure(message("From: a@x.example\r\n\r\n\xc3\xbc\r\n")).inner);
  BOOST_TEST(*inner.header().value("Content-Type") ==
             "text/plain; charset=utf-8; hp=\"cipher\"; protected-headers=\"v1\"");
  BOOST_TEST(*inner.header().value("Content-Transfer-Encoding") == "8bit");
  BOOST_TEST(message(secure(message("From: a@x.example\r\nSubject: x")).inner).body() == "");
}

BOOST_AUTO_TEST_CASE(foreign_ids_and_words_do_not_pass_outside) {
  const auto text = [](const std::string& field) { return message("From: a@x.example\r\n" + field + "\r\n\r\nx\r\n"); };
  BOOST_TEST(!has(secure(text("References: <CANARY@lists.example> <" + std::string(26, 'A') + "@lists.example> <" +
                              std::string(26, 'a') + "@evil.example>"))
                      .outerHeader,
                  "References"));
  BOOST_TEST(!has(secure(text("In-Reply-To: your message CANARY")).outerHeader, "In-Reply-To"));
  BOOST_TEST(!has(secure(text("Auto-Submitted: CANARY")).outerHeader, "Auto-Submitted"));
  BOOST_TEST(has(secure(text("Auto-Submitted: auto-generated; x=CANARY (CANARY)")).outerHeader,
                 "Auto-Submitted: auto-generated\r\n"));
}

BOOST_AUTO_TEST_CASE(refuses_what_two_readers_may_read_differently) {
  const auto error = [](const std::string& text) {
    const auto result = PostComposer(board()).composeSecure(message(text), Stamp);
    BOOST_REQUIRE(!result.has_value());
    const auto plain = PostComposer(social()).composeOpen(message(text), Stamp);
    BOOST_TEST((!plain.has_value() || result.error() == ComposeError::Ambiguous));
    return result.error();
  };
  const std::string from = "From: a@x.example\r\n";
  BOOST_TEST((error("\r\nx\r\n") == ComposeError::NoAuthor));
  BOOST_TEST((error("From: a@x.example, b@x.example\r\n\r\n") == ComposeError::NoAuthor));
  BOOST_TEST((error("From: \"a\" <a@x.example> <b@x.example>\r\n\r\n") == ComposeError::NoAuthor));
  BOOST_TEST((error("From: nobody\r\n\r\n") == ComposeError::NoAuthor));
  BOOST_TEST((error(from + from + "\r\n") == ComposeError::Ambiguous));
  BOOST_TEST((error(from + "Subject: a\r\nSubject: b\r\n\r\n") == ComposeError::Ambiguous));
  BOOST_TEST((error(from + "Subject : a\r\n\r\n") == ComposeError::Ambiguous));
  BOOST_TEST((error(from + "Subject: a\rBcc: x\r\n\r\n") == ComposeError::Ambiguous));
  BOOST_TEST((error(from + "Subject: a\n\r\n") == ComposeError::Ambiguous));
  BOOST_TEST((error(from + "Content-Type: text/plain; charset=\"x\r\n\r\n") == ComposeError::Ambiguous));
  BOOST_TEST((error(from + "Subject: " + std::string(1000, 'x') + "\r\n\r\n") == ComposeError::Ambiguous));
}

BOOST_AUTO_TEST_CASE(an_open_copy_keeps_what_is_the_authors_and_takes_out_the_rest) {
  const auto copy = message(open(post()));
  const auto& header = copy.header();
  BOOST_TEST(header.findings().empty());
  BOOST_TEST(*header.value("From") == "Alice Canary via The Board <social@lists.example>");
  BOOST_TEST(*header.value("Reply-To") == "Alice Canary <alice@x.example>");
  BOOST_TEST(*header.value("Subject") == "CANARY-SUBJECT");
  BOOST_TEST(*header.value("Message-ID") == "<orig-CANARY@x.example>");
  BOOST_TEST(*header.value("References") == "<foreign@y.example> " + OwnId);
  BOOST_TEST(*header.value("X-Mailer") == "CanaryMail");
  BOOST_TEST(*header.value("List-Id") == "Plans of the takeover <social.lists.example>");
  BOOST_TEST(copy.body() == Body);
  for (const auto* gone : {"Received", "DKIM-Signature", "Bcc", "Disposition-Notification-To", "Return-Receipt-To",
                           "Authentication-Results", "Approved", "HP-Outer", "Sender"})
    BOOST_TEST(header.count(gone) == 0u, gone);
}

BOOST_AUTO_TEST_CASE(an_open_copy_of_a_secure_list_is_never_made) {
  BOOST_CHECK_THROW((void)PostComposer(board()).composeOpen(post(), Stamp), Error);
}

BOOST_AUTO_TEST_CASE(an_open_copy_has_an_ascii_header) {
  const auto copy =
      message(open(message("From: J\xc3\xbcrgen <j@x.example>\r\nTo: \xc3\xbc <t@x.example>, \xc3\xbc@x.example\r\n"
                           "Subject: gr\xc3\xbc\xc3\x9f\r\nCc: \xc3\xbc@x.example\r\nX-Old: caf\xe9\r\n\r\nx\r\n")));
  BOOST_TEST(mail::isAscii(copy.head()));
  BOOST_TEST(copy.subject() == "gr\xc3\xbc\xc3\x9f");
  BOOST_TEST(copy.header().count("Cc") == 0u);
  BOOST_TEST(copy.from().mailboxes.at(0).displayName == "J\xc3\xbcrgen via The Board");
  BOOST_TEST(mail::parseMailboxes(*copy.header().value("To")).mailboxes.size() == 1u);
}

BOOST_AUTO_TEST_CASE(nothing_can_be_injected_by_authors_or_owners) {
  const std::vector<std::string> hostile = {"x\r\nBcc: evil@y.example\r\n\r\nbody",
                                            "\" <evil@y.example>, \"",
                                            "=?utf-8?Q?a=0D=0ABcc:_evil@y.example?=",
                                            "a\0b\x1b"s,
                                            std::string(5000, 'x'),
                                            std::string(5000, ' ') + "x",
                                            "\xff\xfe",
                                            "<evil@y.example>",
                                            ",,;:()[]\\",
                                            "\xc3\xbc\r\n x: y"};
  for (const auto& text : hostile) {
    auto list = board();
    list.displayName = list.description = text;
    list.helpLink = "https://help.example/" + text;
    const auto result = secure(post(), list);
    BOOST_TEST(isCleanHeader(result.outerHeader));
    BOOST_TEST(mail::isAscii(result.outerHeader));
    BOOST_TEST(message(result.inner).header().findings().empty());
    list.secure = false;
    const auto copy = message(open(post(), list));
    BOOST_TEST(copy.header().findings().empty());
    for (const auto* name : {"From", "To", "Bcc", "List-Id"})
      BOOST_TEST(copy.header().count(name) == (name == "Bcc"s ? 0u : 1u));
    BOOST_TEST(copy.from().mailboxes.size() == 1u);
    BOOST_TEST(copy.from().mailboxes.at(0).address->text() == list.address.text());
  }
}

// Random posts out of a box of hostile pieces: whatever is composed is clean, and of a secure post nothing shows
// outside.
BOOST_AUTO_TEST_CASE(no_composed_header_breaks_the_rules_and_no_secret_passes_outside) {
  std::mt19937 random(5);
  const std::vector<std::string> names = {
      "Subject",        "To",      "Cc",         "Comments",     "References",   "In-Reply-To",
      "Auto-Submitted", "Date",    "Message-ID", "Content-Type", "Sender",       "List-Id",
      "Precedence",     "X-Loop",  "HP-Outer",   "Received",     "Thread-Topic", "Content-Disposition",
      "Reply-To",       "Keywords"};
  const std::vector<std::string> pieces = {"SECRET",
                                           " ",
                                           "\r\n ",
                                           "<SECRET@x.example>",
                                           "\"",
                                           "=?utf-8?Q?SECRET=0D=0Ax:_y?=",
                                           "\xc3\xbc",
                                           "\xff",
                                           ";",
                                           ",",
                                           "(",
                                           ")",
                                           "text/plain",
                                           "charset=SECRET",
                                           "<SECRET@lists.example>",
                                           "auto-generated",
                                           OwnId,
                                           "no",
                                           std::string(200, 's')};
  std::size_t composed = 0;
  for (int round = 0; round < 4000; ++round) {
    std::string text = "From: \"SECRET " + std::to_string(random() % 10) + "\" <SECRET@x.example>\r\n";
    for (auto fields = random() % 8; fields > 0; --fields) {
      text += names[random() % names.size()] + ": ";
      for (auto count = random() % 6; count > 0; --count) text += pieces[random() % pieces.size()];
      text += "\r\n";
    }
    const auto from = message(text + "\r\nSECRET body\r\n");
    if (const auto result = PostComposer(board()).composeSecure(from, Stamp)) {
      ++composed;
      BOOST_REQUIRE_MESSAGE(isCleanHeader(result->outerHeader), result->outerHeader);
      BOOST_REQUIRE_MESSAGE(!has(result->outerHeader, "SECRET"), result->outerHeader);
      BOOST_REQUIRE(mail::isAscii(result->outerHeader));
      const auto inner = message(result->inner);
      for (const auto& finding : inner.header().findings())
        BOOST_REQUIRE_MESSAGE(finding.defect == mail::HeaderDefect::NotUtf8,
                              text << mail::headerDefectText(finding.defect));
      BOOST_REQUIRE(inner.body() == from.body());
    }
    if (const auto copy = PostComposer(social()).composeOpen(from, Stamp)) {
      const auto plain = message(*copy);
      for (const auto& finding : plain.header().findings())
        BOOST_REQUIRE_MESSAGE(finding.defect == mail::HeaderDefect::NotUtf8,
                              text << mail::headerDefectText(finding.defect));
      BOOST_REQUIRE(plain.body() == from.body());
    }
  }
  BOOST_TEST(composed > 500u);
}

BOOST_AUTO_TEST_CASE(a_malformed_stamp_is_a_bug) {
  BOOST_CHECK_THROW((void)PostComposer(board()).composeSecure(post(), {"no id", Noon}), Error);
  BOOST_CHECK_THROW((void)PostComposer(social()).composeOpen(post(), {"<a@b>\r\nX: y", Noon}), Error);
}

BOOST_AUTO_TEST_SUITE_END()
