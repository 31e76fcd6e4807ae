#include "core/mail/HtmlText.h"

#include "core/mail/Text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <set>
#include <string>

namespace postern::mail {
namespace {

bool isNameByte(char byte) {
  return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9');
}

bool isBlank(char byte) {
  return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n' || byte == '\f';
}

// Elements within a line: they do not end a word.
bool isInline(std::string_view name) {
  constexpr std::array<std::string_view, 26> Names = {
      "a", "abbr", "acronym", "b",    "bdi", "bdo",   "big",  "cite",   "code",   "del", "dfn", "em", "font",
      "i", "ins",  "kbd",     "mark", "s",   "small", "span", "strike", "strong", "sub", "sup", "u",  "wbr"};
  return std::find(Names.begin(), Names.end(), name) != Names.end();
}

void appendUtf8(std::string& out, std::uint32_t code) {
  if (code == 0 || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) code = 0xFFFD;
  const auto byte = [&](std::uint32_t value) { out += static_cast<char>(value); };
  if (code < 0x80) return byte(code);
  if (code < 0x800) {
    byte(0xC0 | code >> 6);
  } else {
    if (code < 0x10000) {
      byte(0xE0 | code >> 12);
    } else {
      byte(0xF0 | code >> 18);
      byte(0x80 | (code >> 12 & 0x3F));
    }
    byte(0x80 | (code >> 6 & 0x3F));
  }
  byte(0x80 | (code & 0x3F));
}

struct Named {
  std::string_view name;
  std::uint32_t code;
};
// What mail programs write; the letters of ISO 8859-1 follow below.
constexpr std::array<Named, 24> Marks = {
    {{"amp", '&'},      {"lt", '<'},       {"gt", '>'},       {"quot", '"'},      {"apos", '\''},    {"nbsp", ' '},
     {"shy", 0xAD},     {"ndash", 0x2013}, {"mdash", 0x2014}, {"hellip", 0x2026}, {"lsquo", 0x2018}, {"rsquo", 0x2019},
     {"ldquo", 0x201C}, {"rdquo", 0x201D}, {"bull", 0x2022},  {"euro", 0x20AC},   {"copy", 0xA9},    {"reg", 0xAE},
     {"trade", 0x2122}, {"oelig", 0x153},  {"OElig", 0x152},  {"scaron", 0x161},  {"Scaron", 0x160}, {"zwnj", 0x200C}}};
// U+00C0 to U+00FF in order.
constexpr std::array<std::string_view, 64> Latin = {
    "Agrave", "Aacute", "Acirc",  "Atilde", "Auml",   "Aring",  "AElig",  "Ccedil", "Egrave", "Eacute", "Ecirc",
    "Euml",   "Igrave", "Iacute", "Icirc",  "Iuml",   "ETH",    "Ntilde", "Ograve", "Oacute", "Ocirc",  "Otilde",
    "Ouml",   "times",  "Oslash", "Ugrave", "Uacute", "Ucirc",  "Uuml",   "Yacute", "THORN",  "szlig",  "agrave",
    "aacute", "acirc",  "atilde", "auml",   "aring",  "aelig",  "ccedil", "egrave", "eacute", "ecirc",  "euml",
    "igrave", "iacute", "icirc",  "iuml",   "eth",    "ntilde", "ograve", "oacute", "ocirc",  "otilde", "ouml",
    "divide", "oslash", "ugrave", "uacute", "ucirc",  "uuml",   "yacute", "thorn",  "yuml"};

std::uint32_t namedCode(std::string_view name) {
  for (const auto& mark : Marks)
    if (mark.name == name) return mark.code;
  const auto letter = std::find(Latin.begin(), Latin.end(), name);
  return letter == Latin.end() ? 0 : 0xC0 + static_cast<std::uint32_t>(letter - Latin.begin());
}

// Appends the character reference at the start of `text` ("&amp;", "&#233;", "&#xE9;") and gives its length; 0: it is
// none.
std::size_t appendReference(std::string_view text, std::string& out) {
  std::size_t end = 1;
  const bool numeric = text.size() > 1 && text[1] == '#';
  if (numeric) ++end;
  while (end < text.size() && end < 12 && isNameByte(text[end])) ++end;
  auto name = text.substr(1, end - 1);
  std::uint32_t code = 0;
  if (numeric) {
    name.remove_prefix(1);
    const bool hexadecimal = !name.empty() && (name[0] == 'x' || name[0] == 'X');
    if (hexadecimal) name.remove_prefix(1);
    const auto [stop, error] = std::from_chars(name.data(), name.data() + name.size(), code, hexadecimal ? 16 : 10);
    if (name.empty() || stop != name.data() + name.size()) return 0;
    if (error != std::errc()) code = 0xFFFD;
    if (code == 0) code = 0xFFFD;
  } else {
    code = namedCode(name);
    if (code == 0) return 0;
  }
  appendUtf8(out, code);
  return end < text.size() && text[end] == ';' ? end + 1 : end;
}

class HtmlReader {
public:
  explicit HtmlReader(std::string_view html) : html_(html) { out_.reserve(html.size()); }

