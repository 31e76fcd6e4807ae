#include "core/records/Words.h"

using namespace postern::records;

namespace {
using Words = std::vector<std::string>;
}

BOOST_AUTO_TEST_SUITE(core_records_Words)

BOOST_AUTO_TEST_CASE(folds_case_accents_width_and_compatibility_forms) {
  for (const auto* form : {"ecole", "ÉCOLE", "école",
                           "e\xCC\x81"
                           "cole",
                           "ｅｃｏｌｅ", "ec\xC2\xADole"})
    BOOST_TEST(foldText(form) == "ecole");
  BOOST_TEST(foldText("Straße") == foldText("STRASSE"));
  BOOST_TEST(foldText("ﬁle") == "file");
  BOOST_TEST(foldText("Ελλάς") == foldText("ΕΛΛΑΣ"));
  BOOST_TEST(foldText("İstanbul") == foldText("istanbul"));
}

BOOST_AUTO_TEST_CASE(keeps_marks_that_make_another_letter) {
  BOOST_TEST(foldText("が") != foldText("か"));
  BOOST_TEST(foldText("कि") != foldText("क"));
}

BOOST_AUTO_TEST_CASE(splits_at_everything_that_is_no_letter_or_digit) {
  BOOST_TEST(wordsOf("Kidney-stone, 2 ml/day (see §5)") == (Words{"kidney", "stone", "2", "ml", "day", "see", "5"}),
             boost::test_tools::per_element());
  BOOST_TEST(wordsOf(" \t\r\n.,;") == Words{}, boost::test_tools::per_element());
  BOOST_TEST(wordsOf("腎臓 abc").size() == 3u);
  BOOST_TEST(wordsOf("がん").size() == 2u);
}

BOOST_AUTO_TEST_CASE(bytes_that_are_no_text_split_words_and_swallow_nothing) {
  BOOST_TEST(wordsOf("ab\xFF"
                     "cd\xC3") == (Words{"ab", "cd"}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_folded_word_is_itself_again_and_no_word_is_over_long) {
  std::string text(500, 'x');
  text += "é";
  const auto cut = wordsOf(text);
  BOOST_TEST(cut.size() == 1u);
  BOOST_TEST(cut[0].size() == MaxWordBytes);
  for (const auto* form : {"ŉ ǅ ϓ ẛ̣ ﷺ ⅷ ㎏ Å", "नमस्ते สวัสดี שָׁלוֹם", "Wörter und mehr"})
    for (const auto& word : wordsOf(form)) BOOST_TEST(wordsOf(word) == Words{word}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(addresses_compare_in_lower_case_with_a_labels) {
  BOOST_TEST(addressWord(" Bob@Example.ORG ") == "bob@example.org");
  BOOST_TEST(addressWord("@BÜCHER.example") == "@xn--bcher-kva.example");
  BOOST_TEST(addressWord("not an address@") == "not an address@");
}

BOOST_AUTO_TEST_SUITE_END()
