// StaticFilter beside the information-theoretic limit and the fast Bloom filter.

#include <cmath>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "compare.h"
#include "thimble/bloom_filter.h"
#include "thimble/static_filter.h"
#include "thimble/static_map.h"

namespace thimble::bench {
namespace {

std::uint64_t KeyOf(std::uint64_t i) { return i * 0x9E3779B97F4A7C15u; }

StaticFilter FilterOf(std::uint64_t n, double rate) {
  StaticFilter::Builder builder({.false_positive_rate = rate});
  for (std::uint64_t i = 0; i < n; ++i) builder.Add(KeyOf(i));
  return *std::move(builder).Finish();
}

template <class Filter>
void CountHits(const Filter& filter, const std::vector<std::uint64_t>& keys) {
  std::size_t hits = 0;
  for (std::uint64_t key : keys) hits += filter.Contains(key);
  Keep(hits);
}

void Measure(Comparison& c, std::uint64_t n, const std::string& size, double rate, const std::string& rate_name, bool timed) {
  const std::string test_case = size + " u64, " + rate_name;
  const StaticFilter filter = FilterOf(n, rate);
  c.Exact(test_case, "bits/key", filter.bits_per_key(), "log2(1 / rate)", -std::log2(rate));
  std::mt19937_64 random(1);
  std::vector<std::uint64_t> absent(c.Size(4'000'000, 20'000)), present(absent.size());
  for (std::uint64_t& key : absent) key = random();
  for (std::uint64_t& key : present) key = KeyOf(random() % n);
  const auto found = std::make_unique<bool[]>(absent.size());
  const std::size_t hits = filter.ContainsMany(absent, {found.get(), absent.size()});
  c.Exact(test_case, "rate", static_cast<double>(hits) / static_cast<double>(absent.size()), "promised", rate);
  c.Exact(test_case, "scratch B/key", static_cast<double>(filter.stats().peak_bytes) / static_cast<double>(n), "promised", 12);
  if (!timed) return;
  BloomFilter bloom({.capacity = n});
  for (std::uint64_t i = 0; i < n; ++i) bloom.Add(KeyOf(i));
  c.Time(test_case, "hit ns", present.size(), [&] { CountHits(filter, present); }, {{"BloomFilter 1 %", [&] { CountHits(bloom, present); }}});
  c.Time(test_case, "miss ns", absent.size(), [&] { CountHits(filter, absent); }, {{"BloomFilter 1 %", [&] { CountHits(bloom, absent); }}});
  c.Time(test_case, "batch hit ns", present.size(), [&] { Keep(filter.ContainsMany(present, {found.get(), present.size()})); },
         {{"BloomFilter 1 %, singly", [&] { CountHits(bloom, present); }}});
  c.Time(test_case, "batch miss ns", absent.size(), [&] { Keep(filter.ContainsMany(absent, {found.get(), absent.size()})); },
         {{"BloomFilter 1 %, singly", [&] { CountHits(bloom, absent); }}});
}

void RunStaticFilter(Comparison& c) {
  const std::uint64_t n = c.Size(10'000'000, 50'000);
  const std::string size = c.quick() ? "50 k" : "10 M";
  Measure(c, 10'000, "10 k", 0x1p-8, "2^-8", false);
  Measure(c, 10'000, "10 k", 0x1p-16, "2^-16", false);
  Measure(c, n, size, 0x1p-8, "2^-8", true);
  Measure(c, n, size, 0x1p-16, "2^-16", true);
  Measure(c, n, size, 0.01, "1 %", true);

  const std::uint64_t built = c.Size(2'000'000, 20'000);
  c.Time(c.quick() ? "20 k u64, 2^-8" : "2 M u64, 2^-8", "build ns", built, [&] { Keep(FilterOf(built, 0x1p-8).size()); },
         {{"BloomFilter 1 %", [&] {
             BloomFilter bloom({.capacity = built});
             for (std::uint64_t i = 0; i < built; ++i) bloom.Add(KeyOf(i));
             Keep(bloom.capacity());
           }},
          {"replayed, 64 MiB", [&] {
             Keep(StaticFilter::Replay({.false_positive_rate = 0x1p-8}, built, 64 << 20, [&](auto add) {
                    for (std::uint64_t i = 0; i < built; ++i) add(KeyOf(i));
                  })->size());
           }}});
  StaticMap::Builder map({.value_bits = 8});
  for (std::uint64_t i = 0; i < built; ++i) map.Add(KeyOf(i), i & 255);
  c.Exact(c.quick() ? "20 k u64 -> 8 bits" : "2 M u64 -> 8 bits", "bits/key", std::move(map).Finish()->bits_per_key(), "limit", 8);
}

const Family static_filter_family{"static_filter", "filters of sets that are known beforehand", RunStaticFilter};

}  // namespace
}  // namespace thimble::bench
