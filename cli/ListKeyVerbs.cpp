#include "cli/ListKeyVerbs.h"

#include "cli/Render.h"

#include <nlohmann/json.hpp>
#include <ostream>

namespace postern::cli {

using nlohmann::json;

namespace {

using Kind = Parameter::Kind;
using Type = Parameter::Type;

const Parameter ListName{Kind::Positional, "address", "address", "the list", true};
const Parameter Overlap{Kind::Option, "--overlap-days", "overlapDays", "how long the former key opens mail (30)",
                        false,        Type::Number};

void renderText(std::ostream& out, const json& result) {
  out << result.at(result.contains("request") ? "request" : "text").get<std::string>();
}

void renderRecordOf(std::ostream& out, const json& result) {
  renderRecord(out, result);
}

void renderHistory(std::ostream& out, const json& result) {
  renderTable(out, result.at("items"),
              {{"KIND", "kind"},
               {"STATE", "state"},
               {"FINGERPRINT", "fingerprint"},
               {"SINCE", "madeAt"},
               {"UNTIL", "endsAt"},
               {"MEMBERS TOLD", "announcedAt"}},
              "The list has no keys but those in use.");
}

}  // namespace

std::vector<OrderVerb> listKeyVerbs() {
  return {
      {"list",
       "key-show",
       "list.key-show",
       "Shows the keys of a list: in use, requested, former.",
       {ListName},
       renderRecordOf},
      {"list",
       "key-history",
       "list.key-history",
       "Shows the keys that a list had, newest first.",
       {ListName},
       renderHistory},
      {"list",
       "key-export",
       "list.key-export",
       "Writes the certificate of a list with its chain, or its OpenPGP key, as text.",
       {ListName, {Kind::Option, "--kind", "kind", "smime or openpgp (smime)"}},
       renderText},
      {"list",
       "key-request",
       "list.key-request",
       "Makes a key and writes the request (PKCS#10) for a CA to certify; nothing changes until key-import.",
       {ListName},
       renderText},
      {"list",
       "key-import",
       "list.key-import",
       "Puts the certificate into use that a CA made of a request.",
       {ListName,
        {Kind::FileContent, "file", "certificate", "what the CA sent, with the CA's certificates: PEM, DER or p7b",
         true},
        Overlap},
       renderRecordOf},
      {"list",
       "key-rotate",
       "list.key-rotate",
       "Gives a list a new key; the former one opens mail for a while, and members are told.",
       {ListName,
        {Kind::Positional, "kind", "kind", "smime or openpgp", true},
        Overlap,
        {Kind::Flag, "--self-signed", "selfSigned", "also where a CA issued the certificate now in use", false,
         Type::Truth}},
       renderRecordOf},
      {"list",
       "key-publish",
       "list.key-publish",
       "Says whether strangers may have the public keys of a list, by a page, by mail and the web key directory.",
       {ListName, {Kind::Positional, "publish", "publish", "yes or no", true}},
       renderRecordOf},
  };
}

}  // namespace postern::cli
