#pragma once

#include <cstdint>

#include "exercise/values.h"
#include "thimble/skewed_vector.h"

namespace thimble {

inline void Exercise(const SkewedVectorView& view) {
  const std::uint64_t sum = ExerciseValues<std::uint64_t, 600>(view) + view.classes() + view.width(0) + view.width(9);
  asm volatile("" : : "r"(sum));
}

}  // namespace thimble
