#pragma once

#include <algorithm>
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

// Both halves of a product: for what is mixed already, which hashes are, but must not be the same bits.
inline std::uint64_t FoldedProduct(std::uint64_t a, std::uint64_t b) {
  const Wide product = Wide{a} * b;
  return static_cast<std::uint64_t>(product >> 64) ^ static_cast<std::uint64_t>(product);
}

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
inline std::uint64_t Coefficients(std::uint64_t hash, unsigned layer) {
  return FoldedProduct(hash ^ layer * 0xE7037ED1A0B428DBu, 0xA0761D6478BD642Fu) | 1;
}

// The value that a filter keeps of a key: bits that neither its place nor its coefficients depend on.
inline std::uint64_t Fingerprint(std::uint64_t hash) { return FoldedProduct(hash, 0x8CB92BA72F3D8DD7u); }

// Of the blocks but the last, where one equation in 64 (blocks - 1) + 1 begins: it is wide, unless all are narrow.
inline std::uint64_t NarrowBlocks(std::uint64_t blocks, std::uint64_t narrow_share) {
  return narrow_share >> 32 != 0 ? blocks : (blocks - 1) * narrow_share >> 32;
}
// Words before block i of a layer.
inline std::uint64_t BlockWord(std::uint64_t i, std::uint64_t narrow_blocks, std::uint32_t bits) {
  return i * bits + std::max(i, narrow_blocks) - narrow_blocks;
}
// Words of the thresholds of a layer, a bit a block. Those of a large one end at a cache line, for the blocks to begin there.
inline std::uint64_t ThresholdWords(std::uint64_t blocks) {
  const std::uint64_t words = (blocks - 1) / 64 + 1;
  return blocks >= 64 ? RoundUp(words, 8) : words;
}

}  // namespace thimble::ribbon
