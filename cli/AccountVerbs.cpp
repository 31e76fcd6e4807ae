#include "cli/AccountVerbs.h"

#include "cli/Render.h"

#include <nlohmann/json.hpp>

namespace postern::cli {

using nlohmann::json;

namespace {

using Kind = Parameter::Kind;
using Type = Parameter::Type;

void askedFor(std::ostream& out, const json& request) {
  if (request.value("lone", false))
    out << "Waits seven days, as request " << request.at("id") << "; the outside address is told.\n";
  else
    out << "Waits for an approver, as request " << request.at("id") << ".\n";
}
void link(std::ostream& out, const json& result) {
  if (result.contains("request")) return askedFor(out, result.at("request"));
  out << result.at("url").get<std::string>() << "\n";
}
// Said beside what was done at once: the last other person is out, and one alone decides only later.
void oneIsLeft(std::ostream& out, const json& request) {
  out << "One person is left. That person decides nothing alone until request " << request.at("id")
      << " has had its seven days; the outside address is told.\n";
}
void record(std::ostream& out, json result) {
  if (!result.contains("request")) return renderRecord(out, result);
  const auto request = result.at("request");
  if (!result.contains("name")) return askedFor(out, request);
  result.erase("request");
  renderRecord(out, result);
  oneIsLeft(out, request);
}
std::function<void(std::ostream&, const json&)> table(std::vector<Column> columns, const char* empty) {
  return [columns = std::move(columns), empty](std::ostream& out, const json& result) {
    renderTable(out, result.at("items"), columns, empty);
  };
}

const Parameter Name{Kind::Positional, "name", "name", "name of the account", true};
const Parameter RolesOption{
    Kind::Option, "--roles", "roles",
    "of admin, officer, approver, auditor, custodian, owner, helpdesk, member; apart by commas"};
const Parameter Lists{Kind::Option, "--lists", "lists", "lists of an owner, apart by commas"};
const Parameter Reason{Kind::Option, "--reason", "reason", "why, for the approver where one must agree"};
const Parameter Mail{Kind::Option, "--mail", "mail", "mail address of the person"};

std::vector<OrderVerb> userVerbs() {
  auto wantedRoles = RolesOption;
  wantedRoles.required = true;
  const auto people = table({{"NAME", "name"},
                             {"ROLES", "roles"},
                             {"STATE", "state"},
                             {"SINCE", "createdAt"},
                             {"LAST SIGN-IN", "lastSignInAt"}},
                            "No accounts yet. Make the set-up link with: postern user setup-link");
  return {
      {"user", "setup-link", "user.setup-link", "Makes the one-time link that creates the first account.", {}, link},
      {"user", "list", "account.list", "Shows the people who may sign in.", {}, people},
      {"user", "show", "account.show", "Shows one account with its factors.", {Name}, record},
      {"user",
       "invite",
       "account.invite",
       "Makes the one-time link by which a person gets an account.",
       {Name, wantedRoles, Lists, Mail, Reason},
       link},
      {"user",
       "set",
       "account.set",
       "Changes what a person may do.",
       {Name, RolesOption, Lists, Mail, {Kind::Option, "--state", "state", "enabled or disabled"}, Reason},
       record},
      {"user",
       "disable",
       "account.disable",
       "Shuts a person out: sessions, tokens and links end.",
       {Name, Reason},
       [](std::ostream& out, const json& result) {
         out << "disabled\n";
         if (result.contains("request")) oneIsLeft(out, result.at("request"));
       }},
      {"user",
       "recover",
       "account.recover",
       "Makes a new link for a person who lost password or factors.",
       {Name, Reason},
       link},
  };
}

std::vector<OrderVerb> sessionVerbs() {
  auto whose = Name;
  whose.required = false;
  return {
      {"session",
       "list",
       "session.list",
       "Shows who is signed in to the web UI.",
       {whose},
       table({{"ACCOUNT", "account"},
              {"REF", "ref"},
              {"FROM", "client"},
              {"BROWSER", "agent"},
              {"SINCE", "createdAt"},
              {"LAST ACT", "lastSeenAt"}},
             "Nobody is signed in.")},
      {"session",
       "end",
       "session.end",
       "Signs a person out: one session, or all of them.",
       {Name, {Kind::Option, "--ref", "ref", "the session, as session list shows it"}},
       [](std::ostream& out, const json& result) { out << "ended " << result.at("ended") << "\n"; }},
  };
}

std::vector<OrderVerb> tokenVerbs() {
  const Parameter id{Kind::Positional, "id", "id", "the token", true};
  return {
      {"token",
       "list",
       "token.list",
       "Shows the access tokens of the person of --token-file.",
       {},
       table(
           {{"ID", "id"}, {"NAME", "name"}, {"SCOPES", "scopes"}, {"UNTIL", "expiresAt"}, {"LAST USED", "lastUsedAt"}},
           "No tokens. They are made in the web UI, under your account.")},
      {"token",
       "revoke",
       "token.revoke",
       "Ends an access token.",
       {id},
       [](std::ostream& out, const json&) { out << "revoked\n"; }},
      {"emergency",
       "seal",
       "break-glass.seal",
       "Makes a sealed emergency account and writes its code, once.",
       {},
       [](std::ostream& out, const json& result) { out << result.at("code").get<std::string>() << "\n"; }},
      {"emergency",
       "list",
       "break-glass.list",
       "Shows the sealed accounts and who opened one.",
       {},
       table({{"ID", "id"},
              {"ACCOUNT", "account"},
              {"SEALED", "sealedAt"},
              {"OPENED", "openedAt"},
              {"FOR", "openedFor"},
              {"REVIEWED", "reviewedAt"}},
             "No sealed accounts. Make one with: postern emergency seal")},
  };
}

}  // namespace

std::vector<OrderVerb> accountVerbs() {
  auto all = userVerbs();
  for (auto verbsOf : {sessionVerbs, tokenVerbs})
    for (auto& verb : verbsOf()) all.push_back(std::move(verb));
  return all;
}

}  // namespace postern::cli
