#include "webadmin/Http.h"

#include <openssl/crypto.h>

#include <algorithm>

namespace postern::webadmin {

namespace {

constexpr std::size_t MaxFields = 200;
constexpr std::size_t FieldsOfFile = 3, LongestFileField = 16;

int hexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool isUnreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
         c == '_' || c == '~' || c == '@';
}

std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return result;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// The value of `name="…"` or `name=…` among the parameters of a header value.
std::optional<std::string> parameter(std::string_view header, std::string_view name) {
  auto rest = header;
  for (auto semicolon = rest.find(';'); semicolon != rest.npos; semicolon = rest.find(';')) {
    rest = trimmed(rest.substr(semicolon + 1));
    if (rest.size() <= name.size() || lower(rest.substr(0, name.size())) != name || rest[name.size()] != '=') continue;
    auto value = rest.substr(name.size() + 1);
    if (!value.empty() && value.front() == '"') {
      const auto end = value.find('"', 1);
      if (end == value.npos) return std::nullopt;
      return std::string(value.substr(1, end - 1));
    }
    return std::string(trimmed(value.substr(0, value.find(';'))));
  }
  return std::nullopt;
}

// The line of a part's header that begins so, in small letters; nothing when there is none.
std::optional<std::string_view> partLine(std::string_view head, std::string_view begin) {
  while (!head.empty()) {
    const auto end = head.find("\r\n");
    const auto line = head.substr(0, end);
    head = end == head.npos ? std::string_view{} : head.substr(end + 2);
    if (lower(line.substr(0, begin.size())) == begin) return line;
  }
  return std::nullopt;
}

// The names of the field and of the file, from the Content-Disposition. RFC 7578 §4.2.
std::optional<std::string> partName(std::string_view head, std::string_view which) {
  const auto line = partLine(head, "content-disposition:");
  return line ? parameter(*line, which) : std::nullopt;
}

std::string partType(std::string_view head) {
  constexpr std::string_view Type = "content-type:";
  const auto line = partLine(head, Type);
  return line ? std::string(trimmed(line->substr(Type.size()))) : std::string();
}

}  // namespace

void Fields::wipe() {
  for (auto& [name, value] : items_) OPENSSL_cleanse(value.data(), value.size());
  items_.clear();
}

std::string Fields::get(std::string_view name, std::string_view otherwise) const {
  for (const auto& [key, value] : items_)
    if (key == name) return value;
  return std::string(otherwise);
}

bool Fields::has(std::string_view name) const {
  return std::any_of(items_.begin(), items_.end(), [&](const auto& item) { return item.first == name; });
}

Response Response::redirect(std::string location) {
  Response response;
  response.status = 303;
  response.contentType = "text/plain; charset=utf-8";
  response.body = "See " + location + "\n";
  response.headers.emplace_back("Location", std::move(location));
  return response;
}

std::optional<std::string> percentDecode(std::string_view text, bool plusIsSpace) {
  std::string result;
  result.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      if (i + 2 >= text.size()) return std::nullopt;
      const int high = hexValue(text[i + 1]), low = hexValue(text[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      c = static_cast<char>(high * 16 + low);
      i += 2;
    } else if (c == '+' && plusIsSpace) {
      c = ' ';
    }
    if (c == '\0') return std::nullopt;
    result += c;
  }
  return result;
}

std::string percentEncode(std::string_view text) {
  constexpr char Digits[] = "0123456789ABCDEF";
  std::string result;
  for (const char c : text) {
    if (isUnreserved(c)) {
      result += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      result += '%';
      result += Digits[byte >> 4];
      result += Digits[byte & 15];
    }
  }
  return result;
}

std::optional<Fields> parseUrlEncoded(std::string_view text) {
  Fields fields;
  while (!text.empty()) {
    const auto end = text.find('&');
    const auto pair = text.substr(0, end);
    text = end == text.npos ? std::string_view{} : text.substr(end + 1);
    if (pair.empty()) continue;
    const auto equals = pair.find('=');
    auto name = percentDecode(pair.substr(0, equals), true);
    auto value = percentDecode(equals == pair.npos ? std::string_view{} : pair.substr(equals + 1), true);
    if (!name || !value || fields.items().size() >= MaxFields) return std::nullopt;
    fields.add(std::move(*name), std::move(*value));
  }
  return fields;
}

std::optional<Fields> parseMultipart(std::string_view body, std::string_view contentType) {
  const auto boundary = parameter(contentType, "boundary");
  if (!boundary || boundary->empty() || boundary->size() > 70) return std::nullopt;  // RFC 2046 §5.1.1
  const auto delimiter = "--" + *boundary;
  if (body.substr(0, delimiter.size()) != delimiter) return std::nullopt;
  body.remove_prefix(delimiter.size());
  const auto separator = "\r\n" + delimiter;
  Fields fields;
  while (body.substr(0, 2) == "\r\n") {
    body.remove_prefix(2);
    const auto end = body.find(separator);
    if (end == body.npos || fields.items().size() + FieldsOfFile > MaxFields) return std::nullopt;
    const auto part = body.substr(0, end);
    const auto headEnd = part.find("\r\n\r\n");
    if (headEnd == part.npos) return std::nullopt;
    const auto name = partName(part.substr(0, headEnd), "name");
    if (!name) return std::nullopt;
    fields.add(*name, std::string(part.substr(headEnd + 4)));
    // Of a longer name few bytes of a body would become many here.
    auto file = name->size() <= LongestFileField ? partName(part.substr(0, headEnd), "filename") : std::nullopt;
    if (file) {
      fields.add(*name + ".name", std::move(*file));
      fields.add(*name + ".type", partType(part.substr(0, headEnd)));
    }
    body.remove_prefix(end + separator.size());
  }
  if (body.substr(0, 2) != "--") return std::nullopt;
  return fields;
}

std::optional<Fields> parseForm(std::string_view body, std::string_view contentType) {
  const auto type = lower(trimmed(contentType.substr(0, contentType.find(';'))));
  if (type == "application/x-www-form-urlencoded") return parseUrlEncoded(body);
  if (type == "multipart/form-data") return parseMultipart(body, contentType);
  return std::nullopt;
}

Fields parseCookies(std::string_view header) {
  Fields cookies;
  while (!header.empty() && cookies.items().size() < MaxFields) {
    const auto end = header.find(';');
    const auto pair = trimmed(header.substr(0, end));
    header = end == header.npos ? std::string_view{} : header.substr(end + 1);
    const auto equals = pair.find('=');
    if (equals != pair.npos) cookies.add(std::string(pair.substr(0, equals)), std::string(pair.substr(equals + 1)));
  }
  return cookies;
}

bool isApi(std::string_view path) {
  return path.starts_with("/api/v1/");
}

bool isLocalPath(std::string_view path) {
  if (path.empty() || path[0] != '/' || path.size() > 2000) return false;
  if (path.size() > 1 && (path[1] == '/' || path[1] == '\\')) return false;
  return std::all_of(path.begin(), path.end(), [](char c) { return c > ' ' && c < 127 && c != '\\'; });
}

}  // namespace postern::webadmin
