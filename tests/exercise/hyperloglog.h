#pragma once

#include "thimble/packed_hyperloglog.h"

namespace thimble::testing {

// Calls every const method.
inline void Exercise(const HyperLogLogView& view) {
  // A few compressed bytes may stand for 2^21 registers; those would take seconds.
  if (view.form() == HyperLogLogForm::kCompressed && view.precision() > 10) return;
  (void)view.Verify();
  (void)view.Estimate();
  (void)view.LowerBound(2);
  (void)view.UpperBound(100);
  (void)view.EstimateLogLog();
  (void)view.EstimateSuperLogLog();
  (void)view.Registers();
  (void)view.Coupons();
  (void)view.Hip();
  (void)view.StandardError();
  (void)view.Packed(4);
  (void)view.Packed(6);
  (void)view.Compressed();
  (void)view.Intersection(view);
  (void)HyperLogLog::Union(view, view);
  (void)HyperLogLog::Folded(view, 4);
  (void)view.CheckCompatible(view);
  HyperLogLog other({.precision = view.precision(), .hash_scheme = view.hash_scheme(), .rule = view.rule(), .seed = view.seed()});
  (void)other.Merge(view);
}

}  // namespace thimble::testing
