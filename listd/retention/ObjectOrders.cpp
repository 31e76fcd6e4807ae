#include "core/mail/Text.h"
#include "listd/matters/MatterOrders.h"
#include "listd/orders/Views.h"
#include "listd/retention/BlastGuard.h"
#include "listd/retention/Retention.h"
#include "listd/retention/RetentionOrders.h"
#include "listd/retention/RetentionRequests.h"

namespace postern::listd {

using nlohmann::json;

namespace {

using app::Role;
constexpr std::size_t MostObjects = 1000;

ArchivedMessage requireMessage(SiteTables& tables, std::uint64_t id) {
  auto message = tables.archive.message(id);
  if (!message || message->object.state == ObjectState::Destroyed)
    refuse("not-found", "there is no such message any more");
  return std::move(*message);
}

json objectView(SiteTables& tables, const ArchivedMessage& message) {
  json references = json::array();
  for (const auto& reference : message.references) {
    const auto list = tables.lists.find(reference.listId);
    references.push_back({{"list", list ? list->address : ""},
                          {"hiddenAt", reference.hiddenAt ? json(toMicros(*reference.hiddenAt)) : json()},
                          {"removedAt", reference.removedAt ? json(toMicros(*reference.removedAt)) : json()}});
  }
  return {{"object", std::to_string(message.object.id)},
          {"receivedAt", toMicros(message.object.receivedAt)},
          {"labels", message.labels},
          {"references", std::move(references)}};
}

void note(const OrderCall& call, std::uint64_t object) {
  call.note.objectType = "object";
  call.note.objectId = std::to_string(object);
}

json hideObject(OrderTools& tools, const OrderCall& call) {
  const auto id = objectOf(call.args);
  call.note.reasonText = call.args.text("reason", 500);
  note(call, id);
  return change(tools, call, [&](SiteTables& tables) {
    const auto list = requireList(tables, call.args);
    call.note.listId = list.id;
    requireMessage(tables, id);
    if (!tables.archive.hide(id, list.id, tools.now(), call.actor.name))
      refuse("exists", "it is deleted on that list already, or was never there");
    return objectView(tables, requireMessage(tables, id));
  });
}

// A life cycle by label takes the place of longer ones, on every list of the message.
bool labelDestroys(SiteTables& tables, const std::string& label, TimePoint now) {
  for (const auto at : {now, records::Never})
    for (const auto& rule : tables.rules.inForce(at)) {
      const auto& labels = rule.scope.labels;
      const bool named = std::any_of(labels.begin(), labels.end(),
                                     [&](const auto& one) { return mail::equalsIgnoreCase(one, label); });
      if (named && rule.effect != records::Effect::Retain) return true;
    }
  return false;
}

void requireOnList(SiteTables& tables, const OrderCall& call, const ArchivedMessage& message) {
  const auto list = requireList(tables, call.args);
  const auto& references = message.references;
  if (std::none_of(references.begin(), references.end(), [&](const auto& one) { return one.listId == list.id; }))
    refuse("not-found", "there is no such message any more");
}

// A label that only keeps is put on at once. One that may destroy needs a second person, and seven days.
json labelObject(OrderTools& tools, const OrderCall& call) {
  const auto id = objectOf(call.args);
  const auto label = call.args.text("label", 60);
  note(call, id);
  return change(tools, call, [&](SiteTables& tables) -> json {
    const auto message = requireMessage(tables, id);
    if (call.person.onlyAsOwner) requireOnList(tables, call, message);
    if (labelDestroys(tables, label, tools.now()))
      return {{"request", requestLabel(tools, tables, call, id, label, call.args.text("reason", 500))}};
    tables.archive.addLabel(id, label, tools.now());
    return objectView(tables, requireMessage(tables, id));
  });
}

// Taking a label off may make the date earlier: a second person, and seven days.
json unlabelObject(OrderTools& tools, const OrderCall& call) {
  const auto id = objectOf(call.args);
  const auto label = call.args.text("label", 60);
  const auto reason = call.args.text("reason", 500);
  note(call, id);
  return change(tools, call, [&](SiteTables& tables) -> json {
    const auto message = requireMessage(tables, id);
    if (std::find(message.labels.begin(), message.labels.end(), label) == message.labels.end())
      refuse("not-found", "the message has no such label");
    if (call.person.onlyAsOwner) requireOnList(tables, call, message);
    return {{"request", requestUnlabel(tools, tables, call, id, label, reason)}};
  });
}

json listReviews(OrderTools& tools, const OrderCall& call) {
  const auto limit = static_cast<std::uint32_t>(call.args.number("limit", 100, 1, 500));
  const auto after = call.args.number("after", 0, 0, INT64_MAX);
  return tools.context.site.read([&](SiteTables& tables) {
    json items = json::array();
    for (const auto& review : tables.retention.waiting(limit, after)) {
      const auto list = tables.lists.find(review.listId);
      const auto rule = tables.rules.history(review.ruleId);
      items.push_back({{"object", std::to_string(review.objectId)},
                       {"list", list ? list->address : ""},
                       {"dueAt", toMicros(review.dueAt)},
                       {"rule", rule.empty() ? "" : rule.back().rule.name}});
    }
    const auto shown = items.size();
    auto page = pageOf(std::move(items), shown == limit ? std::to_string(after + shown) : std::string());
    page["waiting"] = tables.retention.waitingCount();
    return page;
  });
}

std::vector<DestructionGate::Target> targetsOf(SiteTables& tables, const Args& args) {
  const auto given = args.value("objects");
  if (!given.is_array() || given.empty() || given.size() > MostObjects)
    refuse("usage", "\"objects\" must be a list of 1 to " + std::to_string(MostObjects) + " messages");
  std::vector<DestructionGate::Target> targets;
  for (const auto& item : given) {
    const Args one(item);
    targets.push_back({objectOf(one), requireList(tables, one).id});
    const auto review = tables.retention.review(targets.back().objectId, targets.back().listId);
    if (!review || review->state != "waiting") refuse("not-found", "that message waits for no review");
  }
  return targets;
}

// A hold has a scope and not a message, so what is held is the list on the days of the messages: more than asked for,
// never less. One hold for each list.
json holdReviews(OrderTools& tools, const OrderCall& call, const std::string& reason) {
  if (!call.actor.roles.has(Role::Officer)) refuse("denied", "a compliance officer places holds");
  return change(tools, call, [&](SiteTables& tables) -> json {
    const auto targets = targetsOf(tables, call.args);
    const auto matter = requireMatter(tables, call, "matter");
    call.note.matterId = matter.id;
    std::map<std::uint64_t, records::Predicate> scopes;
    for (const auto& target : targets) {
      const auto day = std::chrono::floor<std::chrono::days>(requireMessage(tables, target.objectId).object.receivedAt);
      auto& scope = scopes[target.listId];
      if (scope.lists.empty()) scope.lists = {tables.lists.find(target.listId).value().address};
      scope.from = std::min(scope.from.value_or(day), day);
      scope.until = std::max(scope.until.value_or(day), day);
    }
    json holds = json::array();
    for (auto& [list, scope] : scopes) {
      HoldRow row;
      row.hold.name = "From a disposition review: " + reason.substr(0, 150);
      row.hold.scope = std::move(scope);
      row.hold.placedAt = tools.now();
      row.placedBy = call.actor.name;
      place(tools, tables, call, matter, row);
      holds.push_back(viewOf(row, matter.name, tools.now()));
    }
    return {{"changed", targets.size()}, {"holds", std::move(holds)}};  // they wait for review again after the hold
  });
}

json decideReviews(OrderTools& tools, const OrderCall& call) {
  const auto decision = call.args.word("decision", "", {"destroy", "extend", "retag", "hold"});
  const auto reason = call.args.text("reason", 500);
  const auto until = decision == "extend" ? timeOr(call.args, "until", records::Never) : TimePoint();
  const auto label = decision == "retag" ? call.args.text("label", 60) : std::string();
  if (decision == "extend" && until <= tools.now()) refuse("invalid", "\"until\" has passed already");
  call.note.objectType = "review";
  call.note.reasonText = reason;
  call.note.text("decision", decision);
  if (decision == "hold") return holdReviews(tools, call, reason);
  std::optional<Request> request;
  const auto targets = change(tools, call, [&](SiteTables& tables) {
    auto found = targetsOf(tables, call.args);
    if (decision == "destroy") {
      request = askWhenTooMany(tools, tables, call,
                               {DestructionCaller::Review, found, "Destroy % after a disposition review", reason, {}});
      if (request) {
        call.note.requestId = request->id;
        return found;
      }
    }
    if (!label.empty() && labelDestroys(tables, label, tools.now()))
      refuse("refused", "there is a rule that destroys by this label", "take another, or ask for it with object.label");
    for (const auto& target : found) {
      auto review = tables.retention.review(target.objectId, target.listId).value();
      review.state = decision == "destroy" ? "destroy" : "kept";
      review.until = until;
      tables.retention.decideReview(review, tools.now(), call.actor.name, reason);
      if (!label.empty()) tables.archive.addLabel(target.objectId, label, tools.now());
    }
    return found;
  });
  if (request) return {{"changed", 0}, {"request", viewOf(*request)}};
  if (decision != "destroy") return {{"changed", targets.size()}};
  std::uint64_t removed = 0;
  for (const auto& verdict : requireRetention(tools).gate().dispose(DestructionCaller::Review, 0, targets))
    if (verdict.removed) ++removed;
  return {{"changed", removed}, {"kept", targets.size() - removed}};
}

constexpr OrderRow Table[] = {
    {"object.hide", OrderKind::Changes, hideObject, {Role::Officer | Role::Owner}},
    {"object.label", OrderKind::Changes, labelObject, {Role::Officer | Role::Owner}},
    {"object.unlabel", OrderKind::Changes, unlabelObject, {Role::Officer | Role::Owner}},
    {"review.list", OrderKind::Reads, listReviews, {Role::Officer | Role::Approver}},
    {"review.decide", OrderKind::Changes, decideReviews, {Role::Officer | Role::Approver, true}},
};

}  // namespace

std::span<const OrderRow> objectOrders() {
  return Table;
}

}  // namespace postern::listd
