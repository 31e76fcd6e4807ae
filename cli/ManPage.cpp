#include "cli/ManPage.h"

#include "cli/OrderVerbs.h"

namespace postern::cli {

namespace {

struct SimpleVerb {
  const char* noun;
  const char* verb;
  const char* synopsis;
  const char* doc;
};

// The verbs that are no orders.
constexpr SimpleVerb SimpleVerbs[] = {
    {"init", "", "[--host-name NAME] [--smtp HOST:PORT]... [--smtps HOST:PORT]... [--web HOST:PORT]",
     "Makes a site in the data folder."},
    {"run", "", "", "Runs all processes of the site until stopped."},
    {"reload", "", "",
     "Has the running processes read postern.toml again, whole or not at all, while sessions are open. What is wrong "
     "is "
     "said with line and column and nothing is changed; else it says which settings need a restart."},
    {"certificate", "acme", "[--mail ADDRESS] [--domain NAME]... [--server URL] [--http-port PORT] [--agree]",
     "Gets a TLS certificate by ACME with the program lego, and installs it. Without options it renews what was got by "
     "the same wishes, when it has less than 30 days: for cron."},
    {"certificate", "install", "CERTIFICATE KEY",
     "Checks that a TLS certificate and its key belong together and puts them in place; no restart is needed."},
    {"certificate", "server", "", "Shows the TLS certificate in place."},
    {"send", "", "FILE [--from ADDRESS] [--to ADDRESS]... [--secure [--as ACCOUNT] [--key KEY]]",
     "Hands a message to the site by SMTP, as a mail program would. With --secure it goes to people elsewhere, for "
     "each "
     "protected by the ladder of the list that a relay names for the sender's domain, or not at all. From must be the "
     "mail address of the account: of the token's, or on the server the one that --as names."},
    {"hops", "", "FILE [--own DOMAIN]...",
     "Tells of each hop of a message whether it was encrypted, as its Received lines record it, and what follows for "
     "the "
     "whole way. A hop without a record counts neither as plain nor as encrypted. Exit status 0: every hop between "
     "providers is recorded as encrypted; 1: otherwise."},
    {"tlsrpt", "", "FILE",
     "Shows a TLS report (RFC 8460) that another site has sent: for each of our domains the sessions that succeeded "
     "and failed, and why. FILE is the mail, or the report with or without gzip. Exit status 1: sessions failed."},
    {"probe", "", "DOMAIN",
     "Asks the mail servers of a domain for their TLS, certificates, MTA-STS and DANE. Exit status 1: mail to it "
     "cannot be "
     "sent over verified TLS."},
    {"export", "get", "ID FILE", "Writes the archive of an export to a file."},
    {"evidence", "get", "ID FILE", "Waits for an evidence pack and writes it, a ZIP file, to a new file."},
    {"config", "drift", "", "Shows settings that are not the defaults and policies that are not the shipped ones."},
    {"hardening", "", "",
     "Looks at settings, files and kernel of this machine for what would help an attacker; 1 when something is bad."},
    {"support-bundle", "", "FILE.tar.gz [--days N]",
     "Collects versions, settings, states, names of files and the journal; without mail, keys and local parts of "
     "addresses."},
    {"backup", "init", "", "Makes the repositories of section [backup] and their password."},
    {"backup", "create", "[--scheduled]",
     "Copies what changed into the repositories by restic, encrypted, keys apart; refused when a message has no key."},
    {"backup", "list", "[--repository R --keys-repository K --password-file FILE]",
     "Lists what is in the repositories."},
    {"backup", "verify", "[--all]", "Checks the repositories; with --all every stored byte."},
    {"backup", "drill", "[--scratch DIR] [--samples N] [--scheduled]",
     "Restores the newest backup aside, opens messages of it and verifies its audit log; removes it again."},
    {"backup", "restore",
     "--to DIR --reason TEXT --by NAME --second NAME [--root-key FILE] [--register FILE] [--anchors DIR] [--snapshot "
     "S]",
     "Makes a site from a backup in an empty folder; holds and destructions of the register are in force before it "
     "opens a "
     "port, and its audit log declares the roll-back."},
    {"keys", "backup", "FILE", "Writes a sealed backup of the keys to a new file."},
    {"keys", "verify", "FILE", "Opens a backup of the keys and every key in it."},
    {"keys", "restore", "FILE [--replace]",
     "Puts a backup of the keys in place while the site is stopped. With --replace keys that are there and not in the "
     "backup are lost."},
    {"job", "watch", "ID", "Shows how a job goes until it has ended."},
    {"report", "delivery",
     "[--post ID] [--recipient ADDRESS] [--list ADDRESS] [--from DAY] [--until DAY] [--csv|--html] [--out FILE]",
     "Tells by message and recipient how the mail came to us, what was done with it and how it left, of a post, a "
     "recipient, a list, or what these have in common. With --json, or --out alone, one signed document a line. Exit "
     "status 1: no message fits."},
    {"report", "verify", "FILE [--key PEM]",
     "Checks without a site that signed reports are unchanged and no page is missing. Exit status 1: they are not."},
    {"config", "check", "", "Checks postern.toml."},
    {"config", "show", "", "Shows every setting with its value and meaning."},
    {"policy", "check", "[FOLDER]", "Checks that the policies load."},
    {"policy", "test", "[FOLDER]", "Runs the cases of the policies."},
    {"policy", "explain",
     "FILE|--post ID [--client-ip ADDRESS] [--client-name NAME] [--helo NAME] [--mail-from ADDRESS] [--rcpt ADDRESS] "
     "[--tls] [--folder DIR|--revision N]",
     "Tells what each policy in force says to a message, in which time, and which decides for whom. Nothing is taken, "
     "counted or logged. Of a stored message the verdicts alone are shown."},
    {"policy", "reload", "[FOLDER] --reason TEXT",
     "Stores the policies of the folder and puts them in force. Exit status 1: a case fails, and what was in force "
     "stays."},
    {"policy", "store", "[FOLDER] [--note TEXT]", "Stores the policies of a folder without putting them in force."},
    {"policy", "shadow start", "[FOLDER|--revision N] [--hours N]",
     "Has a policy set judge live mail beside the one in force, for a time. It changes no outcome and delays nothing."},
    {"policy", "shadow stop", "", "Ends that."},
    {"policy", "shadow report", "", "Counts what would be judged otherwise, with queue ids as examples."},
    {"policy", "replay", "[FOLDER|--revision N] [--days N] [--no-wait]",
     "Has a policy set judge the stored messages of the last days, and lists those that it would judge otherwise than "
     "the one in force."},
    {"mail", "check", "FILE --ip ADDRESS [--mail-from ADDRESS] [--helo NAME]",
     "Checks by SPF, DKIM, DMARC and ARC whether a message is of whom it says, as the gateway does. Exit status 1: its "
     "author is not proven."},
    {"audit", "verify", "[--db FILE] [--pub FILE] [--anchors DIR] [--from N]",
     "Verifies the audit log of the site or of a copy of its database. Exit status 0: intact to the newest anchor; 1: "
     "an "
     "entry was altered; 2: order, chain or gap; 3: shorter than an anchor; 4: another root at an anchored size; 5: "
     "bad "
     "signature; 6: anchors missing or stale; 7: a declared gap."},
    {"audit", "prove", "--seq N [--db FILE]", "Proves that an entry is in the log."},
    {"audit", "consistency", "FROM TO [--db FILE]", "Proves that the log only grew between two sizes."},
    {"audit", "export", "[--from N] [--to N] [--db FILE]", "Writes entries with their proofs as JSON lines."},
    {"audit", "declare-rollback", "--reason TEXT [--anchors DIR]",
     "Asks that the log say that a restore put it back; in force when a second person approved."},
    {"audit", "anchor", "", "Carries the newest checkpoint to the places of section [audit]."},
    {"man", "", "", "Writes this manual page."},
    {"completion", "", "", "Writes the completion for bash."},
};

std::string synopsis(const OrderVerb& verb) {
  std::string text;
  for (const auto& parameter : verb.parameters) {
    std::string one = parameter.name;
    const bool dashed = one.starts_with("--");
    if (parameter.kind == Parameter::Kind::Option) one += " VALUE";
    if (parameter.kind == Parameter::Kind::FileContent && dashed) one += " FILE";
    if (!dashed)
      for (auto& c : one) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    text += " " + (parameter.required ? one : "[" + one + "]");
  }
  return text;
}

std::string escaped(std::string text) {
  std::string out;
  for (const char c : text) {
    if (c == '-' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

void writeEntry(std::ostream& out, const std::string& command, const std::string& arguments, const std::string& doc) {
  out << ".TP\n.B postern " << escaped(command) << "\n"
      << (arguments.empty() ? "" : ".RI \"" + escaped(arguments) + "\"\n.br\n") << escaped(doc) << "\n";
}

}  // namespace

std::string nounDoc(const std::string& noun) {
  static const std::map<std::string, std::string> docs = {
      {"domain", "Domains of lists."},
      {"dkim", "The keys that sign what leaves (DKIM), and their DNS records."},
      {"tlsrpt", "What other sites report of the TLS of their mail to us; with a FILE, the report in it."},
      {"hostname", "Other names of this server, and who still uses them."},
      {"relay", "Servers that may hand over mail for recipients elsewhere."},
      {"certificate", "The TLS certificate of the mail ports and the web UI."},
      {"route", "Next hops of outbound mail."},
      {"user", "People who may sign in, and what they may do."},
      {"session", "Who is signed in to the web UI."},
      {"token", "Access tokens of a person."},
      {"emergency", "Sealed accounts for the day when nobody can sign in."},
      {"list", "Lists and their settings."},
      {"member", "Members of lists."},
      {"key", "Keys and certificates of members."},
      {"subscription", "Who may join and leave lists, and who waits for a decision."},
      {"source", "Directories from which the members of lists come."},
      {"ban", "Who is shut out of lists."},
      {"webhook", "Programs that are told what became of the mail of an account."},
      {"quarantine", "Mail that is held until a person releases or deletes it."},
      {"backup", "Encrypted backups, keys apart, and what they are worth."},
      {"directory", "LDAP directories where members' keys are looked for."},
      {"trust", "Authorities that members' certificates must chain to."},
      {"queue", "Copies that wait for delivery."},
      {"destination", "How fast mail goes where."},
      {"post", "Messages that lists accepted."},
      {"index", "The search index."},
      {"export", "Exports of stored mail as encrypted archives."},
      {"evidence", "Evidence packs for auditors: all reports and the control map, signed."},
      {"policy", "Lua policies."},
      {"mail", "Messages in files."},
      {"audit", "The audit log."},
      {"config", "The file postern.toml."},
      {"keys", "Keys of the site: epochs, root key, backups."},
      {"job", "Long work behind an order."},
      {"matter", "Matters: cases with their custodians, holds, notes and log."},
      {"custodian", "Persons of a matter who were told to keep their mail."},
      {"hold", "Legal holds: what they match is never destroyed."},
      {"request", "Changes that wait for a second person."},
      {"erasure", "Requests of persons that their data be erased."},
      {"retention", "How long mail is kept: rules, what-ifs, runs, certificates."},
      {"pickup", "Mail that waits on the web for recipients without keys."},
      {"report", "Signed reports for auditors."},
  };
  const auto found = docs.find(noun);
  return found == docs.end() ? "" : found->second;
}

void writeManPage(std::ostream& out) {
  out << ".TH POSTERN 1 \"\" \"postern " POSTERN_VERSION
         "\" \"Postern\"\n"
         ".SH NAME\npostern \\- secure mailing lists and mail gateway\n"
         ".SH SYNOPSIS\n.B postern\n[\\-\\-data DIR] [\\-\\-token\\-file FILE] [\\-\\-json] NOUN [VERB] [ARGUMENTS]\n"
         ".SH DESCRIPTION\nReceives the mail of lists by SMTP, lets policies decide, and hands every member a copy "
         "that "
         "is encrypted for that member. This command makes a site, runs it and gives it orders.\n"
         ".SH OPTIONS\n.TP\n.B \\-\\-data DIR\nFolder of the site (POSTERN_DATA; /var/lib/postern).\n"
         ".TP\n.B \\-\\-token\\-file FILE\nActs as the person of the access token in the file (POSTERN_TOKEN_FILE, or "
         "the "
         "token itself in POSTERN_TOKEN) and not as admin of the machine.\n"
         ".TP\n.B \\-\\-json\nAnswer in JSON.\n.TP\n.B \\-\\-help\nHelp for the noun and verb before it.\n"
         ".SH COMMANDS\n";
  for (const auto& verb : SimpleVerbs)
    writeEntry(out, std::string(verb.noun) + (*verb.verb ? " " : "") + verb.verb, verb.synopsis, verb.doc);
  for (const auto& verb : orderVerbs())
    writeEntry(out, std::string(verb.noun) + (*verb.verb ? " " : "") + verb.verb, synopsis(verb), verb.doc);
  out << ".SH EXIT STATUS\n0 done; 1 no (not found, refused, a check failed); 2 wrong usage; 3 broken or not running.\n"
         ".SH FILES\n.TP\nDATA/postern.toml\nWhat must be known before the store opens; see postern config show.\n"
         ".TP\nDATA/policies\nThe shipped policies, as postern init puts them there. What they do, which of them act "
         "on a new "
         "site and what can be set in settings.lua is told in /usr/share/doc/postern/docs/policies/shipped.md.\n"
         ".TP\nDATA/keys/root.key\nThe root key. Without it nothing stored can be read: keep a copy elsewhere.\n";
}

void writeCompletion(std::ostream& out) {
  std::map<std::string, std::string> verbs;
  for (const auto& verb : SimpleVerbs) (verbs[verb.noun] += *verb.verb ? " " : "") += verb.verb;
  for (const auto& verb : orderVerbs()) (verbs[verb.noun] += *verb.verb ? " " : "") += verb.verb;
  out << "_postern() {\n  local word=${COMP_WORDS[COMP_CWORD]} noun=${COMP_WORDS[1]}\n"
         "  if [ $COMP_CWORD -eq 1 ]; then\n    COMPREPLY=($(compgen -W \"";
  for (const auto& [noun, list] : verbs) out << noun << " ";
  out << "\" -- \"$word\"))\n    return\n  fi\n  case $noun in\n";
  for (const auto& [noun, list] : verbs)
    if (!list.empty()) out << "    " << noun << ") COMPREPLY=($(compgen -W \"" << list << "\" -- \"$word\")) ;;\n";
  out << "  esac\n}\ncomplete -o default -F _postern postern\n";
}

}  // namespace postern::cli
