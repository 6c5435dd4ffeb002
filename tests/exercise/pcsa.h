#pragma once

#include <cstdint>

#include "thimble/pcsa.h"

namespace thimble {

// Calls every const method.
inline void Exercise(const PcsaView& view) {
  // A few compressed bytes may stand for 2^21 rows; those would take seconds.
  if (view.compressed() && view.precision() > 8) return;
  (void)view.Verify();
  (void)view.Estimate();
  (void)view.LowerBound(2);
  (void)view.UpperBound(200);
  (void)view.CheckCompatible(view);
  (void)view.Compressed();
  (void)CompressedPcsa::Union(view, view);
  Pcsa other({.precision = view.precision(), .hash_scheme = view.hash_scheme(), .seed = view.seed()});
  (void)other.Merge(view);
}

// Calls every mutator.
inline void Mutate(Pcsa& sketch) {
  for (std::uint64_t i = 0; i < 2000; ++i) sketch.Add(i);
  if (absl::StatusOr<Pcsa> other = Pcsa::Open(Buffer::Copy(sketch.image())); other.ok()) sketch.Merge(*other).IgnoreError();
}

}  // namespace thimble
