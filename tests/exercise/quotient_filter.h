#pragma once

#include <cstdint>
#include <string_view>

#include "thimble/quotient_filter.h"

namespace thimble {

// Calls every const method, whatever the image holds.
inline void Exercise(const QuotientFilterView& view) {
  (void)view.Verify();
  (void)view.FalsePositiveRate();
  (void)view.bits_per_key();
  (void)view.epoch();
  (void)view.Contains(std::string_view("thimble"));
  (void)view.Count(std::uint64_t{7});
  std::uint64_t hashes[40];
  bool found[40];
  for (std::uint64_t i = 0; i < 40; ++i) hashes[i] = i < 5 ? i : i < 10 ? ~i : i * 0x9E3779B97F4A7C15u;
  for (std::uint64_t hash : hashes) (void)view.CountHash(hash);
  (void)view.ContainsMany(hashes, found);
}

// Calls every mutator.
inline void Mutate(QuotientFilter& filter) {
  for (std::uint64_t i = 0; i < 300; ++i) filter.AddHash(i * 0x9e3779b97f4a7c15).IgnoreError();
  std::uint64_t keys[300];
  for (std::uint64_t i = 0; i < 300; ++i) keys[i] = i / 2;
  filter.AddMany(keys).IgnoreError();
  for (std::uint64_t i = 0; i < 400; i += 3) (void)filter.RemoveHash(i * 0x9e3779b97f4a7c15);
  filter.Advance();
  if (absl::StatusOr<QuotientFilter> other = QuotientFilter::Open(Buffer::Copy(filter.image())); other.ok()) filter.Merge(*other).IgnoreError();
}

}  // namespace thimble
