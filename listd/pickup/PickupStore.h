#pragma once
#include "core/base/Clock.h"
#include "core/store/Database.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postern::listd {

enum class PickupState { Waiting, Recalled, Expired, GivenUp };
const char* pickupStateWord(PickupState state);  // "waiting" "recalled" "expired" "given-up"

// How a list uses pick-up.
struct PickupSettings {
  std::uint32_t days = 30;   // until what waits expires
  bool neutral = false;      // the mail does not name the list
  bool replyToList = false;  // recipients may reply to the list, too
  bool question = false;     // a hurdle besides the factor (decision 0024 says why not)
};

struct PickupContentRow {
  std::uint64_t id = 0;  // also the vault's object
  std::uint64_t postId = 0;
  std::string sender;  // envelope sender of the post, lower case
  std::uint64_t sealedSize = 0;
  std::string card;  // sealed
  TimePoint createdAt;
};

// What waits for one recipient.
struct PickupItem {
  std::uint64_t id = 0;  // of the ledger row
  std::uint64_t postId = 0;
  std::uint64_t contentId = 0;
  std::uint64_t listId = 0;
  std::string address;  // lower case
  std::uint64_t keyObject = 0;
  PickupState state = PickupState::Waiting;
  TimePoint createdAt;
  TimePoint expiresAt;
  TimePoint linkIssuedAt;
  TimePoint linkUsedAt;
  TimePoint resentAt;
  TimePoint releasedAt;
  TimePoint firstOpenedAt;
  std::string openedSession;
  std::string openedNetwork;
  std::string openedHow;
  std::uint64_t opens = 0;
  TimePoint endedAt;
  TimePoint reportedAt;
  std::string report;
};

// Pick-up items, their contents and settings. Threads: those of the connection. Errors: Error(Store).
class PickupStore {
public:
  explicit PickupStore(store::Database& database) : database_(database) {}

  PickupSettings settings(std::uint64_t listId) const;
  void setSettings(std::uint64_t listId, const PickupSettings& settings);
  // Bytes up to which recipients of the domain get the ciphertext as a file; nothing: a link only.
  std::optional<std::uint64_t> attachmentLimit(std::string_view domain) const;
  void setAttachmentLimit(std::string_view domain, std::optional<std::uint64_t> limit);
  struct DomainRow {
    std::string domain;
    std::uint64_t limit = 0;
  };
  std::vector<DomainRow> domains() const;

  void addContent(const PickupContentRow& row);
  std::optional<PickupContentRow> content(std::uint64_t id) const;
  // Contents made before `before` that no item can open any more.
  std::vector<std::uint64_t> unusedContents(TimePoint before, std::uint32_t limit) const;
  void removeContent(std::uint64_t id);  // its items stay as records

  std::vector<std::uint64_t> postsSentBy(std::string_view sender, std::uint32_t limit) const;  // newest first

  void add(const PickupItem& item);
  std::optional<PickupItem> find(std::uint64_t id) const;
  std::optional<PickupItem> findOwn(std::string_view address, std::uint64_t contentId) const;
  // Newest first, ids below `before` (0: from the newest).
  std::vector<PickupItem> ofAddress(std::string_view address, std::uint64_t before, std::uint32_t limit) const;
  std::vector<PickupItem> ofList(std::uint64_t listId, std::string_view state, std::uint64_t before,
                                 std::uint32_t limit) const;  // listId 0: all; state empty: all
  std::vector<PickupItem> ofPost(std::uint64_t postId) const;
  bool anyFor(std::string_view address) const;

  struct PostCounts {
    std::uint64_t items = 0;
    std::uint64_t waiting = 0;
    std::uint64_t opened = 0;
    TimePoint expiresAt;
  };
  PostCounts counts(std::uint64_t postId) const;

  void useLink(std::uint64_t id, TimePoint at);
  void setLink(std::uint64_t id, TimePoint issuedAt);  // a new mail was sent: older links end
  void setExpiry(std::uint64_t id, TimePoint expiresAt);
  void release(std::uint64_t id, TimePoint at);
  void recordOpen(std::uint64_t id, TimePoint at, std::string_view session, std::string_view network,
                  std::string_view how);
  void recordReport(std::uint64_t id, TimePoint at, std::string_view words);
  void end(std::uint64_t id, PickupState state, TimePoint at);  // only what waits
  // What has ended or is past its time, and has a key still; and what became of it.
  std::vector<PickupItem> toDestroy(TimePoint now, std::uint64_t after, std::uint32_t limit) const;  // by id
  void noteDestroyed(std::uint64_t id, TimePoint now);  // what still waited has expired

private:
  store::Database& database_;
};

}  // namespace postern::listd
