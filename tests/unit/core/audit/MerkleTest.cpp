#include "core/audit/Merkle.h"
#include "core/base/Error.h"
#include "core/crypto/Encoding.h"

#include <random>

using namespace postern;
using namespace postern::audit;

namespace {

// The leaves and roots that the certificate transparency projects test with.
const std::vector<std::string> Leaves = {
    "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"};
const std::vector<std::string> Roots = {"6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
                                        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
                                        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
                                        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
                                        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
                                        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
                                        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
                                        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"};

// Whole subtrees of a tree in memory, straight from the definition.
struct Forest {
  std::vector<std::string> leaves;
  std::string operator()(unsigned level, std::uint64_t index) const {
    if (level == 0) return leaves.at(index);
    return nodeHash((*this)(level - 1, 2 * index), (*this)(level - 1, 2 * index + 1));
  }
};

Forest forestOf(std::size_t size) {
  Forest forest;
  for (std::size_t i = 0; i < size; ++i) forest.leaves.push_back(leafHash("entry " + std::to_string(i)));
  return forest;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(core_audit_Merkle)

BOOST_AUTO_TEST_CASE(roots_are_those_of_rfc_6962) {
  BOOST_TEST(crypto::hex(emptyRoot()) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CompactRange range;
  Forest forest;
  for (std::size_t i = 0; i < Leaves.size(); ++i) {
    forest.leaves.push_back(leafHash(crypto::fromHex(Leaves[i]).value()));
    range.add(forest.leaves.back());
    BOOST_TEST(crypto::hex(range.root()) == Roots[i]);
    BOOST_TEST(crypto::hex(rootOf(i + 1, forest)) == Roots[i]);
  }
}

BOOST_AUTO_TEST_CASE(a_range_goes_on_from_its_peaks_and_from_nodes) {
  const auto forest = forestOf(300);
  CompactRange range;
  for (std::uint64_t size = 0; size < 300; ++size) {
    BOOST_TEST(CompactRange::of(size, forest).peaks() == range.peaks());
    range = CompactRange(range.size(), range.peaks());
    range.add(forest.leaves[size], [&](unsigned level, std::uint64_t index, const std::string& hash) {
      BOOST_TEST(hash == forest(level, index));
    });
  }
  BOOST_CHECK_THROW(CompactRange(3, std::string(32, 'x')), Error);
}

BOOST_AUTO_TEST_CASE(proofs_verify_for_every_small_size_and_for_nothing_else) {
  const auto forest = forestOf(40);
  for (std::uint64_t size = 1; size <= 40; ++size) {
    const auto root = rootOf(size, forest);
    for (std::uint64_t index = 0; index < size; ++index) {
      auto proof = inclusionProof(index, size, forest);
      BOOST_TEST(checkInclusion(index, size, forest.leaves[index], proof, root));
      BOOST_TEST(!checkInclusion(index, size, forest.leaves[(index + 1) % 40], proof, root));
      BOOST_TEST(!checkInclusion(index, size, forest.leaves[index], proof, emptyRoot()));
      proof.push_back(root);
      BOOST_TEST(!checkInclusion(index, size, forest.leaves[index], proof, root));
    }
    for (std::uint64_t from = 0; from <= size; ++from) {
      auto proof = consistencyProof(from, size, forest);
      const auto old = rootOf(from, forest);
      BOOST_TEST(checkConsistency(from, size, old, root, proof));
      if (from > 0 && from < size) {
        BOOST_TEST(!checkConsistency(from, size, root, old, proof));
        proof.back()[0] = static_cast<char>(proof.back()[0] ^ 1);
        BOOST_TEST(!checkConsistency(from, size, old, root, proof));
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(proofs_verify_for_random_sizes) {
  std::mt19937_64 random(20260301);
  const auto forest = forestOf(3000);
  for (int round = 0; round < 300; ++round) {
    const auto size = random() % 3000 + 1;
    const auto index = random() % size;
    const auto from = random() % (size + 1);
    const auto root = rootOf(size, forest);
    BOOST_TEST(checkInclusion(index, size, forest.leaves[index], inclusionProof(index, size, forest), root));
    BOOST_TEST(checkConsistency(from, size, rootOf(from, forest), root, consistencyProof(from, size, forest)));
  }
}

BOOST_AUTO_TEST_SUITE_END()
