#include "core/base/Metrics.h"

#include <nlohmann/json.hpp>
#include <thread>

using namespace postern;

namespace {

std::string scraped() {
  metrics::Page page;
  page.addProcess("unit");
  return page.text();
}

bool has(const std::string& line) {
  return scraped().find("\n" + line + "\n") != std::string::npos;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(core_base_Metrics)

BOOST_AUTO_TEST_CASE(a_counter_is_one_by_name_and_labels) {
  metrics::counter("unit_a_total", "A.", {{"reason", "x"}}).add(2);
  metrics::counter("unit_a_total", "A.", {{"reason", "x"}}).add();
  metrics::counter("unit_a_total", "A.", {{"reason", "y"}}).add();
  BOOST_TEST(has("unit_a_total{reason=\"x\"} 3"));
  BOOST_TEST(has("unit_a_total{reason=\"y\"} 1"));
  BOOST_TEST(has("# TYPE unit_a_total counter"));
}

BOOST_AUTO_TEST_CASE(buckets_of_a_histogram_add_up) {
  auto& histogram = metrics::histogram("unit_b_seconds", "B.");
  for (const auto took :
       {std::chrono::milliseconds(1), std::chrono::milliseconds(30), std::chrono::milliseconds(60'000)})
    histogram.observe(took);
  BOOST_TEST(has("unit_b_seconds_bucket{le=\"0.0005\"} 0"));
  BOOST_TEST(has("unit_b_seconds_bucket{le=\"0.001\"} 1"));
  BOOST_TEST(has("unit_b_seconds_bucket{le=\"10\"} 2"));
  BOOST_TEST(has("unit_b_seconds_bucket{le=\"+Inf\"} 3"));
  BOOST_TEST(has("unit_b_seconds_count 3"));
  BOOST_TEST(has("unit_b_seconds_sum 60.031"));
}

BOOST_AUTO_TEST_CASE(labels_beyond_two_hundred_sets_count_as_other) {
  for (int i = 0; i < 300; ++i) metrics::counter("unit_c_total", "C.", {{"word", std::to_string(i)}}).add();
  BOOST_TEST(has("unit_c_total{word=\"199\"} 1"));
  BOOST_TEST(has("unit_c_total{word=\"other\"} 100"));
  BOOST_TEST(!has("unit_c_total{word=\"250\"} 1"));
}

BOOST_AUTO_TEST_CASE(a_label_cannot_break_out_of_its_line) {
  metrics::counter("unit_d_total", "D.", {{"word", "a\"} 7\nunit_forged 1"}}).add();
  BOOST_TEST(has("unit_d_total{word=\"a\\\"} 7 unit_forged 1\"} 1"));
}

BOOST_AUTO_TEST_CASE(pages_of_two_processes_become_one_and_malformed_parts_are_left_out) {
  metrics::Page one, two;
  one.gauge("unit_up", "Up.", 1, {{"process", "a"}});
  two.gauge("unit_up", "Up.", 0.5, {{"process", "b"}});
  one.merge(two.toJson());
  one.merge(nlohmann::json::parse(R"({"unit_up": {"samples": [["", "x", "text"], 3]}, "unit_x": 7})"));
  BOOST_TEST(one.text() ==
             "# HELP unit_up Up.\n# TYPE unit_up gauge\nunit_up{process=\"a\"} 1\nunit_up{process=\"b\"} 0.5\n");
}

BOOST_AUTO_TEST_CASE(threads_lose_no_count) {
  auto& counter = metrics::counter("unit_e_total", "E.");
  std::vector<std::jthread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 10'000; ++i) counter.add();
    });
  threads.clear();
  BOOST_TEST(counter.value() == 40'000u);
}

BOOST_AUTO_TEST_SUITE_END()
