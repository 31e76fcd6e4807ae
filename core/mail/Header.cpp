#include "core/mail/Header.h"

#include "core/mail/Text.h"

#include <algorithm>
#include <array>
#include <bitset>

namespace postern::mail {

namespace {

// RFC 5322 §3.6, RFC 2045 §4, RFC 2183: at most one of each.
constexpr std::array<std::string_view, 19> SingleFields = {
    "from",
    "sender",
    "reply-to",
    "to",
    "cc",
    "bcc",
    "message-id",
    "in-reply-to",
    "references",
    "date",
    "subject",
    "mime-version",
    "content-type",
    "content-id",
    "content-transfer-encoding",
    "content-disposition",
    "content-description",
    "list-id",
    "auto-submitted",
};

std::optional<std::size_t> singleFieldIndex(std::string_view name) {
  for (std::size_t i = 0; i < SingleFields.size(); ++i)
    if (equalsIgnoreCase(name, SingleFields[i])) return i;
  return std::nullopt;
}

bool isBlank(char c) {
  return c == ' ' || c == '\t';
}

}  // namespace

// Walks the lines once, front to back.
class HeaderScanner {
public:
  HeaderScanner(std::string_view message, const HeaderLimits& limits) : message_(message), limits_(limits) {}

  Result<HeaderBlock, HeaderError> run() {
    while (position_ < message_.size()) {
      const auto line = nextLine();
      if (position_ > limits_.maxBytes) return Unexpected(HeaderError::TooLarge);
      if (line.content.empty()) return finish(line.start);
      inspect(line);
      take(line);
      if (block_.fields_.size() > limits_.maxFields) return Unexpected(HeaderError::TooManyFields);
    }
    note(HeaderDefect::NoEnd, message_.size());
    return finish(message_.size());
  }

private:
  Result<HeaderBlock, HeaderError> finish(std::size_t headEnd) {
    closeField(headEnd);
    if (block_.fields_.size() > limits_.maxFields) return Unexpected(HeaderError::TooManyFields);
    block_.bodyOffset_ = position_;
    return std::move(block_);
  }

  struct Line {
    std::size_t start;
    std::string_view content;  // without the line end
  };

  Line nextLine() {
    const auto start = position_;
    const auto lf = message_.find('\n', start);
    if (lf == message_.npos) {
      position_ = message_.size();
      return {start, message_.substr(start)};
    }
    position_ = lf + 1;
    const bool crlf = lf > start && message_[lf - 1] == '\r';
    if (!crlf) note(HeaderDefect::BareLf, lf);
    return {start, message_.substr(start, lf - start - (crlf ? 1 : 0))};
  }

  void inspect(const Line& line) {
    if (line.content.size() > 998) note(HeaderDefect::LineTooLong, line.start);
    if (const auto cr = line.content.find('\r'); cr != line.content.npos) note(HeaderDefect::BareCr, line.start + cr);
    if (const auto nul = line.content.find('\0'); nul != line.content.npos) note(HeaderDefect::Nul, line.start + nul);
    if (!isUtf8(line.content)) note(HeaderDefect::NotUtf8, line.start);
  }

  void take(const Line& line) {
    if (isBlank(line.content.front())) {
      if (!open_) {
        note(HeaderDefect::StrayFold, line.start);
      } else if (trim(line.content).empty()) {
        note(HeaderDefect::BlankFold, line.start);
      }
      return;  // part of the open field: closeField takes everything up to the next one
    }
    closeField(line.start);
    const auto colon = line.content.find(':');
    if (colon == line.content.npos) {
      note(HeaderDefect::MissingColon, line.start);
      return;
    }
    auto name = line.content.substr(0, colon);
    if (!name.empty() && isBlank(name.back())) {
      note(HeaderDefect::SpaceBeforeColon, line.start);
      name = name.substr(0, name.find_last_not_of(" \t") + 1);
    }
    if (!isFieldName(name)) note(HeaderDefect::BadName, line.start);
    open_ = Open{line.start, name, line.start + colon + 1};
  }

