#include "core/mail/EncodedWord.h"

#include "core/base/Error.h"
#include "core/mail/Charset.h"
#include "core/mail/Header.h"
#include "core/mail/Text.h"

#include <algorithm>
#include <optional>
#include <vector>

namespace postern::mail {

namespace {

constexpr std::size_t SoftLine = 78;
constexpr std::size_t HardLine = 998;
constexpr std::size_t MaxBareWord = 900;  // a longer word without a blank is encoded, since it could not be folded

// ---- reading

struct Word {
  std::string charset;
  std::string bytes;
  std::string_view raw;
};

std::optional<int> hexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return std::nullopt;
}

std::string decodeQ(std::string_view text) {
  std::string bytes;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '_') {
      bytes += ' ';
      continue;
    }
    if (text[i] == '=' && i + 2 < text.size()) {
      const auto high = hexValue(text[i + 1]);
      const auto low = hexValue(text[i + 2]);
      if (high && low) {
        bytes += static_cast<char>(*high * 16 + *low);
        i += 2;
        continue;
      }
    }
    bytes += text[i];
  }
  return bytes;
}

// The encoded word at the start of the text: "=?charset[*language]?B|Q?text?=". Blanks within the text are taken,
// since most readers take them and a tag must not hide behind one.
std::optional<Word> readWord(std::string_view text) {
  if (!text.starts_with("=?")) return std::nullopt;
  const auto charsetEnd = text.find('?', 2);
  if (charsetEnd == text.npos || charsetEnd == 2 || charsetEnd + 2 >= text.size() || text[charsetEnd + 2] != '?')
    return std::nullopt;
  const auto contentStart = charsetEnd + 3;
  const auto contentEnd = text.find('?', contentStart);
  if (contentEnd == text.npos || contentEnd + 1 >= text.size() || text[contentEnd + 1] != '=') return std::nullopt;

  Word word;
  word.charset = lowerAscii(text.substr(2, charsetEnd - 2));
  word.charset.resize(std::min(word.charset.find('*'), word.charset.size()));  // RFC 2231 §5: language
  word.raw = text.substr(0, contentEnd + 2);
  const auto content = text.substr(contentStart, contentEnd - contentStart);
  const char encoding = text[charsetEnd + 1];
  if (encoding == 'B' || encoding == 'b')
    word.bytes = decodeBase64(content);
  else if (encoding == 'Q' || encoding == 'q')
    word.bytes = decodeQ(content);
  else
    return std::nullopt;
  return word;
}

// Collects the text; words of one charset in a row are decoded together when the row ends.
class Decoder {
public:
  void plain(std::string_view text) {
    flush();
    result_ += repairUtf8(text);
  }

  void word(Word next) {
    if (!run_.empty() && run_.front().charset != next.charset) flush();
    run_.push_back(std::move(next));
  }

  std::string finish() {
    flush();
    return std::move(result_);
  }

private:
  void flush() {
    if (run_.empty()) return;
    std::string bytes;
    for (const auto& word : run_) bytes += word.bytes;
    // A charset that nobody knows is read as ASCII, as many readers do: a tag must not hide in one.
    auto text = toUtf8(bytes, run_.front().charset).value_or(repairUtf8(bytes));
    for (char& c : text)
      if (c == '\r' || c == '\n') c = ' ';
    result_ += text;
    run_.clear();
  }

  std::vector<Word> run_;
  std::string result_;
};

// ---- writing

// One line of valid UTF-8 without controls.
std::string cleanLine(std::string_view text) {
  std::string clean = repairUtf8(text);
  for (char& c : clean)
    if (hasControl({&c, 1})) c = ' ';
  return std::string(trim(clean));
}

bool needsEncoding(std::string_view word) {
  return !isAscii(word) || word.find("=?") != word.npos || word.find("?=") != word.npos || word.size() > MaxBareWord;
}

bool isPlainInQ(char c) {  // RFC 2047 §5 (3): safe in a phrase as well
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '!' || c == '*' ||
         c == '+' || c == '-' || c == '/';
}

std::string base64(std::string_view bytes) {
  constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    unsigned group = 0;
    const auto count = std::min<std::size_t>(3, bytes.size() - i);
    for (std::size_t k = 0; k < 3; ++k)
      group = group << 8 | (k < count ? static_cast<unsigned char>(bytes[i + k]) : 0u);
    for (std::size_t k = 0; k < 4; ++k) text += k <= count ? alphabet[group >> (18 - 6 * k) & 63] : '=';
  }
  return text;
}

std::string quotedPrintable(std::string_view bytes) {
  constexpr char digits[] = "0123456789ABCDEF";
  std::string text;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == ' ')
      text += '_';
    else if (isPlainInQ(c))
      text += c;
    else
      (text += '=') += {digits[byte >> 4], digits[byte & 15]};
  }
  return text;
}

