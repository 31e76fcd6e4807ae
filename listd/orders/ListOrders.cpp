#include "core/crypto/SigningIdentity.h"
#include "core/mail/Text.h"
#include "core/pgp/SecretKey.h"
#include "listd/compose/ListFacts.h"
#include "listd/orders/OrderTools.h"
#include "listd/orders/Views.h"
#include "listd/plan/PlanPreview.h"
#include "listd/plan/Standing.h"

#include <algorithm>
#include <map>

namespace postern::listd {

using nlohmann::json;

namespace {

// Long enough that readers need not trust a new certificate each year; renewal is announced 30 days ahead.
constexpr std::chrono::days CertificateLifetime{3 * 365};

json withCounts(SiteTables& tables, const List& list) {
  return viewOf(list, tables.members.counts(list.id));
}

std::string classOf(const Args& args, std::string_view fallback) {
  return args.word("class", fallback, {"low", "moderate", "high"});
}

std::string takeFooter(const Args& args) {
  const auto typed = args.value("footer");
  if (!typed.is_string() || typed.get_ref<const std::string&>().size() > MaxFooter)
    refuse("invalid", "the footer is not text of at most " + std::to_string(MaxFooter) + " octets", "shorten it");
  auto lines = footerLines(typed.get_ref<const std::string&>());
  if (std::any_of(lines.begin(), lines.end(), [](char c) {
        return c != '\n' && c != '\t' && mail::hasControl({&c, 1});
      }))
    refuse("invalid", "the footer holds control characters", "type it anew as plain text");
  return lines;
}

// How posts look. A prefix that marks a subject as secure would have every answer refused on an open list.
void takeShape(const Args& args, List& list) {
  auto& shape = list.shape;
  shape.subjectPrefix = args.textOr("subjectPrefix", shape.subjectPrefix, MaxSubjectPrefix);
  const auto lower = mail::lowerAscii(shape.subjectPrefix);
  if (!list.secure && (lower.find("secure") != lower.npos || lower.find("encrypt") != lower.npos))
    refuse("invalid", "this prefix reads like the mark of secure mail, which an open list refuses",
           "choose a prefix without the words secure and encrypt");
  if (args.has("footer")) shape.footer = takeFooter(args);
  shape.replyTo =
      readReplyGoes(args.word("replyTo", replyGoesWord(shape.replyTo), {"author", "asked", "list", "both"}));
  shape.author = readAuthorShown(args.word("author", authorShownWord(shape.author), {"via", "own", "nobody"}));
  if (list.secure && shape.author == AuthorShown::Own)
    refuse("invalid", "a secure list signs its copies itself, so they are from the list", "choose via or nobody");
}

// What list.create and list.set have in common.
void takeSettings(const Args& args, List& list) {
  list.displayName = args.textOr("displayName", list.displayName, 100);
  list.description = args.textOr("description", list.description, 300);
  list.sensitivity = classOf(args, list.sensitivity);
  list.anyonePosts = args.word("posting", list.anyonePosts ? "anyone" : "members", {"members", "anyone"}) == "anyone";
  takeShape(args, list);
  const auto language =
      args.word("language", list.language.empty() ? "site" : list.language, {"site", "en", "de", "fr", "es"});
  list.language = language == "site" ? "" : language;
}

// Rules and holds by class apply to a list as it is now: with another class, mail that a floor or a hold keeps would be
// free at once, and nobody but the administrator would have said so.
void refuseToFree(OrderTools& tools, SiteTables& tables, const List& list, const std::string& before) {
  if (list.sensitivity == before || !tables.archive.anyOn(list.id)) return;
  const auto names = [](const records::Predicate& scope, const std::string& sensitivity) {
    return std::find(scope.listClasses.begin(), scope.listClasses.end(), sensitivity) != scope.listClasses.end();
  };
  const auto differs = [&](const records::Predicate& scope) {
    return names(scope, before) != names(scope, list.sensitivity);
  };
  bool used = false;
  for (const auto at : {tools.now(), records::Never})
    for (const auto& rule : tables.rules.inForce(at)) used = used || differs(rule.scope);
  for (const auto& hold : tables.holds.allInForce(tools.now())) used = used || differs(hold.scope);
  if (used)
    refuse("refused", "what must be kept depends on the class of this list, which has mail",
           "ask the compliance officer, or make another list and move the members");
}

}  // namespace

List requireList(SiteTables& tables, const Args& args, std::string_view argument) {
  const auto address = args.address(argument).key();
  auto list = tables.lists.find(address);
  if (!list || list->deletedAt != TimePoint())
    refuse("not-found", "there is no list " + address, "see: postern list list");
  return std::move(*list);
}

json createList(OrderTools& tools, const OrderCall& call) {
  const auto wanted = mail::Address::parse(call.args.address("address").key());
  const auto address = checkListAddress(wanted.value());
  if (!address)
    refuse("invalid", wanted->text() + " cannot be the address of a list: " + listNameErrorText(address.error()),
           "choose another name, as in board@lists.example.org");
  List list;
  list.address = address->text();
  list.domain = address->domain();
  list.secure = call.args.flag("secure");
  list.sensitivity = list.secure ? "high" : "low";
  list.createdAt = tools.now();
  takeSettings(call.args, list);
  const auto refuseExisting = [&](SiteTables& tables) {
    if (!tables.domains.find(list.domain))
      refuse("not-found", list.domain + " is not a domain of this site",
             "run first: postern domain add " + list.domain);
    if (tables.lists.find(list.address)) refuse("exists", "there is a list " + list.address + " already");
  };
  tools.context.site.read(refuseExisting);  // before the costly keys
  const auto identity = crypto::SigningIdentity::create(list.address, list.createdAt, CertificateLifetime);
  list.certificate = identity.certificate().der();
  list.fingerprint = identity.certificate().fingerprint();
  list.certificateEnds = identity.certificate().notAfter();
  const auto openPgp =
      pgp::SecretKey::create(factsOf(list, {}).shownName(), list.address, list.createdAt, CertificateLifetime);
  list.openPgpKey = openPgp.publicKey().bytes();
  list.openPgpFingerprint = openPgp.fingerprint();
  return change(tools, call, [&](SiteTables& tables) {
    refuseExisting(tables);
    list.id = tables.lists.add(list);
    // Before the list is there: should the commit fail, a key is left that no list names, and the next list replaces
    // it.
    tools.context.keys.storeSigningKey(list.id, ListSigningKey, identity.exportPrivateKey());
    tools.context.keys.storeSigningKey(list.id, ListOpenPgpKey, openPgp.serialized());
    tables.counters.take(CounterStore::Routing);
    return withCounts(tables, list);
  });
}

json listLists(OrderTools& tools, const OrderCall& call) {
  const auto limit = call.args.number("limit", 1000, 1, 10000);
  const auto after = call.args.textOr("after", {}, 400);
  return tools.context.site.read([&](SiteTables& tables) {
    auto items = json::array();
    std::string next;
    for (const auto& list : tables.lists.all()) {
      if (list.address <= after || list.deletedAt != TimePoint() || !call.person.mayTouch(list.address)) continue;
      if (items.size() == limit) {
        next = items.back().at("address");
        break;
      }
      items.push_back(withCounts(tables, list));
    }
    return pageOf(std::move(items), std::move(next));
  });
}

json showList(OrderTools& tools, const OrderCall& call) {
  return tools.context.site.read(
      [&](SiteTables& tables) { return withCounts(tables, requireList(tables, call.args, "address")); });
}

json setList(OrderTools& tools, const OrderCall& call) {
  if (call.args.has("secure"))
    refuse("refused", "whether a list is secure never changes", "make another list and move the members");
  return change(tools, call, [&](SiteTables& tables) {
    auto list = requireList(tables, call.args, "address");
    const auto classBefore = list.sensitivity;
    takeSettings(call.args, list);
    refuseToFree(tools, tables, list, classBefore);
    tables.lists.update(list);
    if (list.sensitivity != classBefore) refreshList(tables, list, tools.now());  // the class has its own ladder
    return withCounts(tables, list);
  });
}

json closeList(OrderTools& tools, const OrderCall& call) {
  return change(tools, call, [&](SiteTables& tables) {
    auto list = requireList(tables, call.args, "address");
    list.open = false;
    tables.lists.update(list);
    tables.rules.record(
        {std::string(ListClosedEvent), list.id, 0, tools.now(), tools.now(), call.actor.name, call.order});
    tables.counters.take(CounterStore::Routing);
    return withCounts(tables, list);
  });
}

json listReadiness(OrderTools& tools, const OrderCall& call) {
  return tools.context.site.read([&](SiteTables& tables) {
    const auto list = requireList(tables, call.args, "address");
    const auto plan = previewPlan(tables, list, {}, tools.now());
    std::map<std::string, std::uint64_t> protections;
    std::map<std::string, std::uint64_t> reasons;
    for (const auto& group : plan.groups)
      (group.protection != "withheld" ? protections[group.protection] : reasons[group.reason]) += group.members;
    auto items = json::array();
    for (const auto& [protection, count] : protections) items.push_back({{"protection", protection}, {"count", count}});
    auto withheld = json::array();
    for (const auto& [reason, count] : reasons) withheld.push_back({{"reason", reason}, {"count", count}});
    return json{{"total", plan.total},       {"ready", plan.ready},
                {"percent", plan.percent()}, {"floor", app::protectionName(plan.rules.floor)},
                {"items", std::move(items)}, {"withheld", std::move(withheld)}};
  });
}

}  // namespace postern::listd
