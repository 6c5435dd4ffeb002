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

// Calls every mutator.
inline void Mutate(BloomFilter& filter) {
  for (std::uint64_t i = 0; i < 200; ++i) filter.AddHash(i * 0x9e3779b97f4a7c15);
  filter.Add(std::string_view("thimble"));
  const std::uint64_t keys[] = {1, 2, 3};
  filter.AddMany(keys);
  if (absl::StatusOr<BloomFilter> other = BloomFilter::Open(Buffer::Copy(filter.image())); other.ok()) {
    filter.Merge(*other).IgnoreError();
    filter.Intersect(*other).IgnoreError();
  }
}

}  // namespace thimble
