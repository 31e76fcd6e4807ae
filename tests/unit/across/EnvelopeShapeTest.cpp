// What listd composes for pick-up must be what the gateway's floor guard lets pass, and nothing else may.
#include "core/crypto/Aead.h"
#include "core/crypto/Encoding.h"
#include "gateway/deliver/FloorGuard.h"
#include "listd/pickup/Envelope.h"
#include "listd/pickup/PickupFile.h"

using namespace postern;
using app::Copy;
using app::Protection;
using gateway::FloorGuard;
using gateway::OutboundTail;

namespace {

constexpr std::string_view Own = "https://mail.example:8443";

listd::EnvelopeFacts factsOf(const std::string& name, bool neutral) {
  const auto address = mail::Address::parse("board@lists.example").value();
  return listd::envelopeOf({address, name, "", true, ""}, neutral, "mail.example", Own);
}

listd::EnvelopeLetter letter() {
  return {"bob@example.net", std::string(55, 'T'), fromMicros(1'772'366'400'000'000), fromMicros(1'772'366'400'000'000),
          "<abcdefghijklmnopqrstuvwxyz@lists.example>"};
}

std::string file(std::size_t size) {
  return listd::pickupfile::seal(crypto::AeadKey::generate(), 77, {"{}", std::string(size, 'm')});
}

std::shared_ptr<const OutboundTail> tailOf(const std::string& bytes) {
  return OutboundTail::make(std::make_shared<const std::string>(bytes)).value();
}

std::string verdict(const std::string& head, const OutboundTail* tail = nullptr, std::string_view own = Own) {
  auto cleared =
      FloorGuard::check(Copy::Kind::Content, Protection::Pickup, Protection::Pickup, head, tail, {false, false, own});
  return cleared ? "passes" : cleared.error();
}

std::string replaced(std::string text, const std::string& what, const std::string& with) {
  const auto at = text.find(what);
  BOOST_REQUIRE_MESSAGE(at != text.npos, what);
  return text.replace(at, what.size(), with);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(across_EnvelopeShape)

BOOST_AUTO_TEST_CASE(what_listd_composes_passes) {
  for (const auto& name : {std::string(), std::string("The board"),
                           std::string("Universit\u00e4tsklinik, \"der\" Vorstand"), std::string(200, 'n')})
    for (const bool neutral : {false, true}) {
      BOOST_TEST(verdict(listd::envelopeMail(factsOf(name, neutral), letter())) == "passes");
      for (const std::size_t size : {std::size_t(0), std::size_t(70'000), std::size_t(300'000)}) {
        const auto tail = tailOf(listd::envelopeTail(Own, 77, file(size)));
        BOOST_TEST(verdict(listd::envelopeHead(factsOf(name, neutral), letter(), 77), tail.get()) == "passes");
      }
    }
}

BOOST_AUTO_TEST_CASE(nothing_else_passes) {
  const auto good = listd::envelopeMail(factsOf("Board", false), letter());
  for (const auto& [what, with] : std::vector<std::pair<std::string, std::string>>{
           {"Subject: A secure message waits for you", "Subject: Your test results"},
           {"Subject: ", "X-Note: the diagnosis\r\nSubject: "},
           {"mail.example:8443/pickup", "evil.example/pickup"},
           {"https://mail.example:8443/pickup", "http://mail.example:8443/pickup"},
           {"https://mail.example:8443", "https://mail.example:8443@evil.example"},
           {"?token=", "?token=&next=https://evil.example"},
           {"waits for you. Read", "from Ann waits for you. Read"},
           {"nothing more on purpose.\r\n", "nothing more on purpose.\r\nDear Bob, your results\r\n"},
           {"7bit", "quoted-printable"},
           {"Auto-Submitted: auto-generated\r\n", ""}})
    BOOST_TEST(verdict(replaced(good, what, with)) != "passes");
  BOOST_TEST(verdict(good, nullptr, "") != "passes");
  BOOST_TEST(verdict("Subject: x\r\n\r\nplain text\r\n") != "passes");
}

BOOST_AUTO_TEST_CASE(a_file_that_is_not_ciphertext_is_blocked) {
  const auto head = listd::envelopeHead(factsOf("Board", false), letter(), 77);
  const auto good = file(100'000);
  const auto judged = [&](const std::string& bytes) {
    const auto tail = tailOf(listd::envelopeTail(Own, 77, bytes));
    return verdict(head, tail.get());
  };
  BOOST_TEST(judged(good) == "passes");
  auto plain = good;
  const std::string words = "Dear patient, here are the results that nobody else may see. ";
  for (std::size_t i = 29; i < plain.size(); ++i) plain[i] = words[i % words.size()];
  BOOST_TEST(judged(plain) != "passes");
  auto stretch = good;
  for (std::size_t i = 5000; i < 8000; ++i) stretch[i] = words[i % words.size()];
  BOOST_TEST(judged(stretch) != "passes");
  BOOST_TEST(judged(good.substr(0, good.size() - 16)) != "passes");
  BOOST_TEST(judged(good + "more") != "passes");
  BOOST_TEST(judged("From: ann\r\n\r\nhello") != "passes");
  const auto page = listd::envelopeTail(Own, 77, good);
  for (const auto& changed : {replaced(page, "<main>", "<main><script src=//evil.example></script>"),
                              replaced(page, "https://mail.example:8443/pickup", "https://evil.example/pickup"),
                              replaced(page, "default-src 'none'", "default-src *"), page + "--more\r\n",
                              replaced(page, "pickup-77", "other")}) {
    const auto tail = tailOf(changed);
    BOOST_TEST(verdict(head, tail.get()) != "passes");
  }
  const auto other = tailOf(listd::envelopeTail(Own, 78, good));
  BOOST_TEST(verdict(head, other.get()) != "passes");  // of another content
}

// Languages whose bytes come near ciphertext in one encoding or another, each as it is and in base64.
BOOST_AUTO_TEST_CASE(text_of_no_script_is_taken_for_ciphertext) {
  const auto head = listd::envelopeHead(factsOf("Board", false), letter(), 77);
  const auto good = file(100'000);
  const auto utf16 = [](std::u16string_view text) {
    std::string bytes;
    for (const char16_t unit : text) {
      bytes += static_cast<char>(unit >> 8);
      bytes += static_cast<char>(unit & 0xff);
    }
    return bytes;
  };
  const std::vector<std::string> texts{
      "Dear patient, here are the results that nobody else may see. ",
      "Sehr geehrte Frau M\u00fcller, die \u00dcberpr\u00fcfung hat ergeben, dass Ihre Gef\u00e4\u00dfe gesund sind. ",
      "K\u00ednh g\u1eedi b\u1ec7nh nh\u00e2n, \u0111\u00e2y l\u00e0 k\u1ebft qu\u1ea3 x\u00e9t nghi\u1ec7m m\u00e0 "
      "kh\u00f4ng ai kh\u00e1c \u0111\u01b0\u1ee3c ph\u00e9p xem. ",
      "\u0423\u0432\u0430\u0436\u0430\u0435\u043c\u044b\u0439 patient, \u0432\u043e\u0442 results: MRT and CT. ",
      "\u60a3\u8005\u60a8\u597d\uff0c\u8fd9\u662f\u60a8\u7684\u68c0\u67e5\u7ed3\u679c\u3002 ",
      utf16(u"Dear patient, here are the results that nobody else may see. "),
      utf16(u"\u60a3\u8005\u60a8\u597d\uff0c\u8fd9\u662f\u60a8\u7684\u68c0\u67e5\u7ed3\u679c\uff0c\u8bf7"
            u"\u4e0d\u8981\u8ba9\u522b\u4eba\u770b\u5230\u3002\u533b\u751f\u4e0b\u5468\u4f1a\u4e0e\u60a8"
            u"\u8054\u7cfb\u3002"),
      "\xc4\xee\xf0\xee\xe3\xee\xe9 patient, \xe2\xee\xf2 results: ",  // windows-1251 with English
  };
  for (const auto& text : texts)
    for (const auto& words : {text, crypto::base64(text)})
      for (const std::size_t length : {std::size_t(1024), good.size() - 29}) {
        auto stretch = good;
        for (std::size_t i = 0; i < length; ++i) stretch[29 + i] = words[i % words.size()];
        const auto tail = tailOf(listd::envelopeTail(Own, 77, stretch));
        BOOST_TEST(verdict(head, tail.get()) != "passes", words);
      }
}

BOOST_AUTO_TEST_CASE(ciphertext_is_never_blocked_by_bad_luck) {
  const auto head = listd::envelopeHead(factsOf("Board", false), letter(), 77);
  for (int i = 0; i < 20; ++i) {
    const auto tail = tailOf(listd::envelopeTail(Own, 77, file(400'000)));
    BOOST_REQUIRE(verdict(head, tail.get()) == "passes");
  }
}

BOOST_AUTO_TEST_CASE(a_pickup_copy_never_reaches_a_higher_floor) {
  const auto good = listd::envelopeMail(factsOf("Board", false), letter());
  for (const auto floor : {Protection::OpenPgp, Protection::Smime})
    BOOST_TEST(!FloorGuard::check(Copy::Kind::Content, Protection::Pickup, floor, good, nullptr, {false, false, Own}));
}

BOOST_AUTO_TEST_SUITE_END()
