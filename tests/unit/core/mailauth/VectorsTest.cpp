#include "core/mailauth/Authentication.h"
#include "tests/unit/core/mailauth/FakeDns.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>

// The suites that others publish, as tools/auth-vectors makes them readable. They are not part of the source.

using namespace postern;
using namespace postern::mailauth;
using nlohmann::json;

namespace {

std::optional<json> suite(const std::string& name) {
  const char* folder = std::getenv("POSTERN_AUTH_VECTORS");
  if (!folder) {
    std::cout << name << ": not run, POSTERN_AUTH_VECTORS names no folder (docs/testing.md)\n";
    return std::nullopt;
  }
  const auto file = std::filesystem::path(folder) / (name + ".json");
  if (!std::filesystem::exists(file)) {
    std::cout << name << ": not run, it is not in " << folder << "\n";
    return std::nullopt;
  }
  return json::parse(std::ifstream(file));
}

std::string joined(const json& value) {
  if (!value.is_array()) return value.get<std::string>();
  std::string text;
  for (const auto& part : value) text += part.get<std::string>();
  return text;
}

FakeDns zoneOf(const json& zonedata) {
  FakeDns dns;
  for (const auto& [name, records] : zonedata.items()) {
    bool ownTxt = false;
    for (const auto& record : records) ownTxt = ownTxt || (record.is_object() && record.contains("TXT"));
    dns.zone[FakeDns::key(name)];
    for (const auto& record : records) {
      if (record.is_string()) {
        dns.failing.insert(FakeDns::key(name));
        continue;
      }
      const auto type = record.begin().key();
      const auto& value = record.begin().value();
      if (type == "MX") {
        if (const auto host = value[1].get<std::string>(); !host.empty()) dns.add(name, type, host);
      } else if (type == "SPF") {
        if (!ownTxt) dns.add(name, "TXT", joined(value));
      } else if (joined(value) != "NONE") {
        dns.add(name, type, joined(value));
      }
    }
  }
  return dns;
}

bool isExpected(const json& expected, const std::string& outcome) {
  if (!expected.is_array()) return expected == outcome;
  return std::any_of(expected.begin(), expected.end(), [&](const auto& one) { return one == outcome; });
}

FakeDns keysOf(const json& records) {
  FakeDns dns;
  for (const auto& [name, text] : records.items()) dns.add(name, "TXT", text.get<std::string>());
  return dns;
}

std::string withCrlf(const std::string& text) {
  std::string result;
  for (const char c : text) result += c == '\n' ? std::string("\r\n") : std::string(1, c);
  return result;
}

std::set<std::string> partsOf(std::string_view value) {
  const auto compact = withoutBlanks(value);
  std::set<std::string> parts;
  for (std::size_t at = 0; at < compact.size();) {
    const auto end = std::min(compact.find(';', at), compact.size());
    parts.insert(compact.substr(at, end - at));
    at = end + 1;
  }
  return parts;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(core_mailauth_Vectors)

BOOST_AUTO_TEST_CASE(spf_suite_of_rfc_7208) {
  const auto scenarios = suite("rfc7208-tests");
  if (!scenarios) return;
  unsigned passed = 0, all = 0;
  for (const auto& scenario : *scenarios) {
    for (const auto& [name, test] : scenario["tests"].items()) {
      auto dns = zoneOf(scenario["zonedata"]);
      const auto result = checkSpf(dns, {test["host"], test["mailfrom"], test["helo"], "receiver.example"});
      ++all;
      const bool right = isExpected(test["result"], wordFor(result.outcome));
      auto text = test.contains("explanation") ? test["explanation"].get<std::string>() : std::string();
      if (text == "DEFAULT") text.clear();
      const bool told = !test.contains("explanation") || text == result.explanation;
      BOOST_CHECK_MESSAGE(right && told, name << ": " << wordFor(result.outcome) << " not " << test["result"] << " "
                                              << result.problem << " '" << result.explanation << "' not '" << text
                                              << "'");
      if (right && told) ++passed;
    }
  }
  std::cout << "SPF, RFC 7208 suite: " << passed << " of " << all << " cases passed\n";
}

BOOST_AUTO_TEST_CASE(arc_chains_of_valimail) {
  const auto scenarios = suite("arc-draft-validation-tests");
  if (!scenarios) return;
  unsigned passed = 0, all = 0, open = 0;
  for (const auto& scenario : *scenarios) {
    for (const auto& [name, test] : scenario["tests"].items()) {
      auto dns = keysOf(scenario["txt-records"]);
      const auto message = withCrlf(test["message"]);
      const auto header = mail::HeaderBlock::scan(message);
      const auto result = verifyArc(dns, *header, std::string_view(message).substr(header->bodyOffset()));
      ++all;
      const auto expected = mail::lowerAscii(test["cv"].get<std::string>());
      if (expected.empty()) {
        ++open;  // the suite leaves the answer to the reader
        continue;
      }
      BOOST_CHECK_MESSAGE(expected == wordFor(result.outcome),
                          name << ": " << wordFor(result.outcome) << " not " << expected << ": " << result.reason);
      if (expected == wordFor(result.outcome)) ++passed;
    }
  }
  std::cout << "ARC, validation: " << passed << " of " << all << " cases passed, " << open << " without an answer\n";
}

BOOST_AUTO_TEST_CASE(arc_seals_of_valimail) {
  const auto scenarios = suite("arc-draft-sign-tests");
  if (!scenarios) return;
  unsigned passed = 0, all = 0;
  for (const auto& scenario : *scenarios) {
    for (const auto& [name, test] : scenario["tests"].items()) {
      auto dns = keysOf(scenario["txt-records"]);
      const auto message = withCrlf(test["message"]);
      const auto header = mail::HeaderBlock::scan(message);
      const auto body = std::string_view(message).substr(header->bodyOffset());
      const std::string id = test["srv-id"];
      std::string results;
      for (const auto& field : header->fields())
        if (mail::equalsIgnoreCase(field.name, "Authentication-Results") && authservIdOf(field.value) == id)
          results += (results.empty() ? "" : "; ") + payloadOf(field.value);
      const ArcSealer sealer{scenario["domain"], scenario["sel"],
                             SigningKey::import(Secret(scenario["privatekey"].get<std::string>())), id};
      const auto time = test["t"].is_string() ? std::stoll(test["t"].get<std::string>()) : test["t"].get<long long>();
      const auto sealed = sealer.seal(*header, body, verifyArc(dns, *header, body).outcome, results,
                                      splitCompact(test["sig-headers"].get<std::string>(), ':'), time);
      ++all;
      bool right = true;
      const auto made = mail::HeaderBlock::scan(sealed);
      for (const auto& [tag, fieldName] : {std::pair{"AS", "ARC-Seal"}, std::pair{"AMS", "ARC-Message-Signature"},
                                           std::pair{"AAR", "ARC-Authentication-Results"}}) {
        const auto* field = made->find(fieldName);
        const bool same = partsOf(field ? field->value : "") == partsOf(test[tag].get<std::string>());
        BOOST_CHECK_MESSAGE(same,
                            name << " " << tag << ": " << (field ? field->value : "nothing") << " not " << test[tag]);
        right = right && same;
      }
      if (right) ++passed;
    }
  }
  std::cout << "ARC, seals: " << passed << " of " << all << " cases passed\n";
}

BOOST_AUTO_TEST_SUITE_END()
