#include "listd/pickup/Visitor.h"

#include "core/crypto/Digest.h"
#include "core/crypto/Encoding.h"
#include "core/crypto/Random.h"

namespace postern::listd::visitor {
namespace {

constexpr std::size_t RefLength = 16;

RecipientSession find(const OrderTools& tools, SiteTables& tables, const OrderCall& call, bool mailboxWillDo) {
  const auto session = tables.recipients.session(hashOf(call.args.textOr("session", {}, 100)), tools.now());
  if (!session || !(session->signedIn || mailboxWillDo))
    refuse("signed-out", "nobody is signed in, or the session is over", "sign in again");
  note(call, *session);
  return *session;
}

std::string leading(std::string_view text, char separator, int parts) {
  std::size_t at = 0;
  for (int i = 0; i < parts && at != text.npos; ++i) at = text.find(separator, i == 0 ? 0 : at + 1);
  return std::string(text.substr(0, at));
}

}  // namespace

std::string subjectOf(std::string_view address) {
  return "recipient:" + std::string(address);
}

std::string hashOf(std::string_view secret) {
  return crypto::hex(crypto::sha256(secret));
}

std::string networkOf(std::string_view client) {
  if (client.empty() || client.starts_with("127.") || client == "::1") return "local";
  if (client.find(':') != client.npos) return leading(client, ':', 3) + "::/48";
  return leading(client, '.', 3) + ".0/24";
}

std::string openSession(const OrderTools& tools, SiteTables& tables, const OrderCall& call, RecipientSession session) {
  auto secret = crypto::randomToken();
  session.ref = hashOf("ref:" + secret).substr(0, RefLength);
  session.client = call.args.textOr("client", {}, 64);
  session.agent = call.args.textOr("agent", {}, 100);
  session.createdAt = tools.now();
  tables.recipients.openSession(hashOf(secret), session);
  if (session.signedIn) tables.recipients.recordSignIn(session.address, tools.now());
  note(call, session);
  call.note.auth = session.method;
  return secret;
}

void note(const OrderCall& call, const RecipientSession& session) {
  call.note.actorKind = "recipient";
  call.note.actor = session.address;
  call.note.sessionRef = session.ref;
  call.note.roleUsed = "recipient";
  call.note.sourceIp = call.args.textOr("client", {}, 64);
  if (call.note.objectType.empty()) call.note.objectType = "pickup";
}

RecipientSession require(const OrderTools& tools, SiteTables& tables, const OrderCall& call) {
  return find(tools, tables, call, false);
}

RecipientSession requireFresh(const OrderTools& tools, SiteTables& tables, const OrderCall& call) {
  auto session = find(tools, tables, call, false);
  if (tools.now() - session.createdAt > FreshProof)
    refuse("refused", "the sign-in is too long ago for this", "sign out, sign in again, and repeat it");
  return session;
}

RecipientSession requireProven(const OrderTools& tools, SiteTables& tables, const OrderCall& call) {
  return find(tools, tables, call, true);
}

Reading readingOf(SiteTables& tables, const RecipientSession& session, const PickupItem& item, TimePoint now) {
  if (item.state != PickupState::Waiting || item.expiresAt <= now || item.keyObject == 0) return Reading::Gone;
  const auto recipient = tables.recipients.find(item.address);
  if (!recipient) return Reading::Locked;
  const bool newer = item.createdAt >= recipient->resetAt || item.releasedAt > recipient->resetAt;
  if (!newer) return Reading::Locked;
  return !session.answered && tables.pickup.settings(item.listId).question ? Reading::Asks : Reading::Allowed;
}

PickupItem requireOwn(SiteTables& tables, const RecipientSession& session, std::uint64_t contentId) {
  auto item = tables.pickup.findOwn(session.address, contentId);
  if (!item) refuse("not-found", "there is no such message");
  return std::move(*item);
}

PickupItem requireReadable(const OrderTools& tools, SiteTables& tables, const RecipientSession& session,
                           std::uint64_t contentId) {
  auto item = requireOwn(tables, session, contentId);
  switch (readingOf(tables, session, item, tools.now())) {
    case Reading::Allowed:
      return item;
    case Reading::Gone:
      refuse("gone", "this message can no longer be read: it was recalled, or its time is over",
             "ask its sender to send it again");
    case Reading::Locked:
      refuse("locked", "this message came before the access to this address was reset",
             "ask its sender, or the owner of the list, to release it to you");
    case Reading::Asks:
      refuse("question", "this list wants your own question answered before you read", "answer it, or choose one");
  }
  refuse("not-found", "there is no such message");
}

}  // namespace postern::listd::visitor
