#include "core/mail/Message.h"

#include "core/base/Error.h"
#include "core/mail/EncodedWord.h"
#include "core/mail/MessageId.h"
#include "core/mail/Text.h"

namespace postern::mail {

namespace {

// A stretch of the header: a field, or lines that are no field (name empty), which are kept as they are.
struct Piece {
  std::string_view name;
  std::string_view raw;
};
using Pieces = std::vector<Piece>;

void appendFields(Pieces& pieces, const HeaderBlock& block, std::string_view buffer, std::size_t end) {
  std::size_t at = 0;
  for (const auto& field : block.fields()) {
    const auto start = static_cast<std::size_t>(field.raw.data() - buffer.data());
    if (start > at) pieces.push_back({{}, buffer.substr(at, start - at)});
    pieces.push_back({field.name, field.raw});
    at = start + field.raw.size();
  }
  if (at < end) pieces.push_back({{}, buffer.substr(at, end - at)});
}

Pieces piecesOfLines(std::string_view lines) {
  if (!areWholeFields(lines)) throw Error(ErrorKind::Invariant, "a header edit is not made of whole fields");
  Pieces pieces;
  appendFields(pieces, *HeaderBlock::scan(lines), lines, lines.size());
  return pieces;
}

void apply(Pieces& pieces, const HeaderEdit& edit) {
  const auto named = [&](const Piece& piece) { return !piece.name.empty() && equalsIgnoreCase(piece.name, edit.name); };
  const auto added = edit.action == HeaderEdit::Action::Remove ? Pieces{} : piecesOfLines(edit.lines);
  auto at = pieces.end();
  if (edit.action == HeaderEdit::Action::Prepend) at = pieces.begin();
  if (edit.action == HeaderEdit::Action::Remove || edit.action == HeaderEdit::Action::Replace) {
    const auto first = std::find_if(pieces.begin(), pieces.end(), named);
    const auto index = first - pieces.begin();
    const bool found = first != pieces.end();
    std::erase_if(pieces, named);
    at = found ? pieces.begin() + index : pieces.end();
  }
  pieces.insert(at, added.begin(), added.end());
}

}  // namespace

bool areWholeFields(std::string_view lines) {
  if (lines.empty() || !lines.ends_with("\r\n") || lines.find("\r\n\r\n") != lines.npos) return false;
  const auto block = HeaderBlock::scan(lines);
  if (!block || block->bodyOffset() != lines.size() || block->fields().empty()) return false;
  for (const auto& finding : block->findings())
    if (finding.defect != HeaderDefect::NoEnd && finding.defect != HeaderDefect::DuplicateField) return false;
  return true;
}

Result<Message, HeaderError> Message::parse(std::string bytes, const HeaderLimits& limits) {
  auto buffer = std::make_shared<const std::string>(std::move(bytes));
  auto block = HeaderBlock::scan(*buffer, limits);
  if (!block) return Unexpected(block.error());
  return Message(std::move(buffer), std::move(*block));
}

std::string Message::subject() const {
  const auto* field = header_.find("Subject");
  return field == nullptr ? std::string() : decodeUnstructured(field->value);
}

std::optional<std::string> Message::messageId() const {
  auto value = header_.value("Message-ID");
  if (!value || !isMessageId(*value)) return std::nullopt;
  return value;
}

MailboxList Message::from() const {
  const auto* field = header_.find("From");
  return field == nullptr ? MailboxList{} : parseMailboxes(field->value);
}

std::string Message::edited(const std::vector<HeaderEdit>& edits) const {
  const auto whole = bytes();
  const bool ended = !header_.has(HeaderDefect::NoEnd);
  std::size_t headEnd = header_.bodyOffset();
  if (ended) headEnd -= whole.substr(0, headEnd).ends_with("\r\n") ? 2 : 1;

  Pieces pieces;
  appendFields(pieces, header_, whole, headEnd);
  for (const auto& edit : edits) apply(pieces, edit);

  std::string result;
  result.reserve(whole.size() + 4096);
  for (const auto& piece : pieces) {
    if (!result.empty() && !result.ends_with('\n')) result += "\r\n";  // the last line of a header without an end
    result += piece.raw;
  }
  if (!result.empty() && !result.ends_with('\n')) result += "\r\n";
  result += ended ? whole.substr(headEnd) : std::string_view("\r\n");
  return result;
}

}  // namespace postern::mail
