#pragma once

#include <array>
#include <cstdint>

#include "thimble/frame_vector.h"

namespace thimble {

inline void Exercise(const FrameVectorView& view) {
  const std::uint64_t n = view.size();
  std::uint64_t sum = view.block_size() + (view.empty() ? 1 : 0) + view.image().size();
  for (const std::uint64_t i : {std::uint64_t{0}, n / 3, n / 2, n - 99, n - 1, n, n + 1, ~std::uint64_t{0}}) {
    std::array<std::uint64_t, 150> values;
    view.Decode(i, values);
    sum += view[i];
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
