#pragma once

// The integer columns that the packed structures are measured on, and the order in which single values are asked for.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

namespace thimble::bench {

// Uniform in 0..max.
inline std::vector<std::uint64_t> UniformValues(std::size_t n, std::uint64_t max, std::uint64_t seed = 1) {
  std::mt19937_64 random(seed);
  std::uniform_int_distribution<std::uint64_t> value(0, max);
  std::vector<std::uint64_t> values(n);
  for (std::uint64_t& v : values) v = value(random);
  return values;
}

// Ascending, with exponentially distributed gaps: arrivals of a Poisson process.
inline std::vector<std::uint64_t> Timestamps(std::size_t n, double mean_gap, std::uint64_t seed = 1) {
  std::mt19937_64 random(seed);
  std::exponential_distribution<double> gap(1 / mean_gap);
  std::vector<std::uint64_t> values(n);
  double now = 0;
  for (std::uint64_t& v : values) v = static_cast<std::uint64_t>(now += gap(random));
  return values;
}

// Ranks 0..ids - 1, rank r with probability proportional to (r + 1)^-exponent.
inline std::vector<std::uint64_t> ZipfValues(std::size_t n, std::size_t ids, double exponent, std::uint64_t seed = 1) {
  std::vector<double> sums(ids);
  double sum = 0;
  for (std::size_t i = 0; i < ids; ++i) sums[i] = sum += std::pow(static_cast<double>(i + 1), -exponent);
  std::mt19937_64 random(seed);
  std::uniform_real_distribution<double> uniform(0, sum);
  std::vector<std::uint64_t> values(n);
  for (std::uint64_t& v : values) {
    v = static_cast<std::uint64_t>(std::lower_bound(sums.begin(), sums.end() - 1, uniform(random)) - sums.begin());
  }
  return values;
}

// Random indices below n, so many that they are read in order while what they point to is not.
inline std::vector<std::uint32_t> RandomIndices(std::size_t n, std::size_t count, std::uint64_t seed = 2) {
  std::mt19937_64 random(seed);
  std::vector<std::uint32_t> indices(count);
  for (std::uint32_t& index : indices) index = static_cast<std::uint32_t>(random() % n);
  return indices;
}

}  // namespace thimble::bench
