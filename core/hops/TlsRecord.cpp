#include "core/hops/TlsRecord.h"

#include "core/mail/Text.h"

#include <algorithm>
#include <array>
#include <cctype>

namespace postern::hops {
namespace {

bool startsWith(std::string_view text, std::string_view start) {
  return mail::equalsIgnoreCase(text.substr(0, start.size()), start);
}

bool namesTls(std::string_view text) {
  return startsWith(text, "TLS") || startsWith(text, "SSL");
}

// The word at the start of a text, up to one of `ends`.
std::string_view firstWord(std::string_view text, std::string_view ends = " \t,;)(") {
  return text.substr(0, text.find_first_of(ends));
}

std::uint16_t numberAtStart(std::string_view text) {
  std::uint16_t number = 0;
  for (const char c : text.substr(0, 4)) {
    if (c < '0' || c > '9') break;
    number = static_cast<std::uint16_t>(number * 10 + (c - '0'));
  }
  return number;
}

// The value of "name=value" in a comment of such pairs.
std::string_view pairValue(std::string_view text, std::string_view name) {
  while (!text.empty()) {
    const auto start = text.find_first_not_of(" \t,;");
    if (start == std::string_view::npos) return {};
    text.remove_prefix(start);
    const auto word = firstWord(text, " \t,;");
    if (word.size() > name.size() && word[name.size()] == '=' && startsWith(word, name))
      return word.substr(name.size() + 1);
    text.remove_prefix(word.size());
  }
  return {};
}

// "version=TLS1_2, cipher=…", "version=TLSv1/SSLv3 cipher=DHE-RSA-AES256-SHA bits=256 verify=NOT"
std::optional<TlsRecord> pairs(std::string_view comment) {
  if (!startsWith(comment, "version=")) return std::nullopt;
  TlsRecord record;
  record.version = pairValue(comment, "version");
  if (!namesTls(record.version)) return std::nullopt;  // "version=none"
  record.cipher = pairValue(comment, "cipher");
  record.bits = numberAtStart(pairValue(comment, "bits"));
  record.verification = pairValue(comment, "verify");
  return record;
}

// "using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)", "using TLSv1"
std::optional<TlsRecord> sentence(std::string_view comment) {
  constexpr std::string_view Using = "using ";
  constexpr std::string_view WithCipher = " with cipher ";
  if (!startsWith(comment, Using)) return std::nullopt;
  comment.remove_prefix(Using.size());
  if (!namesTls(comment)) return std::nullopt;
  TlsRecord record;
  record.version = firstWord(comment);
  const auto rest = comment.substr(record.version.size());
  if (!startsWith(rest, WithCipher)) return record;
  const auto cipher = rest.substr(WithCipher.size());
  record.cipher = firstWord(cipher);
  if (const auto bits = cipher.find('('); bits != std::string_view::npos)
    record.bits = numberAtStart(cipher.substr(bits + 1));
  return record;
}

// "TLS1.2:ECDHE_RSA_AES_256_GCM_SHA384:256", "TLSv1.3:TLS_AES_256_GCM_SHA384:256:NO", and "TLS1.3" or "TLS" alone
std::optional<TlsRecord> colons(std::string_view comment) {
  if (!namesTls(comment) || comment.find_first_of(" \t=") != std::string_view::npos) return std::nullopt;
  TlsRecord record;
  std::array<std::string_view, 4> parts{};
  for (auto& part : parts) {
    part = firstWord(comment, ":");
    comment.remove_prefix(std::min(comment.size(), part.size() + 1));
  }
  if (!mail::equalsIgnoreCase(parts[0], "TLS")) record.version = parts[0];
  record.cipher = parts[1];
  record.bits = numberAtStart(parts[2]);
  record.verification = parts[3];
  return record;
}

// "DHE-RSA-AES256-SHA encrypted"
std::optional<TlsRecord> encrypted(std::string_view comment) {
  const auto cipher = firstWord(comment);
  if (cipher.empty() || cipher.find('-') == std::string_view::npos || comment.substr(cipher.size()) != " encrypted")
    return std::nullopt;
  TlsRecord record;
  record.cipher = cipher;
  return record;
}

std::optional<TlsRecord> inComment(std::string_view comment) {
  for (const auto form : {pairs, sentence, colons, encrypted})
    if (auto record = form(comment)) return record;
  return std::nullopt;
}

// Names that RFC 3848, RFC 6531 and practice give to mail over TLS.
bool saysTls(std::string_view protocol) {
  constexpr std::array Names{"ESMTPS",    "ESMTPSA",    "SMTPS",     "SMTPSA",     "LMTPS", "LMTPSA",
                             "UTF8SMTPS", "UTF8SMTPSA", "UTF8LMTPS", "UTF8LMTPSA", "HTTPS", "ASMTPS"};
  return std::find(Names.begin(), Names.end(), protocol) != Names.end();
}

}  // namespace

std::string protocolOf(const ReceivedField& field) {
  const auto& words = field.with.words;
  if (words.starts_with("Microsoft SMTP")) return "SMTP";
  auto protocol = std::string(words.substr(0, words.find(' ')));
  std::transform(protocol.begin(), protocol.end(), protocol.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return protocol;
}

std::optional<TlsRecord> findTlsRecord(const ReceivedField& field) {
  std::optional<TlsRecord> found;
  for (const auto& comment : field.allComments())
    if ((found = inComment(comment))) break;
  if (!found && (!field.tls.words.empty() || saysTls(protocolOf(field)))) found.emplace();
  if (found && found->cipher.empty()) found->cipher = firstWord(field.tls.words);
  return found;
}

}  // namespace postern::hops
