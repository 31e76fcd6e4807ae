#include "core/config/ListenWords.h"

#include "core/base/Error.h"

#include <algorithm>

namespace postern::config {

namespace {

std::string_view nextPart(std::string_view& rest, std::string_view separators) {
  const auto begin = std::min(rest.find_first_not_of(separators), rest.size());
  rest.remove_prefix(begin);
  const auto part = rest.substr(0, rest.find_first_of(separators));
  rest.remove_prefix(part.size());
  return part;
}

std::string takeWord(ListenerRules& rules, std::string_view word) {
  const auto equals = word.find('=');
  const auto name = word.substr(0, equals);
  const auto value = equals == std::string_view::npos ? std::string_view() : word.substr(equals + 1);
  if (word == "submission") {
    rules.submission = true;
  } else if (word == "tls=required") {
    rules.tlsRequired = true;
  } else if (word == "tls-min=1.2") {
    // All that we speak.
  } else if (word == "tls-min=1.3") {
    rules.tls13 = true;
  } else if (word == "certificate=ask") {
    rules.certificate = ListenerRules::Certificate::Asked;
  } else if (word == "certificate=required") {
    rules.certificate = ListenerRules::Certificate::Required;
  } else if (name == "proxy" && !value.empty()) {
    auto ranges = parseRanges(value);
    if (!ranges) return ranges.error();
    for (const auto& range : *ranges) {
      if (range.isEverybody()) return "proxy=" + range.text() + " would let anybody name any address as the client's";
      rules.balancers.push_back(range);
    }
  } else {
    return "\"" + std::string(word) +
           "\" may not stand behind an address; tls=required, tls-min=1.2, tls-min=1.3, certificate=ask, "
           "certificate=required, proxy=ADDRESSES and submission may";
  }
  return {};
}

}  // namespace

Result<std::vector<net::IpRange>, std::string> parseRanges(std::string_view text) {
  std::vector<net::IpRange> ranges;
  for (auto part = nextPart(text, ", "); !part.empty(); part = nextPart(text, ", ")) {
    const auto range = net::IpRange::parse(part);
    if (!range)
      return Unexpected("\"" + std::string(part) + "\" is no range of addresses, as in 192.0.2.0/24 or 2001:db8::25");
    ranges.push_back(*range);
  }
  return ranges;
}

Result<ListenerRules, std::string> parseListenerRules(std::string_view words) {
  ListenerRules rules;
  for (auto word = nextPart(words, " "); !word.empty(); word = nextPart(words, " "))
    if (auto problem = takeWord(rules, word); !problem.empty()) return Unexpected(std::move(problem));
  return rules;
}

std::string_view wordsOf(const HostPort& listener) {
  const auto blank = listener.host.find(' ');
  return blank == std::string::npos ? std::string_view() : std::string_view(listener.host).substr(blank + 1);
}

ListenerRules rulesOf(const HostPort& listener) {
  auto rules = parseListenerRules(wordsOf(listener));
  if (!rules) throw Error(ErrorKind::Config, "a listener: " + rules.error());
  return std::move(*rules);
}

bool isSubmission(const HostPort& listener) {
  return rulesOf(listener).submission;
}

HostPort placeOf(const HostPort& listener) {
  return {listener.host.substr(0, listener.host.find(' ')), listener.port};
}

}  // namespace postern::config
