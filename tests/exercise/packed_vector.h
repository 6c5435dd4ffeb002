#pragma once

#include <cstdint>

#include "exercise/values.h"
#include "thimble/packed_vector.h"

namespace thimble {

inline void Exercise(const PackedVectorView& view) {
  std::uint64_t sum = ExerciseValues<std::uint64_t>(view) + ExerciseValues<std::uint32_t>(view) + view.width();
  view.ForEach([&](std::uint64_t value) { sum += value; });
  asm volatile("" : : "r"(sum));
}

// Calls every mutator.
inline void Mutate(PackedVector& vector) {
  for (std::uint64_t i = 0; i < vector.size() && i < 100; ++i) vector.Set(i, i & 1);
  for (std::uint64_t i = 0; i < 100; ++i) vector.Append(i & 1).IgnoreError();
  vector.ShrinkToFit();
}

}  // namespace thimble
