#pragma once
#include "core/base/Clock.h"
#include "core/store/Database.h"
#include "listd/subscribe/SubscriptionSettings.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::listd {

class MemberSourceStore;

// What somebody asked of a list.
struct SubscriptionRequest {
  std::uint64_t id = 0;
  std::uint64_t listId = 0;
  std::string action = "join";  // "join" "leave" "address" "invite" "member"
  std::string address;          // lower case
  std::string other;            // the new address of "address"
  std::string name;
  std::string state = "asked";  // "asked" "waiting" "done" "refused" "expired"
  std::string origin = "mail";  // "mail" "web" "account" "owner"
  std::string client;           // network
  TimePoint madeAt;
  TimePoint endsAt;
  TimePoint mailedAt;           // zero: no mail was sent for it
  std::uint32_t confirmed = 0;  // bits of "address": 1 the old mailbox, 2 the new one
  TimePoint decidedAt;
  std::string decidedBy;
  std::string reason;
};

struct Ban {
  std::uint64_t id = 0;
  std::uint64_t listId = 0;  // 0: every list
  std::string pattern;       // "ann@example.org", "@example.org" with all below, "*spam*@example.*"
  std::string reason;
  TimePoint madeAt;
  std::string madeBy;
};

// How much was asked lately, to be held against the limits.
struct RequestCounts {
  std::uint64_t ofAddress = 0;  // mails of the day
  std::uint64_t ofClient = 0;   // requests of the hour
  std::uint64_t ofList = 0;     // requests of the day
  std::uint64_t ofSite = 0;
};

// Settings, requests and bans. Threads: those of the connection. Errors: Error(Store).
class SubscriptionStore {
public:
  explicit SubscriptionStore(store::Database& database) : database_(database) {}

  // The default where the list says nothing.
  SubscriptionSettings settings(std::uint64_t listId, bool secure) const;
  void set(std::uint64_t listId, const SubscriptionSettings& settings);
  std::vector<std::uint64_t> advertised() const;

  std::uint64_t add(const SubscriptionRequest& request);
  std::optional<SubscriptionRequest> find(std::uint64_t id) const;
  // State, confirmed, end, and who decided when and why.
  void update(const SubscriptionRequest& request);
  // The newest of this action that is asked or waiting.
  std::optional<SubscriptionRequest> open(std::uint64_t listId, std::string_view action,
                                          std::string_view address) const;
  // Those that wait for a person, of these lists or, without any named, of all; oldest first.
  std::vector<SubscriptionRequest> waiting(const std::vector<std::uint64_t>& lists, bool all, std::uint64_t after,
                                           std::uint32_t limit) const;
  struct Waiting {
    std::uint64_t count = 0;
    TimePoint newest;
  };
  Waiting waitingOf(std::uint64_t listId) const;
  std::vector<std::uint64_t> listsWithWaiting() const;
  // Whether mail of this list went to the address since.
  bool mailedSince(std::uint64_t listId, std::string_view address, TimePoint since) const;
  RequestCounts countsFor(const SubscriptionRequest& request, TimePoint now) const;
  // Ends what is over and forgets what ended before `keep`.
  std::vector<SubscriptionRequest> expire(TimePoint now, TimePoint keep);

  // Everything that an address asked for, or that was asked for it.
  void forgetAddress(std::string_view address);

  // 0 when the pattern is there already.
  std::uint64_t addBan(const Ban& ban);
  std::vector<Ban> bans(std::uint64_t listId) const;  // of this list alone; 0: those of every list
  std::optional<Ban> findBan(std::uint64_t id) const;
  void removeBan(std::uint64_t id);

  // Of the same connection.
  MemberSourceStore sources() const;

private:
  store::Database& database_;
};

}  // namespace postern::listd
