// ScalableBloomFilter beside filters made for each size that it passes.

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "compare.h"
#include "thimble/bloom_filter.h"
#include "thimble/scalable_bloom_filter.h"

namespace thimble::bench {
namespace {

void RunScalableBloomFilter(Comparison& c) {
  const std::size_t most = c.Size(10'000'000, 50'000);
  std::mt19937_64 random(1);
  std::vector<std::uint64_t> absent(c.Size(300'000, 20'000));
  for (std::uint64_t& key : absent) key = random();
  ScalableBloomFilter filter({.first_capacity = 1000});
  double sum = 0, worst_rate = 0;
  int points = 0;
  std::uint64_t n = 0;
  for (double next = 1000; next <= static_cast<double>(most); next *= 1.1) {
    for (; n < static_cast<std::uint64_t>(next); ++n) Keep(filter.Add(n).ok());
    sum += static_cast<double>(filter.image().size()) / static_cast<double>(BloomFilter::ImageBytes({.capacity = n}));
    ++points;
    if (points % 16 != 0) continue;
    std::size_t hits = 0;
    for (std::uint64_t key : absent) hits += filter.Contains(key);
    worst_rate = std::max(worst_rate, static_cast<double>(hits) / static_cast<double>(absent.size()));
  }
  c.Exact("growth from 1,000", "mean bytes", sum / points, "BloomFilter made for the size", 1);
  c.Exact("growth from 1,000", "worst rate", worst_rate, "promised", 0.01);
}

const Family scalable_bloom_filter_family{"scalable_bloom_filter", "Bloom filters of unknown size", RunScalableBloomFilter};

}  // namespace
}  // namespace thimble::bench
