#pragma once

#include <cstdint>

#include "thimble/exaloglog.h"

namespace thimble {

// Calls every const method.
inline void Exercise(const ExaLogLogView& view) {
  (void)view.Verify();
  (void)view.Estimate();
  (void)view.LowerBound(2);
  (void)view.UpperBound(100);
  (void)view[view.register_count() - 1];
  (void)view.CheckCompatible(view);
  (void)ExaLogLog::Reduced(view, view.precision(), view.history());
  (void)ExaLogLog::Reduced(view, ExaLogLogView::kMinPrecision, 20);
}

// Calls every mutator.
inline void Mutate(ExaLogLog& sketch) {
  for (std::uint64_t i = 0; i < 2000; ++i) sketch.Add(i);
  if (absl::StatusOr<ExaLogLog> other = ExaLogLog::Open(Buffer::Copy(sketch.image())); other.ok()) sketch.Merge(*other).IgnoreError();
}

}  // namespace thimble
