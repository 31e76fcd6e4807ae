#include "core/base/Error.h"
#include "webadmin/Chart.h"
#include "webadmin/QrCode.h"
#include "webadmin/Views.h"
#include "webadmin/Words.h"

using namespace postern;
using namespace postern::webadmin;

BOOST_AUTO_TEST_SUITE(webadmin_chart)

namespace {
const TimePoint Noon = fromMicros(1'772'366'430'000'000);  // 2026-03-01T12:00:30Z
TimePoint minutesAgo(int minutes) {
  return std::chrono::floor<std::chrono::minutes>(Noon) - std::chrono::minutes(minutes);
}
}  // namespace

BOOST_AUTO_TEST_CASE(the_top_of_an_axis_is_round_and_its_half_too) {
  BOOST_TEST(axisTop(0) == 2u);
  BOOST_TEST(axisTop(2) == 2u);
  BOOST_TEST(axisTop(3) == 4u);
  BOOST_TEST(axisTop(11) == 20u);
  BOOST_TEST(axisTop(101) == 200u);
  BOOST_TEST(axisTop(999'999) == 1'000'000u);
}

BOOST_AUTO_TEST_CASE(the_minute_that_runs_is_the_last_column_and_series_are_stacked) {
  const std::vector<FlowMinute> flow = {{minutesAgo(0), 3, 1, 0, 0, 0}};
  const auto chart = drawFlow(flow, Noon, 60);
  BOOST_TEST(chart["in"]["top"] == "4");
  const auto& series = chart["in"]["series"];
  BOOST_TEST(series[0]["path"] == "M59.10 25.00h0.8v75.00h-0.8z");  // 3 of 4, from the ground
  BOOST_TEST(series[1]["path"] == "M59.10 0.00h0.8v25.00h-0.8z");   // 1 of 4, on top of them
  BOOST_TEST(series[0]["total"] == "3");
  BOOST_TEST(chart["times"].back()["label"] == "12:01");
  BOOST_TEST(chart["times"].front()["label"] == "11:01");
}

BOOST_AUTO_TEST_CASE(minutes_outside_the_span_are_left_out_and_long_spans_are_summed) {
  const std::vector<FlowMinute> flow = {
      {minutesAgo(60), 5, 0, 0, 0, 0}, {minutesAgo(59), 7, 0, 0, 0, 0}, {minutesAgo(-1), 9, 0, 0, 0, 0}};
  BOOST_TEST(drawFlow(flow, Noon, 60)["in"]["series"][0]["total"] == "7");
  const auto day = drawFlow(flow, Noon, 1440);
  BOOST_TEST(day["in"]["series"][0]["total"] == "12");
  BOOST_TEST(day["columnMinutes"] == 24);
}

BOOST_AUTO_TEST_CASE(nothing_to_draw_is_a_valid_picture) {
  const auto chart = drawFlow({}, Noon, 60);
  BOOST_TEST(chart["out"]["series"][0]["path"] == "M0 0");
}

BOOST_AUTO_TEST_CASE(a_bar_shows_small_parts_and_fills_its_width) {
  const std::vector<std::uint64_t> counts = {9999, 0, 1};
  const auto parts = layBar(counts);
  BOOST_TEST(parts[1].width == 0.0);
  BOOST_TEST(parts[2].width > 1.0);
  BOOST_TEST(parts[2].x + parts[2].width > 99.99);
  BOOST_TEST(parts[2].x + parts[2].width < 100.01);
  BOOST_TEST(layBar(std::vector<std::uint64_t>{0, 0})[0].width == 0.0);
}

BOOST_AUTO_TEST_CASE(the_disk_line_goes_on_until_the_disk_is_full) {
  DiskLooks disk{{}, 100, 10, 2};
  for (int i = 0; i <= 10; ++i)
    disk.used.emplace_back(TimePoint(std::chrono::days(20'000 + i)), static_cast<std::uint64_t>(40 + 2 * i));
  const auto drawn = drawDisk(disk);
  BOOST_TEST(drawn["past"].get<std::string>().starts_with("M0.00 60.00L2.50 58.00"));
  BOOST_TEST(drawn["ahead"] == "M25.00 40.00L75.00 0.00");  // 60 of 100 on day 10, full 20 days later
  BOOST_TEST(drawn["limit"] == "10.00");
  disk.growthPerDay = 0;
  BOOST_TEST(drawDisk(disk)["ahead"] == "M25.00 40.00L100.00 40.00");
  disk.used.resize(1);
  BOOST_TEST(drawDisk(disk)["past"] == "M0.00 60.00");
}

BOOST_AUTO_TEST_CASE(a_qr_code_is_plain_svg_with_a_quiet_zone) {
  const auto svg = drawQrCode("otpauth://totp/Postern:host?secret=JBSWY3DPEHPK3PXP&issuer=Postern");
  BOOST_TEST(svg.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 "));
  BOOST_TEST(svg.find("M4 4h1v1h-1z") != std::string::npos);  // first module of the finder pattern
  BOOST_TEST(svg.find("M3 ") == std::string::npos);
  BOOST_TEST(svg.find("<script") == std::string::npos);
  BOOST_TEST(drawQrCode("a") != drawQrCode("b"));
  BOOST_CHECK_THROW(drawQrCode(std::string(8000, 'x')), Error);
}

BOOST_AUTO_TEST_CASE(numbers_times_and_sizes_read_well) {
  BOOST_TEST(words::count(0) == "0");
  BOOST_TEST(words::count(1234567) == "1,234,567");
  BOOST_TEST(words::size(999) == "999 bytes");
  BOOST_TEST(words::size(20'400) == "20.4 kB");
  BOOST_TEST(words::size(999'960) == "1.0 MB");
  BOOST_TEST(words::time(Noon) == "2026-03-01 12:00:30 UTC");
  BOOST_TEST(words::relative(Noon - std::chrono::minutes(5), Noon) == "5 min ago");
  BOOST_TEST(words::relative(Noon + std::chrono::hours(72), Noon) == "in 3 days");
  BOOST_TEST(words::relative(Noon + std::chrono::days(60), Noon) == "in 60 days");
  BOOST_TEST(words::relative(Noon + std::chrono::days(61), Noon) == "2026-05-01");
  BOOST_TEST(words::relative(Noon - std::chrono::days(400), Noon) == "2025-01-25");
  BOOST_TEST(words::fingerprint("abcdef12") == "abcd ef12");
}

BOOST_AUTO_TEST_CASE(csv_runs_no_formula_and_loses_no_quote) {
  BOOST_TEST(views::csvLine({"a", "b\"c", "=1+1", "-x", ""}) == "\"a\",\"b\"\"c\",\"'=1+1\",\"'-x\",\"\"\r\n");
}

BOOST_AUTO_TEST_SUITE_END()
