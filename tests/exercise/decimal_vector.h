#pragma once

#include <array>
#include <cstdint>

#include "thimble/decimal_vector.h"

namespace thimble {

inline void Exercise(const DecimalVectorView& view) {
  const std::uint64_t n = view.size();
  double sum = view.digits() + (view.empty() ? 1 : 0) + static_cast<double>(view.image().size() + view.scaled().size());
  for (const std::uint64_t i : {std::uint64_t{0}, n / 3, n / 2, n - 99, n - 1, n, n + 1, ~std::uint64_t{0}}) {
    std::array<double, 150> values;
    view.Decode(i, values);
    sum += view[i];
  }
  std::uint64_t budget = 1000;
  for (const double value : view) {
    sum += value;
    if (--budget == 0) break;
  }
  view.Verify().IgnoreError();
  asm volatile("" : : "m"(sum));
}

}  // namespace thimble
