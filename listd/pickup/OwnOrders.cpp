#include "core/mail/Text.h"
#include "listd/people/SignInThrottle.h"
#include "listd/pickup/PickupKeeper.h"
#include "listd/pickup/PickupOrders.h"
#include "listd/pickup/RecipientFactors.h"
#include "listd/pickup/Visitor.h"

// What recipients have of their own: sessions, factors, the account, and what they sent themselves.
namespace postern::listd {
namespace {

using nlohmann::json;

constexpr std::size_t MostPasskeys = 10;
constexpr std::uint32_t PostsShown = 50;

json accountOf(OrderTools& tools, SiteTables& tables, const RecipientSession& session) {
  json view{{"address", session.address},
            {"sessions", json::array()},
            {"passkeys", json::array()},
            {"password", false},
            {"takesPasskeys", proofs::takesPasskeys(tools)},
            {"shortestPassword", visitor::ShortestPassword}};
  for (const auto& one : tables.recipients.sessions(session.address, tools.now()))
    view["sessions"].push_back({{"ref", one.ref},
                                {"agent", one.agent},
                                {"client", one.client},
                                {"method", one.method},
                                {"createdAt", toMicros(one.createdAt)},
                                {"lastSeenAt", toMicros(one.lastSeenAt)},
                                {"own", one.ref == session.ref}});
  const auto recipient = tables.recipients.find(session.address);
  if (!recipient) return view;
  view["password"] = !recipient->passwordHash.empty();
  view["question"] = recipient->question;
  view["createdAt"] = toMicros(recipient->createdAt);
  view["resetAt"] = toMicros(recipient->resetAt);
  for (const auto& passkey : tables.recipients.passkeys(recipient->id))
    view["passkeys"].push_back({{"id", passkey.id},
                                {"name", passkey.name},
                                {"createdAt", toMicros(passkey.createdAt)},
                                {"lastUsedAt", toMicros(passkey.lastUsedAt)}});
  return view;
}

Recipient requireRecipient(SiteTables& tables, const RecipientSession& session) {
  auto recipient = tables.recipients.find(session.address);
  if (!recipient) refuse("signed-out", "nobody is signed in, or the session is over", "sign in again");
  return std::move(*recipient);
}

json account(OrderTools& tools, const OrderCall& call) {
  return tools.context.site.write([&](SiteTables& tables) {
    const auto session = visitor::require(tools, tables, call);
    tables.recipients.touch(session.ref, tools.now());
    return accountOf(tools, tables, session);
  });
}

json passkeyOptions(OrderTools& tools, const OrderCall& call) {
  return tools.context.site.write([&](SiteTables& tables) {
    const auto session = visitor::requireFresh(tools, tables, call);
    return recipientfactors::askForNew(tools, tables, session.address, requireRecipient(tables, session).userHandle,
                                       session.ref);
  });
}

json addPasskey(OrderTools& tools, const OrderCall& call) {
  const auto session =
      tools.context.site.read([&](SiteTables& tables) { return visitor::require(tools, tables, call); });
  const auto answer = proofs::takeAnswer(tools, call.args, "credential");
  if (!answer) refuse("usage", "\"credential\" is missing");
  auto passkey = recipientfactors::requirePasskey(tools, *answer, session.address, session.ref,
                                                  call.args.textOr("name", "Passkey", 60));
  return change(tools, call, [&](SiteTables& tables) {
    passkey.recipientId = requireRecipient(tables, visitor::requireFresh(tools, tables, call)).id;
    if (tables.recipients.passkeys(passkey.recipientId).size() >= MostPasskeys)
      refuse("refused", "there are " + std::to_string(MostPasskeys) + " passkeys already", "remove one first");
    if (tables.recipients.findPasskey(passkey.credential.id))
      refuse("exists", "this passkey is registered already", "use another one");
    tables.recipients.addPasskey(passkey);
    return accountOf(tools, tables, session);
  });
}

json removePasskey(OrderTools& tools, const OrderCall& call) {
  return change(tools, call, [&](SiteTables& tables) {
    const auto session = visitor::require(tools, tables, call);
    const auto recipient = requireRecipient(tables, session);
    if (!tables.recipients.removePasskey(recipient.id, call.args.id("id")))
      refuse("not-found", "there is no such passkey", "open the page again");
    if (recipient.passwordHash.empty() && tables.recipients.passkeys(recipient.id).empty())
      refuse("refused", "nothing would be left to sign in with", "set a password or add another passkey first");
    return accountOf(tools, tables, session);
  });
}

// Setting one asks for the old one, where there is one: a session that was left open must not change hands for good.
json setPassword(OrderTools& tools, const OrderCall& call) {
  struct Standing {
    RecipientSession session;
    Recipient recipient;
    bool allowed;
  };
  const auto client = call.args.textOr("client", {}, 64);
  const auto standing = tools.context.site.write([&](SiteTables& tables) {
    const auto session = visitor::require(tools, tables, call);
    const auto guesser = visitor::subjectOf(session.address) + " in " + session.ref;
    auto recipient = requireRecipient(tables, session);
    if (recipient.passwordHash.empty()) visitor::requireFresh(tools, tables, call);  // no old one proves the person
    return Standing{session, std::move(recipient), chargeSignIn(tables, guesser, client, tools.now())};
  });
  const auto& address = standing.session.address;
  const auto password = recipientfactors::requireNewPassword(tools, call.args, "new", address);
  if (const auto& old = standing.recipient.passwordHash; !old.empty()) {
    const Secret typed(call.args.bytes("old", proofs::LongestPassword));
    if (!tools.passwords.verify(typed, standing.allowed ? std::optional(old) : std::nullopt))
      refuse("invalid", "the old password is wrong, or there were too many attempts", "type the one you sign in with");
  }
  const auto hash = tools.passwords.hash(password);
  return change(tools, call, [&](SiteTables& tables) {
    const auto session = visitor::require(tools, tables, call);
    tables.recipients.setPassword(address, hash);
    tables.recipients.endSessions(address, session.ref);
    forgiveSignIn(tables, visitor::subjectOf(address) + " in " + session.ref, client, tools.now());
    return accountOf(tools, tables, session);
  });
}

json endSession(OrderTools& tools, const OrderCall& call) {
  return change(tools, call, [&](SiteTables& tables) {
    const auto session = visitor::require(tools, tables, call);
    if (!tables.recipients.endSession(session.address, call.args.text("ref", 40)))
      refuse("not-found", "there is no such session", "open the page again");
    return accountOf(tools, tables, session);
  });
}

// What waits goes with the account: nobody else may come for it by a later proof of the same mailbox.
json deleteAccount(OrderTools& tools, const OrderCall& call) {
  auto result = change(tools, call, [&](SiteTables& tables) {
    const auto session = visitor::require(tools, tables, call);
    if (!call.args.flag("sure")) refuse("usage", "\"sure\" is missing");
    std::uint64_t before = 0;
    for (;;) {
      const auto items = tables.pickup.ofAddress(session.address, before, 500);
      for (const auto& item : items) tables.pickup.end(item.id, PickupState::GivenUp, tools.now());
      if (items.size() < 500) break;
      before = items.back().id;
    }
    tables.recipients.remove(session.address);
    return json{{"deleted", true}};
  });
  destroyEndedPickups(tools.context);
  return result;
}

// Numbers only: who else got a post is not the author's to know.
json sent(OrderTools& tools, const OrderCall& call) {
  return tools.context.site.write([&](SiteTables& tables) {
    const auto session = visitor::require(tools, tables, call);
    tables.recipients.touch(session.ref, tools.now());
    json items = json::array();
    for (const auto id : tables.pickup.postsSentBy(session.address, PostsShown)) {
      const auto post = tables.posts.find(id);
      const auto counts = tables.pickup.counts(id);
      if (!post || counts.items == 0) continue;
      const auto list = tables.lists.find(post->listId);
      items.push_back({{"post", std::to_string(id)},
                       {"list", list ? list->address : ""},
                       {"sentAt", toMicros(post->receivedAt)},
                       {"expiresAt", toMicros(counts.expiresAt)},
                       {"recipients", counts.items},
                       {"waiting", counts.waiting},
                       {"opened", counts.opened}});
    }
    return json{{"address", session.address}, {"items", items}};
  });
}

json recallSent(OrderTools& tools, const OrderCall& call) {
  const auto items = tools.context.site.read([&](SiteTables& tables) {
    const auto session = visitor::require(tools, tables, call);
    const auto post = tables.posts.find(call.args.id("post"));
    if (!post || mail::lowerAscii(post->mailFrom) != session.address)
      refuse("not-found", "there is no such message of yours");
    return tables.pickup.ofPost(post->id);
  });
  return {{"recalled", recallPickups(tools, call, items)}};
}

constexpr OrderRow Rows[] = {
    {"pickup.account", OrderKind::Reads, account, Anybody},
    {"pickup.passkey-options", OrderKind::Reads, passkeyOptions, Anybody},
    {"pickup.passkey-add", OrderKind::Changes, addPasskey, Anybody},
    {"pickup.passkey-remove", OrderKind::Changes, removePasskey, Anybody},
    {"pickup.password", OrderKind::Changes, setPassword, Anybody},
    {"pickup.session-end", OrderKind::Changes, endSession, Anybody},
    {"pickup.account-delete", OrderKind::Changes, deleteAccount, Anybody},
    {"pickup.sent", OrderKind::Reads, sent, Anybody},
    {"pickup.sent-recall", OrderKind::Changes, recallSent, Anybody},
};

}  // namespace

std::span<const OrderRow> pickupOwnOrders() {
  return Rows;
}

}  // namespace postern::listd
