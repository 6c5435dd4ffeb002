#pragma once

#include <cstdint>
#include <string_view>

#include "thimble/scalable_bloom_filter.h"

namespace thimble {

// Calls every const method, whatever the image holds.
inline void Exercise(const ScalableBloomFilterView& view) {
  (void)view.Verify();
  (void)view.FalsePositiveRate();
  (void)view.bits_per_key();
  (void)view.capacity();
  (void)view.Contains(std::string_view("thimble"));
  for (std::uint64_t i = 0; i < 40; ++i) (void)view.ContainsHash(i < 20 ? i : ~i);
}

// Calls every mutator, often enough for a small filter to take another stage.
inline void Mutate(ScalableBloomFilter& filter) {
  for (std::uint64_t i = 0; i < 300; ++i) filter.AddHash(i * 0x9e3779b97f4a7c15).IgnoreError();
}

}  // namespace thimble
