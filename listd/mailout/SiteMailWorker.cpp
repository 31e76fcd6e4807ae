#include "listd/mailout/SiteMailWorker.h"

#include "core/base/Error.h"
#include "core/base/Log.h"
#include "core/mail/MessageId.h"
#include "listd/mailout/SealedLink.h"

namespace postern::listd {
namespace {

constexpr std::chrono::milliseconds Interval{1000};
constexpr std::uint32_t AtOnce = 100;

mail::DomainName domainOf(const SiteContext& context) {
  auto domain = mail::DomainName::parse(context.config.hostName);
  if (!domain) throw Error(ErrorKind::Config, "[site] host_name is not a domain name; the site cannot write mail");
  return std::move(*domain);
}

app::Copy copyOf(const SiteContext& context, const SiteMailRow& row, const mail::DomainName& domain,
                 const MailSigner& signer) {
  const auto now = context.clock.now();
  app::Copy copy;
  copy.key = row.copyKey;
  copy.kind = app::Copy::Kind::Notice;
  copy.recipient = row.mail.recipient;
  auto mail = row.mail;
  if (mail.kind == SiteMail::Kind::Invitation || mail.kind == SiteMail::Kind::PickupLink)
    mail.link = openLink(context.root, mail.link);
  if (mail.language.empty()) mail.language = context.config.language;
  copy.head = composeSiteMail(mail, domain.text(), mail::makeMessageId(domain), now);
  copy.head.insert(0, signer.fields(copy.head, {}, now));
  copy.expiresAt = now + context.config.expiry;
  return copy;
}

}  // namespace

std::size_t handOverSiteMail(SiteContext& context, SubmitGate& gate, app::GatewayLink& link) {
  const auto domain = domainOf(context);
  std::vector<app::Copy> copies;
  {
    const SubmitGate::HandingOver inside(gate);
    const auto rows = context.site.read([](SiteTables& tables) { return tables.siteMail.planned(AtOnce); });
    if (rows.empty()) return 0;
    const MailSigner signer(context, {}, {domain.text()});
    for (const auto& row : rows) copies.push_back(copyOf(context, row, domain, signer));
    link.submitCopies(copies);
  }
  context.site.write([&](SiteTables& tables) {
    for (const auto& copy : copies) tables.siteMail.setHanded(copy.key);
  });
  return copies.size();
}

SiteMailWorker::SiteMailWorker(SiteContext& context, const GatewayAddress& address, SubmitGate& gate)
    : context_(context),
      address_(address),
      gate_(gate),
      thread_([this](std::stop_token stop) { run(std::move(stop)); }) {}

void SiteMailWorker::run(std::stop_token stop) {
  WorkerLink link(address_, stop);
  while (!stop.stop_requested()) {
    try {  // the boundary of a queue job: the mail stays in the outbox
      const auto any = context_.site.read([](SiteTables& tables) { return !tables.siteMail.planned(1).empty(); });
      if (any && handOverSiteMail(context_, gate_, link.get()) > 0) continue;
    } catch (const std::exception& error) {
      if (stop.stop_requested()) return;
      log::warning("mailout", "mail of the site cannot be sent now", {{"error", error.what()}});
      link.drop();
    }
    link.pause(Interval);
  }
}

}  // namespace postern::listd
