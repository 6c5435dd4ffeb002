#pragma once

#include <cstddef>
#include <cstdint>

#include "thimble/morris_counter_array.h"

namespace thimble {

// Calls every const method.
inline void Exercise(const MorrisCounterArrayView& view) {
  (void)view.Verify();
  (void)view.scale().StandardError();
  if (view.size() == 0) return;
  for (const std::size_t i : {std::size_t{0}, view.size() / 2, view.size() - 1}) {
    (void)view.State(i);
    (void)view.Estimate(i);
    (void)view.LowerBound(i, 2);
    (void)view.UpperBound(i, 2);
  }
}

// Calls every mutator.
inline void Mutate(MorrisCounterArray& counters) {
  for (std::size_t i = 0; i < counters.size() && i < 200; ++i) {
    counters.Increment(i);
    counters.Add(i, std::uint64_t{1} << (i % 64));
  }
  if (absl::StatusOr<MorrisCounterArray> other = MorrisCounterArray::Open(Buffer::Copy(counters.image())); other.ok()) {
    counters.Merge(*other).IgnoreError();
  }
}

}  // namespace thimble
