#include "cli/DkimVerbs.h"

#include "cli/Render.h"

#include <nlohmann/json.hpp>

namespace postern::cli {

using nlohmann::json;

namespace {

using Kind = Parameter::Kind;

void renderKey(std::ostream& out, const json& key) {
  out << "The key " << key.value("selector", "") << " (" << key.value("kind", "") << ") of " << key.value("domain", "")
      << " is " << key.value("state", "") << ".\n";
  if (const auto advice = key.value("advice", ""); !advice.empty()) out << advice << "\n";
  out << "\nName:   " << key.value("name", "") << "\nType:   TXT\nValue:  " << key.value("record", "")
      << "\n\nAs a line of a zone file:\n"
      << key.value("zone", "") << "\n";
}

void renderKeys(std::ostream& out, const json& result) {
  renderTable(out, result.at("items"),
              {{"DOMAIN", "domain"},
               {"SELECTOR", "selector"},
               {"KIND", "kind"},
               {"FOR", "service"},
               {"STATE", "state"},
               {"IN DNS", "found"},
               {"LOOKED", "checkedAt"}},
              "No keys: mail leaves unsigned. Make one with: postern dkim add DOMAIN");
  for (const auto& key : result.at("items")) {
    const auto advice = key.value("advice", "");
    if (!advice.empty() && key.value("state", "") != "retired")
      out << "\n" << key.value("name", "") << ": " << advice << "\n";
  }
}

void renderMade(std::ostream& out, const json& result) {
  bool first = true;
  for (const auto& key : result.at("items")) {
    if (!first) out << "\n";
    first = false;
    renderKey(out, key);
  }
}

Parameter domain(bool required) {
  return {Kind::Positional, "domain", "domain", "the domain of the senders", required};
}

const Parameter Selector{Kind::Positional, "selector", "selector", "the key's name in the DNS", true};

}  // namespace

std::vector<OrderVerb> dkimVerbs() {
  return {
      {"dkim",
       "add",
       "dkim.add",
       "Makes a key that signs mail of a domain, and shows the DNS record to publish.",
       {domain(true),
        {Kind::Option, "--kind", "kind", "rsa (2048 bits, the default) or ed25519; both may sign side by side"},
        {Kind::Option, "--selector", "selector", "the key's name in the DNS; made when left out"},
        {Kind::Option, "--service", "service", "email (the default), or tlsrpt for reports on TLS"}},
       renderKey},
      {"dkim", "list", "dkim.list", "Lists the keys that sign mail.", {domain(false)}, renderKeys},
      {"dkim", "show", "dkim.show", "Shows a key's DNS record, ready to paste.", {domain(true), Selector}, renderKey},
      {"dkim",
       "rotate",
       "dkim.rotate",
       "Makes a new key beside each that is in use; it signs once its record is in the DNS.",
       {domain(true)},
       renderMade},
      {"dkim",
       "check",
       "dkim.check",
       "Looks up the DNS records now; a new key whose record is there is taken into use.",
       {domain(false)},
       renderKeys},
      {"dkim",
       "retire",
       "dkim.retire",
       "Destroys a key at once, as when somebody else may have it.",
       {domain(true), Selector},
       renderKey},
      {"dkim",
       "set",
       "dkim.set",
       "Says whether mail of a domain or list is signed.",
       {{Kind::Positional, "subject", "subject", "a domain, or the address of a list", true},
        {Kind::Positional, "signing", "signing",
         "on, off (where the next hop signs), required (mail waits rather than leaving unsigned) or default", true}},
       [](std::ostream& out, const json& result) { renderRecord(out, result); }},
      {"dkim",
       "switches",
       "dkim.switches",
       "Lists what was set for domains and lists.",
       {},
       [](std::ostream& out, const json& result) {
         renderTable(out, result.at("items"), {{"DOMAIN OR LIST", "subject"}, {"SIGNING", "signing"}},
                     "Nothing was set: mail is signed where its domain has a key in use.");
       }},
  };
}

}  // namespace postern::cli
