#pragma once

#include <cstdint>

#include "thimble/bloom_filter.h"

namespace thimble {

// The mathematics of Bloom filters, apart from their bits.

inline constexpr unsigned kMaxClassicProbes = 40;
inline constexpr unsigned kMaxBlockedProbes = 8;

// The share of absent keys that a filter finds which has k probes and `bits_per_key` bits for each key in it.
double BloomRate(BloomLayout layout, unsigned k, double bits_per_key);

struct BloomSize {
  unsigned k;
  double bits_per_key;
};

// The least bits that meet a rate. Requires: 0 < rate < 1.
BloomSize SizeForRate(BloomLayout layout, double rate);

}  // namespace thimble
