#pragma once
#include <array>
#include <cstddef>
#include <memory>
#include <vector>

namespace postern::policy::worker {

// Memory of one Lua machine that can be set back to how it was: one region, of which `keep` takes a copy and `goBack`
// puts the copy back at the same addresses. What does not fit into the region comes from the heap.
// Invariants: 1. no pointer into it survives goBack() but those that were there at keep(). 2. A size that is handed
// back is the size that was asked for. Threads: one.
class Arena {
public:
  explicit Arena(std::size_t capacity);
  ~Arena();
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  // Null if there is no memory. REQUIRES: size > 0.
  void* take(std::size_t size);
  void giveBack(void* block, std::size_t size);
  // As realloc: null leaves the block as it was.
  void* resize(void* block, std::size_t oldSize, std::size_t newSize);

  // False if something lies outside the region: then it cannot be kept. Once.
  [[nodiscard]] bool keep();
  // To what keep() saw; everything taken since is gone. REQUIRES: keep() was true.
  void goBack();

  std::size_t keptBytes() const { return kept_.size(); }

private:
  // Sizes of blocks: steps of 16 bytes up to 1 kB, then four steps a doubling.
  static constexpr std::size_t Step = 16;
  static constexpr std::size_t Fine = 1024;
  static constexpr std::size_t Classes = Fine / Step + 4 * 24;

  struct Free {
    Free* next;
  };
  // In front of a block from the heap.
  struct alignas(Step) Outside {
    Outside* next;
    Outside* before;
  };

  struct Class {
    std::size_t index;
    std::size_t size;
  };
  static Class classOf(std::size_t size);
  bool isInside(const void* block) const;
  void dropOutside();

  const std::size_t capacity_;
  const std::unique_ptr<std::byte[]> region_;
  std::size_t used_ = 0;  // what lies behind was never taken
  std::array<Free*, Classes> free_{};
  Outside outside_;

  std::vector<std::byte> kept_;
  std::array<Free*, Classes> keptFree_{};
};

}  // namespace postern::policy::worker
