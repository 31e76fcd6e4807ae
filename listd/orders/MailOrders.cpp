#include "core/app/TraceId.h"
#include "core/hops/JourneyJson.h"
#include "core/mail/Text.h"
#include "listd/orders/OrderTools.h"
#include "listd/orders/Views.h"

namespace postern::listd {

using nlohmann::json;

namespace {

constexpr std::chrono::milliseconds GatewayWait{3000};
constexpr std::size_t MostHeader = 512 * 1024;
constexpr std::uint32_t WholeQueue = 1'000'000;

template <class Question>
auto askGateway(OrderTools& tools, Question question) {
  auto answer = tools.gateway.ask(std::move(question), GatewayWait);
  if (!answer)
    refuse("unavailable", "the gateway does not answer, so the queue cannot be seen or changed",
           "look whether postern-gateway runs, then try again");
  return std::move(*answer);
}

// A copy of the queue with what the ledger knows of it.
json queuedView(SiteTables& tables, const app::QueueEntry& entry) {
  const auto row = tables.ledger.find(entry.copyKey);
  const auto post = row ? tables.posts.find(row->postId) : std::nullopt;
  const auto list = post ? tables.lists.find(post->listId) : std::nullopt;
  return {{"id", entry.copyKey},
          {"list", list ? list->address : ""},
          {"recipient", row ? row->recipient : ""},
          {"destination", entry.destination},
          {"state", entry.state},
          {"attempts", entry.attempts},
          {"queuedAt", toMicros(entry.queuedAt)},
          {"nextAttemptAt", toMicros(entry.nextAttempt)},
          {"lastReply", entry.lastReply}};
}

json actOnQueue(OrderTools& tools, const OrderCall& call, std::string_view action) {
  const bool all = call.args.flag("all");
  if (all == call.args.has("id"))
    refuse("usage", "say which copy", "give its id, or --all for every copy; see: postern queue list");
  const auto key = all ? 0 : call.args.id("id");
  if (!all && key == 0) refuse("not-found", "there is no copy 0", "see: postern queue list");
  const auto changed = askGateway(
      tools, [action = std::string(action), key](app::GatewayLink& link) { return link.queueAct(action, key); });
  if (!all && changed == 0)
    refuse("not-found", "copy " + std::to_string(key) + " is not in the queue, or nothing had to change",
           "see: postern queue list");
  return change(tools, call, [&](SiteTables&) { return json{{"changed", changed}}; });
}

json recipientView(SiteTables& tables, const LedgerRow& row, const Post& post) {
  auto attempts = json::array();
  // Most rows have none yet or one; rows without attempts cost no look-up.
  if (row.attempts > 0 || row.state == CopyState::Failed)
    for (const auto& attempt : tables.ledger.attemptsOf(row.id)) attempts.push_back(viewOf(attempt));
  json view{{"copy", row.id},
            {"address", row.recipient},
            {"protection", row.protection},
            {"reason", row.reason},
            {"keyFingerprint", row.keyFingerprint},
            {"state", stateOf(row, post)},
            {"deliveredAt", toMicros(row.deliveredAt)},
            {"attempts", std::move(attempts)}};
  if (const auto item = row.protection == "pickup" ? tables.pickup.find(row.id) : std::nullopt)
    view["pickup"] = {{"state", pickupStateWord(item->state)},
                      {"openedAt", toMicros(item->firstOpenedAt)},
                      {"expiresAt", toMicros(item->expiresAt)}};
  return view;
}

// The posts of the same message, for other lists too, as far as the person may see them.
json othersOf(SiteTables& tables, const Person& person, const Post& post) {
  auto posts = json::array();
  for (const auto& one : tables.posts.ofMessage(post.queueId)) {
    const auto list = tables.lists.find(one.list);
    const auto address = list ? list->address : std::string();
    if (person.mayTouch(address)) posts.push_back({{"id", one.id}, {"list", address}});
  }
  return {{"trace", app::isTraceId(post.queueId) ? post.queueId : std::string()}, {"posts", std::move(posts)}};
}

}  // namespace

json postView(SiteTables& tables, const Post& post) {
  const auto list = tables.lists.find(post.listId);
  auto view = countsOf(post);
  view.update({{"id", post.id},
               {"list", list ? list->address : ""},
               {"messageId", post.messageId},
               {"queueId", post.queueId},
               {"receivedAt", toMicros(post.receivedAt)},
               {"size", post.size},
               {"class", post.sensitivity},
               {"state", stateOf(post)},
               {"reason", post.trouble.empty() ? post.reason : post.trouble}});
  return view;
}

json traceOf(SiteTables& tables, const Post& post, std::uint64_t after, std::uint32_t limit) {
  auto view = postView(tables, post);
  auto recipients = json::array();
  const auto rows = tables.ledger.page(post.id, after, limit);
  for (const auto& row : rows)
    if (row.kind == app::Copy::Kind::Content) recipients.push_back(recipientView(tables, row, post));
  view["client"] = json::parse(post.client, nullptr, false);
  if (!post.senderCheck.empty()) view["senderCheck"] = json::parse(post.senderCheck, nullptr, false);
  if (auto journey = hops::expandJson(tables.posts.journeyOf(post.id)); !journey.is_null())
    view["journey"] = std::move(journey);
  return json{{"post", std::move(view)},
              {"recipients", std::move(recipients)},
              {"next", rows.size() == limit ? std::to_string(rows.back().id) : std::string()}};
}

json listQueue(OrderTools& tools, const OrderCall& call) {
  const auto limit = static_cast<std::uint32_t>(call.args.number("limit", 100, 1, 10000));
  const auto entries = askGateway(tools, [limit](app::GatewayLink& link) { return link.queueList(limit); });
  return tools.context.site.read([&](SiteTables& tables) {
    auto items = json::array();
    for (const auto& entry : entries) items.push_back(queuedView(tables, entry));
    return pageOf(std::move(items), {});
  });
}

json showQueued(OrderTools& tools, const OrderCall& call) {
  const auto key = call.args.id("id");
  const auto entries = askGateway(tools, [](app::GatewayLink& link) { return link.queueList(WholeQueue); });
  const auto found =
      std::find_if(entries.begin(), entries.end(), [&](const auto& entry) { return entry.copyKey == key; });
  if (found == entries.end())
    refuse("not-found", "copy " + std::to_string(key) + " is not in the queue",
           "see: postern queue list; what became of a post shows: postern trace ID");
  return tools.context.site.read([&](SiteTables& tables) {
    auto view = queuedView(tables, *found);
    view["attemptList"] = json::array();
    for (const auto& attempt : tables.ledger.attemptsOf(key)) view["attemptList"].push_back(viewOf(attempt));
    return view;
  });
}

json retryQueued(OrderTools& tools, const OrderCall& call) {
  return actOnQueue(tools, call, "retry");
}
json holdQueued(OrderTools& tools, const OrderCall& call) {
  return actOnQueue(tools, call, "hold");
}
json releaseQueued(OrderTools& tools, const OrderCall& call) {
  return actOnQueue(tools, call, "release");
}
json dropQueued(OrderTools& tools, const OrderCall& call) {
  return actOnQueue(tools, call, "drop");
}

json trace(OrderTools& tools, const OrderCall& call) {
  const auto id = call.args.text("id", 300);
  const auto limit = static_cast<std::uint32_t>(call.args.number("limit", 10000, 1, 100000));
  const auto after = call.args.textOr("after", {}).empty() ? 0 : call.args.id("after");
  return tools.context.site.read([&](SiteTables& tables) {
    auto post = tables.posts.findByAnyId(id);
    if (!post && !id.starts_with('<')) post = tables.posts.findByAnyId("<" + id + ">");
    if (!post) refuse("not-found", "no post has the Message-ID, queue id or number " + id, "see: postern post list");
    const auto list = tables.lists.find(post->listId);
    if (!call.person.mayTouch(list ? list->address : std::string()))
      refuse("denied", "this is not one of your lists", "ask an administrator to make you its owner");
    auto result = traceOf(tables, *post, after, limit);
    result["message"] = othersOf(tables, call.person, *post);
    return result;
  });
}

// Nothing of what it is given is kept. The own domains of who asks count as one provider, and the site's.
json readHops(OrderTools& tools, const OrderCall& call) {
  const auto text = call.args.bytes("header", MostHeader);
  const auto header = mail::HeaderBlock::scan(text);
  if (!header) refuse("invalid", "the header of this message is too large to be read", "give its Received lines only");
  hops::JourneySettings settings;
  settings.ownDomains = tools.context.site.read([](SiteTables& tables) { return tables.domains.names(); });
  for (const auto& domain : call.args.texts("own")) settings.ownDomains.push_back(mail::lowerAscii(domain));
  return hops::toJson(hops::readJourney(*header, settings));
}

json listPosts(OrderTools& tools, const OrderCall& call) {
  const auto limit = static_cast<std::uint32_t>(call.args.number("limit", 50, 1, 1000));
  const auto before = call.args.textOr("before", {}).empty() ? 0 : call.args.id("before");
  const bool ofList = !call.args.textOr("list", {}, 400).empty();
  return tools.context.site.read([&](SiteTables& tables) {
    const auto listId = ofList ? requireList(tables, call.args).id : 0;
    const auto posts = tables.posts.page(listId, before, limit);
    auto items = json::array();
    for (const auto& post : posts) items.push_back(postView(tables, post));
    return pageOf(std::move(items), posts.size() == limit ? std::to_string(posts.back().id) : std::string());
  });
}

}  // namespace postern::listd
