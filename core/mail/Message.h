#pragma once
#include "core/mail/Header.h"
#include "core/mail/Mailboxes.h"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postern::mail {

// One change of a header. The lines that are put in must be whole fields, each ended with CRLF, as
// encodeUnstructured, foldTokens and mailboxField give them.
struct HeaderEdit {
  enum class Action {
    Remove,   // every field of the name
    Replace,  // the first field of the name becomes `lines`, later ones go; without one, `lines` is appended
    Prepend,  // `lines` above the first field
    Append,   // `lines` below the last field
  };
  Action action;
  std::string name;   // Remove and Replace
  std::string lines;  // Replace, Prepend and Append

  static HeaderEdit remove(std::string name) { return {Action::Remove, std::move(name), {}}; }
  static HeaderEdit replace(std::string name, std::string lines) {
    return {Action::Replace, std::move(name), std::move(lines)};
  }
  static HeaderEdit prepend(std::string lines) { return {Action::Prepend, {}, std::move(lines)}; }
  static HeaderEdit append(std::string lines) { return {Action::Append, {}, std::move(lines)}; }
};

// One or more whole fields and nothing else: CRLF ends, no empty line, each line a field or a continuation, <= 998.
bool areWholeFields(std::string_view lines);

// A message: its bytes and the spans of its header. Immutable; cheap to copy (the bytes are shared); safe for all
// threads.
class Message {
public:
  static Result<Message, HeaderError> parse(std::string bytes, const HeaderLimits& limits = {});

  std::string_view bytes() const { return *bytes_; }
  std::string_view head() const { return bytes().substr(0, header_.bodyOffset()); }  // with the empty line
  std::string_view body() const { return bytes().substr(header_.bodyOffset()); }
  const HeaderBlock& header() const { return header_; }

  std::string subject() const;                   // decoded, one line; empty without one
  std::optional<std::string> messageId() const;  // with its angle brackets; none if missing or malformed
  MailboxList from() const;

  // New bytes: the edits applied in order to the header as splices, every other field and the body byte for byte as
  // they were. Throws Error(Invariant) when an edit's lines are not whole fields.
  std::string edited(const std::vector<HeaderEdit>& edits) const;

private:
  Message(std::shared_ptr<const std::string> bytes, HeaderBlock header)
      : bytes_(std::move(bytes)), header_(std::move(header)) {}
  std::shared_ptr<const std::string> bytes_;
  HeaderBlock header_;
};

}  // namespace postern::mail
