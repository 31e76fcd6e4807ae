// The mails of the site say the same in each language, and each is known by its subject alone.
#include "core/app/MailTexts.h"
#include "core/base/Language.h"
#include "core/mail/EncodedWord.h"
#include "core/mail/Text.h"

#include <algorithm>
#include <regex>
#include <set>
#include <string>
#include <vector>

using namespace postern;

namespace {

std::vector<std::string> slotsOf(const std::string& text) {
  static const std::regex slot(R"(\{[a-z]+\})");
  std::vector<std::string> slots;
  for (std::sregex_iterator at(text.begin(), text.end(), slot), end; at != end; ++at) slots.push_back(at->str());
  return slots;
}

std::size_t characters(std::string_view line) {
  return static_cast<std::size_t>(
      std::count_if(line.begin(), line.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(across_MailTexts)

BOOST_AUTO_TEST_CASE(every_language_has_every_mail_with_the_same_slots) {
  const auto english = app::mailTexts("en");
  BOOST_TEST(english.size() == 29u);
  for (const auto language : Languages) {
    const auto texts = app::mailTexts(language);
    BOOST_REQUIRE(texts.size() == english.size());
    for (std::size_t i = 0; i < texts.size(); ++i) {
      BOOST_TEST_CONTEXT(std::string(language) + " " + texts[i].word) {
        BOOST_TEST(std::string(texts[i].word) == english[i].word);
        BOOST_TEST(slotsOf(texts[i].text) == slotsOf(english[i].text), boost::test_tools::per_element());
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(no_two_mails_have_one_subject) {
  std::set<std::string> subjects;
  for (const auto language : Languages)
    for (const auto& text : app::mailTexts(language)) {
      const auto field = mail::encodeUnstructured("Subject", text.subject);
      BOOST_TEST(subjects.insert(field).second, text.subject);
      BOOST_TEST(mail::decodeUnstructured(field.substr(9)) == text.subject);
    }
}

BOOST_AUTO_TEST_CASE(texts_are_lines_that_people_can_read) {
  for (const auto language : Languages)
    for (const auto& text : app::mailTexts(language)) {
      const std::string_view whole = text.text;
      BOOST_TEST((whole.ends_with('\n') || whole.ends_with('}')), text.word);
      for (std::size_t from = 0; from < whole.size();) {
        const auto end = std::min(whole.find('\n', from), whole.size());
        const auto line = whole.substr(from, end - from);
        BOOST_TEST(characters(line) <= 82, std::string(language) + " " + text.word + ": " + std::string(line));
        const auto alone = std::set<std::string_view>{"{link}", "{mailbox}"};
        for (const auto slot : alone) BOOST_TEST((line.find(slot) == line.npos || line == slot), std::string(line));
        from = end + 1;
      }
    }
}

BOOST_AUTO_TEST_CASE(a_language_that_nobody_knows_is_english) {
  BOOST_TEST(app::mailTexts("tlh").data() == app::mailTexts("en").data());
  BOOST_TEST(app::mailTexts("").data() == app::mailTexts("en").data());
  BOOST_TEST(app::mailTexts("de").data() != app::mailTexts("en").data());
}

BOOST_AUTO_TEST_SUITE_END()
