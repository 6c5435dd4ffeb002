#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "thimble/sparse_array.h"

namespace thimble {

// Calls every const method, whatever the image holds; the answers do not matter.
inline void Exercise(const SparseArrayView<std::uint32_t>& array) {
  std::uint64_t sum = array.size() + array.default_value() + (array.packed() ? 1 : 0);
  const std::array<std::uint64_t, 5> indices{0, 1, 5000, std::uint64_t{1} << 40, ~std::uint64_t{0}};
  std::array<std::uint32_t, indices.size()> values;
  array.GetMany(indices, values);
  for (const std::uint32_t value : values) sum += value;
  for (const std::uint64_t index : indices) {
    sum += array[index] + array.Contains(index) + array.Rank(index) + array.Select(index).value;
  }
  // Elements of every leaf of an array as small as those that are damaged.
  const std::uint64_t step = std::max<std::uint64_t>(1, array.size() / 40);
  for (std::uint64_t rank = 0, i = 0; rank < array.size() && i < 41; rank += step, ++i) {
    const auto element = array.Select(rank);
    sum += element.value + array[element.index] + array.Contains(element.index) + array.Rank(element.index + 1);
  }
  std::uint64_t steps = 0;
  for (const auto element : array) {
    sum += element.value;
    if (++steps == 400) break;
  }
  sum += array.Verify().ok() ? 1 : 0;
  asm volatile("" : : "r"(sum));
}

// Calls every mutator.
inline void Mutate(SparseArray<std::uint32_t>& array) {
  for (std::uint64_t i = 0; i < 300; ++i) array.Set(i * i * 0x10001, static_cast<std::uint32_t>(i)).IgnoreError();
  for (std::uint64_t i = 0; i < 300; i += 2) array.Erase(i * i * 0x10001).IgnoreError();
}

}  // namespace thimble
