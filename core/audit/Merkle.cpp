#include "core/audit/Merkle.h"

#include "core/base/Error.h"
#include "core/crypto/OpenSsl.h"

#include <bit>

namespace postern::audit {
namespace {

constexpr std::string_view LeafPrefix("\0", 1);
constexpr std::string_view NodePrefix("\1", 1);

std::string hashOf(std::initializer_list<std::string_view> parts) {
  // One context for each thread: making one costs as much as hashing a small entry.
  thread_local const crypto::DigestContextPtr context(crypto::check(EVP_MD_CTX_new(), "hash the audit log"));
  crypto::check(EVP_DigestInit_ex(context.get(), crypto::sha256Algorithm(), nullptr), "hash the audit log");
  for (const auto part : parts)
    crypto::check(EVP_DigestUpdate(context.get(), part.data(), part.size()), "hash the audit log");
  std::string hash(HashSize, '\0');
  crypto::check(EVP_DigestFinal_ex(context.get(), crypto::bytesOf(hash), nullptr), "hash the audit log");
  return hash;
}

// The largest power of two below `count`. REQUIRES: count > 1.
std::uint64_t splitOf(std::uint64_t count) {
  return std::bit_floor(count - 1);
}

// MTH(D[begin:end]) of RFC 6962; `begin` always is a multiple of the power of two that covers the range.
std::string rangeHash(std::uint64_t begin, std::uint64_t end, const NodeSource& nodes) {
  const auto count = end - begin;
  if (std::has_single_bit(count)) return nodes(static_cast<unsigned>(std::countr_zero(count)), begin / count);
  const auto middle = begin + splitOf(count);
  return nodeHash(rangeHash(begin, middle, nodes), rangeHash(middle, end, nodes));
}

void addPath(Proof& proof, std::uint64_t index, std::uint64_t begin, std::uint64_t end, const NodeSource& nodes) {
  if (end - begin == 1) return;
  const auto middle = begin + splitOf(end - begin);
  if (index < middle) {
    addPath(proof, index, begin, middle, nodes);
    proof.push_back(rangeHash(middle, end, nodes));
  } else {
    addPath(proof, index, middle, end, nodes);
    proof.push_back(rangeHash(begin, middle, nodes));
  }
}

// SUBPROOF(from, D[begin:end], known) of RFC 6962 §2.1.2, with `from` counted from the tree's beginning.
void addSubproof(Proof& proof, std::uint64_t from, std::uint64_t begin, std::uint64_t end, bool known,
                 const NodeSource& nodes) {
  if (from == end) {
    if (!known) proof.push_back(rangeHash(begin, end, nodes));
    return;
  }
  const auto middle = begin + splitOf(end - begin);
  if (from <= middle) {
    addSubproof(proof, from, begin, middle, known, nodes);
    proof.push_back(rangeHash(middle, end, nodes));
  } else {
    addSubproof(proof, from, middle, end, false, nodes);
    proof.push_back(rangeHash(begin, middle, nodes));
  }
}

}  // namespace

std::string leafHash(std::string_view entry) {
  return hashOf({LeafPrefix, entry});
}

std::string nodeHash(std::string_view left, std::string_view right) {
  return hashOf({NodePrefix, left, right});
}

std::string emptyRoot() {
  return hashOf({});
}

CompactRange::CompactRange(std::uint64_t size, std::string_view peaks) : size_(size) {
  if (peaks.size() != static_cast<std::size_t>(std::popcount(size)) * HashSize)
    throw Error(ErrorKind::Malformed, "the peaks of the audit log's tree do not belong to its size");
  for (; !peaks.empty(); peaks.remove_prefix(HashSize)) peaks_.emplace_back(peaks.substr(0, HashSize));
}

CompactRange CompactRange::of(std::uint64_t size, const NodeSource& nodes) {
  CompactRange range;
  range.size_ = size;
  std::uint64_t begin = 0;
  for (auto rest = size; rest > 0; rest -= std::bit_floor(rest)) {
    const auto count = std::bit_floor(rest);
    range.peaks_.push_back(nodes(static_cast<unsigned>(std::countr_zero(count)), begin / count));
    begin += count;
  }
  return range;
}

void CompactRange::add(std::string leaf, const NodeSink& completed) {
  auto hash = std::move(leaf);
  auto index = size_;
  for (unsigned level = 1; (index & 1) != 0; ++level) {
    hash = nodeHash(peaks_.back(), hash);
    peaks_.pop_back();
    index >>= 1;
    if (completed) completed(level, index, hash);
  }
  peaks_.push_back(std::move(hash));
  ++size_;
}

std::string CompactRange::root() const {
  if (peaks_.empty()) return emptyRoot();
  auto hash = peaks_.back();
  for (auto peak = peaks_.rbegin() + 1; peak != peaks_.rend(); ++peak) hash = nodeHash(*peak, hash);
  return hash;
}

std::string CompactRange::peaks() const {
  std::string all;
  for (const auto& peak : peaks_) all += peak;
  return all;
}

std::string rootOf(std::uint64_t size, const NodeSource& nodes) {
  return size == 0 ? emptyRoot() : rangeHash(0, size, nodes);
}

Proof inclusionProof(std::uint64_t index, std::uint64_t size, const NodeSource& nodes) {
  Proof proof;
  addPath(proof, index, 0, size, nodes);
  return proof;
}

Proof consistencyProof(std::uint64_t from, std::uint64_t to, const NodeSource& nodes) {
  Proof proof;
  if (from > 0 && from < to) addSubproof(proof, from, 0, to, true, nodes);
  return proof;
}

// RFC 9162 §2.1.3.2
bool checkInclusion(std::uint64_t index, std::uint64_t size, std::string_view leaf, const Proof& proof,
                    std::string_view root) {
  if (index >= size) return false;
  auto position = index;
  auto last = size - 1;
  std::string hash(leaf);
  for (const auto& step : proof) {
    if (last == 0) return false;
    if ((position & 1) != 0 || position == last) {
      hash = nodeHash(step, hash);
      while ((position & 1) == 0 && position != 0) {
        position >>= 1;
        last >>= 1;
      }
    } else {
      hash = nodeHash(hash, step);
    }
    position >>= 1;
    last >>= 1;
  }
  return last == 0 && hash == root;
}

// RFC 9162 §2.1.4.2
bool checkConsistency(std::uint64_t from, std::uint64_t to, std::string_view fromRoot, std::string_view toRoot,
                      const Proof& proof) {
  if (from > to) return false;
  if (from == to) return proof.empty() && fromRoot == toRoot;
  if (from == 0) return proof.empty() && fromRoot == emptyRoot();
  Proof path = proof;
  if (std::has_single_bit(from)) path.insert(path.begin(), std::string(fromRoot));
  if (path.empty()) return false;
  auto position = from - 1;
  auto last = to - 1;
  while ((position & 1) != 0) {
    position >>= 1;
    last >>= 1;
  }
  auto oldHash = path.front();
  auto newHash = path.front();
  for (std::size_t i = 1; i < path.size(); ++i) {
    if (last == 0) return false;
    if ((position & 1) != 0 || position == last) {
      oldHash = nodeHash(path[i], oldHash);
      newHash = nodeHash(path[i], newHash);
      while ((position & 1) == 0 && position != 0) {
        position >>= 1;
        last >>= 1;
      }
    } else {
      newHash = nodeHash(newHash, path[i]);
    }
    position >>= 1;
    last >>= 1;
  }
  return last == 0 && oldHash == fromRoot && newHash == toRoot;
}

}  // namespace postern::audit
