#pragma once

#include <cstdint>

#include "exercise/values.h"
#include "thimble/decimal_vector.h"

namespace thimble {

inline void Exercise(const DecimalVectorView& view) {
  const double sum = ExerciseValues<double>(view) + view.digits() + static_cast<double>(view.scaled().size());
  asm volatile("" : : "m"(sum));
}

}  // namespace thimble
