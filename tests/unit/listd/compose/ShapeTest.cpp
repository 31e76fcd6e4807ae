// How posts of a list look by its shape: prefix, footer, where answers go, and whom readers see.
#include "core/mail/Mailboxes.h"
#include "core/mail/MimeTree.h"
#include "core/mail/Parameters.h"
#include "core/mail/Text.h"
#include "listd/compose/PostComposer.h"

using namespace postern;
using namespace postern::listd;

namespace {

const PostStamp Stamp{"<abcdefghijklmnopqrstuvwxyz@lists.example>", TimePoint{}};

ListFacts chess(bool secure = false) {
  return {*mail::Address::parse("chess@lists.example"), "Chess", {}, secure, {}, {}, {}};
}

mail::Message message(const std::string& text) {
  auto parsed = mail::Message::parse(text);
  BOOST_REQUIRE(parsed.has_value());
  return std::move(*parsed);
}

mail::Message post(const std::string& more = {}, const std::string& body = "move e4\r\n") {
  return message(
      "From: Ann <ann@x.example>\r\nTo: chess@lists.example\r\nCc: ann@home.example\r\nSubject: opening\r\n"
      "Date: Mon, 02 Mar 2026 10:00:00 +0000\r\nMessage-ID: <1@x.example>\r\nOrganization: Ann's\r\n"
      "Reply-To: Ann at home <ann@home.example>\r\nX-Mailer: AnnMail\r\n" +
      more + "\r\n" + body);
}

mail::Message open(const mail::Message& from, const ListFacts& list) {
  auto copy = PostComposer(list).composeOpen(from, Stamp);
  BOOST_REQUIRE(copy.has_value());
  return message(*copy);
}

mail::Message inside(const mail::Message& from, const ListFacts& list, std::string_view check = {}) {
  auto made = PostComposer(list).composeSecure(from, Stamp, check);
  BOOST_REQUIRE(made.has_value());
  BOOST_TEST(made->outerHeader.find("opening") == std::string::npos);
  return message(made->inner);
}

std::string field(const mail::Message& of, std::string_view name) {
  return of.header().value(name).value_or("none");
}

std::vector<std::string> repliesOf(const mail::Message& of) {
  std::vector<std::string> addresses;
  for (const auto& mailbox : mail::parseMailboxes(of.header().find("Reply-To")->value).mailboxes)
    addresses.push_back(mailbox.address->text());
  return addresses;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(listd_compose_Shape)

BOOST_AUTO_TEST_CASE(a_prefix_stands_once_in_front_of_the_subject_and_never_outside_of_a_secure_post) {
  auto list = chess();
  list.shape.subjectPrefix = "[Schach ♞]";
  const auto copy = open(post(), list);
  BOOST_TEST(copy.subject() == "[Schach ♞] opening");
  BOOST_TEST(mail::isAscii(copy.header().find("Subject")->raw));
  const auto answer = message("From: b@y.example\r\nSubject: Re: [schach ♞] opening\r\n\r\nx\r\n");
  BOOST_TEST(open(answer, list).subject() == "Re: [schach ♞] opening");
  BOOST_TEST(open(message("From: b@y.example\r\n\r\nx\r\n"), list).subject() == "[Schach ♞]");
  list.secure = true;
  BOOST_TEST(inside(post(), list).subject() == "[Schach ♞] opening");
  list.shape.subjectPrefix = "a\r\nBcc: thief@evil.example";
  BOOST_TEST(field(inside(post(), list), "Bcc") == "none");
}

BOOST_AUTO_TEST_CASE(answers_go_where_the_list_says) {
  using Addresses = std::vector<std::string>;
  auto list = chess();
  BOOST_TEST(repliesOf(open(post(), list)) == Addresses{"ann@x.example"});
  list.shape.replyTo = ReplyGoes::Asked;
  BOOST_TEST(repliesOf(open(post(), list)) == Addresses{"ann@home.example"});
  const auto unasked = message("From: b@y.example\r\nSubject: x\r\nReply-To: nobody here\r\n\r\nx\r\n");
  BOOST_TEST(repliesOf(open(unasked, list)) == Addresses{"b@y.example"});
  list.shape.replyTo = ReplyGoes::List;
  BOOST_TEST(repliesOf(open(post(), list)) == Addresses{"chess@lists.example"});
  list.shape.replyTo = ReplyGoes::Both;
  BOOST_TEST(repliesOf(inside(post(), chess(true))) == Addresses{"ann@x.example"});
  list.secure = true;
  BOOST_TEST(repliesOf(inside(post(), list)) == (Addresses{"ann@x.example", "chess@lists.example"}));
}

BOOST_AUTO_TEST_CASE(an_anonymous_list_shows_nothing_of_the_author) {
  auto list = chess();
  list.shape.author = AuthorShown::Nobody;
  list.shape.replyTo = ReplyGoes::Both;
  const auto thread = std::string("In-Reply-To: <2@x.example>\r\nReferences: <2@x.example> ").append(Stamp.messageId) +
                      "\r\nX-Originating-Email: ann@x.example\r\n";
  const auto copy = open(post(thread), list);
  list.secure = true;
  const auto secure = inside(post(thread), list, "Checked: Sender: ann@x.example\r\n");
  for (const auto* one : {&copy, &secure}) {
    const std::string raw(one->bytes());
    BOOST_TEST(raw.find("x.example") == std::string::npos, raw);
    BOOST_TEST(raw.find("Ann") == std::string::npos, raw);
    BOOST_TEST(raw.find("home.example") == std::string::npos, raw);
    BOOST_TEST(field(*one, "References") == Stamp.messageId);
    BOOST_TEST(one->body() == "move e4\r\n");
  }
}

BOOST_AUTO_TEST_CASE(the_author_stays_only_where_the_site_signs_for_that_domain) {
  auto list = chess();
  list.shape.author = AuthorShown::Own;
  BOOST_TEST(field(open(post(), list), "From") == "Ann via Chess <chess@lists.example>");
  list.signedAuthorDomain = "other.example";
  BOOST_TEST(field(open(post(), list), "From") == "Ann via Chess <chess@lists.example>");
  list.signedAuthorDomain = "x.example";
  const auto own = open(post(), list);
  BOOST_TEST(field(own, "From") == "Ann <ann@x.example>");
  BOOST_TEST(field(own, "Sender") == "Chess <chess@lists.example>");
  list.secure = true;
  BOOST_TEST(field(inside(post(), list), "From") == "Ann via Chess <chess@lists.example>");
}

BOOST_AUTO_TEST_CASE(a_footer_stands_under_plain_text) {
  auto list = chess();
  list.shape.footer = "To leave: chess-leave@lists.example\n";
  const std::string expected = "move e4\r\n\r\n-- \r\nTo leave: chess-leave@lists.example\r\n";
  for (const bool secure : {false, true}) {
    list.secure = secure;
    const auto made = [&](const mail::Message& from) { return secure ? inside(from, list) : open(from, list); };
    BOOST_TEST(made(post()).body() == expected);
    BOOST_TEST(made(post({}, "move e4")).body() == expected);
    BOOST_TEST(
        made(post("Content-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: 8bit\r\n")).body() ==
        expected);
    const auto quoted = made(post("Content-Transfer-Encoding: quoted-printable\r\n", "move e4=\r\n"));
    BOOST_TEST(quoted.body() == "move e4\r\n\r\n--=20\r\nTo leave: chess-leave@lists.example\r\n");
    BOOST_TEST(field(quoted, "Content-Transfer-Encoding") == "quoted-printable");
  }
}

BOOST_AUTO_TEST_CASE(beside_other_content_the_footer_is_a_part_and_the_content_stays_as_it_is) {
  auto list = chess();
  list.shape.footer = "Grüße vom Verein, mit einer Zeile, die viel länger ist als alle siebzig Zeichen zusammen\n";
  const std::string html = "Content-Type: text/html\r\nContent-Language: en\r\n";
  for (const auto& [fields, body] : std::vector<std::pair<std::string, std::string>>{
           {html, "<p>e4</p>\r\n"},
           {"Content-Type: text/plain; charset=us-ascii\r\n", "e4\r\n"},
           {"Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n", "ZTQ=\r\n"},
           {"Content-Type: text/plain; charset=utf-16\r\nContent-Transfer-Encoding: base64\r\n", "AGU=\r\n"},
           {"Content-Type: multipart/alternative; boundary=b\r\n", "--b\r\n\r\ne4\r\n--b--\r\n"}}) {
    const auto copy = open(post(fields, body), list);
    BOOST_TEST(mail::parseParameterized(field(copy, "Content-Type")).value == "multipart/mixed");
    BOOST_TEST(copy.header().count("Content-Type") == 1u);
    BOOST_TEST(copy.header().count("MIME-Version") == 1u);
    BOOST_TEST(field(copy, "Content-Language") == "none");  // it stands at its part
    BOOST_TEST(copy.body().find("\r\n\r\n" + body) != std::string_view::npos, copy.body());
    BOOST_TEST(copy.body().find("Gr=C3=BC=C3=9Fe vom Verein") != std::string_view::npos);
    const auto tree = mail::MimeTree::parse(copy);
    BOOST_TEST(tree.ambiguities().empty());
    BOOST_TEST(tree.parts().back().text.ends_with("siebzig Zeichen zusammen\r\n"), tree.parts().back().text);
  }
}

BOOST_AUTO_TEST_CASE(what_the_author_signed_or_encrypted_has_no_footer) {
  auto list = chess();
  list.shape.footer = "footer\n";
  for (const auto& [fields, body] : std::vector<std::pair<std::string, std::string>>{
           {"Content-Type: multipart/signed; protocol=\"application/pgp-signature\"; boundary=b\r\n",
            "--b\r\n\r\nx\r\n--b\r\nContent-Type: application/pgp-signature\r\n\r\nx\r\n--b--\r\n"},
           {"Content-Type: application/pkcs7-mime; smime-type=signed-data\r\n", "AA==\r\n"},
           {"", "-----BEGIN PGP SIGNED MESSAGE-----\r\nHash: SHA256\r\n\r\nx\r\n"}})
    BOOST_TEST(open(post(fields, body), list).body() == body);
}

BOOST_AUTO_TEST_CASE(beside_the_check_of_the_sender_the_footer_comes_last) {
  auto list = chess(true);
  list.shape.footer = "footer\n";
  const auto both = inside(post(), list, "Checked by chess\r\n");
  const auto check = both.body().find("Checked by chess"), text = both.body().find("move e4"),
             footer = both.body().find("\r\nfooter\r\n");
  BOOST_TEST((check < text && text < footer && footer != std::string_view::npos), both.body());
}

BOOST_AUTO_TEST_CASE(footer_lines_are_tidied) {
  BOOST_TEST(footerLines("") == "");
  BOOST_TEST(footerLines("a \r\nb\t\r\n\r\n\n") == "a\nb\n");
  BOOST_TEST(footerLines("a\n\nb") == "a\n\nb\n");
  BOOST_TEST(footerLines(" \n\t\n") == "");
}

BOOST_AUTO_TEST_SUITE_END()
