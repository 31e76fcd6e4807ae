#include "core/mail/MimeScan.h"

#include "core/mail/EncodedWord.h"
#include "core/mail/Parameters.h"
#include "core/mail/Text.h"

#include <algorithm>

namespace postern::mail {

namespace {

bool isToken(std::string_view text) {  // RFC 2045 §5.1
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return c > ' ' && c < 0x7f && std::string_view("()<>@,;:\\\"/[]?=").find(c) == std::string_view::npos;
  });
}

bool isMediaType(std::string_view text) {
  const auto slash = text.find('/');
  return slash != text.npos && isToken(text.substr(0, slash)) && isToken(text.substr(slash + 1));
}

bool isBoundary(std::string_view text) {  // RFC 2046 §5.1.1, any printable character taken
  return !text.empty() && text.size() <= 70 && text.back() != ' ' &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c < 0x7f; });
}

class Walk {
public:
  Walk(const Message& message, const MimeLimits& limits)
      : message_(message), bytes_(message.bytes()), limits_(limits) {}

  std::vector<Ambiguity> run() {
    judgeLineEnds();
    judgeTopHeader();
    position_ = message_.header().bodyOffset();
    open(message_.header());
    while (!stopped_ && position_ < bytes_.size()) bodyLine();
    if (std::any_of(levels_.begin(), levels_.end(), [](const Level& level) { return !level.delimiter.empty(); }))
      note(Ambiguity::UnclosedMultipart);
    return std::move(found_);
  }

private:
  // An open container. A message within a message has no delimiter of its own.
  struct Level {
    std::string delimiter;
    bool isSigned = false;
  };

  struct Delimiter {
    std::size_t level;
    bool closing;
  };

  void note(Ambiguity ambiguity) {
    if (std::find(found_.begin(), found_.end(), ambiguity) == found_.end()) found_.push_back(ambiguity);
  }

  void judgeLineEnds() {
    const auto ends = inspectLineEnds(bytes_);
    if (ends.bareCr) note(Ambiguity::BareCr);
    if (ends.bareLf) note(Ambiguity::BareLf);
    if (ends.nul) note(Ambiguity::Nul);
  }

  void judgeTopHeader() {
    const auto& header = message_.header();
    judgeShape(header);
    for (const auto& finding : header.findings()) {
      if (finding.defect != HeaderDefect::DuplicateField || finding.field.starts_with("content-")) continue;
      note(finding.field == "from" ? Ambiguity::DuplicateFrom : Ambiguity::DuplicateField);
    }
    const auto from = message_.from();
    if (from.mailboxes.size() > 1) note(Ambiguity::MultipleFrom);
    if (from.mailboxes.empty() || !from.mailboxes.front().address || !from.wellFormed) note(Ambiguity::NoFrom);
  }

  void judgeShape(const HeaderBlock& header) {
    for (const auto defect : {HeaderDefect::MissingColon, HeaderDefect::BadName, HeaderDefect::SpaceBeforeColon,
                              HeaderDefect::StrayFold, HeaderDefect::BlankFold})
      if (header.has(defect)) note(Ambiguity::BrokenHeader);
  }

  // Judges the content fields of an entity and enters it if it is a container.
  void open(const HeaderBlock& header) {
    if (++parts_ > limits_.maxParts) return stop(Ambiguity::TooManyParts);
    for (const auto& finding : header.findings())
      if (finding.defect == HeaderDefect::DuplicateField &&
          (finding.field.starts_with("content-") || finding.field == "mime-version"))
        note(Ambiguity::DuplicateContentHeader);

    const auto* typeField = header.find("Content-Type");
    const auto type = typeField == nullptr ? ParameterizedValue{} : parseParameterized(typeField->value);
    if (typeField != nullptr && !isMediaType(type.value)) note(Ambiguity::BadContentType);
    judgeParameters(type);
    if (const auto* disposition = header.find("Content-Disposition"))
      judgeParameters(parseParameterized(disposition->value));

    const bool multipart = type.value.starts_with("multipart/");
    const bool message =
        type.value == "message/rfc822" || type.value == "message/rfc2822" || type.value == "message/news";
    judgeEncoding(header, multipart || message);
    if (multipart) return enterMultipart(type);
    if (message || type.value == "message/global") enterMessage();
  }

  void judgeParameters(const ParameterizedValue& value) {
    for (const auto* name : {"boundary", "charset", "name", "filename", "smime-type", "protocol"})
      if (std::count_if(value.parameters.begin(), value.parameters.end(),
                        [&](const Parameter& parameter) { return parameter.name == name; }) > 1)
        note(Ambiguity::DuplicateParameter);
  }

