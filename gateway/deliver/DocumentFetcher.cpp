#include "gateway/deliver/DocumentFetcher.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace postern::gateway {

namespace {

using std::chrono::steady_clock;
using Outcome = app::FetchedDocument::Outcome;

constexpr std::size_t MaxUrl = 500;

// First bytes of networks that are not of the public Internet (RFC 6890, RFC 4193, RFC 4291).
struct Network {
  std::array<unsigned char, 4> first;
  int bits;
};
constexpr std::array Closed4 = {
    Network{{0, 0, 0, 0}, 8},     Network{{10, 0, 0, 0}, 8},      Network{{100, 64, 0, 0}, 10},
    Network{{127, 0, 0, 0}, 8},   Network{{169, 254, 0, 0}, 16},  Network{{172, 16, 0, 0}, 12},
    Network{{192, 0, 0, 0}, 24},  Network{{192, 0, 2, 0}, 24},    Network{{192, 168, 0, 0}, 16},
    Network{{198, 18, 0, 0}, 15}, Network{{198, 51, 100, 0}, 24}, Network{{203, 0, 113, 0}, 24},
    Network{{224, 0, 0, 0}, 3},
};

bool isIn(const unsigned char* address, const Network& network) {
  for (int bit = 0; bit < network.bits; ++bit) {
    const auto byte = static_cast<std::size_t>(bit / 8);
    const int mask = 0x80 >> (bit % 8);
    if ((address[byte] & mask) != (network.first.at(byte) & mask)) return false;
  }
  return true;
}

bool isAddress(const std::string& host) {
  std::array<unsigned char, 16> bytes{};
  return ::inet_pton(AF_INET, host.c_str(), bytes.data()) == 1 ||
         ::inet_pton(AF_INET6, host.c_str(), bytes.data()) == 1;
}

// As RFC 952 has them. What ends in a number is an address to libcurl, also "127.1" and "0x7f.0.0.1", and would be
// asked without having been looked at; of a dot at the end it makes another name than the one that was looked up.
bool isHost(std::string_view host) {
  if (host.starts_with('.') || host.ends_with('.') || host.find("..") != std::string_view::npos) return false;
  const auto last = host.substr(host.rfind('.') + 1);
  if (!last.empty() && last.front() >= '0' && last.front() <= '9') return isAddress(std::string(host));
  return !host.empty() && host.size() <= 253 && std::all_of(host.begin(), host.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
  });
}

}  // namespace

std::optional<WebAddress> parseWebAddress(std::string_view url, std::uint16_t httpsPort) {
  if (url.size() > MaxUrl || !std::all_of(url.begin(), url.end(), [](char c) { return c > ' ' && c < '\x7f'; }))
    return std::nullopt;
  WebAddress result;
  result.plain = url.starts_with("http://");
  if (!result.plain && !url.starts_with("https://")) return std::nullopt;
  url.remove_prefix(result.plain ? 7 : 8);
  const auto slash = std::min(url.find_first_of("/?#"), url.size());
  auto authority = url.substr(0, slash);
  result.path = std::string(url.substr(slash, url.find('#') - slash));
  if (!result.path.starts_with('/')) result.path.insert(0, "/");
  const bool six = authority.starts_with('[');
  const auto end = six ? authority.find(']') : std::min(authority.find(':'), authority.size());
  if (end == std::string_view::npos) return std::nullopt;
  result.host = std::string(six ? authority.substr(1, end - 1) : authority.substr(0, end));
  authority.remove_prefix(six ? end + 1 : end);
  for (char& c : result.host)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  if (six ? !isAddress(result.host) : !isHost(result.host)) return std::nullopt;
  result.port = result.plain ? 80 : httpsPort;
  if (authority.empty()) return result;
  if (authority.front() != ':') return std::nullopt;
  authority.remove_prefix(1);
  const auto [rest, fault] = std::from_chars(authority.data(), authority.data() + authority.size(), result.port);
  if (fault != std::errc() || rest != authority.data() + authority.size() || result.port == 0) return std::nullopt;
  return result;
}

