#pragma once
#include <cstddef>
#include <string>
#include <string_view>

namespace postern {

// Key material or a password: overwritten with zeros when it dies or is replaced. Never logged, never compared
// with ==. Copyable, because keys are handed to jobs; each copy cleans itself up.
class Secret {
public:
  Secret() = default;
  explicit Secret(std::string_view bytes) : bytes_(bytes) {}
  Secret(const Secret&) = default;
  Secret(Secret&& other) noexcept : bytes_(other.bytes_) { other.wipe(); }
  Secret& operator=(const Secret& other);
  Secret& operator=(Secret&& other) noexcept;
  ~Secret() { wipe(); }

  static Secret ofSize(std::size_t size);

  std::string_view view() const { return bytes_; }
  const unsigned char* data() const { return reinterpret_cast<const unsigned char*>(bytes_.data()); }
  unsigned char* data() { return reinterpret_cast<unsigned char*>(bytes_.data()); }
  std::size_t size() const { return bytes_.size(); }
  bool empty() const { return bytes_.empty(); }

private:
  void wipe() noexcept;
  std::string bytes_;
};

}  // namespace postern
