#include "core/app/TraceId.h"
#include "core/hops/JourneyJson.h"
#include "core/mail/Text.h"
#include "listd/orders/OrderTools.h"
#include "listd/orders/Views.h"

namespace postern::listd {

using nlohmann::json;

namespace {

constexpr std::size_t MostHeader = 512 * 1024;

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