  std::string read() {
    while (at_ < html_.size()) {
      const auto next = std::min(html_.find_first_of("<&", at_), html_.size());
      out_.append(html_, at_, next - at_);
      at_ = next;
      if (at_ == html_.size()) break;
      const bool taken = html_[at_] == '<' ? takeMarkup() : takeReference();
      if (!taken) out_ += html_[at_++];
    }
    return std::move(out_);
  }

private:
  bool takeReference() {
    const auto length = appendReference(html_.substr(at_), out_);
    at_ += length;
    return length > 0;
  }

  bool takeMarkup() {
    const auto rest = html_.substr(at_);
    if (rest.starts_with("<!--")) return skipTo("-->", 4);
    if (rest.starts_with("<!") || rest.starts_with("<?")) return skipTo(">", 2);
    const std::size_t start = rest.starts_with("</") ? 2 : 1;
    std::size_t end = start;
    while (end < rest.size() && isNameByte(rest[end])) ++end;
    if (end == start || !(rest[start] < '0' || rest[start] > '9')) return false;
    const auto close = tagEnd(end);
    if (close == rest.npos) return false;
    const auto name = lowerAscii(rest.substr(start, std::min<std::size_t>(end - start, 16)));
    if (!isInline(name)) out_ += ' ';
    if (start == 1) takeAttributes(rest.substr(end, close - end));
    at_ += close + 1;
    if (start == 1 && (name == "script" || name == "style")) skipElement(name);
    return true;
  }

  // Where the tag ends, from its start; quotes in attributes are respected. npos: nowhere.
  std::size_t tagEnd(std::size_t from) {
    const auto rest = html_.substr(at_);
    if (noCloseFrom_ <= at_) return rest.npos;
    char quote = 0;
    for (auto i = from; i < rest.size(); ++i) {
      const char byte = rest[i];
      if (quote != 0)
        quote = byte == quote ? '\0' : quote;
      else if ((byte == '"' || byte == '\'') && rest[i - 1] == '=')
        quote = byte;
      else if (byte == '>')
        return i;
    }
    // A quote that never closes, or no ">" at all: take the next one, and look only once for none.
    const auto next = rest.find('>', from);
    if (next == rest.npos) noCloseFrom_ = at_;
    return next;
  }

  bool skipTo(std::string_view mark, std::size_t from) {
    if (missing_.contains(mark)) return false;
    const auto end = html_.find(mark, at_ + from);
    if (end == html_.npos) {
      missing_.emplace(mark);
      return false;
    }
    at_ = end + mark.size();
    return true;
  }

  // Behind <script> or <style>: up to its end tag, or nothing when there is none.
  void skipElement(const std::string& name) {
    if (missing_.contains(name)) return;
    for (auto at = html_.find("</", at_); at != html_.npos; at = html_.find("</", at + 2)) {
      if (!equalsIgnoreCase(html_.substr(at + 2, name.size()), name)) continue;
      at_ = at;
      return;
    }
    missing_.insert(name);
  }

  // The texts that stand for a picture or are shown beside a link.
  void takeAttributes(std::string_view tag) {
    for (const std::string_view name : {"alt", "title"}) {
      for (std::size_t i = 0; i + name.size() + 2 < tag.size(); ++i) {
        if (!isBlank(tag[i]) || !equalsIgnoreCase(tag.substr(i + 1, name.size()), name)) continue;
        auto value = i + 1 + name.size();
        if (tag[value] != '=' || value + 1 >= tag.size()) continue;
        const char quote = tag[++value];
        const bool quoted = quote == '"' || quote == '\'';
        if (quoted) ++value;
        auto end = quoted ? tag.find(quote, value) : tag.find_first_of(" \t\r\n", value);
        if (end == tag.npos) end = tag.size();
        appendText(tag.substr(value, end - value));
        i = end;
      }
    }
  }

  void appendText(std::string_view text) {
    out_ += ' ';
    while (!text.empty()) {
      const auto length = text[0] == '&' ? appendReference(text, out_) : 0;
      if (length == 0) out_ += text[0];
      text.remove_prefix(std::max<std::size_t>(length, 1));
    }
    out_ += ' ';
  }

  std::string_view html_;
  std::size_t at_ = 0;
  std::size_t noCloseFrom_ = static_cast<std::size_t>(-1);
  std::set<std::string, std::less<>> missing_;  // ends that do not come any more: not searched for again
  std::string out_;
};

}  // namespace

std::string htmlText(std::string_view html) {
  return HtmlReader(html).read();
}

}  // namespace postern::mail
