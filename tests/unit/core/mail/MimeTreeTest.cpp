#include "core/mail/MimeTree.h"
#include "core/mail/Text.h"

using namespace postern::mail;
using namespace std::string_literals;

namespace {

const std::string Top = "From: a@x.example\r\nMIME-Version: 1.0\r\n";

MimeTree tree(const std::string& text, const MimeLimits& limits = {}) {
  const auto message = Message::parse(text);
  BOOST_REQUIRE(message.has_value());
  return MimeTree::parse(*message, limits);
}

bool only(const std::string& text, Ambiguity ambiguity) {
  const auto found = tree(text).ambiguities();
  return found.size() == 1 && found.front() == ambiguity;
}

std::string multipart(const std::string& boundary, const std::string& content, const std::string& subtype = "mixed") {
  return "Content-Type: multipart/" + subtype + "; boundary=\"" + boundary + "\"\r\n\r\n" + content;
}

const std::string TwoParts =
    multipart("b",
              "preamble\r\n--b\r\nContent-Type: text/plain; charset=iso-8859-1\r\n"
              "Content-Transfer-Encoding: quoted-printable\r\n\r\ngr=FC=DFe\r\n--b\r\n"
              "Content-Type: application/pdf; name=x\r\nContent-Transfer-Encoding: base64\r\n"
              "Content-Disposition: attachment; filename*0*=utf-8''..%2F%C3%BC; filename*1=\".pdf\"\r\n"
              "\r\naGVsbG8=\r\n--b--\r\nepilogue\r\n");

}  // namespace

BOOST_AUTO_TEST_SUITE(core_mail_MimeTree)

BOOST_AUTO_TEST_CASE(reads_parts_text_names_and_sizes) {
  const auto result = tree(Top + TwoParts);
  BOOST_TEST(result.ambiguities().empty());
  BOOST_REQUIRE(result.parts().size() == 3u);
  BOOST_TEST(result.parts()[0].type == "multipart/mixed");
  BOOST_TEST(result.parts()[1].type == "text/plain");
  BOOST_TEST(trim(result.parts()[1].text) ==
             "gr\xc3\xbc\xc3\x9f"
             "e");
  BOOST_TEST(result.parts()[1].parent == 0u);
  BOOST_TEST(result.parts()[2].type == "application/pdf");
  BOOST_TEST(result.parts()[2].filename == "\xc3\xbc.pdf");
  BOOST_TEST(result.parts()[2].disposition == "attachment");
  BOOST_TEST(result.parts()[2].encoding == "base64");
  BOOST_TEST(result.parts()[2].size == 5u);
}

BOOST_AUTO_TEST_CASE(a_message_without_mime_is_one_text_part) {
  const auto result = tree("From: a@x.example\r\n\r\nhello\r\n");
  BOOST_TEST(result.ambiguities().empty());
  BOOST_REQUIRE(result.parts().size() == 1u);
  BOOST_TEST(result.parts()[0].type == "text/plain");
  BOOST_TEST(result.parts()[0].text == "hello\r\n");
  BOOST_TEST(tree("").parts().size() == 1u);
}

BOOST_AUTO_TEST_CASE(names_each_ambiguity_of_the_header) {
  const std::string end = "\r\nbody\r\n";
  BOOST_TEST(only(Top + end + "a\rb\r\n", Ambiguity::BareCr));
  BOOST_TEST(only(Top + end + "a\nb\r\n", Ambiguity::BareLf));
  BOOST_TEST(only(Top + end + "a\0b\r\n"s, Ambiguity::Nul));
  BOOST_TEST(only(Top + "junk\r\n" + end, Ambiguity::BrokenHeader));
  BOOST_TEST(only(Top + "Subject : x\r\n" + end, Ambiguity::BrokenHeader));
  BOOST_TEST(only(Top + "From: a@x.example\r\n" + end, Ambiguity::DuplicateFrom));
  BOOST_TEST(only(Top + "Subject: a\r\nSubject: Secure: b\r\n" + end, Ambiguity::DuplicateField));
  BOOST_TEST(
      only(Top + "Content-Type: text/plain\r\ncontent-type: text/html\r\n" + end, Ambiguity::DuplicateContentHeader));
  BOOST_TEST(only("From: a@x.example, b@y.example\r\n" + end, Ambiguity::MultipleFrom));
  BOOST_TEST(only("Subject: x\r\n" + end, Ambiguity::NoFrom));
  BOOST_TEST(only("From: nobody\r\n" + end, Ambiguity::NoFrom));
  BOOST_TEST(only("From: \"a <b@y.example>\r\n" + end, Ambiguity::NoFrom));
  BOOST_TEST(only(Top + "Content-Transfer-Encoding: rot13\r\n" + end, Ambiguity::ConflictingEncoding));
  BOOST_TEST(only(Top + "Content-Type: text/plain; charset=a; CHARSET=b\r\n" + end, Ambiguity::DuplicateParameter));
  BOOST_TEST(only(Top + "Content-Type: text\r\n" + end, Ambiguity::BadContentType));
}

