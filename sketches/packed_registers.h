#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace thimble::internal {

// Registers of kBits bits, least significant bit first, as DataSketches and Redis store them: eight of them are kBits bytes.
// Requires: a multiple of eight registers.
template <unsigned kBits>
void UnpackRegisters(const std::byte* packed, std::span<std::uint8_t> registers) {
  static_assert(std::endian::native == std::endian::little);
  for (std::size_t i = 0; i < registers.size(); i += 8, packed += kBits) {
    std::uint64_t word = 0;
    std::memcpy(&word, packed, kBits);
    for (unsigned j = 0; j < 8; ++j) registers[i + j] = static_cast<std::uint8_t>(word >> (j * kBits) & ((1u << kBits) - 1));
  }
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
