#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace thimble::internal {

// Registers of kBits bits, least significant bit first, as DataSketches and Redis store them: eight of them are kBits bytes.
// Returns the highest. Requires: a multiple of eight registers.
template <unsigned kBits>
unsigned UnpackRegisters(const std::byte* packed, std::span<std::uint8_t> registers) {
  static_assert(std::endian::native == std::endian::little);
  unsigned highest = 0;
  std::uint8_t* const to = registers.data();
  const std::size_t count = registers.size();
  for (std::size_t i = 0; i < count; i += 8, packed += kBits) {
    std::uint64_t word = 0;
    std::memcpy(&word, packed, kBits);
    for (unsigned j = 0; j < 8; ++j, word >>= kBits) {
      const unsigned value = word & ((1u << kBits) - 1);
      highest = value > highest ? value : highest;
      to[i + j] = static_cast<std::uint8_t>(value);
    }
  }
  return highest;
}

// Requires: no register needs more bits.
template <unsigned kBits>
void PackRegisters(std::span<const std::uint8_t> registers, std::byte* packed) {
  for (std::size_t i = 0; i < registers.size(); i += 8, packed += kBits) {
    std::uint64_t word = 0;
    for (unsigned j = 0; j < 8; ++j) word |= std::uint64_t{registers[i + j]} << (j * kBits);
    std::memcpy(packed, &word, kBits);
  }
}

}  // namespace thimble::internal