BOOST_AUTO_TEST_CASE(names_each_ambiguity_of_the_structure) {
  const std::string leaf = "--b\r\n\r\ntext\r\n";
  BOOST_TEST(only(Top + "Content-Type: multipart/mixed\r\n\r\n" + leaf, Ambiguity::BadBoundary));
  BOOST_TEST(
      only(Top + multipart(std::string(71, 'x'), "--" + std::string(71, 'x') + "--\r\n"), Ambiguity::BadBoundary));
  BOOST_TEST(
      only(Top + "Content-Type: multipart/mixed; boundary=b(c)\r\n\r\n" + leaf + "--b--\r\n", Ambiguity::BadBoundary));
  BOOST_TEST(only(Top + "Content-Type: multipart/mixed; boundary*0=b; boundary=b\r\n\r\n" + leaf + "--b--\r\n",
                  Ambiguity::BadBoundary));
  BOOST_TEST(only(Top + multipart("b", leaf), Ambiguity::UnclosedMultipart));
  BOOST_TEST(only(Top + "Content-Transfer-Encoding: base64\r\n" + multipart("b", leaf + "--b--\r\n"),
                  Ambiguity::ConflictingEncoding));
  BOOST_TEST(
      only(Top + multipart("b", "--b\r\nContent-Type: text/plain\r\nContent-Type: text/html\r\n\r\nx\r\n--b--\r\n"),
           Ambiguity::DuplicateContentHeader));
  BOOST_TEST(tree(Top + multipart("b", "--b\r\n" + multipart("b", leaf + "--b--\r\n") + "--b--\r\n"))
                 .has(Ambiguity::NestedBoundary));
  BOOST_TEST(tree(Top + multipart("b", "--b\r\n" + multipart("bc", "--bc\r\n\r\nx\r\n--bc--\r\n") + "--b--\r\n"))
                 .has(Ambiguity::NestedBoundary));
  BOOST_TEST(only(Top + multipart("b", "--b\r\n" + multipart("in", "--in\r\n\r\nx\r\n") + "--b--\r\n"),
                  Ambiguity::UnclosedMultipart));
  BOOST_TEST(only(Top + multipart("b", "--b\r\nno header\r\n\r\nx\r\n--b--\r\n"), Ambiguity::BrokenHeader));
}

BOOST_AUTO_TEST_CASE(takes_ordinary_mail_without_complaint) {
  const std::string inner = "From: c@z.example\r\nSubject: fwd\r\nContent-Type: text/html\r\n\r\n<b>x</b>\r\n";
  for (const auto& text : {
           Top + TwoParts,
           Top + multipart("b", "--b\r\nContent-Type: message/rfc822\r\n\r\n" + inner + "--b--\r\n"),
           Top + multipart("b", "--b  \r\n\r\nx\r\n--b--", "alternative"),
           Top + multipart("b", "--b\r\n" + multipart("inner", "--inner\r\n\r\nx\r\n--inner--\r\n") + "--b--\r\n"),
           Top + "Content-Type: text/plain; charset=us-ascii (Plain text)\r\n\r\nx\r\n",
           Top + "Content-Type: text/plain;\r\n\r\n--not a boundary\r\n",
       }) {
    const auto found = tree(text).ambiguities();
    BOOST_TEST(found.empty(), text << (found.empty() ? "" : ambiguityText(found.front())));
  }
  const auto forwarded =
      tree(Top + multipart("b", "--b\r\nContent-Type: message/rfc822\r\n\r\n" + inner + "--b--\r\n"));
  BOOST_REQUIRE(forwarded.parts().size() == 3u);
  BOOST_TEST(forwarded.parts()[1].type == "message/rfc822");
  BOOST_TEST(forwarded.parts()[2].type == "text/html");
  BOOST_TEST(forwarded.parts()[2].depth == 2u);
}

