#pragma once

#include "thimble/exaloglog.h"

namespace thimble::testing {

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

}  // namespace thimble::testing
