#include "cli/OrderVerbs.h"

#include "cli/AccountVerbs.h"
#include "cli/AuditVerbs.h"
#include "cli/BackupVerbs.h"
#include "cli/DirectoryVerbs.h"
#include "cli/DkimVerbs.h"
#include "cli/KeysVerbs.h"
#include "cli/ListKeyVerbs.h"
#include "cli/MatterVerbs.h"
#include "cli/PickupVerbs.h"
#include "cli/PolicyVerbs.h"
#include "cli/ProbeVerbs.h"
#include "cli/ProtectionVerbs.h"
#include "cli/QuarantineVerbs.h"
#include "cli/QueueVerbs.h"
#include "cli/Render.h"
#include "cli/Reports.h"
#include "cli/ReportVerbs.h"
#include "cli/RetentionVerbs.h"
#include "cli/SearchVerbs.h"
#include "cli/SourceVerbs.h"
#include "cli/SubscriptionVerbs.h"
#include "cli/TlsReportVerbs.h"
#include "cli/WebhookVerbs.h"

#include <nlohmann/json.hpp>

namespace postern::cli {

using nlohmann::json;

namespace {

using Kind = Parameter::Kind;
using Type = Parameter::Type;
using Renderer = std::function<void(std::ostream&, const json&)>;

Parameter wanted(const char* name, const char* field, const char* doc) {
  return {Kind::Positional, name, field, doc, true};
}
Parameter maybe(const char* name, const char* field, const char* doc) {
  return {Kind::Positional, name, field, doc, false};
}
Parameter option(const char* name, const char* field, const char* doc) {
  return {Kind::Option, name, field, doc};
}
Parameter number(const char* name, const char* field, const char* doc) {
  return {Kind::Option, name, field, doc, false, Type::Number};
}
Parameter flag(const char* name, const char* field, const char* doc) {
  return {Kind::Flag, name, field, doc, false, Type::Truth};
}
Parameter fileContent(const char* name, const char* field, const char* doc) {
  return {Kind::FileContent, name, field, doc, true};
}

Renderer table(std::vector<Column> columns, const char* empty) {
  return [columns = std::move(columns), empty](std::ostream& out, const json& result) {
    renderTable(out, result.at("items"), columns, empty);
    const auto next = result.value("next", "");
    if (!next.empty()) out << "(more: --after " << next << ")\n";
  };
}

void record(std::ostream& out, const json& result) {
  renderRecord(out, result);
}

Renderer done(const char* what) {
  return [what](std::ostream& out, const json&) { out << what << "\n"; };
}

void renderName(std::ostream& out, const json& result) {
  auto facts = result;
  facts.erase("networks");
  facts.erase("days");
  renderRecord(out, facts);
  out << "\n";
  renderTable(out, result.at("networks"),
              {{"CLIENTS", "network"}, {"LAST USE", "lastUseAt"}, {"SESSIONS", "sessions"}, {"MESSAGES", "messages"}},
              "Nobody has come by this name.");
  out << "\n";
  renderTable(out, result.at("days"),
              {{"DAY", "day"}, {"SESSIONS", "sessions"}, {"MESSAGES", "messages"}, {"REFUSED", "refused"}}, "");
}

const Parameter ListAddress = wanted("list", "list", "address of the list");
const Parameter MemberAddress = wanted("address", "address", "address of the member");
const Parameter Fingerprint = wanted("fingerprint", "fingerprint", "fingerprint, or its beginning");
const Parameter Limit = number("--limit", "limit", "most rows to show");
const Parameter After = option("--after", "after", "go on after this row");

std::vector<OrderVerb> siteVerbs() {
  return {
      {"status",
       "",
       "status",
       "Shows whether all is well and what to do where it is not.",
       {flag("--check", "", "exit 1 when something is wrong that cannot wait")},
       reportStatus},
      {"domain",
       "add",
       "domain.add",
       "Receives mail for a domain of lists.",
       {wanted("name", "name", "the domain, as in lists.example.org")},
       record},
      {"domain",
       "list",
       "domain.list",
       "Shows the domains.",
       {},
       table({{"DOMAIN", "name"}, {"LISTS", "lists"}, {"SINCE", "createdAt"}},
             "No domains. Add one with: postern domain add lists.example.org")},
      {"domain", "show", "domain.show", "Shows one domain.", {wanted("name", "name", "the domain")}, record},
      {"domain",
       "remove",
       "domain.remove",
       "Stops receiving for a domain that has no lists.",
       {wanted("name", "name", "the domain")},
       done("removed")},
      {"relay",
       "add",
       "relay.add",
       "Lets servers hand over marked mail for recipients elsewhere, to be sent protected.",
       {wanted("range", "range", "addresses of the servers, as in 192.0.2.0/24; any, with a certificate"),
        wanted("domain", "domain", "the domain of the senders"),
        wanted("list", "list", "the secure list by whose rules it is protected and kept"),
        {Kind::FileContent, "--certificate", "certificate", "file with the certificate that they must show"},
        option("--fingerprint", "fingerprint", "SHA-256 of that certificate, in place of the file"),
        option("--issuer", "issuer", "or who issued it, as openssl x509 -issuer -nameopt RFC2253 shows"),
        option("--name", "name", "and the host name that it is for")},
       record},
      {"relay",
       "list",
       "relay.list",
       "Shows who may hand over mail.",
       {},
       table({{"RANGE", "range"},
              {"DOMAIN", "domain"},
              {"LIST", "list"},
              {"FINGERPRINT", "fingerprint"},
              {"ISSUER", "issuer"},
              {"NAME", "name"}},
             "No relays: only mail for lists is taken.")},
      {"relay",
       "remove",
       "relay.remove",
       "Takes no more such mail from these servers.",
       {wanted("range", "range", "addresses of the servers"), wanted("domain", "domain", "the domain of the senders"),
        option("--fingerprint", "fingerprint", "of its certificate, where several have these addresses"),
        option("--name", "name", "for which its certificate is, likewise")},
       done("removed")},
      {"hostname",
       "list",
       "hostname.list",
       "Shows the other names of this server, and whether they are still used.",
       {},
       table({{"NAME", "name"},
              {"STATE", "state"},
              {"RETIRES", "retires"},
              {"CERTIFICATE ENDS", "certificateEndsAt"},
              {"LAST USE", "lastUseAt"},
              {"MESSAGES", "messages"},
              {"REFUSED", "refused"}},
             "This server has one name. Others stand in [[gateway.alias]] of postern.toml.")},
      {"hostname",
       "show",
       "hostname.show",
       "Shows who still uses another name of this server.",
       {wanted("name", "name", "the other name")},
       renderName},
      {"route",
       "add",
       "route.add",
       "Sends mail for a domain to a next hop instead of its MX.",
       {wanted("domain", "domain", "the domain; * for all others"),
        wanted("host", "host", "the hop: HOST[:PORT], or several with commas, tried in order"),
        number("--port", "port", "port of hops without one (25)"),
        option("--tls", "tls", "opportunistic, required or verified (opportunistic)")},
       record},
      {"route",
       "list",
       "route.list",
       "Shows the next hops.",
       {},
       table({{"DOMAIN", "domain"}, {"HOST", "host"}, {"PORT", "port"}, {"TLS", "tls"}},
             "No routes: every domain is reached by its MX.")},
      {"route",
       "remove",
       "route.remove",
       "Goes back to the MX of a domain.",
       {wanted("domain", "domain", "the domain")},
       done("removed")},
  };
}

std::vector<Parameter> withShape(std::vector<Parameter> parameters) {
  for (auto& parameter : std::vector<Parameter>{
           option("--posting", "posting", "who may post: members or anyone"),
           option("--prefix", "subjectPrefix", "put in front of subjects, as in [Board]"),
           option("--footer", "footer", "text under each post that its author neither signed nor encrypted"),
           option("--reply-to", "replyTo",
                  "where answers go: author, asked (as the author's Reply-To says), list or both"),
           option("--language", "language",
                  "in which people are written to about the list: en, de, fr, es, or site (as [site] language says)"),
           option("--author", "author",
                  "whom readers see: via (the author via the list), own (the author, where this site signs for the "
                  "author's domain) or nobody (an anonymous list)")})
    parameters.push_back(std::move(parameter));
  return parameters;
}

std::vector<OrderVerb> listVerbs() {
  return {
      {"list", "create", "list.create", "Makes a list.",
       withShape({wanted("address", "address", "as in board@lists.example.org"),
                  flag("--secure", "secure", "nothing leaves unencrypted; cannot be undone"),
                  option("--name", "displayName", "name shown to readers"),
                  option("--description", "description", "one line"),
                  option("--class", "class", "low, moderate or high")}),
       record},
      {"list",
       "list",
       "list.list",
       "Shows the lists.",
       {Limit, After},
       table({{"LIST", "address"},
              {"SECURE", "secure"},
              {"STATE", "state"},
              {"MEMBERS", "members"},
              {"READY", "readiness.ready"},
              {"WITHHELD", "readiness.withheld"}},
             "No lists. Make one with: postern list create board@lists.example.org --secure")},
      {"list", "show", "list.show", "Shows one list.", {wanted("address", "address", "the list")}, record},
      {"list", "set", "list.set", "Changes settings of a list.",
       withShape({wanted("address", "address", "the list"), option("--name", "displayName", "name shown to readers"),
                  option("--description", "description", "one line"),
                  option("--class", "class", "low, moderate or high")}),
       record},
      {"list",
       "close",
       "list.close",
       "Closes a list: it takes no posts; nothing is deleted.",
       {wanted("address", "address", "the list")},
       record},
      {"list",
       "readiness",
       "list.readiness",
       "Shows how the next post would reach the members, and who would not.",
       {wanted("address", "address", "the list")},
       reportReadiness},
  };
}

std::vector<OrderVerb> memberVerbs() {
  return {
      {"member",
       "add",
       "member.add",
       "Adds a member to a list.",
       {ListAddress, MemberAddress, option("--name", "name", "name of the person")},
       record},
      {"member",
       "remove",
       "member.remove",
       "Takes a member off a list.",
       {ListAddress, MemberAddress},
       done("removed")},
      {"member",
       "list",
       "member.list",
       "Shows the members with how a post would reach each.",
       {ListAddress, Limit, After, option("--filter", "filter", "part of the address or name")},
       table({{"ADDRESS", "address"},
              {"NAME", "name"},
              {"STATE", "state"},
              {"PROTECTION", "protection"},
              {"REASON", "reason"},
              {"KEY", "key.fingerprint"},
              {"UNTIL", "key.notAfterAt"}},
             "No members. Add one with: postern member add LIST ADDRESS")},
      {"member",
       "set",
       "member.set",
       "Changes a member.",
       {ListAddress,
        MemberAddress,
        option("--name", "name", "name of the person"),
        option("--state", "state", "enabled or disabled"),
        option("--wish", "wish", "the weakest protection that the member wants: none, tls, pickup, openpgp or smime"),
        option("--delivery", "delivery", "each, or none: gets no copies but may post"),
        {Parameter::Kind::Option, "--paused-from", "pausedFrom", "no copies from then (microseconds since 1970)", false,
         Parameter::Type::Number},
        {Parameter::Kind::Option, "--paused-until", "pausedUntil", "until then; 0 ends the pause", false,
         Parameter::Type::Number}},
       record},
      {"member",
       "import",
       "member.import",
       "Adds members from a CSV file (address,name).",
       {ListAddress, fileContent("file", "csv", "CSV file, - for standard input"),
        flag("--dry-run", "dryRun", "say what would happen, change nothing")},
       reportImport},
      {"member",
       "export",
       "member.export",
       "Writes the members as CSV.",
       {ListAddress},
       [](std::ostream& out, const json& result) { out << result.at("csv").get<std::string>(); }},
  };
}

void renderKeyWork(std::ostream& out, const json& result) {
  out << "Keys that wait for a decision: " << result.at("counts").at("proposals") << "\n";
  renderTable(out, result.at("proposals"),
              {{"LIST", "list"}, {"ADDRESS", "address"}, {"FINGERPRINT", "fingerprint"}, {"ORIGIN", "origin"}}, "");
  out << "Members who get no copies: " << result.at("counts").at("withheld") << "\n";
  renderTable(out, result.at("withheld"), {{"LIST", "list"}, {"ADDRESS", "address"}, {"REASON", "reason"}}, "");
  out << "Keys that end within 30 days: " << result.at("counts").at("ending") << "\n";
  renderTable(out, result.at("ending"), {{"LIST", "list"}, {"ADDRESS", "address"}, {"UNTIL", "notAfterAt"}}, "");
}

std::vector<OrderVerb> keyVerbs() {
  return {
      {"key",
       "import",
       "key.import",
       "Takes a member's S/MIME certificate or OpenPGP key (text or binary file) into use.",
       {MemberAddress, fileContent("file", "certificate", "file of the certificate or key, - for standard input")},
       record},
      {"key",
       "list",
       "key.list",
       "Shows the members' keys.",
       {maybe("address", "address", "only of this address"),
        option("--state", "state", "proposed, confirmed or revoked"), Limit, After},
       table({{"FINGERPRINT", "fingerprint"},
              {"ADDRESS", "address"},
              {"KIND", "kind"},
              {"ALGORITHM", "algorithm"},
              {"STATE", "standing"},
              {"ORIGIN", "origin"},
              {"REASON", "reason"},
              {"ISSUER SAYS", "issuerSays"},
              {"UNTIL", "notAfterAt"}},
             "No keys. Import one with: postern key import ADDRESS FILE")},
      {"key", "show", "key.show", "Shows one key.", {Fingerprint}, record},
      {"key",
       "confirm",
       "key.confirm",
       "Takes a proposed key into use.",
       {Fingerprint, maybe("address", "address", "whose it is, when it is on file for several")},
       record},
      {"key",
       "work",
       "key.work",
       "Shows what needs a hand: proposed keys, members without a copy, keys that end.",
       {option("--list", "list", "only of this list")},
       renderKeyWork},
      {"key",
       "refuse",
       "key.refuse",
       "Takes a proposed key away; mail does not propose it again.",
       {Fingerprint, maybe("address", "address", "whose it is, when it is on file for several")},
       record},
      {"key", "revoke", "key.revoke", "Never uses a key again.", {Fingerprint}, record},
      {"key", "check", "key.check", "Checks a key as the next post would.", {Fingerprint}, record},
      {"key",
       "check-all",
       "key.check-all",
       "Checks all keys, as each night.",
       {option("--list", "list", "only keys of its members")},
       record,
       true},
  };
}

std::vector<OrderVerb> mailVerbs() {
  return {
      {"trace",
       "",
       "trace",
       "Shows what became of a message, recipient by recipient.",
       {maybe("id", "id", "trace id, Message-ID or post id"), option("--id", "id", "the same")},
       reportTrace},
      {"post",
       "list",
       "post.list",
       "Shows the latest posts.",
       {maybe("list", "list", "only of this list"), Limit, option("--before", "before", "older than this post")},
       table({{"POST", "id"},
              {"LIST", "list"},
              {"RECEIVED", "receivedAt"},
              {"RECIPIENTS", "recipients"},
              {"DELIVERED", "delivered"},
              {"WAITING", "deferred"},
              {"FAILED", "failed"},
              {"WITHHELD", "withheld"}},
             "No posts yet.")},
  };
}

}  // namespace

// Each subject has its own; add it here, one on a line.
// clang-format off
const std::vector<OrderVerb>& orderVerbs() {
  static const std::vector<OrderVerb> verbs = [] {
    std::vector<OrderVerb> all;
    for (auto verbsOf : {
             siteVerbs,
             accountVerbs,
             listVerbs,
             memberVerbs,
             keyVerbs,
             mailVerbs,
             queueVerbs,
             keysVerbs,
             auditVerbs,
             matterVerbs,
             retentionVerbs,
             searchVerbs,
             reportVerbs,
             protectionVerbs,
             probeVerbs,
             pickupVerbs,
             listKeyVerbs,
             directoryVerbs,
             tlsReportVerbs,
             backupVerbs,
             dkimVerbs,
             quarantineVerbs,
             subscriptionVerbs,
             sourceVerbs,
             webhookVerbs,
             policyVerbs,
         })
      for (auto& verb : verbsOf()) all.push_back(std::move(verb));
    return all;
  }();
  return verbs;
}
// clang-format on

}  // namespace postern::cli
