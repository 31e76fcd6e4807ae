#include "core/smtp/DataDecoder.h"

#include <algorithm>
#include <cstring>

namespace postern::smtp {

std::string ContentFindings::lineEndText() const {
  std::string text;
  const auto add = [&text](bool found, const char* name) {
    if (!found) return;
    if (!text.empty()) text += " and ";
    text += name;
  };
  add(bareCr, "a bare CR");
  add(bareLf, "a bare LF");
  add(nul, "a NUL");
  return text;
}

void DataDecoder::discard() {
  discarding_ = true;
  std::string().swap(content_);
}

void DataDecoder::keep(std::string_view bytes) {
  received_ += bytes.size();
  if (received_ > limits_.maxBytes) findings_.tooLarge = true;
  if (findings_.any() && !discarding_) discard();
  if (!discarding_) content_.append(bytes);
}

std::size_t DataDecoder::takeRun(std::string_view bytes) {
  // Three memchr over a bounded window: each byte is looked at a constant number of times, at memory speed.
  const auto window = bytes.substr(0, 4096);
  auto length = window.size();
  for (const char stop : {'\n', '\r', '\0'}) {
    const void* found = std::memchr(window.data(), stop, length);
    if (found) length = static_cast<std::size_t>(static_cast<const char*>(found) - window.data());
  }
  if (length == 0) return 0;
  lineLength_ += length;
  if (limits_.maxLine != 0 && lineLength_ > limits_.maxLine) findings_.lineTooLong = true;
  keep(window.substr(0, length));
  return length;
}

void DataDecoder::endLine() {
  keep("\r\n");
  lineLength_ = 0;
  at_ = At::LineStart;
}

// One byte where the state decides: line ends, dots at the start of a line, NUL.
void DataDecoder::take(char byte, bool dots) {
  if (at_ == At::DotCr) {
    if (byte == '\n') {
      done_ = true;
      return;
    }
    // A lone dot, then a bare CR: an ordinary line whose (stuffed) dot goes.
    findings_.bareCr = true;
    at_ = At::InLine;
  } else if (at_ == At::Cr) {
    if (byte == '\n') return endLine();
    findings_.bareCr = true;
    at_ = At::InLine;
  }
  switch (byte) {
    case '\r':
      at_ = at_ == At::Dot ? At::DotCr : At::Cr;
      return;
    case '\n':
      // Not a line end for us: what follows must not count as the start of a line.
      findings_.bareLf = true;
      at_ = At::InLine;
      return;
    case '\0':
      findings_.nul = true;
      at_ = At::InLine;
      return;
    case '.':
      if (dots && at_ == At::LineStart) {
        at_ = At::Dot;
        return;
      }
      [[fallthrough]];
    default:
      at_ = At::InLine;
      ++lineLength_;
      keep({&byte, 1});
  }
}

std::size_t DataDecoder::feedData(std::string_view bytes) {
  std::size_t used = 0;
  while (used < bytes.size() && !done_) {
    if (at_ == At::InLine) used += takeRun(bytes.substr(used));
    if (used < bytes.size()) take(bytes[used++], true);
  }
  return used;
}

void DataDecoder::feedChunk(std::string_view bytes) {
  std::size_t used = 0;
  while (used < bytes.size()) {
    if (at_ == At::InLine) used += takeRun(bytes.substr(used));
    if (used < bytes.size()) take(bytes[used++], false);
  }
}

void DataDecoder::endOfChunks() {
  if (at_ == At::Cr)
    findings_.bareCr = true;
  else if (at_ != At::LineStart)
    endLine();
  if (findings_.any() && !discarding_) discard();
  done_ = true;
}

}  // namespace postern::smtp
