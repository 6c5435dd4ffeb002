#pragma once

#include <array>
#include <cstdint>

#include "thimble/packed_vector.h"

namespace thimble {

inline void Exercise(const PackedVectorView& view) {
  const std::uint64_t n = view.size();
  std::uint64_t sum = view.width() + (view.empty() ? 1 : 0) + view.image().size();
  for (const std::uint64_t i : {std::uint64_t{0}, n / 2, n - 1, n, n + 1, ~std::uint64_t{0}}) {
    sum += view[i];
    std::array<std::uint32_t, 100> narrow;
    std::array<std::uint64_t, 100> wide;
    view.Decode(i, narrow);
    view.Decode(i, wide);
  }
  std::uint64_t budget = 1000;
  for (const std::uint64_t value : view) {
    sum += value;
    if (--budget == 0) break;
  }
  view.Verify().IgnoreError();
  asm volatile("" : : "r"(sum));
}

}  // namespace thimble
