#include "core/crypto/Digest.h"
#include "core/crypto/Encoding.h"
#include "core/crypto/Random.h"
#include "listd/mailout/SealedLink.h"
#include "listd/mailout/SiteMail.h"
#include "listd/orders/Views.h"
#include "listd/people/AccountRequests.h"
#include "listd/people/LegalSite.h"
#include "listd/people/PeopleOrders.h"
#include "listd/people/Proofs.h"
#include "listd/people/RoleRules.h"
#include "listd/requests/OutsideAddress.h"

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

// Mails the link to a person whose address is known. False: it is not, or our own address cannot stand in a mail.
bool mailLink(const OrderTools& tools, SiteTables& tables, const std::string& address, const std::string& token,
              const Invitation& invitation) {
  if (address.empty()) return false;
  const SiteMail mail{SiteMail::Kind::Invitation,
                      address,
                      sealLink(tools.context.root, tools.context.webUrl() + "/setup", token),
                      {formatRfc3339(invitation.expiresAt)}};
  if (siteMailFault(mail)) return false;
  sendSiteMail(tables, mail, tools.now());
  return true;
}

// A new link for the account, mailed when the address is known.
json makeLink(const OrderTools& tools, SiteTables& tables, const Account& account, const std::string& madeBy) {
  const auto kind = account.state == "invited" ? "invitation" : "recovery";
  const auto token = crypto::randomToken();
  const auto invitation = newInvitation(tools, token, kind, account.name, madeBy, InvitationLasts);
  tables.accounts.addInvitation(invitation);
  auto view = invitationView(tools, token, invitation);
  view["mailed"] = mailLink(tools, tables, account.mail, token, invitation);
  return view;
}

void describe(const OrderCall& call, const std::string& name, app::Roles roles = {}) {
  call.note.objectType = "account";
  call.note.person("account", name);
  for (const auto& word : wordsOf(roles)) call.note.text("role", word);
}

app::Roles without(app::Roles all, app::Roles some) {
  return app::Roles::fromBits(all.bits() & static_cast<std::uint16_t>(~some.bits()));
}

bool isStaff(const std::string& state, app::Roles roles) {
  return state == "enabled" && roles.meets(StaffRoles);
}

// Whether the site has two people or more who run it, and would not with this account so.
bool leavesOnePerson(SiteTables& tables, const Account& account, app::Roles roles, const std::string& state) {
  const auto before = staffCount(tables);
  const bool leaves = !account.breakGlass && isStaff(account.state, account.roles) && !isStaff(state, roles);
  return leaves && before == 2;
}

void requireAdminLeft(SiteTables& tables, const Account& account) {
  for (const auto& other : tables.accounts.all())
    if (other.name != account.name && other.state == "enabled" && !other.breakGlass &&
        other.roles.has(app::Role::Admin))
      return;
  refuse("refused", "nobody would be left who may administer this site", "make another person admin first");
}

std::string joined(app::Roles roles) {
  std::string words;
  for (const auto& word : wordsOf(roles)) words += (words.empty() ? "" : ", ") + word;
  return words;
}

// One person will be left. Until seven days after the mail outside the rules of two people are held. To be called
// before the change, so that the person concerned is told as well. Nothing here may keep the change from being made.
std::optional<Request> askForOnePerson(OrderTools& tools, SiteTables& tables, const OrderCall& call,
                                       const Account& account) {
  holdTwoPersonRules(tables, NotAsked);
  if (!outsideAddress(tools, siteStaff(tables))) return std::nullopt;
  Request request;
  request.kind = "account.one-person";
  request.payload = {{"person", account.name}};
  request.before = {{"rules", "of two people"}};
  request.after = {{"rules", "of one person"}};
  request.title = "Leave the site to one person, without " + account.name;
  request.reason = call.args.textOr("reason", {}, 500);
  if (request.reason.empty()) request.reason = "no reason was given";
  request.requester = call.actor.name;
  auto made = tools.context.requests.make(tools, tables, std::move(request));
  holdTwoPersonRules(tables, made.id);
  call.note.requestId = made.id;
  call.note.reasonText = made.reason;
  return made;
}

// Shut out before, while nobody outside could be told or the request for it was stopped: it can be asked again.
bool asksAgain(SiteTables& tables, const Account& account) {
  const auto held = heldUntilRequest(tables);
  if (!held || account.state != "disabled" || staffCount(tables) > 1) return false;
  const auto request = tables.requests.find(*held);
  return !request || request->state != "waiting";
}

