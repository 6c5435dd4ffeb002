#pragma once

#include <cstdint>

#include "thimble/sparse_set.h"

namespace thimble {

// Calls every const method, whatever the image holds; the answers do not matter.
inline void Exercise(const SparseSetView& set) {
  std::uint64_t sum = set.size() + set.image().size() + set.page_bytes() + (set.packed() ? 1 : 0) + (set.empty() ? 1 : 0);
  constexpr std::uint64_t kOdd[] = {0, 1, 63, 64, 1000, 65536, std::uint64_t{1} << 32, std::uint64_t{1} << 63, ~std::uint64_t{0}};
  for (const std::uint64_t key : kOdd) {
    sum += set.Contains(key) + set.Rank(key) + set.Next(key).value_or(1) + set.Previous(key).value_or(1) + set.Select(key);
  }
  std::uint64_t steps = 0;
  for (const std::uint64_t element : set) {
    sum += element + (set.Contains(element) ? 1 : 0) + set.Rank(element + 1);
    if (++steps == 400) break;
  }
  sum += set.Verify().ok() ? 1 : 0;
  if (set.image().size() < 100000) {
    sum += AndSize(set, set) + OrSize(set, set) + AndNotSize(set, set) + XorSize(set, set);
    sum += And(set, set).size() + Or(set, set).size() + AndNot(set, set).size() + Xor(set, set).size();
  }
  asm volatile("" : : "r"(sum));
}

// Calls every mutator.
inline void Mutate(SparseSet& set) {
  for (std::uint64_t i = 0; i < 300; ++i) set.Add(i * i * 0x10001).IgnoreError();
  for (std::uint64_t i = 0; i < 5000; ++i) set.Add(i + 7).IgnoreError();
  for (std::uint64_t i = 0; i < 300; i += 2) set.Remove(i * i * 0x10001).IgnoreError();
}

}  // namespace thimble
