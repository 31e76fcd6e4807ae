#include "core/base/Secret.h"

#include <cstring>

namespace postern {

Secret& Secret::operator=(const Secret& other) {
  if (this != &other) {
    wipe();
    bytes_ = other.bytes_;
  }
  return *this;
}

Secret& Secret::operator=(Secret&& other) noexcept {
  if (this != &other) {
    wipe();
    bytes_ = other.bytes_;
    other.wipe();
  }
  return *this;
}

Secret Secret::ofSize(std::size_t size) {
  Secret secret;
  secret.bytes_.assign(size, '\0');
  return secret;
}

void Secret::wipe() noexcept {
  explicit_bzero(bytes_.data(), bytes_.size());
  bytes_.clear();
}

}  // namespace postern
