#pragma once

#include "thimble/kmv_map.h"

namespace thimble::testing {

// Calls every const method.
inline void Exercise(const KmvMapView& view) {
  (void)view.Verify();
  (void)view.Keys();
  (void)view.Count();
  (void)view.Sum();
  (void)view.Find("key");
  (void)view.Find(std::uint64_t{7});
  (void)view.EstimateKeysWhere([](const KeySummary& summary) { return summary.count > 1; });
  (void)view.CheckCompatible(view);
  KmvMap other({.k = 16, .hash_scheme = view.hash_scheme(), .seed = view.seed()});
  (void)other.Merge(view);
}

}  // namespace thimble::testing
