#pragma once

// What the readers and the writer of a SparseTableView share.

#include <cstdint>

#include "thimble/sparse_table.h"

namespace thimble::sparse {

// The counts of a crowded cell.
inline constexpr std::uint64_t kCrowdedCounts = ~std::uint64_t{0};

// The sum of fields of 4 bits, which is below 256.
[[gnu::always_inline]] inline std::uint64_t SumOfFields(std::uint64_t fields) {
  constexpr std::uint64_t kEven = 0x0F0F0F0F0F0F0F0F, kOnes = 0x0101010101010101;
  return ((fields & kEven) + (fields >> 4 & kEven)) * kOnes >> 56;
}

}  // namespace thimble::sparse
