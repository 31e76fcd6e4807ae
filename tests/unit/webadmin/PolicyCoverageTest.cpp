#include "webadmin/pages/PolicyPages.h"

#include <nlohmann/json.hpp>

using nlohmann::json;
using postern::webadmin::pages::policyCoverage;

BOOST_AUTO_TEST_SUITE(webadmin_policy_coverage)

namespace {

json covered(std::vector<unsigned> lines) {
  return {{"covered", {{"a.lua", std::move(lines)}}}};
}

}  // namespace

BOOST_AUTO_TEST_CASE(counts_code_and_not_what_only_closes_or_comments) {
  const auto view = policyCoverage(covered({2, 3}), "a.lua", "-- words\nlocal x = 1\nif x then\n  f()\nend\n\n");
  BOOST_TEST(view["coverage"] == "2 of 3 lines ran");
  BOOST_TEST(view["missed"].get<bool>());
  BOOST_TEST(view["source"] ==
             "   1   -- words\n   2 + local x = 1\n   3 + if x then\n   4 !   f()\n   5   end\n   6   \n");
}

BOOST_AUTO_TEST_CASE(cases_are_not_what_is_covered) {
  const std::string table =
      "return {\n  name = 'a',\n  cases = {\n    { title = 'x',\n      tx = {} },\n  },\n  more = 1,\n}\n";
  BOOST_TEST(policyCoverage(covered({1, 2, 3, 4, 5}), "a.lua", table)["coverage"] == "2 of 3 lines ran");
  const std::string function =
      "local function cases()\n  local all = {}\n  for i = 1, 2 do\n  end\n  return all\nend\n\nreturn {\n  cases = "
      "cases,\n  x = 1,\n}\n";
  BOOST_TEST(policyCoverage(covered({8, 10}), "a.lua", function)["coverage"] == "2 of 2 lines ran");
  const std::string crowded = "return {\n  cases = { { title = 'x',\n    tx = {} } },\n  }, x = 1,\n}\n";
  BOOST_TEST(policyCoverage(covered({1}), "a.lua", crowded)["coverage"] == "1 of 1 lines ran");
  const std::string inPlace = "return {\n  cases = function()\n    return {}\n  end,\n  x = 1,\n}\n";
  BOOST_TEST(policyCoverage(covered({1}), "a.lua", inPlace)["coverage"] == "1 of 2 lines ran");
}

BOOST_AUTO_TEST_CASE(a_text_over_lines_is_no_code) {
  const std::string text = "return {\n  doc = [[\nRefuses mail,\nand more.]],\n  x = y[1],\n}\n";
  BOOST_TEST(policyCoverage(covered({1, 2}), "a.lua", text)["coverage"] == "2 of 3 lines ran");
}

BOOST_AUTO_TEST_CASE(a_file_that_no_test_reports_is_shown_without_marks) {
  BOOST_TEST(policyCoverage(json::object(), "a.lua", "x()\n")["coverage"] == "");
  BOOST_TEST(policyCoverage(covered({1}), "order.txt", "a\n")["coverage"] == "");
  BOOST_TEST(policyCoverage(covered({1}), "settings.lua", "return {}\n")["coverage"] == "");
}

BOOST_AUTO_TEST_SUITE_END()
