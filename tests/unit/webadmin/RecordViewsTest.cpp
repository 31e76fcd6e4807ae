#include "webadmin/Chart.h"
#include "webadmin/RecordViews.h"
#include "webadmin/RecordWords.h"
#include "webadmin/Views.h"

using namespace postern;
using namespace postern::webadmin;
using nlohmann::json;

BOOST_AUTO_TEST_SUITE(webadmin_record_views)

namespace {
const TimePoint Noon = fromMicros(1'772'366'400'000'000);  // 2026-03-01T12:00:00Z
Fields formOf(std::initializer_list<std::pair<const char*, const char*>> fields) {
  Fields form;
  for (const auto& [name, value] : fields) form.add(name, value);
  return form;
}
}  // namespace

BOOST_AUTO_TEST_CASE(a_form_describes_a_scope_and_only_what_was_filled_in) {
  const auto form = formOf({{"lists", "a@x, b@x"},
                            {"listClasses", "high"},
                            {"listClasses", "low"},
                            {"senders", " "},
                            {"minSize", "20k"},
                            {"maxSize", "5M"},
                            {"headers", "X-Record: clinical notes\r\n\r\n"},
                            {"from", "2025-01-01"},
                            {"query", " dialysis "},
                            {"csrf", "x"}});
  BOOST_TEST(views::scopeOf(form) == json::parse(R"({"lists":["a@x","b@x"],"listClasses":["high","low"],
    "minSize":20480,"maxSize":5242880,"headers":[{"name":"X-Record","contains":"clinical notes"}],
    "from":"2025-01-01","query":"dialysis"})"));
  BOOST_TEST(views::scopeOf(Fields{}) == json::object());
}

BOOST_AUTO_TEST_CASE(a_scope_goes_through_its_form_and_back_unchanged) {
  const auto scope = json::parse(R"({"lists":["a@x"],"classes":["high"],"headers":[{"name":"x-a","contains":"b c"}],
    "minSize":7,"until":"2025-03-31","query":"body:x OR y"})");
  BOOST_TEST(views::scopeOf(views::scopeFields(scope)) == scope);
}

BOOST_AUTO_TEST_CASE(what_cannot_be_read_is_refused_and_not_left_out) {
  for (const auto* size : {"huge", "1G", "-1", "5 M", "99999999999999999999"})
    BOOST_CHECK_THROW(views::scopeOf(formOf({{"minSize", size}})), app::OrderRefused);
  BOOST_CHECK_THROW(views::scopeOf(formOf({{"headers", "no colon"}})), app::OrderRefused);
}

BOOST_AUTO_TEST_CASE(a_rule_goes_through_its_form_and_back_unchanged) {
  const auto rule =
      json::parse(R"({"name":"Board","tier":"scoped","effect":"both","period":"7 years","start":"received",
    "action":"review","enabled":false,"scope":{"lists":["a@x"]}})");
  BOOST_TEST(views::ruleOf(views::ruleFields(rule)) == rule);
  auto forever = rule;
  forever["period"] = "forever";
  BOOST_TEST(views::ruleOf(views::ruleFields(forever)) == forever);
}

BOOST_AUTO_TEST_CASE(never_is_shown_as_never_and_absence_as_absence) {
  BOOST_TEST(views::moment({{"at", INT64_MAX}}, "at", Noon)["never"] == true);
  BOOST_TEST(views::moment({{"at", "never"}}, "at", Noon)["never"] == true);
  BOOST_TEST(views::moment({{"at", INT64_MIN}}, "at", Noon).is_null());
  BOOST_TEST(views::moment({{"at", nullptr}}, "at", Noon).is_null());
  BOOST_TEST(views::moment({{"at", 1'772'366'400'000'000}}, "at", Noon)["day"] == "2026-03-01");
}

BOOST_AUTO_TEST_CASE(a_difference_names_nested_fields_and_marks_what_changes) {
  const auto rows = views::difference({{"period", "7 years"}, {"scope", {{"lists", {"a@x"}}}}},
                                      {{"period", "5 years"}, {"scope", {{"lists", {"a@x"}}}}, {"locked", true}});
  BOOST_REQUIRE(rows.size() == 3u);
  BOOST_TEST(rows[0] == json({{"field", "Locked"}, {"before", ""}, {"after", "yes"}, {"changed", true}}));
  BOOST_TEST(rows[1]["changed"] == true);
  BOOST_TEST(rows[2] == json({{"field", "Lists"}, {"before", "a@x"}, {"after", "a@x"}, {"changed", false}}));
}

BOOST_AUTO_TEST_CASE(a_difference_is_a_real_one) {
  const json before = {{"name", "Board"}, {"lists", {"b@x", "a@x"}}, {"locked", false}};
  for (const auto& row : views::difference(before, {{"name", "Board"}, {"lists", {"a@x", "b@x"}}}))
    BOOST_TEST(row["changed"] == false);
  for (const auto& row : views::difference(json(), before)) BOOST_TEST(row["changed"] == true);  // what is added
  BOOST_TEST(views::difference({{"locked", true}}, {{"name", "x"}})[0]["changed"] == true);
}

BOOST_AUTO_TEST_CASE(a_change_that_became_a_request_leads_to_it) {
  const auto asked = views::afterChange({{"request", {{"id", 41}}}}, "/retention");
  BOOST_TEST(asked.headers.front().second == "/requests/41?done=requested");
  const auto alone = views::afterChange({{"request", {{"id", 41}, {"lone", true}}}}, "/matters/7");
  BOOST_TEST(alone.headers.front().second == "/requests/41?done=requested-alone");
  BOOST_TEST(views::afterChange({{"id", 5}}, "/retention").headers.front().second == "/retention");
}

BOOST_AUTO_TEST_CASE(a_refusal_that_wants_a_new_proof_is_no_matter_of_the_form) {
  BOOST_CHECK_THROW(views::refusal(app::OrderRefused({"step-up", "prove it", ""})), app::OrderRefused);
  BOOST_TEST(views::refusal(app::OrderRefused({"invalid", "no", ""}))["message"] == "No.");
}

BOOST_AUTO_TEST_CASE(months_are_stacked_and_labelled) {
  const json items = {{{"month", "2027-01"}, {"due", 3u}, {"reviews", 1u}}, {{"month", "2027-02"}, {"due", 0u}}};
  const auto chart = drawMonths(items, {{"due", "Due"}, {"reviews", "Reviews"}});
  BOOST_TEST(chart["columns"] == 2u);
  BOOST_TEST(chart["top"] == "4");
  BOOST_TEST(chart["series"][0]["path"] == "M0.10 25.00h0.8v75.00h-0.8z");
  BOOST_TEST(chart["series"][1]["path"] == "M0.10 0.00h0.8v25.00h-0.8z");
  BOOST_TEST(chart["labels"][1]["label"] == "");
  BOOST_TEST(drawMonths(json::array(), {{"due", "Due"}})["empty"] == true);
}

BOOST_AUTO_TEST_SUITE_END()
