#include "listd/orders/Csv.h"

#include <algorithm>

namespace postern::listd {
namespace {

class CsvReader {
public:
  explicit CsvReader(std::string_view text) : text_(text) {}

  std::vector<CsvRecord> read() {
    std::vector<CsvRecord> records;
    while (at_ < text_.size()) {
      CsvRecord record;
      record.line = line_;
      readRecord(record);
      const bool blank = record.fields.size() == 1 && record.fields.front().empty() && !record.broken;
      if (!blank) records.push_back(std::move(record));
    }
    return records;
  }

private:
  void readRecord(CsvRecord& record) {
    for (;;) {
      record.fields.push_back(at_ < text_.size() && text_[at_] == '"' ? readQuoted(record) : readPlain());
      if (at_ >= text_.size()) return;
      if (text_[at_] == ',') {
        ++at_;
        continue;
      }
      if (text_[at_] != '\r' && text_[at_] != '\n') {
        record.broken = true;
        at_ = std::min(text_.find_first_of("\r\n", at_), text_.size());
      }
      endLine();
      return;
    }
  }

  std::string readPlain() {
    const auto end = std::min(text_.find_first_of(",\r\n", at_), text_.size());
    auto field = std::string(text_.substr(at_, end - at_));
    at_ = end;
    return field;
  }

  std::string readQuoted(CsvRecord& record) {
    std::string field;
    for (++at_; at_ < text_.size(); ++at_) {
      if (text_[at_] == '\n') ++line_;
      if (text_[at_] != '"') {
        field.push_back(text_[at_]);
      } else if (at_ + 1 < text_.size() && text_[at_ + 1] == '"') {
        field.push_back('"');
        ++at_;
      } else {
        ++at_;
        return field;
      }
    }
    record.broken = true;
    return field;
  }

  void endLine() {
    if (at_ < text_.size() && text_[at_] == '\r') ++at_;
    if (at_ < text_.size() && text_[at_] == '\n') ++at_;
    ++line_;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t line_ = 1;
};

}  // namespace

std::vector<CsvRecord> readCsv(std::string_view text) {
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  return CsvReader(text).read();
}

std::string csvLine(const std::vector<std::string>& fields) {
  std::string line;
  for (const auto& field : fields) {
    if (!line.empty() || &field != &fields.front()) line.push_back(',');
    std::string value = field;
    if (!value.empty() && std::string_view("=+-@\t\r").find(value.front()) != std::string_view::npos)
      value.insert(value.begin(), '\'');
    if (value.find_first_of(",\"\r\n") == std::string::npos) {
      line += value;
      continue;
    }
    line.push_back('"');
    for (const char c : value) {
      if (c == '"') line.push_back('"');
      line.push_back(c);
    }
    line.push_back('"');
  }
  return line + "\r\n";
}

}  // namespace postern::listd
