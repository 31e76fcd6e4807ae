#include "core/crypto/Aead.h"
#include "core/crypto/Digest.h"
#include "core/crypto/Encoding.h"
#include "core/crypto/Random.h"
#include "core/crypto/Totp.h"
#include "listd/orders/OrderTools.h"
#include "listd/orders/PasswordRule.h"
#include "listd/orders/SignInThrottle.h"
#include "listd/orders/Views.h"

namespace postern::listd {

using nlohmann::json;

namespace {

constexpr std::chrono::hours LinkLifetime{24};
constexpr std::size_t LongestPassword = 1000;
constexpr std::string_view TotpKeyLabel = "postern totp v1";

crypto::AeadKey totpKey(const OrderTools& tools) {
  return crypto::AeadKey(tools.context.root.derive(TotpKeyLabel));
}

std::string hashOf(std::string_view token) {
  return crypto::hex(crypto::sha256(token));
}

[[noreturn]] void refuseLink() {
  refuse("refused", "this set-up link is used, too old, or was never made",
         "make a new one with: postern user setup-link");
}

// The TOTP secret of a link that may be used now.
Secret requireLink(const OrderTools& tools, SiteTables& tables, const std::string& tokenHash) {
  const auto link = tables.accounts.findLink(tokenHash);
  if (!link || toMicros(link->usedAt) != 0 || link->expiresAt <= tools.now() || tables.accounts.any()) refuseLink();
  return totpKey(tools).openSecret(link->totpSecret, "link:" + tokenHash);
}

std::string requireAccountName(const Args& args) {
  const auto name = args.text("name", 64);
  if (name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789._-@") != std::string::npos)
    refuse("invalid", "\"" + name + "\" cannot be the name of an account",
           "use lower-case letters, digits and . _ - @, at most 64");
  return name;
}

Secret requireNewPassword(const OrderTools& tools, const Args& args, const std::string& name) {
  Secret password(args.bytes("password", LongestPassword));
  if (const auto fault = passwordFault(password.view(), {name, tools.context.config.hostName}))
    refuse("invalid", fault->message, fault->hint);
  return password;
}

}  // namespace

json makeSetupLink(OrderTools& tools, const OrderCall& call) {
  const auto token = crypto::randomToken();
  const auto tokenHash = hashOf(token);
  const SetupLink link{tokenHash, totpKey(tools).sealSecret(crypto::makeTotpSecret(), "link:" + tokenHash), tools.now(),
                       tools.now() + LinkLifetime, TimePoint()};
  return change(tools, call, [&](SiteTables& tables) {
    if (tables.accounts.any())
      refuse("refused", "there is an account already, so no set-up link is made",
             "sign in at " + tools.context.webUrl());
    tables.accounts.addLink(link);
    return json{{"url", tools.context.webUrl() + "/setup?token=" + token},
                {"token", token},
                {"expiresAt", toMicros(link.expiresAt)}};
  });
}

json checkSetupLink(OrderTools& tools, const OrderCall& call) {
  const auto tokenHash = hashOf(call.args.text("token", 200));
  return tools.context.site.read([&](SiteTables& tables) {
    const auto secret = requireLink(tools, tables, tokenHash);
    return json{{"secret", crypto::base32(secret.view())},
                {"shortestPassword", ShortestPassword},
                {"otpauth", crypto::totpUri("Postern", tools.context.config.hostName, secret)}};
  });
}

json setUpAccount(OrderTools& tools, const OrderCall& call) {
  const auto tokenHash = hashOf(call.args.text("token", 200));
  const auto secret =
      tools.context.site.read([&](SiteTables& tables) { return requireLink(tools, tables, tokenHash); });
  const auto name = requireAccountName(call.args);
  const auto password = requireNewPassword(tools, call.args, name);
  const auto step = crypto::checkTotp(secret, call.args.text("totp", 16), tools.now(), 0);
  if (!step)
    refuse("invalid", "the code does not match",
           "type the six digits that the authenticator shows now; check the clock of the phone");
  Account account;
  account.name = name;
  account.role = "admin";
  account.passwordHash = tools.passwords.hash(password);
  account.totpSecret = totpKey(tools).sealSecret(secret, "account:" + name);
  account.totpLastStep = *step;
  account.createdAt = tools.now();
  return change(tools, call, [&](SiteTables& tables) {
    requireLink(tools, tables, tokenHash);  // again: two browsers may hold the same link
    tables.accounts.add(account);
    tables.accounts.useLink(tokenHash, tools.now());
    return viewOf(account);
  });
}

json authenticate(OrderTools& tools, const OrderCall& call) {
  const auto name = call.args.textOr("name", {}, 64);
  const Secret password(call.args.bytes("password", LongestPassword));
  const auto code = call.args.textOr("totp", {}, 16);
  const auto client = call.args.textOr("client", {}, 64);
  const auto refuseSignIn = [] {
    refuse("refused", "name, password or code is wrong, or there were too many attempts",
           "wait for the next code and try again; after many attempts wait some minutes");
  };
  const auto now = tools.now();
  // Charged before the password is looked at, so that guesses side by side are counted too.
  const bool allowed =
      tools.context.site.write([&](SiteTables& tables) { return chargeSignIn(tables, name, client, now); });
  const auto account = tools.context.site.read([&](SiteTables& tables) { return tables.accounts.find(name); });
  // The password is hashed whatever happened before: the time must not tell what was wrong.
  std::optional<std::string> hash;
  if (allowed && account) hash = account->passwordHash;
  const bool passwordRight = tools.passwords.verify(password, hash);
  return change(tools, call, [&](SiteTables& tables) {
    auto current = tables.accounts.find(name);
    if (!allowed || !current || !passwordRight) refuseSignIn();
    const auto secret = totpKey(tools).openSecret(current->totpSecret, "account:" + name);
    const auto step = crypto::checkTotp(secret, code, now, current->totpLastStep);
    if (!step) refuseSignIn();
    tables.accounts.recordSignIn(name, *step, now);
    forgiveSignIn(tables, name, client);
    current->lastSignInAt = now;
    return viewOf(*current);
  });
}

json showUser(OrderTools& tools, const OrderCall& call) {
  const auto name = call.args.text("name", 64);
  return tools.context.site.read([&](SiteTables& tables) {
    const auto account = tables.accounts.find(name);
    if (!account) refuse("not-found", "there is no account " + name, "see: postern user list");
    return viewOf(*account);
  });
}

json listUsers(OrderTools& tools, const OrderCall&) {
  return tools.context.site.read([](SiteTables& tables) {
    auto items = json::array();
    for (const auto& account : tables.accounts.all()) items.push_back(viewOf(account));
    return pageOf(std::move(items), {});
  });
}

}  // namespace postern::listd
