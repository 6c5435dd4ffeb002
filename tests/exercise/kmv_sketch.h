#pragma once

#include "thimble/kmv_sketch.h"

namespace thimble::testing {

// Calls every const method.
inline void Exercise(const KmvSketchView& view) {
  (void)view.Verify();
  (void)view.Estimate();
  (void)view.StandardError();
  (void)view.LowerBound(2);
  (void)view.UpperBound(2);
  (void)view.Jaccard(view);
  (void)view.CheckCompatible(view);
  (void)KmvSketch::Intersection(view, view);
  (void)KmvSketch::Difference(view, view);
  KmvSketch other({.k = 16, .hash_scheme = view.hash_scheme(), .seed = view.seed()});
  (void)other.Merge(view);
}

}  // namespace thimble::testing
