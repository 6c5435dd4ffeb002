#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "thimble/bloom_filter.h"

namespace thimble {

// Calls every const method, whatever the image holds.
inline void Exercise(const BloomFilterView& view) {
  (void)view.Verify();
  (void)view.FalsePositiveRate();
  (void)view.FalsePositiveRate(~std::uint64_t{0});
  (void)view.EstimateCount();
  (void)view.bits_per_key();
  (void)view.Contains(std::string_view("thimble"));
  std::uint64_t hashes[70];
  bool found[70];
  for (std::uint64_t i = 0; i < 70; ++i) hashes[i] = i < 35 ? i : ~i;
  for (std::uint64_t hash : hashes) (void)view.ContainsHash(hash);
  (void)view.ContainsMany(hashes, found);
  (void)view.Folded();
}

}  // namespace thimble
