#include "core/crypto/Digest.h"
#include "core/crypto/Encoding.h"
#include "core/crypto/Random.h"
#include "listd/orders/Views.h"
#include "listd/people/LegalSite.h"
#include "listd/people/PeopleOrders.h"
#include "listd/people/Proofs.h"
#include "listd/people/RoleRules.h"

namespace postern::listd {

using nlohmann::json;

namespace {

constexpr std::chrono::hours InvitationLasts{7 * 24};

Account requireAccount(SiteTables& tables, const Args& args) {
  const auto name = args.text("name", 64);
  auto account = tables.accounts.find(name);
  if (!account) refuse("not-found", "there is no account " + name, "see: postern user list");
  return std::move(*account);
}

// "admin,helpdesk" or ["admin", "helpdesk"].
std::vector<std::string> wordsArg(const Args& args, std::string_view name) {
  std::vector<std::string> words;
  for (const auto& item : args.texts(name)) {
    std::string_view rest = item;
    while (!rest.empty()) {
      const auto end = std::min(rest.find_first_of(", "), rest.size());
      if (end > 0) words.emplace_back(rest.substr(0, end));
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
  }
  return words;
}

app::Roles rolesArg(const Args& args) {
  app::Roles roles;
  for (const auto& word : wordsArg(args, "roles")) {
    const auto role = app::roleFromWord(word);
    if (!role)
      refuse("invalid", "there is no role \"" + word + "\"",
             "give of: admin officer approver auditor custodian owner helpdesk member");
    roles = roles | *role;
  }
  if (roles.empty()) refuse("usage", "\"roles\" is missing", "give at least one role, as in helpdesk");
  return roles;
}

std::vector<std::uint64_t> listsArg(SiteTables& tables, const Args& args) {
  std::vector<std::uint64_t> ids;
  for (const auto& address : wordsArg(args, "lists")) {
    const auto parsed = mail::Address::parse(address);
    const auto list = parsed ? tables.lists.find(parsed->key()) : std::nullopt;
    if (!list) refuse("not-found", "there is no list " + address, "see: postern list list");
    ids.push_back(list->id);
  }
  return ids;
}

bool hasAdmin(SiteTables& tables) {
  for (const auto& account : tables.accounts.all())
    if (account.state == "enabled" && !account.breakGlass && account.roles.has(app::Role::Admin)) return true;
  return false;
}

json inviteAccount(OrderTools& tools, const OrderCall& call) {
  const auto name = call.args.text("name", 64);
  if (name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789._-@") != std::string::npos)
    refuse("invalid", "\"" + name + "\" cannot be the name of an account",
           "use lower-case letters, digits and . _ - @, at most 64");
  const auto roles = rolesArg(call.args);
  if (const auto exclusion = exclusionOf(roles); !exclusion.empty())
    refuse("refused", exclusion, "give them to two people");
  Account account;
  account.name = name;
  account.roles = roles;
  account.state = "invited";
  account.userHandle = crypto::randomBytes(32);
  account.createdAt = tools.now();
  if (call.args.has("mail")) account.mail = call.args.address("mail").key();
  const auto token = crypto::randomToken();
  const auto invitation = newInvitation(tools, token, "invitation", name, call.actor.name, InvitationLasts);
  return change(tools, call, [&](SiteTables& tables) {
    if (tables.accounts.find(name))
      refuse("exists", "there is an account " + name + " already", "see: postern user list");
    if (roles.meets(StaffRoles)) requireSplit(tables);
    tables.accounts.add(account);
    tables.accounts.setLists(name, listsArg(tables, call.args));
    tables.accounts.addInvitation(invitation);
    call.note.objectType = "account";
    call.note.person("account", name);
    for (const auto& word : wordsOf(roles)) call.note.text("role", word);
    return invitationView(tools, token, invitation);
  });
}

void applyState(OrderTools& tools, SiteTables& tables, const Account& account, const std::string& state) {
  if (state == account.state) return;
  if (account.state == "invited" && state == "enabled")
    refuse("refused", account.name + " has not used the invitation yet", "make a new link with: postern user recover");
  tables.accounts.setState(account.name, state);
  if (state != "disabled") return;
  tables.tokens.revokeAll(account.name, tools.now());
  tables.accounts.endInvitations(account.name, tools.now());
}

json setAccount(OrderTools& tools, const OrderCall& call) {
  return change(tools, call, [&](SiteTables& tables) {
    const auto account = requireAccount(tables, call.args);
    const bool hadAdmin = hasAdmin(tables);
    call.note.objectType = "account";
    call.note.person("account", account.name);
    if (call.args.has("roles")) {
      const auto roles = rolesArg(call.args);
      tables.accounts.setRoles(account.name, roles);
      for (const auto& word : wordsOf(roles)) call.note.text("role", word);
    }
    if (call.args.has("lists")) tables.accounts.setLists(account.name, listsArg(tables, call.args));
    if (call.args.has("mail")) tables.accounts.setMail(account.name, call.args.address("mail").key());
    if (call.args.has("state"))
      applyState(tools, tables, account, call.args.word("state", account.state, {"enabled", "disabled"}));
    requireLegalSite(tables);
    if (hadAdmin && !hasAdmin(tables))
      refuse("refused", "nobody would be left who may administer this site", "make another person admin first");
    return proofs::viewWithFactors(tools, tables, *tables.accounts.find(account.name));
  });
}

json disableAccount(OrderTools& tools, const OrderCall& call) {
  return change(tools, call, [&](SiteTables& tables) {
    const auto account = requireAccount(tables, call.args);
    applyState(tools, tables, account, "disabled");
    if (account.roles.has(app::Role::Admin) && !hasAdmin(tables))
      refuse("refused", "nobody would be left who may administer this site", "make another person admin first");
    call.note.objectType = "account";
    call.note.person("account", account.name);
    return proofs::viewWithFactors(tools, tables, *tables.accounts.find(account.name));
  });
}

json recoverAccount(OrderTools& tools, const OrderCall& call) {
  const auto token = crypto::randomToken();
  return change(tools, call, [&](SiteTables& tables) {
    const auto account = requireAccount(tables, call.args);
    if (account.state == "disabled" || account.breakGlass)
      refuse("refused", account.name + " may not sign in, so there is nothing to recover",
             "enable the account first: postern user set " + account.name + " --state enabled");
    const auto kind = account.state == "invited" ? "invitation" : "recovery";
    const auto invitation = newInvitation(tools, token, kind, account.name, call.actor.name, InvitationLasts);
    tables.accounts.addInvitation(invitation);
    call.note.objectType = "account";
    call.note.person("account", account.name);
    return invitationView(tools, token, invitation);
  });
}

json listAccounts(OrderTools& tools, const OrderCall&) {
  return tools.context.site.read([&](SiteTables& tables) {
    auto items = json::array();
    for (const auto& account : tables.accounts.all()) items.push_back(proofs::viewWithFactors(tools, tables, account));
    return pageOf(std::move(items), {});
  });
}

json showAccount(OrderTools& tools, const OrderCall& call) {
  return tools.context.site.read([&](SiteTables& tables) {
    const auto name = call.args.textOr("name", call.person.account, 64);
    const app::Roles lookers = app::Role::Admin | app::Role::Auditor;
    if (name != call.person.account && !call.person.roles.meets(lookers))
      refuse("denied", "your roles do not allow this", "ask an administrator");
    const auto account = tables.accounts.find(name);
    if (!account) refuse("not-found", "there is no account " + name, "see: postern user list");
    return proofs::viewWithFactors(tools, tables, *account);
  });
}

// Who may what, as the signer looks at it; the digest says that nothing changed between looking and signing.
json accessFacts(SiteTables& tables) {
  auto items = json::array();
  for (const auto& account : tables.accounts.all())
    items.push_back({{"name", account.name},
                     {"roles", wordsOf(account.roles)},
                     {"lists", tables.accounts.listsOf(account.name)},
                     {"state", account.state}});
  return items;
}

constexpr std::chrono::days ReviewEvery{91};

json reviewAccess(OrderTools& tools, const OrderCall&) {
  return tools.context.site.read([&](SiteTables& tables) {
    auto items = accessFacts(tables);
    const auto last = tables.tokens.lastReview();
    json view{{"digest", crypto::hex(crypto::sha256(items.dump()))},
              {"due", !last || last->signedAt + ReviewEvery <= tools.now()}};
    for (auto& item : items) {
      const auto name = item["name"].get<std::string>();
      const auto account = tables.accounts.find(name);
      item["lastSignInAt"] = toMicros(account->lastSignInAt);
      item["factors"] = tables.accounts.factorsOf(name).size();
      item["tokens"] = tables.tokens.of(name).size();
    }
    view["items"] = std::move(items);
    if (last) view["last"] = {{"by", last->signedBy}, {"at", toMicros(last->signedAt)}, {"words", last->words}};
    return view;
  });
}

json signOffAccess(OrderTools& tools, const OrderCall& call) {
  const auto words = call.args.text("words", 1000);
  return change(tools, call, [&](SiteTables& tables) {
    const auto digest = crypto::hex(crypto::sha256(accessFacts(tables).dump()));
    if (call.args.text("digest", 64) != digest)
      refuse("refused", "the accounts changed since they were shown", "look at them again, then sign");
    tables.tokens.addReview({0, digest, call.actor.name, tools.now(), words});
    call.note.objectType = "access-review";
    call.note.afterDigest = digest;
    call.note.reasonText = words;
    return json{{"digest", digest}, {"by", call.actor.name}, {"at", toMicros(tools.now())}};
  });
}

using app::Role;
constexpr Access AdminOnly{Role::Admin};
constexpr Access AdminAgain{Role::Admin, true};
constexpr Access Lookers{Role::Admin | Role::Auditor};

constexpr OrderRow Rows[] = {
    {"account.invite", OrderKind::Changes, inviteAccount, AdminAgain},
    {"account.list", OrderKind::Reads, listAccounts, Lookers},
    {"account.show", OrderKind::Reads, showAccount, AnySignedIn},
    {"account.set", OrderKind::Changes, setAccount, AdminAgain},
    {"account.disable", OrderKind::Changes, disableAccount, AdminAgain},
    {"account.recover", OrderKind::Changes, recoverAccount, AdminAgain},
    {"user.list", OrderKind::Reads, listAccounts, Lookers},
    {"access.review", OrderKind::Reads, reviewAccess, {Role::Auditor | Role::Approver}},
    {"access.sign-off", OrderKind::Changes, signOffAccess, {Role::Approver}},
};

}  // namespace

std::span<const OrderRow> accountOrders() {
  return Rows;
}

}  // namespace postern::listd