// The text as encoded words of at most 75 octets each (RFC 2047 §2), no character split, a blank between them.
// The first word takes at most `firstRoom` octets, so that it fits behind the field name.
std::string encodeWords(std::string_view text, std::size_t firstRoom) {
  const auto plain = static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return isPlainInQ(c) || c == ' '; }));
  const bool useQ = plain + (text.size() - plain) * 3 <= (text.size() + 2) / 3 * 4;
  constexpr std::size_t overhead = 12;  // =?UTF-8?B??=
  std::string result;
  std::size_t room = std::clamp<std::size_t>(firstRoom, 28, 75) - overhead;
  while (!text.empty()) {
    std::size_t taken = 0;
    std::size_t cost = 0;
    while (taken < text.size()) {
      std::size_t next = taken + 1;
      while (next < text.size() && (static_cast<unsigned char>(text[next]) & 0xc0) == 0x80) ++next;
      const std::size_t nextCost =
          useQ ? cost + quotedPrintable(text.substr(taken, next - taken)).size() : (next + 2) / 3 * 4;
      if (nextCost > room) break;
      taken = next;
      cost = nextCost;
    }
    const auto chunk = text.substr(0, taken);
    if (!result.empty()) result += ' ';
    result += useQ ? "=?UTF-8?Q?" + quotedPrintable(chunk) + "?=" : "=?UTF-8?B?" + base64(chunk) + "?=";
    text.remove_prefix(taken);
    room = 75 - overhead;
  }
  return result;
}

// Encodes the shortest stretch of words that holds all that need it, so that blanks between encoded words survive.
std::string encodeLine(std::string_view line, std::size_t nameLength) {
  std::size_t first = line.npos;
  std::size_t last = 0;
  for (std::size_t start = 0; start < line.size();) {
    const auto end = std::min(line.find(' ', start), line.size());
    if (needsEncoding(line.substr(start, end - start))) {
      if (first == line.npos) first = start;
      last = end;
    }
    start = end + 1;
  }
  if (first == line.npos) return std::string(line);
  const std::size_t used = nameLength + first;
  const std::size_t room = used < SoftLine ? SoftLine - used : SoftLine;
  return std::string(line.substr(0, first)) + encodeWords(line.substr(first, last - first), room) +
         std::string(line.substr(last));
}

bool isAtomText(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == ' ' ||
           std::string_view("!#$%&'*+-/=?^_`{|}~").find(c) != std::string_view::npos;
  });
}

}  // namespace

std::string decodeUnstructured(std::string_view rawValue) {
  const std::string line = unfold(rawValue);
  const std::string_view text = line;
  Decoder decoder;
  std::size_t pending = 0;  // start of the text that was not handed over yet
  bool afterWord = false;
  for (std::size_t at = text.find("=?"); at != text.npos; at = text.find("=?", at)) {
    auto word = readWord(text.substr(at));
    if (!word) {
      at += 2;
      continue;
    }
    const auto length = word->raw.size();
    const auto gap = text.substr(pending, at - pending);
    const bool blankGap = gap.find_first_not_of(" \t") == gap.npos;
    if (!(afterWord && blankGap) && !gap.empty()) decoder.plain(gap);  // RFC 2047 §6.2: blanks between words go
    decoder.word(std::move(*word));
    at += length;
    pending = at;
    afterWord = true;
  }
  if (pending < text.size()) decoder.plain(text.substr(pending));
  return decoder.finish();
}

std::string foldTokens(std::string_view fieldName, std::string_view tokens) {
  if (!isFieldName(fieldName)) throw Error(ErrorKind::Invariant, "not a header field name");
  if (hasControl(tokens)) throw Error(ErrorKind::Invariant, "control character in a header value");
  std::string lines(fieldName);
  lines += ':';
  std::size_t column = lines.size();
  bool lineHasWord = false;
  const auto content = trim(tokens);
  if (content.empty()) return lines + " \r\n";
  for (std::size_t at = 0; at < content.size();) {
    // A piece is a word with the blanks before it, which become the fold if one is needed.
    const auto wordStart = content.find_first_not_of(' ', at);
    const auto wordEnd = std::min(content.find(' ', wordStart), content.size());
    std::string piece = (at == 0 ? " " : "") + std::string(content.substr(at, wordEnd - at));
    if (lineHasWord && column + piece.size() > SoftLine) {
      lines += "\r\n";
      column = 0;
    }
    if (column + piece.size() > HardLine) throw Error(ErrorKind::Invariant, "header value cannot be folded");
    lines += piece;
    column += piece.size();
    lineHasWord = true;
    at = wordEnd;
  }
  return lines + "\r\n";
}

std::string encodeUnstructured(std::string_view fieldName, std::string_view utf8) {
  std::string clean = cleanLine(utf8);
  // A run of blanks that no line could hold is of no use to anyone.
  if (clean.find(std::string(64, ' ')) != clean.npos)
    clean.erase(std::unique(clean.begin(), clean.end(), [](char a, char b) { return a == ' ' && b == ' '; }),
                clean.end());
  return foldTokens(fieldName, encodeLine(clean, fieldName.size() + 2));
}

std::string encodePhrase(std::string_view utf8) {
  std::string clean = cleanLine(utf8);
  clean.erase(std::unique(clean.begin(), clean.end(), [](char a, char b) { return a == ' ' && b == ' '; }),
              clean.end());
  bool encode = false;
  for (std::size_t start = 0; start <= clean.size();) {
    const auto end = std::min(clean.find(' ', start), clean.size());
    encode = encode || needsEncoding(std::string_view(clean).substr(start, end - start));
    start = end + 1;
  }
  if (encode) return encodeWords(clean, 60);
  if (isAtomText(clean)) return clean;
  std::string quoted = "\"";
  for (const char c : clean) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + '"';
}

}  // namespace postern::mail
