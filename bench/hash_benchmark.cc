// Hash64 by the length of what it hashes.

#include <benchmark/benchmark.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "thimble/hash.h"

namespace thimble {
namespace {

void HashInteger(benchmark::State& state) {
  std::uint64_t key = 0;
  for (auto _ : state) benchmark::DoNotOptimize(Hash64(++key, 7));
}
BENCHMARK(HashInteger);

void HashBytes(benchmark::State& state) {
  const std::string bytes(static_cast<std::size_t>(state.range(0)), 'x');
  for (auto _ : state) benchmark::DoNotOptimize(Hash64(std::string_view(bytes)));
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(HashBytes)->RangeMultiplier(4)->Range(4, 1 << 14);

}  // namespace
}  // namespace thimble
