// Single lookups by the number of elements: where each structure leaves which cache.

#include <benchmark/benchmark.h>

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "integers.h"
#include "thimble/bit_vector.h"
#include "thimble/bloom_filter.h"
#include "thimble/compact_map.h"
#include "thimble/elias_fano.h"
#include "thimble/packed_vector.h"
#include "thimble/string_dictionary.h"
#include "thimble/string_store.h"

namespace thimble {
namespace {

constexpr std::size_t kQueries = 1 << 16;

// Times lookup(i) for random i below `size`.
template <class Lookup>
void RandomLookups(benchmark::State& state, std::uint64_t size, double bytes, Lookup lookup) {
  const std::vector<std::uint32_t> indices = bench::RandomIndices(size, kQueries);
  std::size_t next = 0;
  for (auto _ : state) benchmark::DoNotOptimize(lookup(indices[next++ % kQueries]));
  state.counters["bits_per_element"] = bytes * 8 / static_cast<double>(size);
}

void BitVectorRank(benchmark::State& state) {
  const auto n = static_cast<std::uint64_t>(state.range(0));
  BitVector::Builder builder(n);
  std::mt19937_64 random(1);
  for (std::uint64_t i = 0; i < n; ++i) {
    if (random() % 2 == 0) builder.Set(i);
  }
  const BitVector bits = *std::move(builder).Finish();
  RandomLookups(state, n, static_cast<double>(bits.image().size()), [&](std::uint64_t i) { return bits.Rank1(i); });
}
BENCHMARK(BitVectorRank)->RangeMultiplier(16)->Range(1 << 12, 1 << 28);

void PackedVectorGet(benchmark::State& state) {
  const auto n = static_cast<std::uint64_t>(state.range(0));
  const PackedVector values = PackedVector::From(bench::UniformValues(n, 1000));
  RandomLookups(state, n, static_cast<double>(values.image().size()), [&](std::uint64_t i) { return values[i]; });
}
BENCHMARK(PackedVectorGet)->RangeMultiplier(16)->Range(1 << 12, 1 << 24);

void EliasFanoGet(benchmark::State& state) {
  const auto n = static_cast<std::uint64_t>(state.range(0));
  const EliasFano values = *EliasFano::From(bench::Timestamps(n, 100));
  RandomLookups(state, n, static_cast<double>(values.image().size()), [&](std::uint64_t i) { return values[i]; });
}
BENCHMARK(EliasFanoGet)->RangeMultiplier(16)->Range(1 << 12, 1 << 24);

void CompactMapFind(benchmark::State& state) {
  const auto n = static_cast<std::uint64_t>(state.range(0));
  const std::vector<std::uint64_t> keys = bench::UniformValues(n, ~std::uint64_t{0});
  CompactMap<std::uint64_t, std::uint64_t> map;
  for (const std::uint64_t key : keys) map.try_emplace(key, key).IgnoreError();
  RandomLookups(state, n, static_cast<double>(map.image().size()), [&](std::uint64_t i) { return map.Find(keys[i]); });
}
BENCHMARK(CompactMapFind)->RangeMultiplier(16)->Range(1 << 8, 1 << 20);

void BloomFilterContains(benchmark::State& state) {
  const auto n = static_cast<std::uint64_t>(state.range(0));
  BloomFilter filter({.capacity = n, .false_positive_rate = 0.01});
  for (std::uint64_t i = 0; i < n; ++i) filter.Add(i);
  RandomLookups(state, n, static_cast<double>(filter.image().size()), [&](std::uint64_t i) { return filter.Contains(2 * i); });
}
BENCHMARK(BloomFilterContains)->RangeMultiplier(16)->Range(1 << 12, 1 << 24);

std::string Name(std::uint64_t i) { return "/usr/share/doc/package-" + std::to_string(10'000'000 + i) + "/copyright"; }

void StringStoreGet(benchmark::State& state) {
  const auto n = static_cast<std::uint64_t>(state.range(0));
  StringStore::Builder builder;
  for (std::uint64_t i = 0; i < n; ++i) builder.Add(Name(i)).IgnoreError();
  const StringStore strings = *std::move(builder).Finish();
  std::string text;
  RandomLookups(state, n, static_cast<double>(strings.image().size()), [&](std::uint64_t i) { return strings.Get(i, text); });
}
BENCHMARK(StringStoreGet)->RangeMultiplier(16)->Range(1 << 8, 1 << 20);

void StringDictionaryFind(benchmark::State& state) {
  const auto n = static_cast<std::uint64_t>(state.range(0));
  StringDictionary::Builder builder;
  for (std::uint64_t i = 0; i < n; ++i) builder.Add(Name(i)).IgnoreError();
  const StringDictionary dictionary = *std::move(builder).Finish();
  std::vector<std::string> names;
  for (std::uint64_t i = 0; i < n; ++i) names.push_back(Name(i));
  RandomLookups(state, n, static_cast<double>(dictionary.image().size()), [&](std::uint64_t i) { return dictionary.Find(names[i]); });
}
BENCHMARK(StringDictionaryFind)->RangeMultiplier(16)->Range(1 << 8, 1 << 20);

}  // namespace
}  // namespace thimble
