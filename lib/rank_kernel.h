#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "cpu.h"
#include "thimble/bytes.h"

#if THIMBLE_HAS_AVX2_KERNELS
#include <immintrin.h>
#endif

namespace thimble {

// How a BitVector's image lies, for the kernels that read it without a call.
//
// A block is 8 lines of 512 bits. Its entry of 128 bits says how many ones stand in front of the block (44 bits), and how many
// from the block's start to each of the lines 1 to 7 (12 bits each). One line more than the bits fill, so that a rank at the
// end needs no special case.
inline constexpr std::uint64_t kLineBits = 512;
inline constexpr std::uint64_t kBlockBits = 4096;
inline constexpr std::uint64_t kLinesPerBlock = kBlockBits / kLineBits;
inline constexpr std::uint64_t kEntryBytes = 16;
inline constexpr unsigned kCountBits = 44;
inline constexpr unsigned kSubCountBits = 12;

// Where the bits and the counts of a vector of `size` bits lie in its image.
inline constexpr std::uint64_t kBitsAt = 64;
constexpr std::uint64_t CountsAt(std::uint64_t size) { return kBitsAt + (size / kLineBits + 1) * (kLineBits / 8); }

inline std::uint64_t CountOf(const std::byte* entry) { return Load<std::uint64_t>(entry) & LowBits(kCountBits); }

// Ones of the block in front of line `line`; the fields end where the entry ends.
inline std::uint64_t SubCountOf(const std::byte* entry, unsigned line) {
  const unsigned at = kCountBits - kSubCountBits + kSubCountBits * line;
  const unsigned value = Load<std::uint16_t>(entry + at / 8) >> (at % 8) & LowBits(kSubCountBits);
  return line == 0 ? 0 : value;
}

#if THIMBLE_HAS_AVX2_KERNELS

// Ones of the line in front of bit `at`.
THIMBLE_TARGET_AVX2 inline std::uint64_t RankInLineAvx2(const std::byte* line, unsigned at) {
  // Words in front of the bit's own are kept whole, those behind are masked out: no branch to mispredict.
  alignas(64) static constexpr std::array<std::int64_t, 16> kMasks{-1, -1, -1, -1, -1, -1, -1, -1};
  const std::int64_t* masks = kMasks.data() + 8 - at / 64;
  std::uint64_t rank = 0;
  for (unsigned i = 0; i < 7; ++i) {
    rank += static_cast<std::uint64_t>(_mm_popcnt_u64(Load<std::uint64_t>(line + 8 * i) & static_cast<std::uint64_t>(masks[i])));
  }
  const std::uint64_t own = _bzhi_u64(Load<std::uint64_t>(line + at / 64 * 8), at % 64);
  return rank + static_cast<std::uint64_t>(_mm_popcnt_u64(own));
}

// Ones of the vector in front of bit i. Requires: i is not beyond the vector's size.
THIMBLE_TARGET_AVX2 inline std::uint64_t RankAvx2(const std::byte* bits, const std::byte* counts, std::uint64_t i) {
  const std::byte* entry = counts + i / kBlockBits * kEntryBytes;
  const std::byte* line = bits + i / kLineBits * 64;
  return CountOf(entry) + SubCountOf(entry, static_cast<unsigned>(i / kLineBits % kLinesPerBlock)) +
         RankInLineAvx2(line, static_cast<unsigned>(i % kLineBits));
}

#endif

}  // namespace thimble
