#include "cli/DirectoryVerbs.h"

#include "cli/Render.h"

#include <nlohmann/json.hpp>
#include <ostream>

namespace postern::cli {

using nlohmann::json;

namespace {

using Kind = Parameter::Kind;
using Type = Parameter::Type;

const Parameter Name{Kind::Positional, "name", "name", "what it is called here: small letters, digits, - and .", true};
const Parameter Address{Kind::Positional, "address", "address", "the member's address", true};
const Parameter Preview{Kind::Flag, "--preview", "preview", "tell what it would change, and change nothing",
                        false,      Type::Truth};

void renderPlace(std::ostream& out, const json& place) {
  out << place.at("place").get<std::string>() << ": " << place.at("outcome").get<std::string>() << "\n";
  for (const auto& key : place.at("keys"))
    out << "  " << key.at("fingerprint").get<std::string>() << (key.at("usable") ? "" : "  (cannot be used)") << "\n";
}

void renderLookup(std::ostream& out, const json& result) {
  for (const auto& place : result.at("places")) renderPlace(out, place);
  const auto found = result.at("found").get<std::uint64_t>();
  if (found > 0)
    out << found << (found == 1 ? " key is" : " keys are") << " new; see: postern key list "
        << result.at("address").get<std::string>() << "\n";
}

void renderDirectories(std::ostream& out, const json& result) {
  auto rows = result.at("items");
  for (auto& row : rows) {
    std::string domains;
    for (const auto& domain : row.at("domains")) domains += (domains.empty() ? "" : " ") + domain.get<std::string>();
    row["for"] = domains;
    row["keys"] = row.at("authoritative") ? "in use at once" : "proposed";
  }
  renderTable(out, rows, {{"NAME", "name"}, {"WHERE", "url"}, {"FOR", "for"}, {"ITS KEYS ARE", "keys"}},
              "No directories. Add one with: postern directory add");
}

void renderAuthorities(std::ostream& out, const json& result) {
  const auto settings = result.at("fromSettings").get<std::string>();
  if (!settings.empty()) out << "besides those in " << settings << " (smime.certificate_authorities):\n";
  renderTable(
      out, result.at("items"),
      {{"AUTHORITY", "subject"}, {"UNTIL", "notAfterAt"}, {"BY", "addedBy"}, {"FINGERPRINT", "fingerprint"}},
      settings.empty() ? "No authorities: certificates are trusted by whoever imports them." : "No other authorities.");
}

void renderTrust(std::ostream& out, const json& result) {
  const auto& effect = result.at("effect");
  const bool done = result.at("done");
  out << result.at("subject").get<std::string>() << "\n  " << result.at("fingerprint").get<std::string>() << "\n"
      << effect.at("gained") << (done ? " keys can be used now" : " keys could be used then") << " that could not, "
      << effect.at("lost") << (done ? " cannot be used any more" : " could not be used any more") << "\n";
  if (!done) out << "nothing is changed\n";
}

}  // namespace

std::vector<OrderVerb> directoryVerbs() {
  return {
      {"key", "lookup", "key.lookup", "Looks for a member's key in directories now.", {Address}, renderLookup},
      {"directory",
       "add",
       "directory.add",
       "Names an LDAP directory where keys are looked for; the same name again replaces it.",
       {Name,
        {Kind::Positional, "url", "url", "ldaps://host, or ldap://host with StartTLS", true},
        {Kind::Positional, "domains", "domains", "for whose people it is asked, with commas between", true},
        {Kind::Option, "--base", "base", "where the search begins, as in ou=people,dc=example,dc=org"},
        {Kind::Option, "--filter", "filter",
         "what finds one person; %a: address, %l: local part, %d: domain ((mail=%a))"},
        {Kind::Option, "--attributes", "attributes", "where the keys are, with commas between"},
        {Kind::Option, "--bind", "bindName", "the name to ask as; nobody"},
        {Kind::FileContent, "--password-file", "password", "file with the password of that name"},
        {Kind::FileContent, "--authorities", "authorities", "CA certificates of the directory's own TLS (PEM)"},
        {Kind::Flag, "--authoritative", "authoritative", "its keys are in use at once, not proposed", false,
         Type::Truth}},
       [](std::ostream& out, const json& result) { renderRecord(out, result); }},
      {"directory", "list", "directory.list", "Shows the directories.", {}, renderDirectories},
      {"directory",
       "remove",
       "directory.remove",
       "Asks a directory no more; keys that came from it stay.",
       {Name},
       [](std::ostream& out, const json&) { out << "removed\n"; }},
      {"directory",
       "test",
       "directory.test",
       "Asks a directory for one address and keeps nothing.",
       {Name, Address},
       renderPlace},
      {"trust",
       "add",
       "trust.add",
       "Trusts an authority; all certificates are looked at again.",
       {{Kind::FileContent, "file", "certificate", "certificate of the authority: PEM or DER", true}, Preview},
       renderTrust},
      {"trust", "list", "trust.list", "Shows the authorities that people trust.", {}, renderAuthorities},
      {"trust",
       "remove",
       "trust.remove",
       "Trusts an authority no more; all certificates are looked at again.",
       {{Kind::Positional, "fingerprint", "fingerprint", "fingerprint, or its beginning", true},
        Preview,
        {Kind::Flag, "--last", "last",
         "also when no authority is left, so that certificates count by their import alone", false, Type::Truth}},
       renderTrust},
  };
}

}  // namespace postern::cli