json changedView(OrderTools& tools, SiteTables& tables, const std::string& name, const std::optional<Request>& asked) {
  auto view = proofs::viewWithFactors(tools, tables, *tables.accounts.find(name));
  if (asked) view["request"] = viewOf(*asked);
  return view;
}

// Puts the order before an approver. What it may not do at all is refused at once, and again when it is carried out.
json askForApproval(OrderTools& tools, SiteTables& tables, const OrderCall& call, const Account& account,
                    app::Roles after, const std::string& act) {
  if (const auto exclusion = exclusionOf(after); !exclusion.empty() && twoPersonRules(tables))
    refuse("refused", exclusion, "give them to two people");
  Request request;
  request.kind = "account.roles";
  request.payload = {{"person", account.name}, {"act", act}, {"args", json::object()}};
  for (const auto* name : {"name", "roles", "lists", "mail", "state"})
    if (call.args.has(name)) request.payload["args"][name] = call.args.value(name);
  request.before = {{"roles", wordsOf(account.roles)}, {"state", act == "invite" ? "none" : account.state}};
  request.after = {{"roles", wordsOf(after)}, {"state", act == "set" ? "enabled" : "invited"}};
  const auto words = joined(after);
  request.title = act == "recover" ? "Give " + account.name + " a new way to sign in (" + words + ")"
                                   : "Give " + account.name + " the roles " + words;
  request.reason = call.args.textOr("reason", {}, 500);
  request.requester = call.actor.name;
  const auto made = tools.context.requests.make(tools, tables, std::move(request));
  call.note.requestId = made.id;
  call.note.reasonText = made.reason;
  return {{"request", viewOf(made)}};
}

