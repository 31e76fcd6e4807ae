#include "gateway/deliver/CmsShape.h"
#include "tests/support/SealedSample.h"

using namespace postern::gateway;
using postern::test::SealedSample;
using Key = SealedSample::Key;

namespace {

std::string problemOf(const std::string& base64, CmsKind kind = CmsKind::Enveloped) {
  CmsShape shape(kind);
  if (shape.feed(base64) && shape.finish()) return "";
  return shape.problem();
}

std::string problemOfObject(const std::string& bytes, CmsKind kind = CmsKind::Enveloped) {
  return problemOf(SealedSample::base64(bytes), kind);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(gateway_deliver_CmsShape)

BOOST_AUTO_TEST_CASE(takes_what_openssl_makes_for_one_recipient) {
  for (const auto key : {Key::Rsa, Key::Ec}) {
    const SealedSample sample({key});
    for (const std::size_t size : {1u, 100u, 5000u, 100000u}) {
      for (const unsigned flags : {0u, unsigned{CMS_STREAM}}) {
        BOOST_TEST(problemOfObject(sample.object(SealedSample::text(size), EVP_aes_256_cbc(), flags)) == "");
        BOOST_TEST(problemOfObject(sample.object(SealedSample::text(size), EVP_aes_256_gcm(), flags),
                                   CmsKind::AuthEnveloped) == "");
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(gives_the_same_verdict_in_any_pieces) {
  const SealedSample sample({Key::Ec});
  const auto base64 = SealedSample::base64(sample.object(SealedSample::text(3000)));
  for (std::size_t piece = 1; piece < 200; piece += 7) {
    CmsShape shape(CmsKind::Enveloped);
    for (std::size_t at = 0; at < base64.size(); at += piece)
      BOOST_REQUIRE(shape.feed(std::string_view(base64).substr(at, piece)));
    BOOST_TEST(shape.finish());
  }
}

BOOST_AUTO_TEST_CASE(refuses_more_than_one_recipient) {
  BOOST_TEST(problemOfObject(SealedSample({Key::Rsa, Key::Rsa}).object("x")) == "there is more than one RecipientInfo");
  BOOST_TEST(problemOfObject(SealedSample({Key::Ec, Key::Rsa}).object("x")) == "there is more than one RecipientInfo");
}

BOOST_AUTO_TEST_CASE(refuses_another_type_or_cipher_than_announced) {
  const SealedSample sample;
  BOOST_TEST(problemOfObject(sample.object("x"), CmsKind::AuthEnveloped) != "");
  BOOST_TEST(problemOfObject(sample.object("x", EVP_aes_256_gcm()), CmsKind::Enveloped) != "");
  BOOST_TEST(problemOfObject(sample.object("x", EVP_des_ede3_cbc())) == "the content cipher is not AES");
}

BOOST_AUTO_TEST_CASE(refuses_anything_before_after_or_missing) {
  const auto object = SealedSample().object(SealedSample::text(2000));
  BOOST_TEST(problemOfObject(object + "x") == "something follows the CMS object");
  BOOST_TEST(problemOfObject(object + object) == "something follows the CMS object");
  BOOST_TEST(problemOfObject("x" + object) != "");
  for (std::size_t cut = 0; cut < object.size(); cut += 13) BOOST_TEST(problemOfObject(object.substr(0, cut)) != "");
  const auto base64 = SealedSample::base64(object);
  BOOST_TEST(problemOf(base64 + "plain text\r\n") != "");
  BOOST_TEST(problemOf(base64 + "QQ==\r\n") != "");
  BOOST_TEST(problemOf("Hello\r\n" + base64) != "");
  BOOST_TEST(problemOf("") != "");
}

BOOST_AUTO_TEST_CASE(refuses_plaintext_in_the_place_of_the_ciphertext) {
  auto object = SealedSample().object(SealedSample::text(2000));
  const auto text = SealedSample::text(1500).substr(0, 1500);
  object.replace(object.size() - 1500, 1500, text);
  BOOST_TEST(problemOfObject(object) == "the content does not look encrypted");
}

BOOST_AUTO_TEST_CASE(a_changed_structure_byte_never_hides_a_second_recipient) {
  // Whatever single byte changes in front of the ciphertext: either it is refused, or there is still one recipient
  // and the content untouched. What passes must have the length and the end of the original.
  const auto object = SealedSample({Key::Rsa}).object(SealedSample::text(600));
  std::size_t passed = 0;
  for (std::size_t at = 0; at < 40; ++at) {
    for (int value = 0; value < 256; ++value) {
      auto changed = object;
      if (changed[at] == static_cast<char>(value)) continue;
      changed[at] = static_cast<char>(value);
      if (problemOfObject(changed).empty()) ++passed;
    }
  }
  BOOST_TEST(passed < 40u * 256u / 4u);
}

BOOST_AUTO_TEST_SUITE_END()
