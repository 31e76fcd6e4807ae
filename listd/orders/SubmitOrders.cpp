#include "listd/orders/SubmitOrders.h"

#include "core/mail/Text.h"
#include "listd/orders/OrderTools.h"
#include "listd/orders/Views.h"

#include <set>

namespace postern::listd {

using nlohmann::json;

namespace {

// Keys of messages that are being taken just now: who asks twice at once is told so, and neither waits for the other.
class UnderWay {
public:
  class Place {
  public:
    Place(UnderWay& all, std::string name) : all_(all), name_(std::move(name)) {
      const MutexLock lock(all_.mutex_);
      if (!all_.names_.insert(name_).second)
        refuse("exists", "a message with this Idempotency-Key is being taken just now",
               "ask again in a moment with the same key");
    }
    ~Place() {
      const MutexLock lock(all_.mutex_);
      all_.names_.erase(name_);
    }
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;

  private:
    UnderWay& all_;
    const std::string name_;
  };

private:
  Mutex mutex_;
  std::set<std::string> names_ GUARDED_BY(mutex_);
};

UnderWay& underWay() {
  static UnderWay all;
  return all;
}

void requireOwnFrom(OrderTools& tools, const OrderCall& call) {
  const auto from = call.args.text("from", 400);
  const auto account =
      tools.context.site.read([&](SiteTables& tables) { return tables.accounts.find(call.person.account); });
  if (!account || account->mail.empty() || !mail::equalsIgnoreCase(account->mail, from))
    refuse("refused", "\"from\" is not the mail address of the token's account", "send as the account's own address");
}

json resultOf(OrderTools& tools, const json& sent) {
  const auto id = sent.at("id").get<std::uint64_t>();
  const auto post = tools.context.site.read([&](SiteTables& tables) { return tables.posts.find(id); });
  return {{"id", std::to_string(id)},
          {"trace", post ? post->queueId : std::string()},
          {"from", sent.at("from")},
          {"recipients", sent.at("recipients")},
          {"again", sent.at("again")}};
}

json submit(OrderTools& tools, const OrderCall& call) {
  const auto key = call.args.text("key", 100);
  requireOwnFrom(tools, call);
  const UnderWay::Place place(underWay(), call.person.account + "\n" + key);
  auto args = json::object();
  for (const auto* name : {"key", "to", "cc", "subject", "text", "files", "message"})
    if (call.args.has(name)) args[name] = call.args.value(name);
  const OrderCall inner{call.order, call.actor, Args(std::move(args)), {}, call.person};
  try {
    return resultOf(tools, findOrder("mail.send")->handler(tools, inner));
  } catch (const app::OrderRefused& refused) {
    if (refused.error().code != "exists") throw;
    refuse("invalid", "this Idempotency-Key was used for another message", "give each message a key of its own");
  }
}

// How the message stands, and each recipient; nothing of what it says.
json statusOfMail(OrderTools& tools, const OrderCall& call) {
  const OrderCall inner{call.order, call.actor, Args(json{{"id", call.args.text("id", 30)}}), {}, call.person};
  const auto told = findOrder("mail.sent")->handler(tools, inner);
  const auto& post = told.at("post");
  auto recipients = json::array();
  for (const auto& one : told.at("recipients")) {
    json shown{{"address", one.at("address")},
               {"state", one.at("state")},
               {"protection", one.at("protection")},
               {"deliveredAt", one.at("deliveredAt")}};
    if (one.contains("pickup")) shown["openedAt"] = one.at("pickup").at("openedAt");
    recipients.push_back(std::move(shown));
  }
  return {{"id", std::to_string(post.at("id").get<std::uint64_t>())},
          {"trace", post.at("queueId")},
          {"receivedAt", post.at("receivedAt")},
          {"state", post.at("state")},
          {"reason", post.at("reason")},
          {"recipients", std::move(recipients)}};
}

constexpr OrderRow Table[] = {
    {"mail.submit", OrderKind::Changes, submit, AnySignedIn},
    {"mail.status", OrderKind::Reads, statusOfMail, AnySignedIn},
};

}  // namespace

std::span<const OrderRow> submitOrders() {
  return Table;
}

}  // namespace postern::listd