bool isPublicAddress(const std::string& address) {
  std::array<unsigned char, 16> bytes{};
  if (::inet_pton(AF_INET, address.c_str(), bytes.data()) == 1)
    return std::none_of(Closed4.begin(), Closed4.end(),
                        [&](const auto& network) { return isIn(bytes.data(), network); });
  if (::inet_pton(AF_INET6, address.c_str(), bytes.data()) != 1) return false;
  // Only 2000::/3 is given out; of that not what is for documents, and not what carries IPv4 (6to4, Teredo).
  if ((bytes[0] & 0xE0) != 0x20) return false;
  const bool teredoOrDocuments =
      bytes[0] == 0x20 && bytes[1] == 0x01 && ((bytes[2] & 0xFE) == 0 || (bytes[2] == 0x0d && bytes[3] == 0xb8));
  return !teredoOrDocuments && !(bytes[0] == 0x20 && bytes[1] == 0x02);
}

Result<std::vector<std::string>, app::FetchedDocument> DocumentFetcher::addressesOf(const std::string& host,
                                                                                    bool webhook) const {
  std::vector<std::string> found;
  if (isAddress(host)) {
    found.push_back(host);
  } else {
    auto answer = resolver_.addresses(host);
    const bool none = answer.outcome == net::DnsOutcome::NoName || answer.outcome == net::DnsOutcome::NoData;
    if (answer.outcome != net::DnsOutcome::Found)
      return Unexpected(
          app::FetchedDocument{{},
                               host + " has no address" + (answer.problem.empty() ? "" : ": " + answer.problem),
                               none ? Outcome::NoHost : Outcome::Failed});
    found = std::move(answer.records);
  }
  if (!(webhook ? allowed_.webhooks : allowed_.documents))
    std::erase_if(found, [](const auto& address) { return !isPublicAddress(address); });
  if (found.empty())
    return Unexpected(app::FetchedDocument{{},
                                           host + " is not in the public Internet (setting " +
                                               (webhook ? "web.webhook_hosts" : "smime.revocation_hosts") + ")",
                                           Outcome::Failed});
  return found;
}

app::FetchedDocument DocumentFetcher::fetch(const app::DocumentRequest& request) const {
  const auto end = steady_clock::now() + limit_;
  auto url = request.url;
  for (int hop = 0; hop <= MaxRedirects; ++hop) {
    const auto place = parseWebAddress(url, httpsPort_);
    if (!place) return {{}, "this is not an http or https address that is used"};
    if (request.secureOnly && place->plain) return {{}, place->host + " sends to an address without TLS"};
    auto addresses = addressesOf(place->host, request.webhook);
    if (!addresses) return addresses.error();
    net::HttpsRequest question;
    question.host = place->host.find(':') == std::string::npos ? place->host : "[" + place->host + "]";
    question.port = place->port;
    question.addresses = std::move(*addresses);
    question.path = place->path;
    question.plain = place->plain;
    question.maxBytes = std::min(request.maxBytes, MaxBytes);
    question.limit = std::chrono::ceil<std::chrono::milliseconds>(end - steady_clock::now());
    question.question = request.question;
    question.type = request.type;
    question.fields = request.fields;
    if (question.limit <= std::chrono::milliseconds(0)) return {{}, place->host + " took too long"};
    auto document = client_.get(question);
    if (!document) return {{}, place->host + ": " + document.error()};
    const bool taken = !request.question.empty() && document->status >= 200 && document->status < 205;
    if (document->status == 200 || taken) return {std::move(document->body), {}, Outcome::Got};
    const bool notThere = document->status == 404 || document->status == 410;
    if (document->redirect.empty() || !request.question.empty())
      return {{},
              place->host + " answers " + std::to_string(document->status),
              notThere ? Outcome::NotThere : Outcome::Failed};
    url = document->redirect;
    // What is not signed itself comes from the host that was asked for it, or not at all.
    const auto next = parseWebAddress(url, httpsPort_);
    if (request.secureOnly && next && next->host != place->host) return {{}, place->host + " sends to another host"};
  }
  return {{}, "there are too many redirects"};
}

}  // namespace postern::gateway
