#include "listd/CommonPasswords.h"
#include "listd/people/PasswordRule.h"

using namespace postern::listd;

namespace {

bool taken(std::string_view password) {
  return !passwordFault(password, {"alice", "mail.st-elmo.example"});
}

}  // namespace

BOOST_AUTO_TEST_SUITE(listd_people_PasswordRule)

BOOST_AUTO_TEST_CASE(eight_characters_are_enough_whatever_they_are_and_a_thousand_are_not_too_many) {
  BOOST_TEST(taken("tuxdvokn"));
  BOOST_TEST(taken("        x"));
  BOOST_TEST(taken("a sentence of more than sixty-four characters is taken as it is, with blanks and all"));
  BOOST_TEST(taken(std::string(500, 'x') + std::string(500, 'y')));
  BOOST_TEST(!taken("tuxdvok"));
  BOOST_TEST(!taken(""));
}

BOOST_AUTO_TEST_CASE(characters_are_counted_and_not_bytes) {
  BOOST_TEST(!taken("äöüßé€ж"));  // 7 characters, 15 bytes
  BOOST_TEST(taken("äöüßé€жд"));
}

BOOST_AUTO_TEST_CASE(common_passwords_are_refused_in_any_case) {
  for (const auto* common : {"password", "Password123", "QWERTYUIOP", "12345678", "iloveyou", "P@ssw0rd",
                             "aaaaaaaaaaaa", "Summer2026", "correct horse battery staple"})
    BOOST_TEST_CONTEXT(common) BOOST_TEST(!taken(common));
}

BOOST_AUTO_TEST_CASE(names_of_the_account_and_the_site_are_refused_with_decoration_too) {
  for (const auto* name :
       {"alice123", "Alice2026!", "mail.st-elmo.example", "st-elmo99", "St-Elmo-2026", "postern1!", "administrator1"})
    BOOST_TEST_CONTEXT(name) BOOST_TEST(!taken(name));
  BOOST_TEST(taken("alice likes tea"));
}

BOOST_AUTO_TEST_CASE(the_list_holds_what_the_length_alone_would_let_through) {
  const auto* file = passwords::find("orders/common-passwords.txt");
  BOOST_REQUIRE(file);
  std::size_t lines = 0;
  std::istringstream in{std::string(file->content)};
  for (std::string line; std::getline(in, line); ++lines)
    BOOST_TEST_CONTEXT(line) BOOST_TEST((line.size() >= ShortestPassword && !taken(line)));
  BOOST_TEST(lines > 500);
}

BOOST_AUTO_TEST_SUITE_END()
