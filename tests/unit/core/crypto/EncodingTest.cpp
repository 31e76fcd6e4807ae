#include "core/crypto/Encoding.h"
#include "core/crypto/Random.h"

using namespace postern::crypto;

BOOST_AUTO_TEST_SUITE(core_crypto_Encoding)

// RFC 4648 §10
BOOST_AUTO_TEST_CASE(gives_the_texts_of_rfc_4648) {
  const std::pair<std::string, std::array<std::string, 2>> cases[] = {{"", {"", ""}},
                                                                      {"f", {"Zg==", "MY"}},
                                                                      {"fo", {"Zm8=", "MZXQ"}},
                                                                      {"foo", {"Zm9v", "MZXW6"}},
                                                                      {"foob", {"Zm9vYg==", "MZXW6YQ"}},
                                                                      {"fooba", {"Zm9vYmE=", "MZXW6YTB"}},
                                                                      {"foobar", {"Zm9vYmFy", "MZXW6YTBOI"}}};
  for (const auto& [bytes, text] : cases) {
    BOOST_TEST(base64(bytes) == text[0]);
    BOOST_TEST(base32(bytes) == text[1]);
    BOOST_TEST(fromBase64(text[0]).value() == bytes);
    BOOST_TEST(fromBase32(text[1]).value() == bytes);
  }
}

BOOST_AUTO_TEST_CASE(reads_back_what_was_written_for_every_length) {
  for (std::size_t length = 0; length < 200; ++length) {
    const auto bytes = randomBytes(length);
    BOOST_TEST((fromBase64(base64(bytes)) == bytes));
    BOOST_TEST((fromBase64(base64Lines(bytes)) == bytes));
    BOOST_TEST((fromBase64Url(base64Url(bytes)) == bytes));
    BOOST_TEST((fromHex(hex(bytes)) == bytes));
    BOOST_TEST((fromBase32(base32(bytes)) == bytes));
  }
}

BOOST_AUTO_TEST_CASE(breaks_lines_at_76_characters_with_crlf) {
  for (const std::size_t length : {1u, 56u, 57u, 58u, 113u, 114u, 115u, 1000u}) {
    const auto text = base64Lines(std::string(length, 'x'));
    std::size_t start = 0;
    while (start < text.size()) {
      const auto end = text.find("\r\n", start);
      BOOST_REQUIRE(end != std::string::npos);
      BOOST_TEST(end - start <= 76u);
      BOOST_TEST(end - start > 0u);
      start = end + 2;
    }
  }
}

BOOST_AUTO_TEST_CASE(refuses_text_of_another_form) {
  for (const auto* text : {"Zg", "Zg=", "Zg===", "Zh==", "Z", "Zm9v=", "Zg==Zg==", "Zm9v!", "====", "Zm-_"})
    BOOST_TEST(!fromBase64(text).has_value(), text);
  for (const auto* text : {"Zg==", "Zh", "Z", "a b", "ab+/"}) BOOST_TEST(!fromBase64Url(text).has_value(), text);
  for (const auto* text : {"0", "0g", "0x", " 0"}) BOOST_TEST(!fromHex(text).has_value(), text);
  for (const auto* text : {"M", "MZ", "M1", "MY MY", "MZX"}) BOOST_TEST(!fromBase32(text).has_value(), text);
}

BOOST_AUTO_TEST_CASE(tokens_differ_and_are_url_safe) {
  const auto token = randomToken();
  BOOST_TEST(token.size() == 43u);
  BOOST_TEST(token.find_first_of("+/=") == std::string::npos);
  BOOST_TEST(token != randomToken());
}

BOOST_AUTO_TEST_SUITE_END()
