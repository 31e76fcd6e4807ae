#include "core/crypto/Aead.h"
#include "core/crypto/Encoding.h"
#include "core/crypto/Random.h"
#include "core/crypto/Totp.h"
#include "listd/people/PeopleOrders.h"
#include "listd/people/Proofs.h"
#include "listd/people/SignInThrottle.h"

namespace postern::listd {

using nlohmann::json;

namespace {

constexpr std::size_t MostFactors = 10;

// The account of the person who is signed in; the machine's own command line has none.
Account requireOwn(SiteTables& tables, const OrderCall& call) {
  auto account = tables.accounts.find(call.person.account);
  if (call.person.machine || !account)
    refuse("refused", "this is for people with an account", "sign in to the web UI, or use a token");
  return std::move(*account);
}

// A token must not make more of what proves its person: whoever stole it would stay for ever.
void refuseTokens(const OrderCall& call) {
  if (call.person.byToken) refuse("denied", "an access token cannot do this", "sign in to the web UI");
}

// Guesses inside a session count for that session: those of strangers at the sign-in must not keep its person out.
std::string guesserOf(const OrderCall& call) {
  return call.person.account + " in " + call.person.session;
}

void noteOwn(const OrderCall& call) {
  call.note.objectType = "account";
  call.note.person("account", call.person.account);
}

json passkeyOptions(OrderTools& tools, const OrderCall& call) {
  refuseTokens(call);
  return tools.context.site.write([&](SiteTables& tables) {
    const auto account = requireOwn(tables, call);
    const auto purpose = call.args.word("for", "add", {"add", "step-up"});
    if (purpose == "add") return proofs::askForNew(tools, tables, account, call.person.session);
    return proofs::askForOne(tools, tables, account.name, "step-up", call.person.session);
  });
}

void requireRoom(SiteTables& tables, const std::string& account) {
  if (tables.accounts.factorsOf(account).size() >= MostFactors)
    refuse("refused", "there are " + std::to_string(MostFactors) + " factors already", "remove one first");
}

json addPasskey(OrderTools& tools, const OrderCall& call) {
  refuseTokens(call);
  const auto answer = proofs::takeAnswer(tools, call.args, "credential");
  if (!answer) refuse("usage", "\"credential\" is missing");
  const auto factor = proofs::requirePasskey(tools, *answer, call.person.account, call.person.session,
                                             call.args.textOr("name", "Passkey", 60));
  return change(tools, call, [&](SiteTables& tables) {
    const auto account = requireOwn(tables, call);
    requireRoom(tables, account.name);
    if (tables.accounts.findPasskey(factor.credentialId))
      refuse("exists", "this passkey is registered already", "use another one");
    tables.accounts.addFactor(factor);
    noteOwn(call);
    call.note.text("factor", "passkey");
    return proofs::viewWithFactors(tools, tables, account);
  });
}

// The secret travels to the page and back sealed, so that nothing is stored before the code proved that it arrived.
constexpr std::string_view OfferLabel = "postern totp offer v1";

crypto::AeadKey offerKey(const OrderTools& tools) {
  return crypto::AeadKey(tools.context.root.derive(OfferLabel));
}

std::string offerContext(const OrderCall& call) {
  return call.person.account + "\n" + call.person.session;
}

json totpOptions(OrderTools& tools, const OrderCall& call) {
  refuseTokens(call);
  return tools.context.site.read([&](SiteTables& tables) {
    const auto account = requireOwn(tables, call);
    const auto secret = crypto::makeTotpSecret();
    return json{{"secret", crypto::base32(secret.view())},
                {"otpauth", crypto::totpUri("Postern", account.name, secret)},
                {"offer", crypto::base64Url(offerKey(tools).sealSecret(secret, offerContext(call)))}};
  });
}

json addTotp(OrderTools& tools, const OrderCall& call) {
  refuseTokens(call);
  const auto offer = crypto::fromBase64Url(call.args.text("offer", 400));
  if (!offer) refuse("invalid", "\"offer\" is not what was offered", "open the page again");
  Secret secret;
  try {
    secret = offerKey(tools).openSecret(*offer, offerContext(call));
  } catch (const Error&) {  // bytes of the peer: sealed for another session, or made up
    refuse("invalid", "\"offer\" is not what was offered", "open the page again");
  }
  const auto step = crypto::checkTotp(secret, call.args.text("totp", 16), tools.now(), 0);
  if (!step)
    refuse("invalid", "the code does not match",
           "type the six digits that the authenticator shows now; check the clock of the phone");
  return change(tools, call, [&](SiteTables& tables) {
    const auto account = requireOwn(tables, call);
    requireRoom(tables, account.name);
    Factor factor;
    factor.account = account.name;
    factor.kind = "totp";
    factor.name = call.args.textOr("name", "Authenticator app", 60);
    factor.secret = proofs::sealTotp(tools, secret, account.name);
    factor.lastStep = *step;
    factor.createdAt = tools.now();
    tables.accounts.addFactor(factor);
    noteOwn(call);
    call.note.text("factor", "totp");
    return proofs::viewWithFactors(tools, tables, account);
  });
}

json removeFactor(OrderTools& tools, const OrderCall& call) {
  refuseTokens(call);
  const auto id = call.args.id("id");
  return change(tools, call, [&](SiteTables& tables) {
    const auto account = requireOwn(tables, call);
    if (!tables.accounts.removeFactor(account.name, id))
      refuse("not-found", "there is no such factor", "open the page again");
    const auto left = tables.accounts.factorsOf(account.name).size();
    if (left == 0) refuse("refused", "this is the last factor", "add another one first");
    if (left == 1 && tables.accounts.recoveryCodesLeft(account.name) == 0)
      refuse("refused", "there would be one factor and no recovery codes", "make recovery codes first");
    noteOwn(call);
    return proofs::viewWithFactors(tools, tables, account);
  });
}

json makeRecovery(OrderTools& tools, const OrderCall& call) {
  refuseTokens(call);
  return change(tools, call, [&](SiteTables& tables) {
    const auto account = requireOwn(tables, call);
    noteOwn(call);
    return json{{"codes", proofs::makeRecoveryCodes(tools, tables, account.name)}};
  });
}

json changePassword(OrderTools& tools, const OrderCall& call) {
  refuseTokens(call);
  const auto account = tools.context.site.read([&](SiteTables& tables) { return requireOwn(tables, call); });
  const auto password = proofs::requireNewPassword(tools, call.args, "new", account.name);
  const Secret old(call.args.bytes("old", proofs::LongestPassword));
  const bool allowed = tools.context.site.write(
      [&](SiteTables& tables) { return chargeSignIn(tables, guesserOf(call), call.actor.client, tools.now()); });
  if (!tools.passwords.verify(old, allowed ? std::optional(account.passwordHash) : std::nullopt))
    refuse("invalid", "the old password is wrong, or there were too many attempts", "type the one you sign in with");
  const auto hash = tools.passwords.hash(password);
  return change(tools, call, [&](SiteTables& tables) {
    tables.accounts.setPassword(account.name, hash);
    // Whoever knew the old one is out; the person who just gave it stays.
    tables.sessions.endAll(SubjectKind::Account, account.name, call.person.session);
    forgiveSignIn(tables, guesserOf(call), call.actor.client, tools.now());
    noteOwn(call);
    return json{{"name", account.name}};
  });
}

// Signing in again, inside the session: password and code, or a passkey.
json stepUp(OrderTools& tools, const OrderCall& call) {
  refuseTokens(call);
  const auto account = tools.context.site.read([&](SiteTables& tables) { return requireOwn(tables, call); });
  if (call.person.session.empty()) refuse("usage", "there is no session to prove this in");
  const auto now = tools.now();
  const auto answer = proofs::takeAnswer(tools, call.args, "assertion");
  const bool allowed = tools.context.site.write(
      [&](SiteTables& tables) { return chargeSignIn(tables, guesserOf(call), call.actor.client, now); });
  bool passwordRight = answer.has_value();
  if (!answer) {
    const Secret password(call.args.bytes("password", proofs::LongestPassword));
    passwordRight = tools.passwords.verify(
        password, allowed && !account.passwordHash.empty() ? std::optional(account.passwordHash) : std::nullopt);
  }
  noteOwn(call);
  return change(tools, call, [&](SiteTables& tables) {
    const auto method = allowed && passwordRight
                            ? proofs::prove(tools, tables, account, call.args, answer, "step-up", call.person.session)
                            : std::string();
    if (method.empty())
      refuse("refused", "password or code is wrong, or there were too many attempts",
             "wait for the next code and try again; after many attempts wait some minutes");
    forgiveSignIn(tables, guesserOf(call), call.actor.client, now);
    tables.sessions.recordStepUp(call.person.session, now);
    call.note.auth = method + " step-up";
    return json{{"until", toMicros(now + proofs::ProofLasts)}};
  });
}

constexpr Access Again{AnySignedIn.roles, true, ""};

constexpr OrderRow Rows[] = {
    {"passkey.options", OrderKind::Reads, passkeyOptions, AnySignedIn},
    {"passkey.add", OrderKind::Changes, addPasskey, Again},
    {"totp.options", OrderKind::Reads, totpOptions, AnySignedIn},
    {"totp.add", OrderKind::Changes, addTotp, Again},
    {"factor.remove", OrderKind::Changes, removeFactor, Again},
    {"recovery.make", OrderKind::Changes, makeRecovery, Again},
    {"password.change", OrderKind::Changes, changePassword, Again},
    {"session.step-up", OrderKind::Changes, stepUp, AnySignedIn},
};

}  // namespace

std::span<const OrderRow> factorOrders() {
  return Rows;
}

}  // namespace postern::listd
