#include "core/mailauth/Dns.h"

#include "core/mailauth/MemoDns.h"
#include "core/net/AskUntil.h"

#include <arpa/inet.h>

#include <algorithm>

namespace postern::mailauth {

namespace {

template <class Record>
net::DnsAnswer<Record> late() {
  net::DnsAnswer<Record> answer;
  answer.problem = "the time for checking the sender was over";
  return answer;
}

constexpr std::string_view HexDigits = "0123456789ABCDEF";

}  // namespace

net::DnsAnswer<std::string> MemoDns::txt(std::string_view name) {
  {
    const MutexLock lock(mutex_);
    if (const auto found = texts_.find(name); found != texts_.end()) return found->second;
  }
  auto answer = noted(dns_.txt(name));
  const MutexLock lock(mutex_);
  return texts_.emplace(std::string(name), std::move(answer)).first->second;
}

net::DnsAnswer<std::string> ResolverDns::txt(std::string_view name) {
  const net::AskUntil bounded(until_);
  return isLate() ? late<std::string>() : resolver_.txt(name);
}

net::DnsAnswer<std::string> ResolverDns::addresses(std::string_view host, bool v6) {
  if (isLate()) return late<std::string>();
  const net::AskUntil bounded(until_);
  auto answer = resolver_.addresses(host);
  std::erase_if(answer.records, [v6](const auto& one) { return (one.find(':') != one.npos) != v6; });
  if (answer.outcome == net::DnsOutcome::Found && answer.records.empty()) answer.outcome = net::DnsOutcome::NoData;
  return answer;
}

net::DnsAnswer<std::string> ResolverDns::ipv4(std::string_view host) {
  return addresses(host, false);
}

net::DnsAnswer<std::string> ResolverDns::ipv6(std::string_view host) {
  return addresses(host, true);
}

net::DnsAnswer<net::MxRecord> ResolverDns::mx(std::string_view domain) {
  const net::AskUntil bounded(until_);
  return isLate() ? late<net::MxRecord>() : resolver_.mx(domain);
}

net::DnsAnswer<std::string> ResolverDns::pointers(std::string_view address) {
  const net::AskUntil bounded(until_);
  return isLate() ? late<std::string>() : resolver_.pointers(reverseName(address));
}

std::string addressBytes(std::string_view text) {
  const std::string copy(text);
  std::string bytes(4, '\0');
  if (::inet_pton(AF_INET, copy.c_str(), bytes.data()) == 1) return bytes;
  bytes.resize(16);
  if (::inet_pton(AF_INET6, copy.c_str(), bytes.data()) != 1) return {};
  const bool mapped = bytes.compare(0, 10, std::string(10, '\0')) == 0 && bytes.compare(10, 2, "\xff\xff") == 0;
  return mapped ? bytes.substr(12) : bytes;
}

std::string dottedAddress(const std::string& bytes) {
  std::string text;
  for (const char byte : bytes) {
    const auto value = static_cast<unsigned char>(byte);
    if (!text.empty()) text += '.';
    if (bytes.size() == 4) {
      text += std::to_string(value);
    } else {
      text += HexDigits[value >> 4];
      text += '.';
      text += HexDigits[value & 15];
    }
  }
  return text;
}

std::string reverseName(std::string_view address) {
  const auto bytes = addressBytes(address);
  if (bytes.empty()) return {};
  std::string name;
  const auto dotted = dottedAddress(bytes);
  for (std::size_t end = dotted.size(); end != std::string::npos;) {
    const auto dot = end == 0 ? std::string::npos : dotted.rfind('.', end - 1);
    const auto start = dot == std::string::npos ? 0 : dot + 1;
    name.append(dotted, start, end - start);
    name += '.';
    end = dot;
  }
  return name + (bytes.size() == 4 ? "in-addr.arpa" : "ip6.arpa");
}

bool isDomainName(std::string_view name, std::size_t minLabels) {
  if (name.empty() || name.size() > 253) return false;
  std::size_t labels = 1;
  std::size_t length = 0;
  for (const char c : name) {
    if (static_cast<unsigned char>(c) < ' ' || c == 0x7f) return false;
    if (c == '.') {
      if (length == 0) return false;
      ++labels;
      length = 0;
    } else if (++length > 63) {
      return false;
    }
  }
  return length > 0 && labels >= minLabels;
}

}  // namespace postern::mailauth
