#include "gateway/deliver/FloorGuard.h"
#include "gateway/deliver/PgpShape.h"
#include "tests/support/PgpSample.h"

using namespace postern;
using namespace postern::gateway;
using test::PgpSample;

namespace {

std::string problemOf(const std::string& body, const std::string& boundary = PgpSample().boundary) {
  PgpShape shape(boundary);
  if (shape.feed(body) && shape.finish()) return "";
  return shape.problem();
}

std::string problemOf(const PgpSample& sample) {
  return problemOf(sample.body(), sample.boundary);
}

std::string text(std::size_t size) {
  std::string out;
  while (out.size() < size) out.append("The figures of the third quarter are worse than feared. ");
  return out.substr(0, size);
}

std::string verdict(const std::string& message) {
  const auto result = FloorGuard::check(app::Copy::Kind::Content, app::Protection::OpenPgp, app::Protection::OpenPgp,
                                        message, nullptr, {});
  return result.has_value() ? "" : result.error();
}

std::string replaced(std::string message, std::string_view from, std::string_view to) {
  const auto at = message.find(from);
  BOOST_REQUIRE(at != std::string::npos);
  return message.replace(at, from.size(), to);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(gateway_deliver_PgpShape)

BOOST_AUTO_TEST_CASE(takes_a_message_to_one_recipient) {
  for (const bool ecdh : {false, true})
    for (const bool inParts : {false, true})
      for (const std::size_t size : {600u, 3000u, 3001u, 3002u, 70'000u}) {
        PgpSample sample;
        sample.inParts = inParts;
        if (ecdh) sample.keyPacket = PgpSample::ecdhKeyPacket();
        sample.data = "\x01" + crypto::randomBytes(size);
        BOOST_TEST(problemOf(sample) == "");
        BOOST_TEST(verdict(sample.message()) == "");
      }
  PgpSample small;
  small.inParts = false;
  small.data = "\x01" + crypto::randomBytes(60);
  BOOST_TEST(problemOf(small) == "");
}

BOOST_AUTO_TEST_CASE(gives_the_same_verdict_in_any_pieces) {
  const auto body = PgpSample().body();
  for (std::size_t piece = 1; piece < 300; piece += 7) {
    PgpShape shape(PgpSample().boundary);
    for (std::size_t at = 0; at < body.size(); at += piece)
      BOOST_REQUIRE(shape.feed(std::string_view(body).substr(at, piece)));
    BOOST_TEST(shape.finish());
  }
}

BOOST_AUTO_TEST_CASE(refuses_more_or_less_than_one_session_key_packet) {
  PgpSample sample;
  sample.keyPacket += PgpSample::rsaKeyPacket();
  BOOST_TEST(problemOf(sample) == "there is more than one session key packet");
  sample.keyPacket = "";
  BOOST_TEST(problemOf(sample) == "the message does not begin with a session key packet");
  sample.keyPacket = PgpSample::packet(3, "\x04\x09\x03\x08" + crypto::randomBytes(9));  // by a passphrase
  BOOST_TEST(problemOf(sample) == "the message does not begin with a session key packet");
}

BOOST_AUTO_TEST_CASE(refuses_anything_readable_in_the_session_key_packet) {
  for (const auto& whole : {PgpSample::rsaKeyPacket(), PgpSample::ecdhKeyPacket()}) {
    const auto body = whole.substr(static_cast<unsigned char>(whole[1]) < 192 ? 2 : 3);
    PgpSample sample;
    sample.keyPacket = PgpSample::packet(1, body + text(40));
    BOOST_TEST(problemOf(sample) == "the session key packet holds more than a session key");
    sample.keyPacket = PgpSample::packet(1, body.substr(0, body.size() - 1));
    BOOST_TEST(problemOf(sample) == "the session key packet holds more than a session key");
    sample.keyPacket = PgpSample::packet(1, "\x02" + body.substr(1));
    BOOST_TEST(problemOf(sample) == "the session key packet is not of version 3");
    sample.keyPacket = PgpSample::packet(1, body.substr(0, 9) + "\x10" + body.substr(10));
    BOOST_TEST(problemOf(sample) == "the session key is wrapped in an unknown way");
  }
  PgpSample large;
  large.keyPacket = PgpSample::packet(1, "\x03" + text(5000));
  BOOST_TEST(problemOf(large) == "the session key packet has a wrong size");
}

BOOST_AUTO_TEST_CASE(refuses_data_without_integrity_protection_or_of_another_kind) {
  for (const unsigned tag : {9u, 20u, 11u, 8u, 2u, 1u, 63u}) {
    PgpSample sample;
    const auto bytes = sample.keyPacket + PgpSample::packet(tag, sample.data);
    BOOST_TEST(problemOf(sample.start() + crypto::base64Lines(bytes) + PgpSample::crcLine(bytes) + sample.end()) != "");
  }
  PgpSample sample;
  sample.data[0] = 2;
  BOOST_TEST(problemOf(sample) == "the encrypted data is not of version 1");
}

BOOST_AUTO_TEST_CASE(refuses_plaintext_in_the_place_of_the_ciphertext) {
  PgpSample sample;
  sample.data = "\x01" + text(3000);
  BOOST_TEST(problemOf(sample) == "the content does not look encrypted");
  sample.data = "\x01" + crypto::randomBytes(500) + text(1500);
  BOOST_TEST(problemOf(sample) == "the content does not look encrypted");
}

BOOST_AUTO_TEST_CASE(refuses_anything_before_after_or_missing) {
  PgpSample sample;
  const auto body = sample.body();
  BOOST_TEST(problemOf(body + "x") == "something follows the end of the body");
  BOOST_TEST(problemOf(body + body) != "");
  BOOST_TEST(problemOf("This is an OpenPGP message.\r\n" + body) != "");
  for (std::size_t cut = 0; cut < body.size(); cut += 11) BOOST_TEST(problemOf(body.substr(0, cut)) != "");
  sample.after = PgpSample::packet(11, "b" + text(100));
  BOOST_TEST(problemOf(sample) == "something follows the encrypted data");
}

BOOST_AUTO_TEST_CASE(refuses_every_place_where_words_could_stand) {
  const PgpSample sample;
  const auto body = sample.body();
  BOOST_TEST(problemOf(replaced(body, "MESSAGE-----\r\n\r\n", "MESSAGE-----\r\nComment: secret\r\n\r\n")) != "");
  BOOST_TEST(problemOf(replaced(body, "Version: 1\r\n", "Version: 1\r\nsecret\r\n")) != "");
  BOOST_TEST(problemOf(replaced(body, "name=encrypted.asc", "name=\"secret plans\"")) != "");
  BOOST_TEST(problemOf(replaced(body, "\r\n=", "\r\n\r\nsecret\r\n=")) != "");
  BOOST_TEST(problemOf(replaced(body, "\r\n-----END", "\r\nsecret\r\n-----END")) != "");
  auto wrong = body;
  auto& digit = wrong[wrong.find("\r\n=") + 4];
  digit = digit == 'A' ? 'B' : 'A';
  BOOST_TEST(problemOf(wrong) == "the checksum of the armor is wrong");
  const auto line = body.find("PGP MESSAGE-----\r\n\r\n") + 20 + 76;
  BOOST_TEST(problemOf(std::string(body).insert(line, " ")) != "");
  BOOST_TEST(problemOf(std::string(body).insert(line, "\n")) != "");
  BOOST_TEST(problemOf(std::string(body).insert(line, "\r\n")) == "the armor has an empty line");
}

BOOST_AUTO_TEST_CASE(two_heads_of_one_post_leave_the_same_state) {
  // Two session key packets of the same length, brought to the same checksum by hand: the first is found by trying.
  PgpSample one;
  const auto data = one.dataPacket();
  const auto stateAfterKey = [&](const std::string& keyPacket) {
    PgpSample sample = one;
    sample.keyPacket = keyPacket;
    PgpShape shape(sample.boundary);
    const auto bytes = keyPacket + data;
    const auto lines = crypto::base64Lines(bytes.substr(0, bytes.size() / 3 * 3));
    BOOST_REQUIRE(shape.feed(sample.start() + lines.substr(0, 78 * 10)));
    return shape;
  };
  const auto first = PgpSample::rsaKeyPacket();
  BOOST_TEST((stateAfterKey(first) == stateAfterKey(first)));
  BOOST_TEST((stateAfterKey(first) != stateAfterKey(PgpSample::rsaKeyPacket())));  // another checksum
}

BOOST_AUTO_TEST_CASE(the_header_says_nothing_of_the_post) {
  const PgpSample sample;
  const auto message = sample.message();
  BOOST_TEST(verdict(message) == "");
  BOOST_TEST(verdict(replaced(message, "[...]", "Secure: budget")) != "");
  BOOST_TEST(verdict(replaced(message, "From:", "X-Words: secret\r\nFrom:")) != "");
  BOOST_TEST(verdict(replaced(message, "From:", "Content-Disposition: attachment; filename=plan\r\nFrom:")) != "");
  BOOST_TEST(verdict(replaced(message, "From:", "Content-Transfer-Encoding: base64\r\nFrom:")) != "");
  BOOST_TEST(verdict(replaced(message, "; protocol", "; words=secret; protocol")) != "");
  BOOST_TEST(verdict(replaced(message, "\"\r\n\r\n--", "\"; words=secret\r\n\r\n--")) != "");
  BOOST_TEST(verdict(replaced(message, "multipart/encrypted", "multipart/mixed")) != "");
  BOOST_TEST(verdict(replaced(message, "boundary=\"pgp-", "boundary=\"the plan-")) != "");
  BOOST_TEST(verdict(replaced(message, "MIME-Version: 1.0\r\n", "")) != "");
  BOOST_TEST(verdict(sample.header() + text(3000)) != "");
  BOOST_TEST(verdict("Subject: [...]\r\nMIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\n" + sample.body()) != "");
}

BOOST_AUTO_TEST_CASE(each_protection_passes_only_as_itself) {
  const auto message = PgpSample().message();
  using app::Protection;
  const auto passes = [&](Protection protection, Protection floor) {
    return FloorGuard::check(app::Copy::Kind::Content, protection, floor, message, nullptr, {}).has_value();
  };
  BOOST_TEST(!passes(Protection::Smime, Protection::None));
  BOOST_TEST(passes(Protection::OpenPgp, Protection::None));
  BOOST_TEST(!passes(Protection::OpenPgp, Protection::Smime));
}

// Whatever single byte of the frame is changed: not let through with anything but the known text around the armor.
BOOST_AUTO_TEST_CASE(a_changed_byte_of_the_frame_is_noticed) {
  PgpSample sample;
  sample.inParts = false;
  const auto body = sample.body();
  const auto armored = body.find("\r\n\r\n", body.find("BEGIN PGP")) + 4;
  const auto end = body.find("\r\n=");
  for (std::size_t at = 0; at < body.size(); ++at) {
    if (at >= armored && at < end) at = at + 97 < end ? at + 97 : end;  // the checksum finds changes in the armor
    auto changed = body;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    BOOST_TEST(problemOf(changed) != "");
  }
}

BOOST_AUTO_TEST_SUITE_END()
