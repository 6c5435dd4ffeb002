// One update of each sketch, by its precision: all stay in the first caches, so this is what the arithmetic costs.

#include <benchmark/benchmark.h>

#include <cstdint>

#include "thimble/hyperloglog.h"
#include "thimble/kmv_sketch.h"
#include "thimble/pcsa.h"

namespace thimble {
namespace {

template <class Sketch>
void Adds(benchmark::State& state, Sketch sketch) {
  std::uint64_t key = 0;
  for (; key < 1'000'000; ++key) sketch.Add(key);  // past the crowded beginning
  for (auto _ : state) sketch.Add(++key);
  state.counters["image_bytes"] = static_cast<double>(sketch.image().size());
}

void HyperLogLogAdd(benchmark::State& state) { Adds(state, HyperLogLog({.precision = static_cast<unsigned>(state.range(0))})); }
BENCHMARK(HyperLogLogAdd)->DenseRange(8, 18, 2);

void PcsaAdd(benchmark::State& state) { Adds(state, Pcsa({.precision = static_cast<unsigned>(state.range(0))})); }
BENCHMARK(PcsaAdd)->DenseRange(8, 14, 2);

void KmvSketchAdd(benchmark::State& state) { Adds(state, KmvSketch({.k = static_cast<std::uint64_t>(state.range(0))})); }
BENCHMARK(KmvSketchAdd)->RangeMultiplier(8)->Range(64, 1 << 15);

void HyperLogLogEstimate(benchmark::State& state) {
  HyperLogLog sketch({.precision = static_cast<unsigned>(state.range(0))});
  for (std::uint64_t key = 0; key < 1'000'000; ++key) sketch.Add(key);
  for (auto _ : state) benchmark::DoNotOptimize(sketch.Estimate());
}
BENCHMARK(HyperLogLogEstimate)->DenseRange(8, 18, 2);

}  // namespace
}  // namespace thimble
