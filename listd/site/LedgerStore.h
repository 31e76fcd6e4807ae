#pragma once
#include "core/app/GatewayLink.h"
#include "core/store/Database.h"
#include "listd/plan/Decision.h"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace postern::listd {

enum class CopyState { Planned, Delivered, Deferred, Failed, Expired, Dropped, Withheld };
const char* copyStateWord(CopyState state);
constexpr bool isFinal(CopyState state) {
  return state != CopyState::Planned && state != CopyState::Deferred;
}

// One row: what one recipient gets of a post.
struct LedgerRow {
  std::uint64_t id = 0;  // the copy key
  std::uint64_t postId = 0;
  app::Copy::Kind kind = app::Copy::Kind::Content;
  std::string recipient;
  std::string protection;  // app::protectionName, or "withheld"
  std::string reason;
  std::string keyFingerprint;
  CopyState state = CopyState::Planned;
  std::uint32_t attempts = 0;
  TimePoint deliveredAt;
  std::uint64_t memberId = 0;  // toSend() alone fills it: the recipient is on the list of the post
};

// A row that is still to be handed to the gateway, with what sealing needs of the key as it is now.
struct RowToSend {
  LedgerRow row;                     // with memberId
  Reason keyReason = Reason::NoKey;  // validReason() of the row's protection: recipientKey may be used now
  std::string recipientKey;          // RecipientKey::encode() of crypto or pgp
};

struct Attempt {
  std::uint32_t attempt = 0;
  std::string outcome;
  TimePoint at;
  std::string remoteHost;
  std::string remoteAddress;
  std::uint16_t replyCode = 0;
  std::string replyText;
  app::TlsFacts tls;
};

// The ledger: per recipient what was planned and what came of it. Threads: those of the connection.
// Errors: Error(Store).
class LedgerStore {
public:
  explicit LedgerStore(store::Database& database) : database_(database) {}

  void add(const LedgerRow& row);
  std::optional<LedgerRow> find(std::uint64_t id) const;

  // Planned rows of the post behind `after` in the order of their ids.
  std::vector<RowToSend> toSend(std::uint64_t postId, std::uint64_t after, std::uint32_t limit, TimePoint now) const;
  // How many content copies of the post have which protection, by its word.
  std::map<std::string, std::uint64_t> planOf(std::uint64_t postId) const;
  bool isPlanned(std::uint64_t id) const;

  void setState(std::uint64_t id, CopyState state, std::uint32_t attempts, std::optional<TimePoint> deliveredAt);
  // Content copies that were planned for verified TLS before the time and wait still, in the order of their ids.
  std::vector<LedgerRow> waitingForTls(std::uint64_t postId, std::uint64_t after, std::uint32_t limit) const;
  // Posts with such copies that were planned before the time.
  std::vector<std::uint64_t> postsWaitingForTls(TimePoint plannedBefore) const;
  // A copy is being taken back, so that its recipient can be planned anew.
  void askBack(std::uint64_t id, TimePoint now);
  bool isAskedBack(std::uint64_t id) const;
  void endAskBack(std::uint64_t id);

  void withhold(std::uint64_t id, Reason reason);
  // False when this attempt is already there: an event that comes again changes nothing.
  bool addAttempt(std::uint64_t id, const Attempt& attempt);

  // Copies of the post behind `after`, without notices and reports: of one recipient, or (empty) of all.
  std::vector<LedgerRow> contentOf(std::uint64_t postId, std::string_view recipient, std::uint64_t after,
                                   std::uint32_t limit) const;
  std::vector<LedgerRow> page(std::uint64_t postId, std::uint64_t after, std::uint32_t limit) const;
  std::vector<Attempt> attemptsOf(std::uint64_t id) const;

private:
  store::Database& database_;
};

}  // namespace postern::listd
