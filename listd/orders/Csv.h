#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postern::listd {

// One record of a CSV file with the number of its first line.
struct CsvRecord {
  std::size_t line = 0;
  std::vector<std::string> fields;
  bool broken = false;  // a quote that is not closed, or text behind a closing quote
};

// Reads CSV (RFC 4180): quoted fields may hold commas, quotes and line ends; empty lines are skipped.
// LF and CRLF both end lines. Linear; a broken record ends with its line.
std::vector<CsvRecord> readCsv(std::string_view text);

// A record with its line end. A field that a spreadsheet would take for a formula is written with an apostrophe.
std::string csvLine(const std::vector<std::string>& fields);

}  // namespace postern::listd
