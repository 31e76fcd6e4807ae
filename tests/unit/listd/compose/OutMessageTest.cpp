#include "core/mail/Message.h"
#include "core/mail/MimeTree.h"
#include "core/mail/Text.h"
#include "listd/compose/OutMessage.h"

using namespace postern;
using namespace postern::listd;

namespace {

OutMessage sample() {
  return {mail::Address::parse("ann@example.org").value(),
          {mail::Address::parse("sam@smime.example").value(), mail::Address::parse("otto@pgp.example").value()},
          {},
          "Grüße",
          "Guten Tag\nund auf Wiedersehen",
          "<k1@example.org>",
          TimePoint(std::chrono::seconds(1'700'000'000)),
          {}};
}

std::vector<std::string> names(const std::string& text) {
  const auto message = mail::Message::parse(text);
  BOOST_REQUIRE(message.has_value());
  std::vector<std::string> found;
  for (const auto& field : message->header().fields()) found.emplace_back(field.name);
  return found;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(listd_compose_OutMessage)

BOOST_AUTO_TEST_CASE(a_text_alone_is_one_part_in_utf_8) {
  const auto text = writeMessage(sample());
  const auto message = mail::Message::parse(text);
  BOOST_REQUIRE(message.has_value());
  BOOST_TEST(message->subject() == "Grüße");
  BOOST_TEST(message->from().mailboxes.size() == 1u);
  BOOST_TEST(text.find("text/plain; charset=utf-8") != std::string::npos);
  BOOST_TEST(mail::isCanonical(text));
  BOOST_TEST(mail::MimeTree::parse(*message).ambiguities().empty());
}

BOOST_AUTO_TEST_CASE(no_value_can_add_a_field_a_part_or_a_recipient) {
  const std::string evil =
      "x\r\nBcc: eve@evil.example\r\n\r\nbody\r\n--=_postern_part_\r\nContent-Type: text/html\r\n\r\n\xff\"; a=b";
  auto message = sample();
  const auto plain = names(writeMessage(message));
  message.subject = message.text = evil;
  BOOST_TEST(names(writeMessage(message)) == plain, boost::test_tools::per_element());
  message.files = {
      {evil, evil, evil}, {"", "message/rfc822", ""}, {"C:\\Users\\ann\\plan.pdf", "application/pdf", "%"}};
  const auto text = writeMessage(message);
  BOOST_TEST(mail::isCanonical(text));
  BOOST_TEST(text.find("eve@evil.example\r\n") == std::string::npos);
  BOOST_TEST(text.find("Users") == std::string::npos);
  BOOST_TEST(text.find("filename=\"plan.pdf\"") != std::string::npos);
  BOOST_TEST(text.find("message/rfc822") == std::string::npos);
  std::size_t boundaries = 0;
  for (auto at = text.find("\r\n--=_postern"); at != text.npos; at = text.find("\r\n--=_postern", at + 1)) ++boundaries;
  BOOST_TEST(boundaries == 5u);
  const auto parsed = mail::Message::parse(text);
  BOOST_REQUIRE(parsed.has_value());
  BOOST_TEST(mail::MimeTree::parse(*parsed).ambiguities().empty());
  for (std::size_t at = 0; at < text.size();) {
    const auto end = text.find("\r\n", at);
    BOOST_TEST(end - at <= 998);
    at = end + 2;
  }
}

BOOST_AUTO_TEST_SUITE_END()
