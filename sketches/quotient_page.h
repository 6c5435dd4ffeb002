#pragma once

#include <cstddef>
#include <cstdint>

#include "thimble/bytes.h"

namespace thimble::quotient {

// Bits in a run of 64-bit words: what the pages of a quotient filter are edited with.

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
inline void InsertBits(std::byte* words, std::uint64_t at, std::uint64_t end, unsigned width, std::uint64_t bits) {
  const std::uint64_t first = at / 64, below = LowBits(at % 64);
  for (std::uint64_t i = (end + width - 1) / 64; i > first; --i) {
    Store(words + 8 * i, Word(words, i) << width | Word(words, i - 1) >> (64 - width));
  }
  // Bits below `at` that moved along into the second word lie where the new ones go.
  const std::uint64_t word = Word(words, first);
  Store(words + 8 * first, (word & below) | (word & ~below) << width);
  SetBits(words, at, width, bits);
}

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
