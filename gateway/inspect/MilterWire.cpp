#include "gateway/inspect/MilterWire.h"

#include "core/base/Codec.h"
#include "core/base/Error.h"
#include "core/mail/Header.h"

#include <algorithm>

namespace postern::gateway::milter {
namespace {

bool isDigit(char c) {
  return c >= '0' && c <= '9';
}

std::string printable(std::string_view text) {
  constexpr std::size_t Longest = 400;
  std::string out(text.substr(0, Longest));
  std::replace_if(
      out.begin(), out.end(), [](char c) { return c < 0x20 || c > 0x7e; }, ' ');
  return out;
}

// libmilter doubles each "%".
std::string undoubled(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    out += text[i];
    if (text[i] == '%' && i + 1 < text.size() && text[i + 1] == '%') ++i;
  }
  return out;
}

// "5.7.1" at the front of what is behind a code, and of its class; taken off.
std::string takeEnhanced(std::string_view& text, char classDigit) {
  const auto end = std::min(text.find(' '), text.size());
  const auto word = text.substr(0, end);
  const bool fits = word.size() >= 5 && word.size() <= 9 && word[0] == classDigit && word[1] == '.' &&
                    std::count(word.begin(), word.end(), '.') == 2 && isDigit(word.back()) && isDigit(word[2]) &&
                    word.find("..") == std::string_view::npos &&
                    word.find_first_not_of("0123456789.") == std::string_view::npos;
  if (!fits) return {};
  text.remove_prefix(std::min(end + 1, text.size()));
  return std::string(word);
}

// "550 5.7.1 text", or several such lines with "-" behind the code.
std::optional<Reply> readCode(std::string_view data) {
  Reply reply{ReplyKind::Code, 0, {}, {}, 0, {}, {}};
  const auto whole = undoubled(data);
  std::string_view rest = whole;
  while (!rest.empty()) {
    const auto end = std::min(rest.find('\n'), rest.size());
    auto line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    const bool isCode = line.size() >= 3 && (line[0] == '4' || line[0] == '5') && isDigit(line[1]) &&
                        isDigit(line[2]) && (line.size() == 3 || line[3] == ' ' || line[3] == '-');
    if (!isCode) return std::nullopt;
    const auto code = static_cast<std::uint16_t>((line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0'));
    if (reply.code != 0 && reply.code != code) return std::nullopt;
    reply.code = code;
    auto text = line.substr(std::min<std::size_t>(4, line.size()));
    auto enhanced = takeEnhanced(text, line[0]);
    if (reply.enhanced.empty()) reply.enhanced = std::move(enhanced);
    if (!text.empty()) reply.text += (reply.text.empty() ? "" : " ") + std::string(text);
  }
  if (reply.code == 0) return std::nullopt;
  reply.text = printable(reply.text);
  return reply;
}

// A text that ends with NUL, the only one; taken off the front.
std::optional<std::string> takeText(std::string_view& data) {
  const auto end = data.find('\0');
  if (end == std::string_view::npos) return std::nullopt;
  std::string text(data.substr(0, end));
  data.remove_prefix(end + 1);
  return text;
}

std::optional<Reply> readHeader(ReplyKind kind, std::string_view data) {
  Reply reply{kind, 0, {}, {}, 0, {}, {}};
  if (kind != ReplyKind::AddHeader) {
    if (data.size() < 4) return std::nullopt;
    reply.index = Reader(data).u32();
    data.remove_prefix(4);
  }
  auto name = takeText(data);
  auto value = name ? takeText(data) : std::nullopt;
  if (!value || !data.empty() || !mail::isFieldName(*name)) return std::nullopt;
  reply.name = std::move(*name);
  reply.value = std::move(*value);
  return reply;
}

std::optional<Reply> readText(ReplyKind kind, std::string_view data) {
  auto text = takeText(data);
  if (!text || !data.empty()) return std::nullopt;
  if (kind == ReplyKind::Code) return readCode(*text);
  return Reply{kind, 0, {}, printable(*text), 0, {}, {}};
}

}  // namespace

std::string packet(char command, std::string_view data) {
  Writer writer;
  writer.u32(static_cast<std::uint32_t>(data.size() + 1)).u8(static_cast<std::uint8_t>(command)).raw(data);
  return std::move(writer).bytes();
}

std::string offer() {
  const Options options;
  return packet('O', Writer().u32(options.version).u32(options.actions).u32(options.steps).bytes());
}

std::string macros(char command, const std::vector<std::pair<std::string, std::string>>& named) {
  std::string data(1, command);
  for (const auto& [name, value] : named)
    if (!value.empty()) data += zero(name) + zero(value);
  return packet('D', data);
}

std::string zero(std::string_view text) {
  std::string out(text);
  std::erase(out, '\0');
  out += '\0';
  return out;
}

std::optional<Options> readOptions(std::string_view packet) {
  constexpr std::size_t Least = 13;
  if (packet.size() < Least || packet[0] != 'O') return std::nullopt;
  Reader reader(packet.substr(1));
  Options options;
  options.version = reader.u32();
  options.actions = reader.u32();
  options.steps = reader.u32();
  constexpr std::uint32_t LeastVersion = 2, MostVersion = 6;
  const bool known = options.version >= LeastVersion && options.version <= MostVersion;
  if (!known || (options.steps & ~step::Offered) != 0) return std::nullopt;
  // Some ask for all there is (rspamd does): what was not offered is not theirs, and using it ends the dialogue.
  options.actions &= action::Offered;
  return options;
}

std::optional<Reply> readReply(std::string_view packet) {
  if (packet.empty()) return std::nullopt;
  const auto data = packet.substr(1);
  const auto bare = [&](ReplyKind kind) -> std::optional<Reply> {
    if (!data.empty()) return std::nullopt;
    return Reply{kind, 0, {}, {}, 0, {}, {}};
  };
  switch (packet[0]) {
    case 'c':
      return bare(ReplyKind::Continue);
    case 'a':
      return bare(ReplyKind::Accept);
    case 'r':
      return bare(ReplyKind::Reject);
    case 't':
      return bare(ReplyKind::TempFail);
    case 'd':
      return bare(ReplyKind::Discard);
    case 'p':
      return bare(ReplyKind::Progress);
    case 's':
      return bare(ReplyKind::Skip);
    case 'y':
      return readText(ReplyKind::Code, data);
    case 'q':
      return readText(ReplyKind::Quarantine, data);
    case 'h':
      return readHeader(ReplyKind::AddHeader, data);
    case 'i':
      return readHeader(ReplyKind::InsertHeader, data);
    case 'm':
      return readHeader(ReplyKind::ChangeHeader, data);
    default:
      return std::nullopt;
  }
}

}  // namespace postern::gateway::milter
