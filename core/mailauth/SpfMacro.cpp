#include "core/mail/Text.h"
#include "core/mailauth/Spf.h"

#include <arpa/inet.h>

#include <algorithm>
#include <ctime>

namespace postern::mailauth {

namespace {

constexpr std::string_view Letters = "slodiphv";
constexpr std::string_view ExplainingLetters = "crt";
constexpr std::string_view Delimiters = ".-+,/_=";

bool isDigit(char c) {
  return c >= '0' && c <= '9';
}

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

// "%{d2r-}" without its "%{" and "}".
struct Macro {
  char letter = 0;
  std::size_t labels = 0;  // 0: all
  bool reversed = false;
  bool escaped = false;
  std::string_view delimiters = ".";
};

std::optional<Macro> readMacro(std::string_view text, bool explaining) {
  if (text.empty()) return std::nullopt;
  Macro macro;
  macro.letter = lower(text.front());
  macro.escaped = macro.letter != text.front();
  if (Letters.find(macro.letter) == Letters.npos &&
      !(explaining && ExplainingLetters.find(macro.letter) != ExplainingLetters.npos))
    return std::nullopt;
  text.remove_prefix(1);
  const bool counted = !text.empty() && isDigit(text.front());
  while (!text.empty() && isDigit(text.front())) {
    macro.labels = std::min<std::size_t>(macro.labels * 10 + static_cast<std::size_t>(text.front() - '0'), 1000);
    text.remove_prefix(1);
  }
  if (counted && macro.labels == 0) return std::nullopt;
  if (!text.empty() && lower(text.front()) == 'r') {
    macro.reversed = true;
    text.remove_prefix(1);
  }
  if (text.find_first_not_of(Delimiters) != text.npos) return std::nullopt;
  if (!text.empty()) macro.delimiters = text;
  return macro;
}

std::string readableAddress(const std::string& bytes) {
  char text[INET6_ADDRSTRLEN];
  const auto* done = ::inet_ntop(bytes.size() == 4 ? AF_INET : AF_INET6, bytes.data(), text, sizeof text);
  return done ? done : std::string();
}

std::string valueOf(char letter, const SpfMacroContext& context) {
  const auto at = context.sender.rfind('@');
  switch (letter) {
    case 's':
      return context.sender;
    case 'l':
      return context.sender.substr(0, at);
    case 'o':
      return at == std::string::npos ? std::string() : context.sender.substr(at + 1);
    case 'd':
      return context.domain;
    case 'i':
      return dottedAddress(context.address);
    case 'p':
      return std::string(context.validatedName.empty() ? "unknown" : context.validatedName);
    case 'h':
      return context.helo;
    case 'c':
      return readableAddress(context.address);
    case 'r':
      return context.receiver.empty() ? "unknown" : context.receiver;
    case 't':
      return std::to_string(std::time(nullptr));
    default:
      return context.address.size() == 4 ? "in-addr" : "ip6";
  }
}

std::string transformed(const std::string& value, const Macro& macro) {
  std::vector<std::string> labels(1);
  for (const char c : value) {
    if (macro.delimiters.find(c) == macro.delimiters.npos)
      labels.back() += c;
    else
      labels.emplace_back();
  }
  if (macro.reversed) std::reverse(labels.begin(), labels.end());
  const auto kept = macro.labels == 0 ? labels.size() : std::min(macro.labels, labels.size());
  std::string text;
  for (auto i = labels.size() - kept; i < labels.size(); ++i) {
    if (i != labels.size() - kept) text += '.';
    text += labels[i];
  }
  return text;
}

std::string escaped(const std::string& text) {
  static constexpr char Hex[] = "0123456789ABCDEF";
  std::string result;
  for (const char c : text) {
    const bool plain = isDigit(c) || (lower(c) >= 'a' && lower(c) <= 'z') ||
                       std::string_view("-._~").find(c) != std::string_view::npos;
    if (plain) {
      result += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    result += '%';
    result += Hex[byte >> 4];
    result += Hex[byte & 15];
  }
  return result;
}

}  // namespace

bool isMacroString(std::string_view text, bool explaining) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte > 0x7e || (byte < 0x21 && !(explaining && byte == ' '))) return false;
    if (text[i] != '%') continue;
    if (++i == text.size()) return false;
    if (text[i] == '%' || text[i] == '_' || text[i] == '-') continue;
    if (text[i] != '{') return false;
    const auto end = text.find('}', i);
    if (end == text.npos || !readMacro(text.substr(i + 1, end - i - 1), explaining)) return false;
    i = end;
  }
  return true;
}

bool usesValidatedName(std::string_view text) {
  return text.find("%{p") != text.npos || text.find("%{P") != text.npos;
}

std::string expandMacros(std::string_view text, const SpfMacroContext& context, bool isName) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%' || i + 1 == text.size()) {
      result += text[i];
      continue;
    }
    const char next = text[++i];
    if (next == '%') result += '%';
    if (next == '_') result += ' ';
    if (next == '-') result += "%20";
    if (next != '{') continue;
    const auto end = text.find('}', i);
    const auto macro = readMacro(text.substr(i + 1, end - i - 1), true);
    if (!macro) return {};
    const auto value = transformed(valueOf(macro->letter, context), *macro);
    result += macro->escaped ? escaped(value) : value;
    i = end;
  }
  if (!isName) return result;
  if (result.ends_with('.')) result.pop_back();
  while (result.size() > 253) {
    const auto dot = result.find('.');
    if (dot == result.npos) return {};
    result.erase(0, dot + 1);
  }
  return result;
}

}  // namespace postern::mailauth
