#pragma once

#include <cstdint>

#include "exercise/values.h"
#include "thimble/elias_fano.h"

namespace thimble {

inline void Exercise(const EliasFanoView& view) {
  const std::uint64_t n = view.size();
  std::uint64_t sum = ExerciseValues<std::uint64_t>(view) + view.max();
  for (const std::uint64_t i : {std::uint64_t{0}, std::uint64_t{1}, n / 3, n / 2, n - 2, n - 1, n, n + 1, view.max(), ~std::uint64_t{0}}) {
    const auto [value, next] = view.Pair(i);
    sum += value + next + view.LowerBound(i) + view.LowerBound(view.max() / 16 * (i % 16));
  }
  asm volatile("" : : "r"(sum));
}

}  // namespace thimble