BOOST_AUTO_TEST_CASE(classifies_the_outermost_part_only) {
  const std::string armour = "-----BEGIN PGP MESSAGE-----\r\n\r\nx\r\n-----END PGP MESSAGE-----\r\n";
  BOOST_TEST(tree(Top + "Content-Type: application/pkcs7-mime; smime-type=enveloped-data\r\n\r\nx\r\n").isEncrypted());
  BOOST_TEST(
      tree(Top + "Content-Type: application/x-pkcs7-mime; smime-type=authEnveloped-data\r\n\r\nx\r\n").isEncrypted());
  BOOST_TEST(tree(Top +
                  "Content-Type: application/pkcs7-mime; name=smime.p7m\r\nContent-Transfer-Encoding: base64\r\n\r\n"
                  "MIAGCSqGSIb3DQEHA6CAMIACAQA=\r\n")
                 .isEncrypted());
  BOOST_TEST(tree(Top + "Content-Type: application/pkcs7-mime; smime-type=signed-data\r\n\r\nx\r\n").isSigned());
  BOOST_TEST(!tree(Top + "Content-Type: application/pkcs7-mime; smime-type=signed-data\r\n\r\nx\r\n").isEncrypted());
  BOOST_TEST(tree(Top + multipart("b", "--b\r\n\r\nx\r\n--b--\r\n", "encrypted")).isEncrypted());
  BOOST_TEST(tree(Top + multipart("b", "--b\r\n\r\nx\r\n--b--\r\n", "signed")).isSigned());
  BOOST_TEST(tree(Top + "\r\n" + armour).isEncrypted());
  const auto quoted = tree(Top + "\r\n> " + armour);
  BOOST_TEST(!quoted.isEncrypted());
  const auto within = tree(
      Top +
      multipart("b", "--b\r\nContent-Type: application/pkcs7-mime; smime-type=enveloped-data\r\n\r\nx\r\n--b--\r\n"));
  BOOST_TEST(!within.isEncrypted());
  BOOST_TEST(!within.isSigned());
}

BOOST_AUTO_TEST_CASE(depth_and_width_bombs_are_bounded) {
  const auto start = std::chrono::steady_clock::now();
  std::string deep = Top;
  for (int i = 0; i < 5000; ++i)
    deep += "Content-Type: multipart/mixed; boundary=\"x" + std::to_string(i) + "y\"\r\n\r\n--x" + std::to_string(i) +
            "y\r\n";
  BOOST_TEST(tree(deep).has(Ambiguity::TooDeep));
  std::string messages = Top + "Content-Type: message/rfc822\r\n\r\n";
  for (int i = 0; i < 5000; ++i) messages += "Content-Type: message/rfc822\r\n\r\n";
  BOOST_TEST(tree(messages).has(Ambiguity::TooDeep));
  // What our scan would pass over, gmime must not walk into either.
  for (const auto& trick :
       {"Content-Type: text/plain\r\nContent-Type: message/rfc822\r\n\r\n"s, "Content-Type: message/news\r\n\r\n"s,
        "Content-Type: message/rfc2822\r\n\r\n"s, "Content-Type: Message / RFC822 (x)\r\n\r\n"s,
        "Content-Type: message/global\r\n\r\n"s, "Content-Type: message/rfc822; x\r\n\r\n"s}) {
    std::string tricky = Top;
    for (int i = 0; i < 5000; ++i) tricky += trick;
    const auto result = tree(tricky);
    BOOST_TEST((result.has(Ambiguity::TooDeep) || result.has(Ambiguity::DuplicateContentHeader)), trick);
    BOOST_TEST(result.parts().size() == 1u);
  }
  std::string wide;
  for (int i = 0; i < 20'000; ++i) wide += "--b\r\n\r\n";
  BOOST_TEST(tree(Top + multipart("b", wide + "--b--\r\n")).has(Ambiguity::TooManyParts));
  std::string many;
  for (int i = 0; i < 9'000; ++i) many += "--b\r\n\r\nx\r\n";
  BOOST_TEST(tree(Top + multipart("b", many + "--b--\r\n")).parts().size() == 9001u);
  std::string nested = Top;
  for (int i = 0; i < 40; ++i)
    nested += "Content-Type: multipart/mixed; boundary=\"x" + std::to_string(i) + "y\"\r\n\r\n--x" + std::to_string(i) +
              "y\r\n";
  nested += "\r\n";
  while (nested.size() < (8u << 20)) nested += "--\r\n--x\r\n";
  BOOST_TEST(tree(nested).has(Ambiguity::UnclosedMultipart));
  BOOST_TEST((std::chrono::steady_clock::now() - start < std::chrono::seconds(10)));
}

BOOST_AUTO_TEST_CASE(text_is_cut_at_the_limits) {
  const MimeLimits limits{.maxParts = 10, .maxDepth = 5, .maxTextPerPart = 100, .maxTextInAll = 150};
  const std::string part = "--b\r\n\r\n" + std::string(200, 'x') + "\r\n";
  const auto result = tree(Top + multipart("b", part + part + part + "--b--\r\n"), limits);
  BOOST_TEST(result.parts()[1].text.size() == 100u);
  BOOST_TEST(result.parts()[1].textTruncated);
  BOOST_TEST(result.parts()[2].text.size() == 50u);
  BOOST_TEST(result.parts()[3].text.size() == 0u);
  BOOST_TEST(result.parts()[3].size >= 200u);
}

BOOST_AUTO_TEST_SUITE_END()
