#include "gateway/inspect/MilterHeader.h"

#include "core/mail/Text.h"

#include <algorithm>

namespace postern::gateway::milter {
namespace {

constexpr std::size_t MostEdits = 1000;
constexpr std::size_t MostAdded = 256 * 1024;

// Values come with bare LF, or CRLF, where they are folded; a continuation that forgot its blank gets one.
std::string fieldOf(const std::string& name, std::string_view value) {
  std::string raw = name + ":";
  if (!value.starts_with(' ') && !value.starts_with('\t')) raw += ' ';
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (value[i] == '\r' && i + 1 < value.size() && value[i + 1] == '\n') continue;
    if (value[i] != '\n') {
      raw += value[i];
      continue;
    }
    raw += "\r\n";
    const bool folded = i + 1 < value.size() && (value[i + 1] == ' ' || value[i + 1] == '\t');
    if (!folded) raw += '\t';
  }
  return raw + "\r\n";
}

}  // namespace

EditedHeader::EditedHeader(const mail::Message& message) : body_(message.body()) {
  for (const auto& field : message.header().fields())
    fields_.push_back({std::string(field.name), std::string(field.raw)});
  if (!fields_.empty() && !fields_.back().raw.ends_with('\n')) fields_.back().raw += "\r\n";
}

bool EditedHeader::apply(const Reply& edit) {
  auto raw = fieldOf(edit.name, edit.value);
  added_ += raw.size();
  if (++edits_ > MostEdits || added_ > MostAdded || !mail::areWholeFields(raw)) return false;
  switch (edit.kind) {
    case ReplyKind::AddHeader:
      fields_.push_back({edit.name, std::move(raw)});
      return true;
    case ReplyKind::InsertHeader:
      fields_.insert(fields_.begin() + static_cast<std::ptrdiff_t>(std::min<std::size_t>(edit.index, fields_.size())),
                     {edit.name, std::move(raw)});
      return true;
    case ReplyKind::ChangeHeader:
      change(edit, std::move(raw));
      return true;
    default:
      return false;
  }
}

// The index counts fields of this name from 1; behind the last one the field is added, an empty value takes it away.
void EditedHeader::change(const Reply& edit, std::string raw) {
  std::uint32_t seen = 0;
  const auto wanted = std::max<std::uint32_t>(edit.index, 1);
  const auto found = std::find_if(fields_.begin(), fields_.end(), [&](const Field& field) {
    return mail::equalsIgnoreCase(field.name, edit.name) && ++seen == wanted;
  });
  const bool takesAway = edit.value.empty();
  if (found == fields_.end()) {
    if (!takesAway) fields_.push_back({edit.name, std::move(raw)});
  } else if (takesAway) {
    fields_.erase(found);
  } else {
    found->raw = std::move(raw);
  }
}

std::string EditedHeader::text() const {
  std::string text;
  for (const auto& field : fields_) text += field.raw;
  return text + "\r\n" + body_;
}

}  // namespace postern::gateway::milter
