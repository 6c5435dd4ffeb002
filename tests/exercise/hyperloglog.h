#pragma once

#include <cstdint>
#include <string_view>

#include "thimble/packed_hyperloglog.h"

namespace thimble {

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

// Calls every mutator.
inline void Mutate(HyperLogLog& sketch) {
  for (std::uint64_t i = 0; i < 2000; ++i) sketch.Add(i);
  sketch.Add(std::string_view("thimble"));
  if (absl::StatusOr<HyperLogLog> other = HyperLogLog::Open(Buffer::Copy(sketch.image())); other.ok()) sketch.Merge(*other).IgnoreError();
}

}  // namespace thimble
