#pragma once

#include <cstdint>

#include "thimble/kmv_map.h"

namespace thimble {

// Calls every const method.
inline void Exercise(const KmvMapView& view) {
  (void)view.Verify();
  (void)view.Keys();
  (void)view.Count();
  (void)view.Sum();
  (void)view.Find("key");
  (void)view.Find(std::uint64_t{7});
  (void)view.EstimateKeysWhere([](const KeySummary& summary) { return summary.count > 1; });
  (void)view.CountBelow(view.theta());
  (void)view.CheckCompatible(view);
  KmvMap other({.k = 16, .hash_scheme = view.hash_scheme(), .seed = view.seed()});
  (void)other.Merge(view);
}

// Calls every mutator.
inline void Mutate(KmvMap& map) {
  for (std::uint64_t i = 0; i < 500; ++i) map.Add(i, i % 2 == 0 ? std::int64_t{-7} : std::int64_t{1} << 62);
  if (absl::StatusOr<KmvMap> other = KmvMap::Open(Buffer::Copy(map.image())); other.ok()) map.Merge(*other).IgnoreError();
}

}  // namespace thimble
