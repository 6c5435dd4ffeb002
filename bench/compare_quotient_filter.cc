// QuotientFilter beside the fast Bloom filter, and its bits and rate while it grows.

#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "compare.h"
#include "thimble/bloom_filter.h"
#include "thimble/quotient_filter.h"

namespace thimble::bench {
namespace {

double RateOf(const QuotientFilter& filter, const std::vector<std::uint64_t>& absent) {
  const auto found = std::make_unique<bool[]>(absent.size());
  return static_cast<double>(filter.ContainsMany(absent, {found.get(), absent.size()})) / static_cast<double>(absent.size());
}

template <class Filter>
void CountHits(const Filter& filter, const std::vector<std::uint64_t>& keys) {
  std::size_t hits = 0;
  for (std::uint64_t key : keys) hits += filter.Contains(key);
  Keep(hits);
}

void RunQuotientFilter(Comparison& c) {
  const std::size_t n = c.Size(10'000'000, 50'000);
  const std::string size = c.quick() ? "50 k u64" : "10 M u64";
  std::mt19937_64 random(1);
  std::vector<std::uint64_t> keys(n), absent(c.Size(4'000'000, 50'000));
  for (std::uint64_t& key : keys) key = random();
  for (std::uint64_t& key : absent) key = random();

  QuotientFilter filter({.capacity = n}), epochs({.capacity = n, .epoch_bits = 4});
  BloomFilter bloom({.capacity = n});
  bloom.AddMany(keys);
  for (std::uint64_t key : keys) {
    Keep(filter.Add(key).ok());
    Keep(epochs.Add(key).ok());
  }
  c.Exact(size, "bits/key", filter.bits_per_key(), "two-choice quotient, published", 11.41);
  c.Exact(size, "rate", RateOf(filter, absent), "promised", 0.0044);
  c.Exact(size + ", 4 epoch bits", "bits/key", epochs.bits_per_key(), "timing Bloom filter, published", 76.7);
  c.Time(size, "hit ns", n, [&] { CountHits(filter, keys); }, {{"BloomFilter 1 %", [&] { CountHits(bloom, keys); }}});
  c.Time(size, "miss ns", absent.size(), [&] { CountHits(filter, absent); }, {{"BloomFilter 1 %", [&] { CountHits(bloom, absent); }}});
  const auto found = std::make_unique<bool[]>(n);
  c.Time(size, "batch hit ns", n, [&] { Keep(filter.ContainsMany(keys, {found.get(), n})); },
         {{"BloomFilter 1 %, singly", [&] { CountHits(bloom, keys); }}});
  const auto bloom_singly = [&] {
    BloomFilter built({.capacity = n});
    for (std::uint64_t key : keys) built.Add(key);
    Keep(built.capacity());
  };
  c.Time(size, "add ns", n,
         [&] {
           QuotientFilter built({.capacity = n});
           for (std::uint64_t key : keys) Keep(built.Add(key).ok());
         },
         {{"BloomFilter 1 %", bloom_singly}});
  c.Time(size, "batch add ns", n, [&] { Keep(QuotientFilter({.capacity = n}).AddMany(keys).ok()); },
         {{"BloomFilter 1 %, singly", bloom_singly}});

  QuotientFilter growing({.capacity = 1000, .max_capacity = n});
  std::size_t i = 0;
  for (std::size_t next = 1000; next <= n; next *= 3) {
    for (; i < next; ++i) Keep(growing.Add(keys[i]).ok());
    const std::string at = "grown to " + std::to_string(next);
    c.Exact(at, "bits/key", growing.bits_per_key(), "rate promised, made for it", 11.4);
    c.Exact(at, "rate", RateOf(growing, absent), "promised", 0.005);
    c.Exact(at, "peak / live", static_cast<double>(growing.stats().peak_bytes) / static_cast<double>(growing.stats().live_bytes), "promised", 1.15);
  }
}

const Family quotient_filter_family{"quotient_filter", "filters that keys can leave", RunQuotientFilter};

}  // namespace
}  // namespace thimble::bench
