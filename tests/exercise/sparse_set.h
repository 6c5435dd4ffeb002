#pragma once

#include <algorithm>
#include <cstdint>

#include "thimble/sparse_set.h"

namespace thimble {

// A small set whose leaves are coded in three ways, also to be combined with what may be damaged.
inline const SparseSet& SetToCombine() {
  static const SparseSet set = [] {
    SparseSet filled({.page_bytes = 512});
    for (std::uint64_t i = 0; i < 1000; ++i) filled.Add(i * i % 1999).IgnoreError();                 // half of 1999: a bitmap
    for (std::uint64_t i = 0; i < 600; ++i) filled.Add((1 << 20) + i + i / 60 * 900).IgnoreError();  // runs
    for (std::uint64_t i = 1; i < 120; ++i) filled.Add(i * 0x9e3779b97f4a7c15).IgnoreError();        // Elias-Fano
    return filled;
  }();
  return set;
}

// Calls every const method, whatever the image holds; the answers do not matter.
inline void Exercise(const SparseSetView& set) {
  std::uint64_t sum = set.size() + set.image().size() + set.page_bytes() + (set.packed() ? 1 : 0) + (set.empty() ? 1 : 0);
  constexpr std::uint64_t kOdd[] = {0, 1, 63, 64, 1000, 65536, std::uint64_t{1} << 32, std::uint64_t{1} << 63, ~std::uint64_t{0}};
  const auto ask = [&](std::uint64_t key) {
    sum += set.Contains(key) + set.Rank(key) + set.Next(key).value_or(1) + set.Previous(key).value_or(1);
  };
  for (const std::uint64_t key : kOdd) {
    ask(key);
    sum += set.Select(key);
  }
  // Elements of every leaf, in the middle of it and at its ends, of a set as small as those that are damaged.
  const std::uint64_t step = std::max<std::uint64_t>(1, set.size() / 30);
  for (std::uint64_t rank = 0, i = 0; rank < set.size() && i < 31; rank += step, ++i) {
    ask(set.Select(rank));
    sum += set.Rank(*set.IteratorAt(rank) + 1);
  }
  std::uint64_t steps = 0;
  for (const std::uint64_t element : set) {
    sum += element;
    if (++steps == 150) break;
  }
  sum += set.Verify().ok() ? 1 : 0;
  if (set.image().size() < 100000) {
    const SparseSet& other = SetToCombine();
    sum += XorSize(other, set);  // the other sizes, too, follow from AndSize
    sum += And(set, set).size() + Or(set, other).size() + AndNot(other, set).size() + Xor(set, other).size();
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