  void judgeEncoding(const HeaderBlock& header, bool container) {
    const auto value = header.value("Content-Transfer-Encoding");
    if (!value) return;
    const auto encoding = parseParameterized(*value).value;
    const bool identity = encoding == "7bit" || encoding == "8bit" || encoding == "binary";
    const bool known = identity || encoding == "quoted-printable" || encoding == "base64";
    if (!known || (container && !identity)) note(Ambiguity::ConflictingEncoding);
  }

  void enterMultipart(const ParameterizedValue& type) {
    const auto* boundary = type.find("boundary");
    const bool continued = std::any_of(type.parameters.begin(), type.parameters.end(), [](const Parameter& parameter) {
      return parameter.name.starts_with("boundary*");
    });
    if (boundary == nullptr || continued || type.hasComment || !type.wellFormed || !isBoundary(boundary->value))
      note(Ambiguity::BadBoundary);
    if (boundary == nullptr || boundary->value.empty()) return;
    const std::string delimiter = "--" + boundary->value;
    for (const auto& level : levels_)
      if (!level.delimiter.empty() &&
          (delimiter.starts_with(level.delimiter) || level.delimiter.starts_with(delimiter)))
        note(Ambiguity::NestedBoundary);
    push({delimiter, type.value == "multipart/signed"});
  }

  void enterMessage() {
    // A forwarded message has its own subject; one that is what was signed (RFC 8551 §3.1) speaks for the whole.
    const bool isAll = levels_.empty() || levels_.back().isSigned;
    push({});
    if (!stopped_) partHeader(!isAll);
  }

  // RFC 9788 and its forerunners: readers may show the Subject of a part instead of the message's.
  void judgeSubject(const HeaderBlock& header) {
    for (const auto& field : header.fields()) {
      if (!equalsIgnoreCase(field.name, "Subject")) continue;
      if (!subject_) subject_ = message_.subject();
      if (decodeUnstructured(field.value) != *subject_) return note(Ambiguity::OtherSubject);
    }
  }

  void push(Level level) {
    if (levels_.size() >= limits_.maxDepth) return stop(Ambiguity::TooDeep);
    levels_.push_back(std::move(level));
  }

  void stop(Ambiguity why) {
    note(why);
    stopped_ = true;
  }

  std::string_view lineAt(std::size_t start) const {
    const auto lf = bytes_.find('\n', start);
    return bytes_.substr(start, lf == bytes_.npos ? lf : lf + 1 - start);
  }

  // The open multipart that the line delimits, the innermost first.
  std::optional<Delimiter> delimiterOf(std::string_view line) const {
    if (!line.starts_with("--")) return std::nullopt;
    for (std::size_t i = levels_.size(); i-- > 0;) {
      const auto& delimiter = levels_[i].delimiter;
      if (delimiter.empty() || !line.starts_with(delimiter)) continue;
      auto rest = line.substr(delimiter.size());
      const bool closing = rest.starts_with("--");
      if (closing) rest.remove_prefix(2);
      if (trim(rest).empty()) return Delimiter{i, closing};
    }
    return std::nullopt;
  }

  void bodyLine() {
    const auto line = lineAt(position_);
    position_ += line.size();
    const auto delimiter = delimiterOf(line);
    if (!delimiter) return;
    while (levels_.size() > delimiter->level + 1) {
      if (!levels_.back().delimiter.empty()) note(Ambiguity::UnclosedMultipart);
      levels_.pop_back();
    }
    if (delimiter->closing)
      levels_.pop_back();
    else
      partHeader(false);
  }

  // Reads the header of a part or of an enclosed message from here to its empty line, or to a delimiter.
  // A nested call opens one more level, so the depth limit bounds it.
  void partHeader(bool forwardedMessage) {
    const auto start = position_;
    auto end = start;
    while (end < bytes_.size()) {
      const auto line = lineAt(end);
      if (delimiterOf(line)) break;
      end += line.size();
      if (line == "\r\n" || line == "\n") break;
    }
    position_ = end;
    const auto header = HeaderBlock::scan(bytes_.substr(start, end - start));
    if (!header) return stop(Ambiguity::BrokenHeader);
    if (!forwardedMessage) {  // which may be old and have an odd header of its own
      judgeShape(*header);
      judgeSubject(*header);
    }
    open(*header);
  }

  const Message& message_;
  std::string_view bytes_;
  const MimeLimits& limits_;
  std::size_t position_ = 0;
  std::size_t parts_ = 0;
  bool stopped_ = false;
  std::optional<std::string> subject_;  // of the message, once it is asked for
  std::vector<Level> levels_;
  std::vector<Ambiguity> found_;
};

}  // namespace

std::vector<Ambiguity> scanMime(const Message& message, const MimeLimits& limits) {
  return Walk(message, limits).run();
}

}  // namespace postern::mail
