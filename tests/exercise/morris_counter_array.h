#pragma once

#include "thimble/morris_counter_array.h"

namespace thimble::testing {

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

}  // namespace thimble::testing