  void closeField(std::size_t end) {
    if (!open_) return;
    auto value = message_.substr(open_->valueStart, end - open_->valueStart);
    if (value.ends_with('\n')) value.remove_suffix(value.ends_with("\r\n") ? 2 : 1);
    block_.fields_.push_back({open_->name, value, message_.substr(open_->start, end - open_->start)});
    noteDuplicate(open_->name, open_->start);
    open_.reset();
  }

  void noteDuplicate(std::string_view name, std::size_t offset) {
    const auto index = singleFieldIndex(name);
    if (!index) return;
    if (seen_.test(*index) && !duplicated_.test(*index)) {
      duplicated_.set(*index);
      block_.findings_.push_back({HeaderDefect::DuplicateField, offset, std::string(SingleFields[*index])});
    }
    seen_.set(*index);
  }

  void note(HeaderDefect defect, std::size_t offset) {
    const auto index = static_cast<std::size_t>(defect);
    if (noted_.test(index)) return;
    noted_.set(index);
    block_.findings_.push_back({defect, offset, {}});
  }

  struct Open {
    std::size_t start;
    std::string_view name;
    std::size_t valueStart;
  };

  std::string_view message_;
  const HeaderLimits& limits_;
  std::size_t position_ = 0;
  std::optional<Open> open_;
  std::bitset<32> noted_;
  std::bitset<SingleFields.size()> seen_;
  std::bitset<SingleFields.size()> duplicated_;
  HeaderBlock block_;
};

const char* headerDefectText(HeaderDefect defect) {
  switch (defect) {
    case HeaderDefect::BareCr:
      return "bare carriage return in the header";
    case HeaderDefect::BareLf:
      return "bare line feed in the header";
    case HeaderDefect::Nul:
      return "NUL in the header";
    case HeaderDefect::MissingColon:
      return "header line without a colon";
    case HeaderDefect::BadName:
      return "malformed header field name";
    case HeaderDefect::SpaceBeforeColon:
      return "blank before the colon of a header field";
    case HeaderDefect::LineTooLong:
      return "header line over 998 octets";
    case HeaderDefect::StrayFold:
      return "header starts with a continuation line";
    case HeaderDefect::DuplicateField:
      return "header field that may stand once stands twice";
    case HeaderDefect::BlankFold:
      return "blank continuation line in the header";
    case HeaderDefect::NotUtf8:
      return "header is neither ASCII nor UTF-8";
    case HeaderDefect::NoEnd:
      return "header without an empty line behind it";
  }
  return "malformed header";
}

Result<HeaderBlock, HeaderError> HeaderBlock::scan(std::string_view message, const HeaderLimits& limits) {
  return HeaderScanner(message, limits).run();
}

bool HeaderBlock::has(HeaderDefect defect) const {
  return std::any_of(findings_.begin(), findings_.end(), [&](const auto& f) { return f.defect == defect; });
}

const HeaderField* HeaderBlock::find(std::string_view name) const {
  const auto found = std::find_if(fields_.begin(), fields_.end(),
                                  [&](const HeaderField& field) { return equalsIgnoreCase(field.name, name); });
  return found == fields_.end() ? nullptr : &*found;
}

std::size_t HeaderBlock::count(std::string_view name) const {
  return static_cast<std::size_t>(std::count_if(
      fields_.begin(), fields_.end(), [&](const HeaderField& field) { return equalsIgnoreCase(field.name, name); }));
}

std::optional<std::string> HeaderBlock::value(std::string_view name) const {
  const auto* field = find(name);
  if (field == nullptr) return std::nullopt;
  return unfold(field->value);
}

std::string unfold(std::string_view value) {
  std::string line;
  line.reserve(value.size());
  for (const char c : value)
    if (c != '\r' && c != '\n') line += c;
  return std::string(trim(line));
}

bool isFieldName(std::string_view name) {
  return !name.empty() && name.size() <= 76 &&
         std::all_of(name.begin(), name.end(), [](char c) { return c > ' ' && c < 0x7f && c != ':'; });
}

}  // namespace postern::mail
