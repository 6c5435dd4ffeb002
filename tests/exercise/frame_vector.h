#pragma once

#include <cstdint>

#include "exercise/values.h"
#include "thimble/frame_vector.h"

namespace thimble {

inline void Exercise(const FrameVectorView& view) {
  const std::uint64_t sum = ExerciseValues<std::uint64_t>(view) + view.block_size();
  asm volatile("" : : "r"(sum));
}

}  // namespace thimble