Account invitedAccount(const OrderTools& tools, const Args& args) {
  Account account;
  account.name = args.text("name", 64);
  if (account.name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789._-@") != std::string::npos)
    refuse("invalid", "\"" + account.name + "\" cannot be the name of an account",
           "use lower-case letters, digits and . _ - @, at most 64");
  account.roles = rolesArg(args);
  if (const auto exclusion = exclusionOf(account.roles); !exclusion.empty())
    refuse("refused", exclusion, "give them to two people");
  account.state = "invited";
  account.userHandle = crypto::randomBytes(32);
  account.createdAt = tools.now();
  if (args.has("mail")) account.mail = args.address("mail").key();
  return account;
}

void requireNew(SiteTables& tables, const Account& account) {
  if (tables.accounts.find(account.name))
    refuse("exists", "there is an account " + account.name + " already", "see: postern user list");
  if (account.roles.meets(StaffRoles)) requireSplit(tables);
}

void addAccount(SiteTables& tables, const Account& account, const Args& args) {
  requireNew(tables, account);
  tables.accounts.add(account);
  tables.accounts.setLists(account.name, listsArg(tables, args));
}

json inviteAccount(OrderTools& tools, const OrderCall& call) {
  const auto account = invitedAccount(tools, call.args);
  return change(tools, call, [&](SiteTables& tables) {
    describe(call, account.name, account.roles);
    if (account.roles.meets(ControlRoles) && controlsAreShared(tables)) {
      requireNew(tables, account);
      Account before = account;
      before.roles = {};
      return askForApproval(tools, tables, call, before, account.roles, "invite");
    }
    addAccount(tables, account, call.args);
    return makeLink(tools, tables, account, call.actor.name);
  });
}

void applyState(OrderTools& tools, SiteTables& tables, const Account& account, const std::string& state) {
  if (state == account.state) return;
  if (account.state == "invited" && state == "enabled")
    refuse("refused", account.name + " has not used the invitation yet", "make a new link with: postern user recover");
  tables.accounts.setState(account.name, state);
  if (state != "disabled") return;
  tables.tokens.revokeAll(account.name, tools.now());
  tables.sessions.endAll(SubjectKind::Account, account.name);
  tables.accounts.endInvitations(account.name, tools.now());
}

void changeAccount(OrderTools& tools, SiteTables& tables, const Args& args) {
  const auto account = requireAccount(tables, args);
  const bool hadAdmin = hasAdmin(tables);
  if (args.has("roles") && !(rolesArg(args) == account.roles)) {
    tables.accounts.setRoles(account.name, rolesArg(args));
    tables.sessions.endAll(SubjectKind::Account, account.name);  // who is somebody else now signs in anew
  }
  if (args.has("lists")) tables.accounts.setLists(account.name, listsArg(tables, args));
  if (args.has("mail")) tables.accounts.setMail(account.name, args.address("mail").key());
  if (args.has("state")) applyState(tools, tables, account, args.word("state", account.state, {"enabled", "disabled"}));
  requireLegalSite(tables);
  noteApprovers(tables);
  if (hadAdmin && !hasAdmin(tables))
    refuse("refused", "nobody would be left who may administer this site", "make another person admin first");
}

json setAccount(OrderTools& tools, const OrderCall& call) {
  return change(tools, call, [&](SiteTables& tables) {
    const auto account = requireAccount(tables, call.args);
    const auto roles = call.args.has("roles") ? rolesArg(call.args) : account.roles;
    describe(call, account.name, call.args.has("roles") ? roles : app::Roles());
    // Letting somebody in again gives all that the account has.
    const auto state = call.args.word("state", account.state, {"enabled", "disabled"});
    const bool comesBack = account.state == "disabled" && state == "enabled";
    const auto gained = comesBack ? roles : without(roles, account.roles);
    if (gained.meets(ControlRoles) && controlsAreShared(tables))
      return askForApproval(tools, tables, call, account, roles, "set");
    const auto asked =
        leavesOnePerson(tables, account, roles, state) ? askForOnePerson(tools, tables, call, account) : std::nullopt;
    changeAccount(tools, tables, call.args);
    return changedView(tools, tables, account.name, asked);
  });
}

json disableAccount(OrderTools& tools, const OrderCall& call) {
  return change(tools, call, [&](SiteTables& tables) {
    const auto account = requireAccount(tables, call.args);
    if (account.roles.has(app::Role::Admin)) requireAdminLeft(tables, account);
    const bool leaves = leavesOnePerson(tables, account, account.roles, "disabled") || asksAgain(tables, account);
    const auto asked = leaves ? askForOnePerson(tools, tables, call, account) : std::nullopt;
    applyState(tools, tables, account, "disabled");
    call.note.objectType = "account";
    call.note.person("account", account.name);
    return changedView(tools, tables, account.name, asked);
  });
}

Account requireRecoverable(SiteTables& tables, const Args& args) {
  auto account = requireAccount(tables, args);
  if (account.state == "disabled" || account.breakGlass)
    refuse("refused", account.name + " may not sign in, so there is nothing to recover",
           "enable the account first: postern user set " + account.name + " --state enabled");
  return account;
}

// Who holds the link becomes the person. So a second person lets it be made for those who control others; what was
// approved puts the account back to "invited", from where a link is the administrator's to make.
json recoverAccount(OrderTools& tools, const OrderCall& call) {
  return change(tools, call, [&](SiteTables& tables) {
    const auto account = requireRecoverable(tables, call.args);
    describe(call, account.name);
    if (account.state == "enabled" && account.roles.meets(ControlRoles) && twoPersonRules(tables) &&
        controlsAreShared(tables))
      return askForApproval(tools, tables, call, account, account.roles, "recover");
    return makeLink(tools, tables, account, call.actor.name);
  });
}

// An approved request of kind "account.roles". A link is mailed, or made with account.recover: nobody but the person
// who makes it ever sees one.
void carryOut(OrderTools& tools, SiteTables& tables, const Request& request, TimePoint) {
  const Args args(request.payload.at("args"));
  const auto act = request.payload.at("act").get<std::string>();
  if (act == "set") return changeAccount(tools, tables, args);
  if (act == "invite") {
    addAccount(tables, invitedAccount(tools, args), args);
  } else {
    const auto account = requireRecoverable(tables, args);
    if (leavesOnePerson(tables, account, account.roles, "invited")) holdTwoPersonRules(tables, NotAsked);
    tables.accounts.setState(account.name, "invited");
    tables.tokens.revokeAll(account.name, tools.now());
    tables.sessions.endAll(SubjectKind::Account, account.name);
  }
  const auto account = requireAccount(tables, args);
  if (!account.mail.empty()) makeLink(tools, tables, account, request.requester);
}

// An account.one-person whose seven days have passed.
void leaveToOnePerson(OrderTools&, SiteTables& tables, const Request& request, TimePoint) {
  endTwoPersonRules(tables, request.id);
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

void addAccountRequests(Requests& requests) {
  requests.add({"account.roles", carryOut, true, true, true});
  requests.add({"account.one-person", leaveToOnePerson, true, true, true, true});
}

bool controlsAreShared(SiteTables& tables) {
  if (tables.counters.get(CounterStore::Approvers) != 0) return true;
  for (const auto& person : siteStaff(tables))
    if (person.approver) return true;
  return false;
}

void noteApprovers(SiteTables& tables) {
  for (const auto& person : siteStaff(tables))
    if (person.approver) tables.counters.set(CounterStore::Approvers, 1);
}

std::span<const OrderRow> accountOrders() {
  return Rows;
}

}  // namespace postern::listd
