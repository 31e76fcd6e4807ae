#include "core/mail/HtmlText.h"
#include "core/records/Words.h"

using postern::mail::htmlText;

namespace {

std::string words(std::string_view html) {
  std::string all;
  for (const auto& word : postern::records::wordsOf(htmlText(html))) all += (all.empty() ? "" : " ") + word;
  return all;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(listd_search_HtmlText)

BOOST_AUTO_TEST_CASE(gives_what_a_reader_sees) {
  BOOST_TEST(words("<html><head><style>p{x:y}</style></head><body><p>One</p>two<br>three</body>") == "one two three");
  BOOST_TEST(words("bo<b>ld</b> and sp<span class='a>b'>an</span>") == "bold and span");
  BOOST_TEST(words("<table><tr><td>a</td><td>b</td></tr></table>") == "a b");
  BOOST_TEST(words("Caf&eacute; &#233;t&#xE9; &amp; AT&amp;T &lt;tag&gt;") == "cafe ete at t tag");
  BOOST_TEST(words("<!-- hidden -->shown<script>if (a < b) x('</p>')</script>") == "shown");
  BOOST_TEST(words("<img alt=\"a &amp; picture\" src=x><a title='more' href=y>link</a>") == "a picture more link");
  BOOST_TEST(words("dialy&shy;sis") == "dialysis");
}

BOOST_AUTO_TEST_CASE(takes_what_is_broken_as_text) {
  BOOST_TEST(words("1 < 2 and a<b") == "1 2 and a b");
  BOOST_TEST(words("<script>never closed words") == "never closed words");
  BOOST_TEST(words("<!-- never closed words").find("never closed words") != std::string::npos);
  BOOST_TEST(words("<p title=\"open>text").find("text") != std::string::npos);
  BOOST_TEST(words("&nothing; &#; &#x;") == "nothing x");
}

BOOST_AUTO_TEST_CASE(takes_time_in_proportion_to_a_hostile_page) {
  for (const std::string piece : {"<", "<!--", "<script>", "<a b=\"", "</", "&", "<p title=", "<style><script>"}) {
    std::string page;
    while (page.size() < 2'000'000) page += piece;
    BOOST_TEST(htmlText(page).size() <= 2 * page.size());
  }
}

BOOST_AUTO_TEST_SUITE_END()
