#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

// The hash tree of the audit log, RFC 6962 §2.1 (the same as RFC 9162 §2.1) with SHA-256. Hashes are 32 bytes.
namespace postern::audit {

constexpr std::size_t HashSize = 32;

std::string leafHash(std::string_view entry);  // SHA-256(0x00 || entry)
std::string nodeHash(std::string_view left, std::string_view right);
std::string emptyRoot();

// The hash of a whole subtree: the 2^level leaves from index * 2^level on.
using NodeSource = std::function<std::string(unsigned level, std::uint64_t index)>;

// The tree of all leaves so far, as its largest whole subtrees from left to right: what is needed to go on and to name
// the root. A value. Invariant: one peak for each bit of size().
class CompactRange {
public:
  using NodeSink = std::function<void(unsigned level, std::uint64_t index, const std::string& hash)>;

  CompactRange() = default;
  // From peaks() kept elsewhere. Throws Error(Malformed) when they are not as many as `size` asks for.
  CompactRange(std::uint64_t size, std::string_view peaks);
  // The first `size` leaves of a tree whose nodes are at hand.
  static CompactRange of(std::uint64_t size, const NodeSource& nodes);

  // Adds a leaf; `completed` is told each whole subtree of two leaves and more that it completes.
  void add(std::string leaf, const NodeSink& completed = {});

  std::uint64_t size() const { return size_; }
  std::string root() const;
  std::string peaks() const;  // the hashes one after the other, the largest subtree first

private:
  std::uint64_t size_ = 0;
  std::vector<std::string> peaks_;
};

using Proof = std::vector<std::string>;

// REQUIRES: index < size; from <= to.
Proof inclusionProof(std::uint64_t index, std::uint64_t size, const NodeSource& nodes);
Proof consistencyProof(std::uint64_t from, std::uint64_t to, const NodeSource& nodes);
std::string rootOf(std::uint64_t size, const NodeSource& nodes);

bool checkInclusion(std::uint64_t index, std::uint64_t size, std::string_view leaf, const Proof& proof,
                    std::string_view root);
bool checkConsistency(std::uint64_t from, std::uint64_t to, std::string_view fromRoot, std::string_view toRoot,
                      const Proof& proof);

}  // namespace postern::audit
