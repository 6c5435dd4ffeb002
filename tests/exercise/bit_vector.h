#pragma once

#include <cstdint>

#include "thimble/bit_vector.h"

namespace thimble {

inline void Exercise(const BitVectorView& view) {
  const std::uint64_t n = view.size();
  std::uint64_t sum = view.ones() + view.zeros() + view.image().size();
  for (const std::uint64_t i : {std::uint64_t{0}, std::uint64_t{1}, n / 3, n / 2, view.ones() - 1, view.zeros() - 1, n - 1, n, n + 1,
                                ~std::uint64_t{0}}) {
    sum += view[i] ? 1 : 0;
    sum += view.Rank1(i) + view.Rank0(i) + view.Select1(i) + view.Select0(i) + view.NextOne(i) + view.Word(i);
  }
  for (std::uint64_t i = 0; i < 200; ++i) sum += view.Select1(i * 97) + view.Select0(i * 97);
  view.Verify().IgnoreError();
  asm volatile("" : : "r"(sum));
}

}  // namespace thimble
