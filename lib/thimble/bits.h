#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "thimble/bytes.h"

namespace thimble {

// Fields of 0 to 64 bits that lie end to end in a run of bytes: the arithmetic under every packed structure. Bit b of a run
// is bit b % 8 of byte b / 8, so a field is an unaligned little-endian load, a shift and a mask.

// Widest field that one 8-byte load reaches wherever it begins, from its byte and from a multiple of 4 bytes.
inline constexpr unsigned kOneLoadBits = 57;
inline constexpr unsigned kAlignedLoadBits = 33;

// Reads the field of `width` bits at bit `at`. Requires: 8 readable bytes from byte at / 8 on, 9 if width > kOneLoadBits.
inline std::uint64_t ReadBits(const std::byte* run, std::uint64_t at, unsigned width) {
  // The width is the same in every call of a loop, so these branches cost nothing.
  if (width <= kAlignedLoadBits) {  // crosses cache lines half as often
    return Load<std::uint64_t>(run + at / 32 * 4) >> (at % 32) & LowBits(width);
  }
  const std::byte* from = run + at / 8;
  const unsigned shift = static_cast<unsigned>(at % 8);
  std::uint64_t word = Load<std::uint64_t>(from) >> shift;
  if (width > kOneLoadBits) word |= (Load<std::uint8_t>(from + 8) * std::uint64_t{2}) << (63 - shift);
  return word & LowBits(width);
}

// Writes the low `width` bits of `value` at bit `at`, and leaves the bits around them. Requires: as ReadBits, but writable.
inline void WriteBits(std::byte* run, std::uint64_t at, unsigned width, std::uint64_t value) {
  std::byte* to = run + at / 8;
  const unsigned shift = static_cast<unsigned>(at % 8);
  const std::uint64_t mask = LowBits(width);
  value &= mask;
  Store(to, (Load<std::uint64_t>(to) & ~(mask << shift)) | (value << shift));
  if (shift + width > 64) {
    const unsigned done = 64 - shift;
    const auto high_mask = static_cast<std::uint8_t>(mask >> done);
    const auto high = static_cast<std::uint8_t>(value >> done);
    Store(to + 8, static_cast<std::uint8_t>((Load<std::uint8_t>(to + 8) & ~high_mask) | high));
  }
}

// Reads out.size() fields of `width` bits, the first at bit first * width, with vector instructions where the machine has
// them. Values wider than the output are cut. Requires: `run` holds them all and kImageSlack bytes more.
void UnpackBits(std::span<const std::byte> run, unsigned width, std::uint64_t first, std::span<std::uint32_t> out);
void UnpackBits(std::span<const std::byte> run, unsigned width, std::uint64_t first, std::span<std::uint64_t> out);

}  // namespace thimble
