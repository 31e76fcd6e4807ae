#include "core/crypto/Random.h"
#include "listd/mailout/SealedLink.h"
#include "listd/mailout/SiteMail.h"
#include "listd/people/SignInThrottle.h"
#include "listd/pickup/PickupLink.h"
#include "listd/pickup/PickupOrders.h"
#include "listd/pickup/RecipientFactors.h"
#include "listd/pickup/Visitor.h"

// Recipients before they are signed in. What a stranger may learn here: nothing. One refusal stands for all that can be
// wrong with a link, one for all that can be wrong at the sign-in, and asking for a link is always answered alike.
namespace postern::listd {
namespace {

using nlohmann::json;

constexpr std::chrono::hours AskedLinkLasts{24};
constexpr std::chrono::minutes BetweenAskedLinks{10};

[[noreturn]] void refuseLink() {
  refuse("refused", "this link is used, too old, or was never made", "ask for a new one on the sign-in page");
}

[[noreturn]] void refuseSignIn() {
  refuse("refused", "address or password is wrong, or there were too many attempts",
         "try again; after many attempts wait some minutes");
}

std::string addressArgument(const Args& args) {
  const auto address = mail::Address::parse(args.textOr("address", {}, 400));
  return address ? address->key() : std::string();
}

// What a link proves.
struct Proof {
  std::string address;
  TimePoint expiresAt;
  std::string list;  // empty: not to be named
  bool asked = false;
  std::uint64_t id = 0;
};

std::optional<Proof> proofOfItem(const OrderTools& tools, SiteTables& tables, const PickupToken& token,
                                 std::string_view text) {
  const auto item = tables.pickup.find(token.id);
  if (!item || !isPickupToken(tools.context.root, token, item->address, text)) return std::nullopt;
  if (token.issuedAt != item->linkIssuedAt || toMicros(item->linkUsedAt) != 0) return std::nullopt;
  if (item->state != PickupState::Waiting || item->expiresAt <= tools.now()) return std::nullopt;
  Proof proof{item->address, item->expiresAt, {}, false, item->id};
  if (!tables.pickup.settings(item->listId).neutral)
    if (const auto list = tables.lists.find(item->listId)) proof.list = list->address;
  return proof;
}

std::optional<Proof> proofOfAsked(const OrderTools& tools, SiteTables& tables, const PickupToken& token,
                                  std::string_view text) {
  const auto link = tables.recipients.link(token.id);
  if (!link || !isPickupToken(tools.context.root, token, link->address, text)) return std::nullopt;
  const auto ends = link->issuedAt + AskedLinkLasts;
  if (token.issuedAt != link->issuedAt || toMicros(link->usedAt) != 0 || ends <= tools.now()) return std::nullopt;
  return Proof{link->address, ends, {}, true, link->id};
}

std::optional<Proof> proofOf(const OrderTools& tools, SiteTables& tables, const std::string& text) {
  const auto token = readPickupToken(text);
  if (!token) return std::nullopt;
  return token->kind == PickupToken::Kind::Item ? proofOfItem(tools, tables, *token, text)
                                                : proofOfAsked(tools, tables, *token, text);
}

// Looking changes nothing: mail scanners follow links.
json showLink(OrderTools& tools, const OrderCall& call) {
  return tools.context.site.read([&](SiteTables& tables) {
    const auto proof = proofOf(tools, tables, call.args.textOr("token", {}, 200));
    if (!proof) refuseLink();
    return json{{"list", proof->list}, {"expiresAt", toMicros(proof->expiresAt)}};
  });
}

// Who has something set up already signs in with it: the mailbox alone opens nothing, unless a link was asked for.
json openLink(OrderTools& tools, const OrderCall& call) {
  const auto client = call.args.textOr("client", {}, 64);
  call.note.objectType = "pickup";
  const bool allowed =
      tools.context.site.write([&](SiteTables& tables) { return chargeSignIn(tables, {}, client, tools.now()); });
  return change(tools, call, [&](SiteTables& tables) {
    const auto proof = allowed ? proofOf(tools, tables, call.args.textOr("token", {}, 200)) : std::nullopt;
    if (!proof) refuseLink();
    refundSignIn(tables, {}, client, tools.now());
    const bool known = tables.recipients.find(proof->address).has_value();
    call.note.actorKind = "recipient";
    call.note.actor = proof->address;
    if (known && !proof->asked) return json{{"next", "sign-in"}, {"address", proof->address}};
    proof->asked ? tables.recipients.useLink(proof->id, tools.now()) : tables.pickup.useLink(proof->id, tools.now());
    RecipientSession session;
    session.address = proof->address;
    session.reset = known;
    session.method = "mailbox";
    return json{{"next", "set-up"},
                {"address", proof->address},
                {"session", visitor::openSession(tools, tables, call, session)}};
  });
}

// Only an address that has something waiting, sent or set up gets mail, and at most one in ten minutes.
json askForLink(OrderTools& tools, const OrderCall& call) {
  const auto address = addressArgument(call.args);
  const auto now = tools.now();
  call.note.objectType = "pickup";
  if (!address.empty()) call.note.person("address", address);
  return change(tools, call, [&](SiteTables& tables) {
    const auto older = tables.recipients.linkFor(address);
    const bool recent = older && older->issuedAt <= now && now - older->issuedAt < BetweenAskedLinks;
    // Senders come to see whether it was picked up, and to take it back.
    const bool known = tables.recipients.find(address) || tables.pickup.anyFor(address) ||
                       !tables.pickup.postsSentBy(address, 1).empty();
    if (!address.empty() && known && !recent) {
      const auto link = tables.recipients.issueLink(address, now);
      const auto token = makePickupToken(tools.context.root, {PickupToken::Kind::Asked, link.id, now}, address);
      const auto page = tools.context.webUrl() + std::string(PickupLinkPath);
      sendSiteMail(tables,
                   {SiteMail::Kind::PickupLink,
                    address,
                    sealLink(tools.context.root, page, token),
                    {formatRfc3339(now + AskedLinkLasts)}},
                   now);
    }
    return json{{"sent", true}};
  });
}

json whoIs(OrderTools& tools, const OrderCall& call) {
  return tools.context.site.write([&](SiteTables& tables) {
    const auto session = visitor::requireProven(tools, tables, call);
    if (session.signedIn) tables.recipients.touch(session.ref, tools.now());
    return json{{"address", session.address},
                {"signedIn", session.signedIn},
                {"reset", session.reset},
                {"passkeys", proofs::takesPasskeys(tools)},
                {"shortestPassword", visitor::ShortestPassword}};
  });
}

json setUpOptions(OrderTools& tools, const OrderCall& call) {
  return tools.context.site.write([&](SiteTables& tables) {
    const auto session = visitor::requireProven(tools, tables, call);
    return recipientfactors::askForNew(tools, tables, session.address,
                                       recipientfactors::userHandleOf(tools, session.address), session.ref);
  });
}

json signedIn(const OrderTools& tools, SiteTables& tables, const OrderCall& call, const std::string& address,
              std::string method) {
  const auto client = call.args.textOr("client", {}, 64);
  forgiveSignIn(tables, visitor::subjectOf(address), client, tools.now());
  rememberClient(tables, visitor::subjectOf(address), client, tools.now());
  RecipientSession session;
  session.address = address;
  session.signedIn = true;
  session.method = std::move(method);
  return {{"address", address}, {"session", visitor::openSession(tools, tables, call, session)}};
}

json setUp(OrderTools& tools, const OrderCall& call) {
  const auto proven =
      tools.context.site.read([&](SiteTables& tables) { return visitor::requireProven(tools, tables, call); });
  if (proven.signedIn) refuse("refused", "something is set up already", "change it on the page of your account");
  const auto& address = proven.address;
  std::optional<RecipientPasskey> passkey;
  std::string hash;
  if (const auto answer = proofs::takeAnswer(tools, call.args, "credential"))
    passkey = recipientfactors::requirePasskey(tools, *answer, address, proven.ref, "Passkey");
  else
    hash = tools.passwords.hash(recipientfactors::requireNewPassword(tools, call.args, "password", address));
  return change(tools, call, [&](SiteTables& tables) {
    const auto session = visitor::requireProven(tools, tables, call);
    const auto known = tables.recipients.find(address);
    if (known && !session.reset) refuse("refused", "something is set up already", "sign in with it");
    if (known)
      tables.recipients.reset(address, tools.now());
    else
      tables.recipients.add({0,
                             address,
                             recipientfactors::userHandleOf(tools, address),
                             hash,
                             tools.now(),
                             TimePoint(),
                             TimePoint(),
                             {},
                             {}});
    if (passkey) {
      passkey->recipientId = tables.recipients.find(address)->id;
      tables.recipients.addPasskey(*passkey);
    } else {
      tables.recipients.setPassword(address, hash);
    }
    tables.recipients.endSession(address, session.ref);
    call.note.text("factor", passkey ? "passkey" : "password").text("reset", known ? "yes" : "no");
    return signedIn(tools, tables, call, address, passkey ? "passkey" : "password");
  });
}

json signInOptions(OrderTools& tools, const OrderCall& call) {
  return tools.context.site.write([&](SiteTables& tables) {
    return recipientfactors::askForAny(tools, tables, call.args.textOr("client", {}, 64));
  });
}

json signIn(OrderTools& tools, const OrderCall& call) {
  const auto client = call.args.textOr("client", {}, 64);
  const auto address = addressArgument(call.args);
  const auto answer = proofs::takeAnswer(tools, call.args, "assertion");
  call.note.objectType = "pickup";
  const auto subject = answer || address.empty() ? std::string() : visitor::subjectOf(address);
  const bool allowed =
      tools.context.site.write([&](SiteTables& tables) { return chargeSignIn(tables, subject, client, tools.now()); });
  bool passwordRight = false;
  if (!answer) {
    const auto recipient = tools.context.site.read([&](SiteTables& tables) { return tables.recipients.find(address); });
    std::optional<std::string> hash;
    if (allowed && recipient && !recipient->passwordHash.empty()) hash = recipient->passwordHash;
    passwordRight = tools.passwords.verify(Secret(call.args.bytes("password", proofs::LongestPassword)), hash);
  }
  return change(tools, call, [&](SiteTables& tables) {
    if (!allowed) refuseSignIn();
    if (answer) {
      const auto holder = recipientfactors::holderOf(tools, tables, *answer, client);
      if (!holder) refuseSignIn();
      return signedIn(tools, tables, call, *holder, "passkey");
    }
    if (!passwordRight || !tables.recipients.find(address)) refuseSignIn();
    return signedIn(tools, tables, call, address, "password");
  });
}

json signOut(OrderTools& tools, const OrderCall& call) {
  return change(tools, call, [&](SiteTables& tables) {
    const auto session = visitor::requireProven(tools, tables, call);
    tables.recipients.endSession(session.address, session.ref);
    return json{{"address", session.address}};
  });
}

constexpr OrderRow Rows[] = {
    {"pickup.link", OrderKind::Reads, showLink, Anybody},
    {"pickup.open", OrderKind::Changes, openLink, Anybody},
    {"pickup.ask", OrderKind::Changes, askForLink, Anybody},
    {"pickup.who", OrderKind::Reads, whoIs, Anybody},
    {"pickup.set-up-options", OrderKind::Reads, setUpOptions, Anybody},
    {"pickup.set-up", OrderKind::Changes, setUp, Anybody},
    {"pickup.sign-in-options", OrderKind::Reads, signInOptions, Anybody},
    {"pickup.sign-in", OrderKind::Changes, signIn, Anybody},
    {"pickup.sign-out", OrderKind::Changes, signOut, Anybody},
};

}  // namespace

void mailPickupLink(const OrderTools& tools, SiteTables& tables, const PickupItem& item) {
  const auto now = tools.now();
  tables.pickup.setLink(item.id, now);
  const auto token = makePickupToken(tools.context.root, {PickupToken::Kind::Item, item.id, now}, item.address);
  sendSiteMail(tables,
               {SiteMail::Kind::PickupLink,
                item.address,
                sealLink(tools.context.root, tools.context.webUrl() + std::string(PickupLinkPath), token),
                {formatRfc3339(item.expiresAt)}},
               now);
}

std::span<const OrderRow> pickupVisitOrders() {
  return Rows;
}

}  // namespace postern::listd
