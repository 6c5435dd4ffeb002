// MorrisCounterArray beside an array of bytes, missing the cache as often.

#include <cstdint>
#include <random>
#include <vector>

#include "compare.h"
#include "thimble/morris_counter_array.h"

namespace thimble::bench {
namespace {

void RunMorrisCounterArray(Comparison& c) {
  const std::size_t counters = c.Size(100'000'000, 100'000);
  const std::size_t n = c.Size(2'000'000, 10'000);
  std::mt19937_64 random(1);
  std::vector<std::uint64_t> indices(n);
  for (std::uint64_t& index : indices) index = random() % counters;
  MorrisCounterArray ours({.counters = counters, .scale = *MorrisScale::ForLargest({.width = 6, .largest = 1e6})});
  std::vector<std::uint8_t> bytes(counters);
  const MorrisCounterArray::Options options = {.counters = counters, .scale = ours.scale()};
  const auto plain = [&] { for (const std::uint64_t index : indices) ++bytes[index]; };
  c.Time("6 bits", "increment ns", n, [&] { for (const std::uint64_t index : indices) ours.Increment(index); }, {{"byte array", plain}});
  c.Time("6 bits", "IncrementMany ns", n, [&] { ours.IncrementMany(indices); }, {{"byte array", plain}});
  c.Exact("6 bits", "bytes", static_cast<double>(MorrisCounterArray::ImageBytes(options)), "byte array", static_cast<double>(counters));
}

const Family morris_counter_array_family{"morris_counter_array", "Morris counters of 6 bits beside bytes", RunMorrisCounterArray};

}  // namespace
}  // namespace thimble::bench
