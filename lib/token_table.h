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
struct TokenTable {
  static constexpr std::size_t kMaxText = 64;
  static constexpr std::size_t kSlack = 128;
  static constexpr std::uint32_t kEnd = 0x80000000u;
  static constexpr std::uint32_t kMaxArena = 1u << 24;

  const std::byte* entries = nullptr;
  const std::byte* arena = nullptr;
  std::uint32_t count = 0;
  std::uint32_t arena_bytes = 0;

  static std::uint32_t Entry(std::uint32_t offset, std::size_t length, bool end) {
    return offset | static_cast<std::uint32_t>(length) << 24 | (end ? kEnd : 0);
  }

  // Requires: index < count.
  std::uint32_t At(std::size_t index) const { return Load<std::uint32_t>(entries + 4 * index); }

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
