#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include "thimble/bits.h"
#include "thimble/bytes.h"

namespace thimble::internal {

// Where runs of codes begin and end, by number: 5.25 bits a run. 32 of them are a group, which is 40 bits of where its first
// run begins, then 4 bits for the length of each. What one asks lies in a cache line or two, and is summed up without a
// branch. A run of kLong codes stands for one that is longer: its first words say where that begins and ends.
struct CountGroups {
  static constexpr std::uint64_t kRuns = 32;
  static constexpr unsigned kBaseBits = 40;
  static constexpr std::uint64_t kLong = 15;

  const std::byte* groups = nullptr;

  static std::uint64_t Bytes(std::uint64_t runs) { return (runs / kRuns + (runs % kRuns != 0)) * kGroupBytes; }

  // Requires: run i lies in the groups.
  std::pair<std::uint64_t, std::uint64_t> operator[](std::uint64_t i) const {
    const std::byte* group = groups + i / kRuns * kGroupBytes;
    const auto low = Load<std::uint64_t>(group + kBaseBits / 8), high = Load<std::uint64_t>(group + kBaseBits / 8 + 8);
    const unsigned shift = i % 16 * 4;
    const std::uint64_t in_high = 0 - (i / 16 % 2);
    const std::uint64_t own = low ^ ((low ^ high) & in_high);
    // Lengths in front: two to a byte, then bytes, then words, so that no sum runs over.
    const std::uint64_t bytes = PairSums(own & LowBits(shift)) + PairSums(low & in_high);
    const std::uint64_t words = (bytes & 0x00ff00ff00ff00ff) + (bytes >> 8 & 0x00ff00ff00ff00ff);
    const std::uint64_t begin = (Load<std::uint64_t>(group) & LowBits(kBaseBits)) + (words * 0x0001000100010001 >> 48);
    return {begin, begin + (own >> shift & 15)};
  }

  // Writes run i, in zeroed groups, in ascending order.
  static void Put(std::byte* groups, std::uint64_t i, std::uint64_t begin, std::uint64_t count) {
    std::byte* group = groups + i / kRuns * kGroupBytes;
    if (i % kRuns == 0) WriteBits(group, 0, kBaseBits, begin);
    WriteBits(group, kBaseBits + i % kRuns * 4, 4, count);
  }

 private:
  static constexpr std::uint64_t kGroupBytes = kBaseBits / 8 + kRuns / 2;

  static std::uint64_t PairSums(std::uint64_t halves) {
    return (halves & 0x0f0f0f0f0f0f0f0f) + (halves >> 4 & 0x0f0f0f0f0f0f0f0f);
  }
};

}  // namespace thimble::internal
