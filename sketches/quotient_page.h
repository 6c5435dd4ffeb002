#pragma once

#include <cstddef>
#include <cstdint>

#include "thimble/bytes.h"

namespace thimble::quotient {

// The pages of a quotient filter: how large their parts are, where a bucket stands, and how bits are put in and taken out.

// Parameters of the header.
enum { kRoots, kPages, kPageBytes, kRemainderBits, kFlags, kDirectoryDepth, kCapacity, kEpoch };

inline constexpr unsigned kBuckets = 512;
inline constexpr unsigned kPageHeaderBytes = 8;
inline constexpr unsigned kMaxEpochBits = 8;

// Words of the buckets in unary.
inline unsigned UnaryWords(unsigned slots) { return (slots + kBuckets + 63) / 64; }

// Entries of a page: behind its header lie the buckets in whole words, then the entries.
unsigned SlotsFor(std::uint64_t page_bytes, unsigned entry_bits);

// Of the fraction that a hash leaves, in a page of a depth: its bucket, and its remainder of some bits.
inline unsigned BucketOf(std::uint64_t fraction, unsigned depth) { return static_cast<unsigned>(fraction << depth >> (64 - 9)); }
inline std::uint64_t RemainderOf(std::uint64_t fraction, unsigned depth, unsigned bits) { return fraction << (depth + 9) >> (64 - bits); }

struct Bucket {
  std::uint64_t position;  // of its first one in the unary run, or of its zero
  std::uint64_t ones;
};
// The bucket's ones begin behind the bucket-th zero. Damaged runs have fewer zeros: the end of the run stands for them.
Bucket FindBucket(const std::byte* unary, unsigned words, unsigned bucket);

inline std::uint64_t Word(const std::byte* words, std::uint64_t i) { return Load<std::uint64_t>(words + 8 * i); }

// Requires: 0 < width <= 64 and the bits lie in the run.
inline std::uint64_t GetBits(const std::byte* words, std::uint64_t at, unsigned width) {
  const unsigned shift = at % 64;
  std::uint64_t bits = Word(words, at / 64) >> shift;
  if (shift + width > 64) bits |= Word(words, at / 64 + 1) << (64 - shift);
  return bits & LowBits(width);
}

inline void SetBits(std::byte* words, std::uint64_t at, unsigned width, std::uint64_t bits) {
  const unsigned shift = at % 64;
  const std::uint64_t mask = LowBits(width);
  Store(words + 8 * (at / 64), (Word(words, at / 64) & ~(mask << shift)) | bits << shift);
  if (shift + width > 64) {
    const std::uint64_t i = at / 64 + 1;
    Store(words + 8 * i, (Word(words, i) & ~(mask >> (64 - shift))) | bits >> (64 - shift));
  }
}

// Moves the bits [at, end) up by `width` and puts `bits` before them. Requires: 0 < width < 64, end + width bits in the run,
// zeros from `end` on.
void InsertBits(std::byte* words, std::uint64_t at, std::uint64_t end, unsigned width, std::uint64_t bits);

// Takes the `width` bits from `at` away; those behind, up to `end`, move down, and zeros follow. Requires: 0 < width < 64,
// at + width <= end, zeros from `end` on.
inline void RemoveBits(std::byte* words, std::uint64_t at, std::uint64_t end, unsigned width) {
  const std::uint64_t first = at / 64, last = (end - 1) / 64, below = LowBits(at % 64);
  const std::uint64_t kept = Word(words, first) & below;
  for (std::uint64_t i = first; i < last; ++i) Store(words + 8 * i, Word(words, i) >> width | Word(words, i + 1) << (64 - width));
  Store(words + 8 * last, Word(words, last) >> width);
  Store(words + 8 * first, (Word(words, first) & ~below) | kept);
}

}  // namespace thimble::quotient
