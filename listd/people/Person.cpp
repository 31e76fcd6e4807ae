#include "listd/people/Person.h"

#include "core/crypto/Digest.h"
#include "core/crypto/Encoding.h"
#include "core/mail/Text.h"
#include "listd/people/RoleRules.h"
#include "listd/site/SiteStore.h"

namespace postern::listd {
namespace {

// The account as it may act now.
void takeAccount(SiteTables& tables, Person& person, const std::string& name, TimePoint now) {
  const auto account = tables.accounts.find(name);
  if (!account || account->state != "enabled") return;
  if (account->breakGlass) {
    const auto until = tables.tokens.openUntil(name);
    if (!until || *until <= now) return;
  }
  person.account = name;
  person.roles = account->roles;
  if (person.roles.has(app::Role::Owner)) person.lists = tables.accounts.listsOf(name);
}

void takeToken(SiteTables& tables, Person& person, const std::string& token, TimePoint now) {
  const auto known = tables.tokens.find(crypto::hex(crypto::sha256(token)));
  if (!known || toMicros(known->revokedAt) != 0 || known->expiresAt <= now || now < known->createdAt) return;
  takeAccount(tables, person, known->account, now);
  person.scopes = known->scopes;
  person.session = "token-" + std::to_string(known->id);
  person.token = known->id;
  person.tokenUsedAt = known->lastUsedAt;
}

void takeSession(SiteTables& tables, Person& person, const std::string& secret, TimePoint now) {
  const auto session = tables.sessions.find(secret, now);
  if (!session) return;
  if (session->kind == SubjectKind::Account)
    takeAccount(tables, person, session->subject, now);
  else
    person.recipient = session->subject;
  if (person.account.empty() && person.recipient.empty()) return;
  person.session = session->ref;
  person.browser = session;
}

}  // namespace

bool Person::owns(std::string_view list) const {
  const auto wanted = mail::lowerAscii(list);
  return std::find(lists.begin(), lists.end(), wanted) != lists.end();
}

Person personOf(SiteTables& tables, const app::Actor& actor, TimePoint now) {
  Person person;
  if (actor.kind == "cli") {
    person.account = actor.name;
    person.roles = app::Role::Admin | app::Role::Helpdesk;
    person.machine = true;
  } else if (actor.kind == "web") {
    takeSession(tables, person, actor.token, now);
  } else if (actor.kind == "api") {
    person.byToken = true;
    takeToken(tables, person, actor.token, now);
  }
  return person;
}

}  // namespace postern::listd
