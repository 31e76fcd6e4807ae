#pragma once
#include <cstdint>
#include <map>
#include <utility>

namespace postern::gateway {

// Copy keys that are done but could still be submitted again, as ranges: keys come mostly in a row.
// Each range has a generation and may be forgotten once all accepted ids up to it are finished. Ranges that touch are
// joined under the later generation, which only lengthens the memory.
// Threads: those of its owner.
class KeyMemory {
public:
  struct Range {
    std::uint64_t last = 0;
    std::uint64_t generation = 0;
  };

  void add(std::uint64_t key, std::uint64_t generation) { addRange(key, key, generation); }
  void addRange(std::uint64_t first, std::uint64_t last, std::uint64_t generation);
  bool contains(std::uint64_t key) const;
  void forgetBefore(std::uint64_t lowestUnfinished);

  const std::map<std::uint64_t, Range>& ranges() const { return ranges_; }
  bool takeChanged() { return std::exchange(changed_, false); }

private:
  std::map<std::uint64_t, Range> ranges_;  // by first key; neither overlap nor touch
  bool changed_ = false;
};

}  // namespace postern::gateway
