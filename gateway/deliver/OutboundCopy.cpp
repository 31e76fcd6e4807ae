#include "gateway/deliver/OutboundCopy.h"

#include "core/base/Error.h"

namespace postern::gateway {

Result<std::shared_ptr<const OutboundTail>, std::string> ReadyTails::find(
    const std::shared_ptr<const std::string>& bytes) {
  std::vector<Entry> entries;
  {
    const MutexLock lock(mutex_);
    for (const auto& entry : entries_)
      if (entry.source == bytes) return entry.tail;
    entries = entries_;
  }
  for (const auto& entry : entries)
    if (*entry.source == *bytes) return entry.tail;
  auto made = OutboundTail::make(bytes);
  if (!made) return made;
  const MutexLock lock(mutex_);
  entries_.push_back({bytes, *made});
  std::size_t size = 0;
  for (const auto& entry : entries_) size += entry.source->size();
  while (entries_.size() > 1 && (entries_.size() > MaxEntries || size > MaxBytes)) {
    size -= entries_.front().source->size();
    entries_.erase(entries_.begin());
  }
  return made;
}

void ReadyTails::clear() {
  const MutexLock lock(mutex_);
  entries_.clear();
}

std::optional<std::string> OutboundCopy::prepare(ReadyTails& tails) {
  auto head = smtp::ClientText::check(copy_.head);
  if (!head) return "the head of the copy cannot be sent: " + head.error();
  head_ = std::move(*head);
  if (copy_.tail == nullptr || copy_.tail->empty()) return std::nullopt;
  if (!head_->endsLine()) return "the head of the copy does not end with a line";
  auto tail = tails.find(copy_.tail);
  if (!tail) return "the tail of the copy cannot be sent: " + tail.error();
  tail_ = std::move(*tail);
  return std::nullopt;
}

std::optional<std::string> OutboundCopy::clear(const smtp::ClientConnection& connection, std::string_view ownUrl) {
  const auto& tls = connection.tls();
  if (mustRequireTls() && !tls.verified) return "the sender asked for REQUIRETLS, and the connection is not verified";
  auto clearance = FloorGuard::check(copy_.kind, copy_.protection, copy_.floor, copy_.head, tail_.get(),
                                     {!tls.version.empty(), tls.verified, ownUrl});
  if (!clearance) return clearance.error();
  clearance_ = std::move(*clearance);
  clearedFor_ = connection.id();
  return std::nullopt;
}

void OutboundCopy::expectClearance(const smtp::ClientConnection& connection) const {
  if (!clearance_ || clearedFor_ != connection.id())
    throw Error(ErrorKind::Invariant, "a copy was to be sent that the floor guard did not clear for this connection");
}

smtp::ClientMessage OutboundCopy::message() const {
  // What only the connection protects is to have the same protection on its further way.
  return {copy_.mailFrom,
          copy_.recipient,
          &*head_,
          tail_ ? &tail_->text() : nullptr,
          copy_.protection == app::Protection::Tls,
          mustRequireTls()};
}

smtp::ClientResult OutboundCopy::send(smtp::ClientConnection& connection, OutboundCopy* next) {
  expectClearance(connection);
  const auto own = message();
  if (next == nullptr) {
    auto result = connection.send(own);
    clearance_.reset();
    return result;
  }
  next->expectClearance(connection);
  const auto following = next->message();
  auto result = connection.send(own, &following);
  clearance_.reset();
  return result;
}

}  // namespace postern::gateway
