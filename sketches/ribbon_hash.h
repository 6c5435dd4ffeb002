#pragma once

#include <cstdint>

#include "thimble/bytes.h"
#include "thimble/ribbon.h"

namespace thimble::ribbon {

// Where a hash's equation stands, and how large the parts of a shard are: what the solver and the queries must agree on.

__extension__ using Wide = unsigned __int128;

inline constexpr std::uint64_t kBucketStarts = 128;
// Of the 2-bit thresholds: the keys of a bucket that begin before this are bumped.
inline constexpr std::uint32_t kBumpedBefore[4] = {0, 16, 36, kBucketStarts};

inline std::uint64_t MultiplyHigh(std::uint64_t a, std::uint64_t b) { return static_cast<std::uint64_t>(Wide{a} * b >> 64); }

inline std::uint64_t Mix(std::uint64_t x) {
  x = (x ^ x >> 32) * 0xD6E8FEB86659FD93u;
  x = (x ^ x >> 29) * 0xA0761D6478BD642Fu;
  return x ^ x >> 32;
}

// Orders the keys of a shard in a layer. Layer 0 keeps the order of the hashes.
inline std::uint64_t Fraction(std::uint64_t hash, std::uint64_t shards, unsigned layer, std::uint64_t seed) {
  return layer == 0 ? hash * shards : Mix(hash + (seed << 8 | layer) * 0x9E3779B97F4A7C15u);
}
inline std::uint64_t Start(std::uint64_t fraction, std::uint64_t blocks) { return MultiplyHigh(fraction, 64 * (blocks - 1) + 1); }
inline std::uint64_t Coefficients(std::uint64_t hash, unsigned layer) { return Mix(hash ^ (layer + 1) * 0xE7037ED1A0B428DBu) | 1; }

inline std::uint64_t NarrowBlocks(std::uint64_t blocks, std::uint64_t narrow_share) { return blocks * narrow_share >> 32; }
// Words before block i of a layer.
inline std::uint64_t BlockWord(std::uint64_t i, std::uint64_t narrow_blocks, std::uint32_t bits) {
  return i * bits + (i > narrow_blocks ? i - narrow_blocks : 0);
}
// Words of the thresholds of a layer. Those of a large one end at a cache line, for the blocks to begin there.
inline std::uint64_t ThresholdWords(std::uint64_t blocks) {
  const std::uint64_t buckets = (64 * (blocks - 1)) / kBucketStarts + 1;
  const std::uint64_t words = (buckets + 31) / 32;
  return blocks >= 64 ? RoundUp(words, 8) : words;
}

}  // namespace thimble::ribbon
