#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "thimble/bytes.h"

namespace thimble::internal {

// What strings are compressed to: indices into a table of byte strings learned from a sample of them. An entry is a u32:
//
//   bits 0..23  offset of the token's text in the arena      bits 24..30  its length      bit 31  "the string ends here"
//
// Texts overlap in the arena, and kSlack readable bytes follow it, so that a text is copied in whole words.
//
// Where every byte counts and the arena is small enough, an entry takes three: 17 bits of offset, 6 of length, 1 of end.
struct TokenTable {
  static constexpr std::size_t kMaxText = 63;
  static constexpr std::size_t kSlack = 128;
  static constexpr std::uint32_t kEnd = 0x80000000u;
  static constexpr std::uint32_t kMaxArena = 1u << 24;
  static constexpr std::uint32_t kMaxShortArena = 1u << 17;

  const std::byte* entries = nullptr;
  const std::byte* arena = nullptr;
  std::uint32_t count = 0;
  std::uint32_t arena_bytes = 0;

  static std::uint32_t Entry(std::uint32_t offset, std::size_t length, bool end) {
    return offset | static_cast<std::uint32_t>(length) << 24 | (end ? kEnd : 0);
  }

  // Requires: index < count.
  std::uint32_t At(std::size_t index) const { return Load<std::uint32_t>(entries + 4 * index); }

  std::uint32_t AtShort(std::size_t index) const { return FromShort(Load<std::uint32_t>(entries + 3 * index)); }

  // The low 24 bits of `packed` as an entry, and back.
  static std::uint32_t FromShort(std::uint32_t packed) {
    return (packed & (kMaxShortArena - 1)) | (packed >> 17 & 63) << 24 | (packed >> 23 & 1) << 31;
  }
  static std::uint32_t ToShort(std::uint32_t entry) {
    return (entry & (kMaxShortArena - 1)) | (entry >> 24 & 63) << 17 | (entry >> 31) << 23;
  }

  static std::size_t LengthOf(std::uint32_t entry) { return (entry >> 24) & 0x7f; }
  static bool Ends(std::uint32_t entry) { return (entry & kEnd) != 0; }

  // Clamped to the arena, so that 128 bytes may be read whatever the entry says.
  const std::byte* TextOf(std::uint32_t entry) const {
    const std::uint32_t offset = entry & (kMaxArena - 1);
    return arena + (offset < arena_bytes ? offset : arena_bytes);
  }
};

// Copies `length` <= 127 bytes in steps of 32: both runs have that much slack behind them.
inline __attribute__((always_inline)) void CopyText(std::byte* to, const std::byte* from, std::size_t length) {
  std::memcpy(to, from, 32);
  for (std::size_t done = 32; done < length; done += 32) std::memcpy(to + done, from + done, 32);
}

}  // namespace thimble::internal
