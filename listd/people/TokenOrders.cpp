#include "core/crypto/Encoding.h"
#include "core/crypto/Random.h"
#include "core/mail/Text.h"
#include "listd/mailout/SiteMail.h"
#include "listd/orders/Views.h"
#include "listd/people/PeopleOrders.h"
#include "listd/people/Proofs.h"
#include "listd/people/RoleRules.h"
#include "listd/people/SignInThrottle.h"

#include <algorithm>

namespace postern::listd {

using nlohmann::json;

namespace {

constexpr std::string_view TokenPrefix = "ptn_";  // so that scanners of leaked secrets can know it
constexpr std::chrono::hours EmergencyLasts{4};
constexpr std::size_t MostTokens = 50;

void refuseTokens(const OrderCall& call) {
  if (call.person.byToken) refuse("denied", "an access token cannot do this", "sign in to the web UI");
}

json viewOf(const ApiToken& token) {
  return {{"id", token.id},
          {"name", token.name},
          {"scopes", token.scopes},
          {"createdAt", toMicros(token.createdAt)},
          {"expiresAt", toMicros(token.expiresAt)},
          {"lastUsedAt", toMicros(token.lastUsedAt)}};
}

// Each scope names a subject that orders have, so that a slip of the pen does not make a token that can do nothing.
std::vector<std::string> requireScopes(const Args& args) {
  std::vector<std::string> scopes;
  for (const auto& text : args.texts("scopes")) {
    for (std::string_view rest = text; !rest.empty();) {
      const auto end = std::min(rest.find_first_of(", "), rest.size());
      if (end > 0) scopes.emplace_back(rest.substr(0, end));
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
  }
  for (const auto& scope : scopes) {
    const auto colon = scope.find(':');
    const auto subject = scope.substr(0, colon);
    const auto kind = colon == scope.npos ? "" : scope.substr(colon + 1);
    const auto names = [&](const OrderRow& row) { return row.name == subject || row.name.starts_with(subject + "."); };
    const auto& tables = orderTables();
    const bool known = std::any_of(tables.begin(), tables.end(),
                                   [&](const auto& table) { return std::any_of(table.begin(), table.end(), names); });
    if (!known || (kind != "read" && kind != "write" && scope != "mail:send"))
      refuse("invalid", "\"" + scope + "\" is not a scope", "give as in list:read or retention:write");
  }
  if (scopes.empty()) refuse("usage", "\"scopes\" is missing", "give as in list:read or retention:write");
  return scopes;
}

json createToken(OrderTools& tools, const OrderCall& call) {
  refuseTokens(call);
  ApiToken token;
  token.account = call.person.account;
  token.name = call.args.text("name", 60);
  token.scopes = requireScopes(call.args);
  token.createdAt = tools.now();
  token.expiresAt = tools.now() + std::chrono::days(call.args.number("days", 90, 1, 366));
  const auto secret = std::string(TokenPrefix) + crypto::randomToken();
  token.tokenHash = proofs::hashOf(secret);
  return change(tools, call, [&](SiteTables& tables) {
    if (call.person.machine || !tables.accounts.find(token.account))
      refuse("refused", "a token belongs to a person with an account", "sign in to the web UI and make it there");
    if (tables.tokens.of(token.account).size() >= MostTokens)
      refuse("refused", "there are " + std::to_string(MostTokens) + " tokens already", "revoke one first");
    token.id = tables.tokens.add(token);
    call.note.objectType = "token";
    call.note.objectId = std::to_string(token.id);
    for (const auto& scope : token.scopes) call.note.text("scope", scope);
    auto view = viewOf(token);
    view["token"] = secret;
    return view;
  });
}

json listTokens(OrderTools& tools, const OrderCall& call) {
  return tools.context.site.read([&](SiteTables& tables) {
    auto items = json::array();
    for (const auto& token : tables.tokens.of(call.person.account)) items.push_back(viewOf(token));
    return pageOf(std::move(items), {});
  });
}

json revokeToken(OrderTools& tools, const OrderCall& call) {
  const auto id = call.args.id("id");
  return change(tools, call, [&](SiteTables& tables) {
    if (!tables.tokens.revoke(call.person.account, id, tools.now()))
      refuse("not-found", "there is no such token", "see: postern token list");
    call.note.objectType = "token";
    call.note.objectId = std::to_string(id);
    return json{{"id", id}};
  });
}

json viewOf(const BreakGlass& sealed) {
  return {{"id", sealed.id},
          {"account", sealed.account},
          {"sealedBy", sealed.sealedBy},
          {"sealedAt", toMicros(sealed.sealedAt)},
          {"openedAt", toMicros(sealed.openedAt)},
          {"openedUntil", toMicros(sealed.openedUntil)},
          {"openedFrom", sealed.openedFrom},
          {"openedFor", sealed.openedFor},
          {"reviewedBy", sealed.reviewedBy},
          {"reviewedAt", toMicros(sealed.reviewedAt)},
          {"words", sealed.words}};
}

std::string plainCode(std::string_view typed) {
  std::string code;
  for (const char c : mail::lowerAscii(typed))
    if (c != ' ' && c != '-') code += c;
  return code;
}

// A new sealed emergency account. Its code is shown once, to be printed and put into an envelope.
json sealBreakGlass(OrderTools& tools, const OrderCall& call) {
  refuseTokens(call);
  const auto plain = mail::lowerAscii(crypto::base32(crypto::randomBytes(30)));  // 48 characters, 240 bits
  std::string code;
  for (std::size_t at = 0; at < plain.size(); at += 6) code += (at == 0 ? "" : "-") + plain.substr(at, 6);
  const auto number = crypto::hex(crypto::randomBytes(4));
  Account account;
  account.name = "emergency-" + number;
  account.roles = app::Role::Admin;
  account.userHandle = crypto::randomBytes(32);
  account.createdAt = tools.now();
  account.breakGlass = true;
  return change(tools, call, [&](SiteTables& tables) {
    tables.accounts.add(account);
    const auto id = tables.tokens.seal(
        {0, account.name, proofs::hashOf(plain), call.actor.name, tools.now(), {}, {}, {}, {}, {}, {}, {}});
    call.note.objectType = "break-glass";
    call.note.objectId = std::to_string(id);
    return json{{"id", id}, {"account", account.name}, {"code", code}};
  });
}

// Everybody who works here hears of it, whose address is known; the dashboard tells all until somebody reviewed it.
void alarmStaff(const OrderTools& tools, SiteTables& tables, TimePoint now) {
  for (const auto& person : siteStaff(tables)) {
    const SiteMail mail{
        SiteMail::Kind::BreakGlass, person.mail, tools.context.webUrl() + "/people", {formatRfc3339(now)}};
    if (!person.mail.empty() && !siteMailFault(mail)) sendSiteMail(tables, mail, now);
  }
}

// Opens a sealed account for four hours, once. No other proof is asked: it is for the day when all others are lost.
// What makes it safe is that everybody hears of it.
json openBreakGlass(OrderTools& tools, const OrderCall& call) {
  const auto client = call.args.textOr("client", {}, 64);
  const auto reason = call.args.text("reason", 500);
  const auto hash = proofs::hashOf(plainCode(call.args.text("code", 200)));
  const auto now = tools.now();
  const bool allowed =
      tools.context.site.write([&](SiteTables& tables) { return chargeSignIn(tables, {}, client, now); });
  return change(tools, call, [&](SiteTables& tables) {
    const auto sealed = tables.tokens.findSealed(hash);
    const auto account = sealed ? tables.accounts.find(sealed->account) : std::nullopt;
    if (!allowed || !sealed || !account || account->state != "enabled")
      refuse("refused", "this code opens nothing, or there were too many attempts", "wait some minutes and try again");
    tables.tokens.open(sealed->id, now, now + EmergencyLasts, client, reason);
    tables.accounts.recordSignIn(sealed->account, now);
    forgiveSignIn(tables, {}, client, now);
    alarmStaff(tools, tables, now);
    call.note.objectType = "break-glass";
    call.note.objectId = std::to_string(sealed->id);
    call.note.reasonText = reason;
    auto view = proofs::viewWithFactors(tools, tables, *account);
    view["until"] = toMicros(now + EmergencyLasts);
    view["session"] = proofs::openSession(tools, tables, call, sealed->account, client);
    return view;
  });
}

json listBreakGlass(OrderTools& tools, const OrderCall&) {
  return tools.context.site.read([](SiteTables& tables) {
    auto items = json::array();
    for (const auto& sealed : tables.tokens.allBreakGlass()) items.push_back(viewOf(sealed));
    return pageOf(std::move(items), {});
  });
}

json reviewBreakGlass(OrderTools& tools, const OrderCall& call) {
  const auto id = call.args.id("id");
  const auto words = call.args.text("words", 1000);
  return change(tools, call, [&](SiteTables& tables) {
    if (!tables.tokens.review(id, call.actor.name, tools.now(), words))
      refuse("not-found", "there is no opening that waits for a review", "see the list of openings");
    call.note.objectType = "break-glass";
    call.note.objectId = std::to_string(id);
    call.note.reasonText = words;
    return json{{"id", id}};
  });
}

using app::Role;
constexpr Access Again{AnySignedIn.roles, true, ""};

constexpr OrderRow Rows[] = {
    {"token.create", OrderKind::Changes, createToken, Again},
    {"token.list", OrderKind::Reads, listTokens, AnySignedIn},
    {"token.revoke", OrderKind::Changes, revokeToken, AnySignedIn},
    {"break-glass.seal", OrderKind::Changes, sealBreakGlass, {Role::Admin, true}},
    {"break-glass.open", OrderKind::Changes, openBreakGlass, Anybody},
    {"break-glass.list", OrderKind::Reads, listBreakGlass, {Role::Admin | Role::Auditor}},
    {"break-glass.review", OrderKind::Changes, reviewBreakGlass, {Role::Auditor}},
};

}  // namespace

std::span<const OrderRow> tokenOrders() {
  return Rows;
}

}  // namespace postern::listd
