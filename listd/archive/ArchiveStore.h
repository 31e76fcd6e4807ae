#pragma once
#include "core/base/Clock.h"
#include "core/store/Database.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace postern::listd {

enum class ObjectState { Stored, Destroying, Destroyed };

// One accepted message as it is kept; its row outlives the content.
struct StoredObject {
  std::uint64_t id = 0;
  TimePoint receivedAt;
  std::optional<TimePoint> headerDate;
  std::uint64_t size = 0;
  std::string sensitivity;  // low, moderate, high: the highest of its lists
  std::string digest;       // SHA-256 of the content at receipt; empty: came before digests were noted
  ObjectState state = ObjectState::Stored;
  TimePoint destroyedAt;
};

// The message on one list.
struct Reference {
  std::uint64_t objectId = 0;
  std::uint64_t listId = 0;
  std::uint64_t postId = 0;
  std::optional<TimePoint> hiddenAt;
  std::string hiddenBy;
  std::optional<TimePoint> removedAt;
};

// An object with all that rules and holds ask about it, but for its content.
struct ArchivedMessage {
  StoredObject object;
  std::vector<Reference> references;  // removed ones too: holds still match them
  std::vector<std::string> labels;
  bool unsent = false;  // mail of it is still to go out
};

// Objects, references and labels. Threads: those of the connection. Errors: Error(Store).
class ArchiveStore {
public:
  explicit ArchiveStore(store::Database& database) : database_(database) {}

  // Receipt: the object and its reference for one list. A repeat changes nothing but to raise the class.
  void add(const StoredObject& object, std::uint64_t listId, std::uint64_t postId);
  // Stored objects in the order in which they came, behind `mark` (0: from the first); the mark moves with them.
  std::vector<std::uint64_t> idsSince(std::uint64_t& mark) const;
  std::optional<StoredObject> find(std::uint64_t id) const;
  std::optional<ArchivedMessage> message(std::uint64_t id) const;
  // Many at once, by id; one that is not there is left out.
  std::unordered_map<std::uint64_t, ArchivedMessage> messages(std::span<const std::uint64_t> ids) const;
  // Any row of site.db that is changed through this connection makes it another number.
  std::uint64_t changeMark() const { return database_.totalChanges(); }
  std::optional<Reference> reference(std::uint64_t objectId, std::uint64_t listId) const;
  // Who got copies: what content conditions on recipients look at beside the header.
  std::vector<std::string> recipientsOf(std::uint64_t objectId) const;

  // Every stored object in order of ids, with its references. One pass over 1,000,000 references takes about a second.
  // The argument is reused between calls.
  void scan(const std::function<void(const ArchivedMessage&)>& show) const;
  // The same, `limit` objects from after `after` on (nothing: from the first). Gives the object after which the next
  // page begins; nothing: this was the last.
  std::optional<std::uint64_t> scanPage(std::optional<std::uint64_t> after, std::uint32_t limit,
                                        const std::function<void(const ArchivedMessage&)>& show) const;
  // Ids of stored objects after `after`, ascending.
  std::vector<std::uint64_t> idsAfter(std::uint64_t after, std::uint32_t limit) const;
  // Those of the given objects (ascending) that are stored, by the time of receipt: `limit` behind the object `after`
  // (0: from the first), whether that is still stored or not.
  enum class Order { Newest, Oldest };
  struct Page {
    std::vector<StoredObject> objects;    // without digests
    std::optional<std::uint64_t> stored;  // how many of the given are stored, where each had to be looked at
  };
  Page byReceipt(std::span<const std::uint64_t> ids, Order order, std::uint64_t after, std::uint64_t limit) const;
  // The next objects by the time of receipt, stored or not.
  std::vector<std::uint64_t> receivedNext(Order order, std::uint64_t after, std::uint64_t limit) const;
  std::optional<StoredObject> storedFacts(std::uint64_t id) const;  // of a stored object, without its digest
  std::uint64_t count() const;             // stored objects and those on their way out; kept by triggers
  bool anyOn(std::uint64_t listId) const;  // whether something that was posted to the list is still stored
  // Whether anything of the list is kept or still to go out.
  bool isListInUse(std::uint64_t listId) const;

  bool hide(std::uint64_t objectId, std::uint64_t listId, TimePoint at, std::string_view by);  // false: hidden already
  bool addLabel(std::uint64_t objectId, std::string_view label, TimePoint at);
  bool removeLabel(std::uint64_t objectId, std::string_view label);

  // For the DestructionGate alone.
  void removeReference(std::uint64_t objectId, std::uint64_t listId, TimePoint at) {
    removeReferences({&objectId, 1}, listId, at);
  }
  void removeReferences(std::span<const std::uint64_t> objectIds, std::uint64_t listId, TimePoint at);
  void setState(std::uint64_t objectId, ObjectState state, TimePoint destroyedAt = {}) {
    setState(std::span(&objectId, 1), state, destroyedAt);
  }
  void setState(std::span<const std::uint64_t> objectIds, ObjectState state, TimePoint destroyedAt = {});

private:
  store::Statement fromReceipt(Order order, std::uint64_t after) const;
  std::optional<std::vector<StoredObject>> walkByReceipt(std::span<const std::uint64_t> ids, Order order,
                                                         std::uint64_t after, std::uint64_t limit) const;
  std::optional<std::uint64_t> scanFrom(std::int64_t after, std::uint64_t limit,
                                        const std::function<void(const ArchivedMessage&)>& show) const;

  store::Database& database_;
};

}  // namespace postern::listd
