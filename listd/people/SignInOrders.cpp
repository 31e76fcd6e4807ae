#include "core/crypto/Aead.h"
#include "core/crypto/Digest.h"
#include "core/crypto/Encoding.h"
#include "core/crypto/Random.h"
#include "core/crypto/Totp.h"
#include "listd/orders/Views.h"
#include "listd/people/AccountRequests.h"
#include "listd/people/LegalSite.h"
#include "listd/people/PasswordRule.h"
#include "listd/people/PeopleOrders.h"
#include "listd/people/Proofs.h"
#include "listd/people/RoleRules.h"
#include "listd/people/SignInThrottle.h"

namespace postern::listd {

using nlohmann::json;

namespace {

constexpr std::chrono::hours FirstLinkLasts{24};
constexpr std::string_view LinkKeyLabel = "postern totp v1";

crypto::AeadKey linkKey(const OrderTools& tools) {
  return crypto::AeadKey(tools.context.root.derive(LinkKeyLabel));
}

[[noreturn]] void refuseLink() {
  refuse("refused", "this set-up link is used, too old, or was never made",
         "ask an administrator for a new one; on the server: postern user setup-link");
}

struct OpenLink {
  Invitation invitation;
  Secret totp;
  Account account;  // the name is empty for the first account of the site
};

// A link that may be used now.
OpenLink requireLink(const OrderTools& tools, SiteTables& tables, const std::string& tokenHash) {
  const auto link = tables.accounts.findInvitation(tokenHash);
  if (!link || toMicros(link->usedAt) != 0 || link->expiresAt <= tools.now()) refuseLink();
  OpenLink open{*link, linkKey(tools).openSecret(link->totpSecret, "link:" + tokenHash), {}};
  if (link->kind == "first") {
    if (tables.accounts.any()) refuseLink();
    open.account.roles = app::Role::Admin;
    open.account.userHandle = crypto::sha256("first:" + tokenHash);
    return open;
  }
  const auto account = tables.accounts.find(link->account);
  if (!account || account->state == "disabled") refuseLink();
  open.account = *account;
  return open;
}

std::string requireAccountName(const Args& args) {
  const auto name = args.text("name", 64);
  if (name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789._-@") != std::string::npos)
    refuse("invalid", "\"" + name + "\" cannot be the name of an account",
           "use lower-case letters, digits and . _ - @, at most 64");
  return name;
}

json makeSetupLink(OrderTools& tools, const OrderCall& call) {
  const auto token = crypto::randomToken();
  const auto invitation = newInvitation(tools, token, "first", {}, call.actor.name, FirstLinkLasts);
  return change(tools, call, [&](SiteTables& tables) {
    if (tables.accounts.any())
      refuse("refused", "there is an account already, so no set-up link is made",
             "sign in at " + tools.context.webUrl() + ", or invite a person with: postern user invite");
    tables.accounts.addInvitation(invitation);
    return invitationView(tools, token, invitation);
  });
}

json checkSetupLink(OrderTools& tools, const OrderCall& call) {
  const auto tokenHash = proofs::hashOf(call.args.text("token", 200));
  return tools.context.site.read([&](SiteTables& tables) {
    const auto link = requireLink(tools, tables, tokenHash);
    const auto& name = link.account.name;
    return json{
        {"kind", link.invitation.kind},
        {"name", name},
        {"roles", wordsOf(link.account.roles)},
        {"secret", crypto::base32(link.totp.view())},
        {"shortestPassword", ShortestPassword},
        {"passkeys", proofs::takesPasskeys(tools)},
        {"otpauth", crypto::totpUri("Postern", name.empty() ? tools.context.config.hostName : name, link.totp)}};
  });
}

// Options for a passkey instead of the authenticator app. The link stands for the session.
json setupOptions(OrderTools& tools, const OrderCall& call) {
  const auto tokenHash = proofs::hashOf(call.args.text("token", 200));
  return tools.context.site.write([&](SiteTables& tables) {
    const auto link = requireLink(tools, tables, tokenHash);
    return proofs::askForNew(tools, tables, link.account, tokenHash);
  });
}

Factor requireFirstFactor(OrderTools& tools, const OrderCall& call, const OpenLink& link, const std::string& name) {
  if (const auto answer = proofs::takeAnswer(tools, call.args, "credential")) {
    auto factor = proofs::requirePasskey(tools, *answer, link.account.name, link.invitation.tokenHash, "Passkey");
    factor.account = name;
    return factor;
  }
  const auto step = crypto::checkTotp(link.totp, call.args.text("totp", 16), tools.now(), 0);
  if (!step)
    refuse("invalid", "the code does not match",
           "type the six digits that the authenticator shows now; check the clock of the phone");
  Factor factor;
  factor.account = name;
  factor.kind = "totp";
  factor.name = "Authenticator app";
  factor.secret = proofs::sealTotp(tools, link.totp, name);
  factor.lastStep = *step;
  factor.createdAt = tools.now();
  return factor;
}

json setUpAccount(OrderTools& tools, const OrderCall& call) {
  const auto tokenHash = proofs::hashOf(call.args.text("token", 200));
  const auto link = tools.context.site.read([&](SiteTables& tables) { return requireLink(tools, tables, tokenHash); });
  const bool first = link.invitation.kind == "first";
  const auto name = first ? requireAccountName(call.args) : link.account.name;
  const auto password = proofs::requireNewPassword(tools, call.args, "password", name);
  const auto factor = requireFirstFactor(tools, call, link, name);
  const auto hash = tools.passwords.hash(password);
  return change(tools, call, [&](SiteTables& tables) {
    auto account = requireLink(tools, tables, tokenHash).account;  // again: two browsers may hold the same link
    account.name = name;
    account.passwordHash = hash;
    if (first) {
      account.createdAt = tools.now();
      tables.accounts.add(account);
    } else {
      tables.accounts.setPassword(name, hash);
      tables.accounts.setState(name, "enabled");
      // Who comes back through a new link comes back with new factors; what the old ones opened is closed.
      tables.accounts.removeFactors(name);
      tables.tokens.revokeAll(name, tools.now());
      tables.sessions.endAll(SubjectKind::Account, name);
    }
    tables.accounts.addFactor(factor);
    const auto codes = proofs::makeRecoveryCodes(tools, tables, name);
    tables.accounts.useInvitation(tokenHash, tools.now());
    requireLegalSite(tables);
    noteApprovers(tables);
    call.note.objectType = "account";
    call.note.person("account", name).text("factor", factor.kind);
    auto view = proofs::viewWithFactors(tools, tables, *tables.accounts.find(name));
    view["codes"] = codes;
    return view;
  });
}

[[noreturn]] void refuseSignIn() {
  refuse("refused", "name, password or code is wrong, or there were too many attempts",
         "wait for the next code and try again; after many attempts wait some minutes");
}

bool maySignIn(SiteTables& tables, const std::optional<Account>& account, TimePoint now) {
  if (!account || account->state != "enabled") return false;
  if (!account->breakGlass) return true;
  const auto until = tables.tokens.openUntil(account->name);
  return until && *until > now;
}

// The first step: name and password. The answer is the same for every name that has the right password, and one
// refusal stands for all that can be wrong.
json authenticate(OrderTools& tools, const OrderCall& call) {
  const auto name = call.args.textOr("name", {}, 64);
  const Secret password(call.args.bytes("password", proofs::LongestPassword));
  const auto client = call.args.textOr("client", {}, 64);
  const auto now = tools.now();
  call.note.objectType = "account";
  call.note.person("account", name);
  // Charged before the password is looked at, so that guesses side by side are counted too.
  const bool allowed =
      tools.context.site.write([&](SiteTables& tables) { return chargeSignIn(tables, name, client, now); });
  const auto account = tools.context.site.read([&](SiteTables& tables) { return tables.accounts.find(name); });
  // The password is hashed whatever happened before: the time must not tell what was wrong.
  std::optional<std::string> hash;
  if (allowed && account && !account->passwordHash.empty()) hash = account->passwordHash;
  const bool passwordRight = tools.passwords.verify(password, hash);
  return change(tools, call, [&](SiteTables& tables) {
    const auto current = tables.accounts.find(name);
    if (!allowed || !passwordRight || !maySignIn(tables, current, now)) refuseSignIn();
    refundSignIn(tables, name, client, now);
    const auto ticket = crypto::randomToken();
    tables.accounts.addProof({proofs::hashOf(ticket), "ticket", name, client, now + proofs::ProofLasts});
    json view{{"ticket", ticket}, {"factors", json::array()}, {"expiresAt", toMicros(now + proofs::ProofLasts)}};
    bool passkey = false;
    bool totp = false;
    for (const auto& factor : tables.accounts.factorsOf(name)) {
      passkey = passkey || factor.kind == "passkey";
      totp = totp || factor.kind == "totp";
    }
    if (passkey && proofs::takesPasskeys(tools)) {
      view["factors"].push_back("passkey");
      view["challenge"] = proofs::askForOne(tools, tables, name, "sign-in", client);
    }
    if (totp) view["factors"].push_back("totp");
    if (tables.accounts.recoveryCodesLeft(name) > 0) view["factors"].push_back("recovery-code");
    return view;
  });
}

// Opens the session of a person who is proven. The secret is in this answer and nowhere else.
json signedIn(OrderTools& tools, const OrderCall& call, SiteTables& tables, const std::string& name,
              const std::string& client, const std::string& method) {
  const auto now = tools.now();
  tables.accounts.recordSignIn(name, now);
  forgiveSignIn(tables, name, client, now);
  rememberClient(tables, name, client, now);
  call.note.auth = method;
  auto view = proofs::viewWithFactors(tools, tables, *tables.accounts.find(name));
  view["method"] = method;
  view["session"] = proofs::openSession(tools, tables, call, name, client);
  return view;
}

// The second step, or both in one with a passkey, which is two factors by itself (it verified the person).
json proveFactor(OrderTools& tools, const OrderCall& call) {
  const auto client = call.args.textOr("client", {}, 64);
  const auto now = tools.now();
  const auto answer = proofs::takeAnswer(tools, call.args, "assertion");
  const auto ticketHash = proofs::hashOf(call.args.textOr("ticket", {}, 200));
  std::string name;
  const bool passkeyAlone = !call.args.has("ticket") && answer;
  const bool allowed = tools.context.site.write([&](SiteTables& tables) {
    const auto ticket = tables.accounts.findProof(ticketHash, now);
    if (ticket && ticket->purpose == "ticket" && ticket->boundTo == client) name = ticket->account;
    return chargeSignIn(tables, name, client, now);
  });
  call.note.objectType = "account";
  if (!name.empty()) call.note.person("account", name);
  return change(tools, call, [&](SiteTables& tables) {
    if (!allowed) refuseSignIn();
    if (passkeyAlone) {
      const auto factor = proofs::passkeyOf(tools, tables, *answer, "sign-in-alone", client);
      if (!factor || !maySignIn(tables, tables.accounts.find(factor->account), now)) refuseSignIn();
      call.note.person("account", factor->account);
      return signedIn(tools, call, tables, factor->account, client, "passkey");
    }
    const auto account = tables.accounts.find(name);
    if (name.empty() || !maySignIn(tables, account, now)) refuseSignIn();
    const auto method = proofs::prove(tools, tables, *account, call.args, answer, "sign-in", client);
    if (method.empty() || !tables.accounts.takeProof(ticketHash, now)) refuseSignIn();
    return signedIn(tools, call, tables, name, client, "password " + method);
  });
}

json passkeySignInOptions(OrderTools& tools, const OrderCall& call) {
  return tools.context.site.write([&](SiteTables& tables) {
    return proofs::askForOne(tools, tables, "", "sign-in-alone", call.args.textOr("client", {}, 64));
  });
}

constexpr Access MachineAdmin{app::Role::Admin};

constexpr OrderRow Rows[] = {
    {"user.setup-link", OrderKind::Changes, makeSetupLink, MachineAdmin},
    {"user.setup-check", OrderKind::Reads, checkSetupLink, Anybody},
    {"user.setup-options", OrderKind::Reads, setupOptions, Anybody},
    {"user.setup", OrderKind::Changes, setUpAccount, Anybody},
    {"user.authenticate", OrderKind::Changes, authenticate, Anybody},
    {"user.factor", OrderKind::Changes, proveFactor, Anybody},
    {"passkey.sign-in-options", OrderKind::Reads, passkeySignInOptions, Anybody},
};

}  // namespace

Invitation newInvitation(const OrderTools& tools, const std::string& token, std::string kind, std::string account,
                         std::string madeBy, std::chrono::hours lasts) {
  const auto tokenHash = proofs::hashOf(token);
  return {tokenHash,           std::move(kind),
          std::move(account),  linkKey(tools).sealSecret(crypto::makeTotpSecret(), "link:" + tokenHash),
          std::move(madeBy),   tools.now(),
          tools.now() + lasts, TimePoint()};
}

json invitationView(const OrderTools& tools, const std::string& token, const Invitation& invitation) {
  return {{"url", tools.context.webUrl() + "/setup?token=" + token},
          {"token", token},
          {"expiresAt", toMicros(invitation.expiresAt)}};
}

std::span<const OrderRow> signInOrders() {
  return Rows;
}

}  // namespace postern::listd
