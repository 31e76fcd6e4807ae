#include "gateway/inspect/Rspamd.h"

#include "core/base/Error.h"
#include "core/net/CompanionStream.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

namespace postern::gateway {
namespace {

using nlohmann::json;

constexpr std::size_t LargestAnswer = 4u << 20;
constexpr std::size_t MostSymbols = 200;
constexpr std::size_t LongestWord = 64;

[[noreturn]] void fail(const std::string& what) {
  throw Error(ErrorKind::Unavailable, "rspamd " + what);
}

std::string field(std::string_view name, std::string_view value) {
  if (value.empty()) return {};
  std::string line = std::string(name) + ": ";
  std::copy_if(value.begin(), value.end(), std::back_inserter(line), [](char c) { return c >= 0x20 && c != 0x7f; });
  return line + "\r\n";
}

std::string requestHead(const InspectionFacts& facts, std::size_t size) {
  std::string head = "POST /checkv2 HTTP/1.0\r\nHost: localhost\r\n";
  head += field("Content-Length", std::to_string(size));
  head += field("IP", facts.client.address) + field("Hostname", facts.client.name) + field("Helo", facts.helo);
  head += field("From", facts.transaction.mailFrom());
  for (const auto& recipient : facts.transaction.recipients) head += field("Rcpt", recipient.address.text());
  head += field("TLS-Version", facts.tls.version) + field("TLS-Cipher", facts.tls.cipher);
  return head + "\r\n";
}

std::string bodyOf(std::string_view answer) {
  const auto head = answer.find("\r\n\r\n");
  const auto firstBlank = answer.find(' ');
  if (!answer.starts_with("HTTP/1.") || head == std::string_view::npos) fail("gave no HTTP answer");
  if (answer.substr(firstBlank + 1, 4) != "200 ")
    fail("answered " + std::string(answer.substr(firstBlank + 1, 3)) + " to /checkv2");
  return std::string(answer.substr(head + 4));
}

// Words of rspamd are told to policies and in notes.
bool isWord(std::string_view text) {
  return !text.empty() && text.size() <= LongestWord &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7f && c != ','; });
}

double numberOf(const json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end() || !found->is_number()) return 0;
  const auto value = found->get<double>();
  constexpr double Most = 1e6;
  return std::isfinite(value) ? std::clamp(value, -Most, Most) : 0;
}

}  // namespace

policy::SpamFacts Rspamd::check(const InspectionFacts& facts, std::string_view content) const {
  net::CompanionStream stream(address_, timeLimit_, "rspamd");
  stream.send(requestHead(facts, content.size()));
  stream.send(content);
  std::string answer;
  for (;;) {
    constexpr std::size_t Step = 16384;
    const auto some = stream.receiveSome(Step);
    if (some.empty()) break;
    answer += some;
    if (answer.size() > LargestAnswer) fail("gave an answer that is too large");
  }
  return readRspamdAnswer(bodyOf(answer));
}

policy::SpamFacts readRspamdAnswer(std::string_view text) {
  const auto answer = json::parse(text, nullptr, false);
  if (!answer.is_object()) fail("gave an answer that is no JSON");
  const auto action = answer.find("action");
  if (action == answer.end() || !action->is_string() || !isWord(action->get_ref<const std::string&>()))
    fail("gave an answer without an action");
  policy::SpamFacts spam;
  spam.action = action->get<std::string>();
  spam.score = numberOf(answer, "score");
  spam.required = numberOf(answer, "required_score");
  if (const auto symbols = answer.find("symbols"); symbols != answer.end() && symbols->is_object())
    for (const auto& [name, symbol] : symbols->items())
      if (symbol.is_object() && isWord(name)) spam.symbols.push_back({name, numberOf(symbol, "score")});
  std::stable_sort(spam.symbols.begin(), spam.symbols.end(),
                   [](const auto& a, const auto& b) { return std::abs(a.score) > std::abs(b.score); });
  if (spam.symbols.size() > MostSymbols) spam.symbols.resize(MostSymbols);
  return spam;
}

}  // namespace postern::gateway
