#pragma once
#include "core/app/GatewayLink.h"
#include "core/base/Clock.h"
#include "core/store/Database.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postern::listd {

enum class PostState { Planned, Sent, Done };

// How the copies of a post stand. pending: no final outcome yet; deferred ones are among them.
struct PostCounts {
  std::uint64_t recipients = 0;
  std::uint64_t delivered = 0;
  std::uint64_t deferred = 0;
  std::uint64_t failed = 0;
  std::uint64_t withheld = 0;
  std::uint64_t pending = 0;
};

// One accepted message for one list. Neither subject nor author nor content is here.
struct Post {
  std::uint64_t id = 0;
  std::uint64_t acceptedId = 0;
  std::string queueId;
  std::uint64_t listId = 0;
  std::string messageId;     // as it came
  std::string outMessageId;  // of what the list sends
  std::string mailFrom;
  bool automatic = false;  // no person wrote it: no report
  TimePoint receivedAt;
  TimePoint plannedAt;
  std::uint64_t size = 0;
  std::string sensitivity;
  std::uint64_t vaultObject = 0;
  std::string client;                       // JSON {address name tls{…}}
  std::string journey;                      // hops::compactJson(): its way to us; written by add(), read by journeyOf()
  std::string senderCheck;                  // SenderCheck::json(): how it was encrypted and signed; empty: neither
  std::optional<app::Protection> floor;     // where a policy asked for more than the list
  std::string verdict;                      // "accepted" "rejected" "ignored"
  std::string reason;                       // why not accepted
  app::TlsAsk tlsAsk = app::TlsAsk::Usual;  // by RFC 8689
  bool domainMail = false;                  // handed over by a relay: the author named the recipients
  PostState state = PostState::Planned;
  bool reported = false;
  std::uint32_t tries = 0;
  TimePoint retryAt;
  std::string trouble;
  std::uint64_t sentThrough = 0;  // last copy key that the gateway has
  PostCounts counts;
};

// The posts of the site. Threads: those of the connection. Errors: Error(Store).
class PostStore {
public:
  explicit PostStore(store::Database& database) : database_(database) {}

  // What somebody wrote and the vault keeps, by list.
  struct Written {
    std::uint64_t object = 0;
    std::uint64_t list = 0;
  };
  std::vector<Written> writtenBy(std::string_view mailFrom) const;

  // Domain mail of a sender, newest first; in small letters.
  std::vector<Post> domainMailOf(std::string_view mailFrom, std::uint32_t limit) const;

  std::uint64_t add(const Post& post);
  std::optional<Post> find(std::uint64_t id) const;
  std::string journeyOf(std::uint64_t id) const;  // empty: it was not kept
  bool exists(std::uint64_t acceptedId, std::string_view queueId, std::uint64_t listId) const;
  bool isKnown(std::uint64_t acceptedId, std::string_view queueId) const;  // a post of this message, for any list
  // The posts of one message, by list.
  struct OfMessage {
    std::uint64_t id = 0;
    std::uint64_t list = 0;
  };
  std::vector<OfMessage> ofMessage(std::string_view queueId) const;
  // By Message-ID (with angle brackets), queue id or post id; of several the newest.
  std::optional<Post> findByAnyId(std::string_view id) const;

  // Posts with mail to hand to the gateway whose time has come, oldest first; and when the next one's time comes.
  std::vector<std::uint64_t> toSend(TimePoint now, std::uint32_t limit) const;
  std::optional<TimePoint> nextRetry() const;
  std::vector<Post> inTrouble(std::uint32_t limit) const;

  void setSentThrough(std::uint64_t id, std::uint64_t copyKey);
  // The post has no mail left to hand over: Sent, or Done when no copy is pending.
  void finishSending(std::uint64_t id);
  void setState(std::uint64_t id, PostState state);
  void setReported(std::uint64_t id);
  void setTrouble(std::uint64_t id, std::string_view trouble, std::uint32_t tries, TimePoint retryAt);
  void addCounts(std::uint64_t id, const PostCounts& change);  // differences, as two's complement

  // Newest first: up to `limit` posts, of one list or (0) of all, with ids below `before` (0: from the newest).
  std::vector<Post> page(std::uint64_t listId, std::uint64_t before, std::uint32_t limit) const;

private:
  store::Database& database_;
};

}  // namespace postern::listd
