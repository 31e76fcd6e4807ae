#include "core/mailauth/Canonical.h"

#include "core/mail/Text.h"

#include <algorithm>
#include <map>

namespace postern::mailauth {

namespace {

constexpr std::size_t FlushSize = 1u << 15;

bool isBlank(char c) {
  return c == ' ' || c == '\t';
}

// Where the run of plain bytes at the front ends. Most of what is hashed is base64, in which only line ends count.
std::size_t plainRun(std::string_view bytes, bool folds) {
  if (!folds) return std::min(bytes.find('\r'), bytes.size());
  std::size_t i = 0;
  while (i < bytes.size() && bytes[i] != '\r' && !isBlank(bytes[i])) ++i;
  return i;
}

}  // namespace

std::string canonicalField(std::string_view raw, Canonical form) {
  if (form == Canonical::Simple) return std::string(raw);
  const auto colon = std::min(raw.find(':'), raw.size());
  auto result = mail::lowerAscii(mail::trim(raw.substr(0, colon))) + ":";
  raw.remove_prefix(std::min(colon + 1, raw.size()));
  bool gap = false;
  const auto start = result.size();
  for (const char c : raw) {
    if (c == '\r' || c == '\n') continue;
    if (isBlank(c)) {
      gap = true;
      continue;
    }
    if (gap && result.size() > start) result += ' ';
    gap = false;
    result += c;
  }
  return result + "\r\n";
}

std::string canonicalHeader(const mail::HeaderBlock& header, const std::vector<std::string>& names, Canonical form) {
  std::map<std::string, std::vector<const mail::HeaderField*>> byName;
  for (const auto& name : names) byName[name];
  for (const auto& field : header.fields())
    if (const auto found = byName.find(mail::lowerAscii(field.name)); found != byName.end())
      found->second.push_back(&field);
  std::string result;
  for (const auto& name : names) {
    auto& left = byName[name];
    if (left.empty()) continue;
    result += canonicalField(left.back()->raw, form);
    left.pop_back();
  }
  return result;
}

std::string canonicalSignature(std::string_view raw, Canonical form) {
  std::string emptied;
  const auto colon = std::min(raw.find(':'), raw.size());
  emptied = raw.substr(0, std::min(colon + 1, raw.size()));
  raw.remove_prefix(std::min(colon + 1, raw.size()));
  while (!raw.empty()) {
    const auto end = std::min(raw.find(';'), raw.size());
    const auto spec = raw.substr(0, end);
    const auto equals = spec.find('=');
    if (equals != spec.npos && mail::trim(spec.substr(0, equals)) == "b") {
      emptied += spec.substr(0, equals + 1);
      if (end == raw.size() && spec.ends_with("\r\n")) emptied += "\r\n";
    } else {
      emptied += spec;
    }
    if (end < raw.size()) emptied += ';';
    raw.remove_prefix(std::min(end + 1, raw.size()));
  }
  auto result = canonicalField(emptied, form);
  if (result.ends_with("\r\n")) result.resize(result.size() - 2);
  return result;
}

// Canonical bytes are counted before the limit cuts them.
void BodyHasher::put(std::string_view bytes) {
  const auto before = size_;
  size_ += bytes.size();
  if (limit_) bytes = bytes.substr(0, *limit_ > before ? std::min<std::uint64_t>(*limit_ - before, bytes.size()) : 0);
  out_ += bytes;
  if (out_.size() < FlushSize) return;
  hash_.update(out_);
  out_.clear();
}

void BodyHasher::flushLine() {
  for (; emptyLines_ > 0; --emptyLines_) put("\r\n");
}

void BodyHasher::endLine() {
  if (lineHasBytes_)
    put("\r\n");
  else
    ++emptyLines_;
  lineHasBytes_ = false;
  blank_ = false;
}

// Both forms hold back empty lines; Relaxed also makes blanks one and drops them at the ends of lines. Runs of plain
// bytes are taken whole.
void BodyHasher::update(std::string_view bytes) {
  const bool folds = form_ == Canonical::Relaxed && (bytes.find(' ') != bytes.npos || bytes.find('\t') != bytes.npos);
  while (!bytes.empty()) {
    const char c = bytes.front();
    if (carriage_) {
      carriage_ = false;
      if (c == '\n') {
        endLine();
        bytes.remove_prefix(1);
        continue;
      }
      relaxed("\r");
    }
    if (c == '\r') {
      carriage_ = true;
      bytes.remove_prefix(1);
      continue;
    }
    if (folds && isBlank(c)) {
      blank_ = true;
      bytes.remove_prefix(1);
      continue;
    }
    const auto end = plainRun(bytes, folds);
    relaxed(bytes.substr(0, end));
    bytes.remove_prefix(end);
  }
}

void BodyHasher::relaxed(std::string_view bytes) {
  flushLine();
  if (blank_) put(" ");
  blank_ = false;
  lineHasBytes_ = true;
  put(bytes);
}

std::string BodyHasher::finish() {
  if (carriage_) relaxed("\r");
  if (lineHasBytes_) put("\r\n");
  if (size_ == 0 && form_ == Canonical::Simple) put("\r\n");
  hash_.update(out_);
  return hash_.finish();
}

std::string bodyHash(std::string_view body, Canonical form) {
  BodyHasher hasher(form);
  hasher.update(body);
  return hasher.finish();
}

}  // namespace postern::mailauth
