#pragma once

#include <cstdint>

#include "thimble/kmv_sketch.h"

namespace thimble {

// Calls every const method.
inline void Exercise(const KmvSketchView& view) {
  (void)view.Verify();
  (void)view.Estimate();
  (void)view.StandardError();
  (void)view.LowerBound(2);
  (void)view.UpperBound(2);
  (void)view.Jaccard(view);
  (void)view.CountBelow(view.theta());
  (void)view.CheckCompatible(view);
  (void)KmvSketch::Intersection(view, view);
  (void)KmvSketch::Difference(view, view);
  KmvSketch other({.k = 16, .hash_scheme = view.hash_scheme(), .seed = view.seed()});
  (void)other.Merge(view);
}

// Calls every mutator.
inline void Mutate(KmvSketch& sketch) {
  for (std::uint64_t i = 0; i < 500; ++i) sketch.Add(i);
  const std::uint64_t keys[] = {501, 502, 503};
  sketch.AddMany(keys);
  if (absl::StatusOr<KmvSketch> other = KmvSketch::Open(Buffer::Copy(sketch.image())); other.ok()) sketch.Merge(*other).IgnoreError();
}

}  // namespace thimble
