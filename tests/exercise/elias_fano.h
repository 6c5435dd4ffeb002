#pragma once

#include <array>
#include <cstdint>

#include "thimble/elias_fano.h"

namespace thimble {

inline void Exercise(const EliasFanoView& view) {
  const std::uint64_t n = view.size();
  std::uint64_t sum = view.max() + (view.empty() ? 1 : 0) + view.image().size();
  for (const std::uint64_t i : {std::uint64_t{0}, std::uint64_t{1}, n / 3, n / 2, n - 2, n - 1, n, n + 1, view.max(), ~std::uint64_t{0}}) {
    const auto [value, next] = view.Pair(i);
    sum += view[i] + value + next + view.LowerBound(i) + view.LowerBound(view.max() / 16 * (i % 16));
    std::array<std::uint64_t, 100> values;
    view.Decode(i, values);
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
