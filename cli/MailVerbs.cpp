#include "cli/MailVerbs.h"

#include "core/base/Error.h"
#include "core/base/Files.h"
#include "core/config/SiteConfig.h"
#include "core/mail/Message.h"
#include "core/mailauth/Authentication.h"

#include <ctime>
#include <iostream>
#include <iterator>
#include <nlohmann/json.hpp>

namespace postern::cli {

using nlohmann::json;

namespace {

constexpr std::chrono::seconds Patience{20};

// Lines may end as on this machine; a server would have sent CRLF.
std::string readMessage(const std::string& file) {
  const auto bytes = file == "-" ? std::string(std::istreambuf_iterator<char>(std::cin), {}) : files::read(file);
  std::string message;
  message.reserve(bytes.size() + 64);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (bytes[i] == '\n' && (i == 0 || bytes[i - 1] != '\r')) message += '\r';
    message += bytes[i];
  }
  return message;
}

std::string authorDomain(const mail::Message& message) {
  const auto from = message.from();
  if (!from.wellFormed || from.mailboxes.size() != 1 || !from.mailboxes[0].address) return {};
  return from.mailboxes[0].address->isLiteral() ? std::string() : from.mailboxes[0].address->domain();
}

json asJson(const mailauth::Authentication& results) {
  auto signatures = json::array();
  for (const auto& one : results.dkim)
    signatures.push_back({{"result", mailauth::wordFor(one.outcome)},
                          {"domain", one.domain},
                          {"selector", one.selector},
                          {"algorithm", one.algorithm},
                          {"bits", one.bits},
                          {"reason", one.reason}});
  return {{"proven", results.authorProven()},
          {"undecided", results.undecided()},
          {"sentence", results.sentence()},
          {"spf",
           {{"result", mailauth::wordFor(results.spf.outcome)},
            {"domain", results.spf.domain},
            {"mechanism", results.spf.mechanism},
            {"explanation", results.spf.explanation},
            {"reason", results.spf.problem}}},
          {"dkim", signatures},
          {"dmarc",
           {{"result", mailauth::wordFor(results.dmarc.outcome)},
            {"domain", results.dmarc.authorDomain},
            {"organization", results.dmarc.organization},
            {"policy", mailauth::wordFor(results.dmarc.policy)},
            {"reason", results.dmarc.reason}}},
          {"arc",
           {{"result", mailauth::wordFor(results.arc.outcome)},
            {"sets", results.arc.instances},
            {"sealer", results.arc.sealer},
            {"reason", results.arc.reason}}}};
}

void print(std::ostream& out, const char* name, const std::string& result, const std::string& of,
           const std::string& reason) {
  out << name << result;
  if (!of.empty()) out << "  " << of;
  if (!reason.empty()) out << "  (" << reason << ")";
  out << "\n";
}

void print(std::ostream& out, const mailauth::Authentication& results) {
  const auto& spf = results.spf;
  print(out, "SPF    ", mailauth::wordFor(spf.outcome), spf.domain, spf.problem.empty() ? spf.mechanism : spf.problem);
  if (results.dkim.empty()) print(out, "DKIM   ", "none", "", "");
  for (const auto& one : results.dkim)
    print(out, "DKIM   ", mailauth::wordFor(one.outcome),
          one.selector.empty() ? one.domain : one.selector + "._domainkey." + one.domain, one.reason);
  const auto& dmarc = results.dmarc;
  print(out, "DMARC  ", mailauth::wordFor(dmarc.outcome), dmarc.authorDomain, dmarc.reason);
  print(out, "ARC    ", mailauth::wordFor(results.arc.outcome), results.arc.sealer, results.arc.reason);
  out << "Sender check: " << results.sentence() << ".\n";
}

}  // namespace

Exit checkMail(const Context& context, const MailCheckOptions& options) {
  const auto site = config::loadSiteConfig(context.dataFolder);
  if (mailauth::addressBytes(options.address).empty())
    throw Error(ErrorKind::Config, "--ip \"" + options.address + "\" is no IP address");
  const auto message = mail::Message::parse(readMessage(options.file));
  if (!message) throw Error(ErrorKind::Malformed, "the header of " + options.file + " is too large");
  net::ResolverConfig resolving;
  resolving.server = site.resolver;
  resolving.trustAnchor = site.dnsTrustAnchor;
  resolving.deadline = Patience;
  net::UnboundResolver resolver(resolving);
  mailauth::ResolverDns dns(resolver, std::chrono::steady_clock::now() + Patience);
  mailauth::AuthenticationQuery query;
  query.spf = {options.address, options.mailFrom, options.helo, site.hostName};
  query.message = message->bytes();
  query.authorDomain = authorDomain(*message);
  query.now = std::time(nullptr);
  const auto results = mailauth::authenticate(dns, message->header(), query);
  if (context.json)
    context.out << asJson(results).dump(2, ' ', false, json::error_handler_t::replace) << "\n";
  else
    print(context.out, results);
  return results.authorProven() ? Exit::Ok : Exit::No;
}

}  // namespace postern::cli
