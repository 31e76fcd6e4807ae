#include "listd/keys/ListKeyMail.h"

#include "core/base/Log.h"
#include "core/mail/Text.h"
#include "core/pgp/PublicKey.h"
#include "listd/compose/LoopGuard.h"
#include "listd/keys/KeyLinks.h"
#include "listd/mailout/SiteMail.h"

namespace postern::listd {
namespace {

constexpr std::size_t MostPem = 24 * 1024;  // so that the mail stays within what the gateway takes

// The certificate with those of its CA; without them when they are too many.
std::string certificatesOf(const List& list) {
  const auto own = crypto::Certificate::parse(list.certificate).value().pem();
  auto all = withLineFeeds(own + list.certificateChain);
  return all.size() <= MostPem ? all : own;
}

}  // namespace

bool asksForListKeys(const mail::Message& message) {
  const auto subject = mail::lowerAscii(mail::trim(message.subject()));
  return subject == "key" || subject == "keys";
}

void mailListKeys(SiteContext& context, const mail::Message& message, const std::string& mailFrom, const List& list,
                  const std::string& author) {
  const bool member = context.site.read([&](SiteTables& tables) { return tables.members.isEnabled(list.id, author); });
  const bool allowed = member || (list.publishKeys && mail::lowerAscii(mailFrom) == mail::lowerAscii(author));
  if (!allowed || list.deletedAt != TimePoint() || findLoop(message, mailFrom, factsOf(list, {}))) {
    log::info("keys", "a request for the keys of a list was dropped", {{"list", list.address}});
    return;
  }
  const auto openPgp = openPgpKey(context, list).publicKey().armored();  // makes one where there was none
  const SiteMail mail{
      SiteMail::Kind::ListKeys, author, {}, {list.address, certificatesOf(list), withLineFeeds(openPgp)}};
  context.site.write([&](SiteTables& tables) {
    const auto now = context.clock.now();
    const auto dayAgo = now - std::chrono::hours(24);
    if (tables.keyRing.linksSince(author, dayAgo) >= KeyMailsPerDay) return;
    if (!member && tables.keyRing.answersSince(dayAgo) >= StrangersPerDay) return;
    KeyLink note;  // it counts among the mails of the day
    note.address = author;
    note.purpose = "answer";
    note.madeAt = now;
    note.endsAt = now;
    tables.keyRing.addLink(note);
    sendSiteMail(tables, mail, now);
  });
}

}  // namespace postern::listd
