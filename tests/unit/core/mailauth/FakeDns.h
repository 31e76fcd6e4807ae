#pragma once
#include "core/mail/Text.h"
#include "core/mailauth/Dns.h"

#include <map>
#include <set>
#include <string>
#include <vector>

// A DNS that answers from memory and counts its questions.
struct FakeDns : postern::mailauth::Dns {
  using Outcome = postern::net::DnsOutcome;
  using Strings = postern::net::DnsAnswer<std::string>;

  std::map<std::string, std::map<std::string, std::vector<std::string>>> zone;  // name, type, values
  std::set<std::string> failing;                                                // "name" or "name/TYPE"
  unsigned asked = 0;

  void add(const std::string& name, const std::string& type, const std::string& value) {
    zone[key(name)][type].push_back(value);
  }
  static std::string key(std::string_view name) {
    auto text = postern::mail::lowerAscii(name);
    if (text.ends_with('.')) text.pop_back();
    return text;
  }
  Strings ask(std::string_view name, const std::string& type, int depth = 0) {
    if (depth == 0) ++asked;
    const auto place = key(name);
    Strings answer;
    const auto found = zone.find(place);
    if (found != zone.end()) {
      if (const auto alias = found->second.find("CNAME"); alias != found->second.end() && depth < 10)
        return ask(alias->second.front(), type, depth + 1);
      if (const auto records = found->second.find(type); records != found->second.end()) {
        answer.outcome = Outcome::Found;
        answer.records = records->second;
        return answer;
      }
    }
    if (failing.count(place) || failing.count(place + "/" + type)) return answer;
    answer.outcome = found == zone.end() ? Outcome::NoName : Outcome::NoData;
    return answer;
  }
  Strings txt(std::string_view name) override { return ask(name, "TXT"); }
  Strings ipv4(std::string_view host) override { return ask(host, "A"); }
  Strings ipv6(std::string_view host) override { return ask(host, "AAAA"); }
  Strings pointers(std::string_view address) override { return ask(postern::mailauth::reverseName(address), "PTR"); }
  postern::net::DnsAnswer<postern::net::MxRecord> mx(std::string_view domain) override {
    const auto hosts = ask(domain, "MX");
    postern::net::DnsAnswer<postern::net::MxRecord> answer;
    answer.outcome = hosts.outcome;
    for (const auto& host : hosts.records) answer.records.push_back({10, host});
    return answer;
  }
};
