#include "listd/probe/TlsLessons.h"

#include "listd/plan/Standing.h"

namespace postern::listd {
namespace {

using Outcome = app::DeliveryEvent::Outcome;

std::optional<app::TlsMeans> meansOf(const std::string& verification) {
  if (verification == "dane") return app::TlsMeans::Dane;
  if (verification == "mta-sts") return app::TlsMeans::Sts;
  if (verification == "verified") return app::TlsMeans::Pkix;
  return std::nullopt;
}

// What the gateway adds to the reason when a server does not have the TLS that is wanted of it.
bool failedForTls(const app::DeliveryEvent& event) {
  return event.outcome == Outcome::Deferred && event.replyText.find("(demanded by ") != std::string::npos;
}

// What the attempt proves or disproves; nothing when it says nothing about TLS.
std::optional<app::DomainTls> lessonOf(const std::string& domain, const app::DeliveryEvent& event, bool neededTls,
                                       const std::optional<app::DomainTls>& known) {
  app::DomainTls lesson{domain, app::TlsMeans::None, event.at, {}};
  if (event.outcome == Outcome::Delivered) {
    if (const auto means = meansOf(event.tls.verification)) {
      // A connection shows by what one server was verified; what a probe of all of them found stands.
      if (known && known->means != app::TlsMeans::None) return std::nullopt;
      lesson.means = *means;
      return lesson;
    }
    if (known && known->means == app::TlsMeans::None) return std::nullopt;
    lesson.problem = event.tls.version.empty() ? event.remoteHost + " was reached without TLS"
                                               : event.remoteHost + " was not verified: " + event.tls.verification;
    return lesson;
  }
  if (!neededTls || !failedForTls(event)) return std::nullopt;
  lesson.problem = event.remoteHost + ": " + event.replyText;
  return lesson;
}

}  // namespace

void TlsLessons::add(const LedgerRow& row, const app::DeliveryEvent& event) {
  const auto at = row.recipient.rfind('@');
  if (at == std::string::npos || event.remoteHost.empty()) return;
  lessons_[row.recipient.substr(at + 1)] = {event, row.protection == app::protectionName(app::Protection::Tls)};
}

void TlsLessons::writeTo(SiteTables& tables) const {
  auto& store = tables.domainTls;
  for (const auto& [domain, lesson] : lessons_) {
    const auto& event = lesson.last;
    store.noteDelivery({domain, event.at, app::outcomeName(event.outcome), event.remoteHost, event.tls.version,
                        event.tls.verification, event.replyText});
    const auto learnt = lessonOf(domain, event, lesson.neededTls, store.find(domain));
    if (learnt) noteDomain(tables, *learnt, event.at);
  }
}

}  // namespace postern::listd
