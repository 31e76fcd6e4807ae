#include "core/mail/Charset.h"

#include "core/mail/Text.h"

#include <iconv.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace postern::mail {

namespace {

// Keeps "//TRANSLIT" and paths away from iconv_open.
bool isCharsetName(std::string_view name) {
  return !name.empty() && name.size() <= 40 && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.' || c == ':' || c == '+';
  });
}

class Converter {
public:
  explicit Converter(const std::string& charset) : handle_(iconv_open("UTF-8", charset.c_str())) {}
  ~Converter() {
    if (*this) iconv_close(handle_);
  }
  Converter(const Converter&) = delete;
  Converter& operator=(const Converter&) = delete;
  // iconv's own mark of failure is a pointer of -1.
  explicit operator bool() const { return reinterpret_cast<std::intptr_t>(handle_) != -1; }

  std::string convert(std::string_view bytes) {
    std::string result;
    std::array<char, 4096> chunk;
    char* in = const_cast<char*>(bytes.data());  // iconv does not write to its input
    std::size_t left = bytes.size();
    while (left > 0) {
      char* out = chunk.data();
      std::size_t room = chunk.size();
      const auto code = iconv(handle_, &in, &left, &out, &room);
      result.append(chunk.data(), chunk.size() - room);
      if (code != static_cast<std::size_t>(-1) || errno == E2BIG) continue;
      result += "\xef\xbf\xbd";
      if (errno != EILSEQ) break;  // the input ends within a character
      iconv(handle_, nullptr, nullptr, nullptr, nullptr);
      ++in;
      --left;
    }
    return result;
  }

private:
  iconv_t handle_;
};

constexpr std::array<signed char, 256> makeBase64Values() {
  std::array<signed char, 256> values{};
  for (auto& value : values) value = -1;
  constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (std::size_t i = 0; i < alphabet.size(); ++i)
    values[static_cast<unsigned char>(alphabet[i])] = static_cast<signed char>(i);
  return values;
}

}  // namespace

std::optional<std::string> toUtf8(std::string_view bytes, std::string_view charset) {
  const std::string name = lowerAscii(charset);
  if (name.empty() || name == "utf-8" || name == "utf8" || name == "us-ascii") return repairUtf8(bytes);
  if (!isCharsetName(name)) return std::nullopt;
  Converter converter(name);
  if (!converter) return std::nullopt;
  auto text = converter.convert(bytes);
  return isUtf8(text) ? std::move(text) : repairUtf8(text);
}

std::string decodeBase64(std::string_view text) {
  static constexpr auto values = makeBase64Values();
  std::string result;
  result.reserve(text.size() / 4 * 3 + 3);
  unsigned buffer = 0;
  int bits = 0;
  for (const char c : text) {
    if (c == '=') break;
    const int value = values[static_cast<unsigned char>(c)];
    if (value < 0) continue;
    buffer = (buffer << 6 | static_cast<unsigned>(value)) & 0xffffff;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      result += static_cast<char>(buffer >> bits & 0xff);
    }
  }
  return result;
}

}  // namespace postern::mail
