#include "listd/expand/Troubles.h"

#include <algorithm>

namespace postern::listd {

std::chrono::seconds retryWait(std::uint32_t tries) {
  const auto doublings = std::min<std::uint32_t>(tries, 7);
  return std::min(std::chrono::seconds(5) * (1 << doublings), std::chrono::seconds(600));
}

TimePoint Troubles::failed(std::uint64_t acceptedId, const std::string& text, TimePoint now) {
  const MutexLock lock(mutex_);
  auto& trouble = troubles_[acceptedId];
  trouble.text = text;
  trouble.retryAt = now + retryWait(trouble.tries++);
  return trouble.retryAt;
}

void Troubles::solved(std::uint64_t acceptedId) {
  const MutexLock lock(mutex_);
  troubles_.erase(acceptedId);
}

TimePoint Troubles::retryAt(std::uint64_t acceptedId) const {
  const MutexLock lock(mutex_);
  const auto found = troubles_.find(acceptedId);
  return found == troubles_.end() ? TimePoint() : found->second.retryAt;
}

std::vector<std::string> Troubles::texts(std::size_t limit) const {
  const MutexLock lock(mutex_);
  std::vector<std::string> texts;
  for (const auto& [id, trouble] : troubles_) {
    if (texts.size() == limit) break;
    texts.push_back("accepted message " + std::to_string(id) + ": " + trouble.text);
  }
  return texts;
}

}  // namespace postern::listd
