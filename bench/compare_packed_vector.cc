// PackedVector beside sdsl's int_vector and plain vectors.

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "access.h"
#include "compare.h"
#include "integers.h"
#include "thimble/packed_vector.h"

#if THIMBLE_HAS_SDSL
#include <sdsl/int_vector.hpp>
#endif

namespace thimble::bench {
namespace {

template <class T>
std::function<void()> Decodes(const PackedVectorView& packed) {
  return [packed] {
    alignas(64) std::array<T, 1024> block;
    for (std::uint64_t i = 0; i < packed.size(); i += block.size()) {
      const std::size_t count = std::min<std::uint64_t>(block.size(), packed.size() - i);
      packed.Decode(i, std::span(block).first(count));
      Keep(block);
    }
  };
}

// So many that neither fits in a cache.
void RunBeyondCaches(Comparison& c) {
  const std::size_t n = c.Size(100'000'000, 1'000'000);
  PackedVector packed({.width = 10, .size = n});
  for (std::size_t i = 0; i < n; ++i) packed.Set(i, i % 1024);
  const std::vector<std::uint32_t> plain(packed.image().size() / 4, 1);
  const std::vector<std::uint32_t> indices = RandomIndices(n, c.Size(400'000, 100'000));
  std::vector<std::uint32_t> plain_indices(indices);
  for (std::uint32_t& i : plain_indices) i = static_cast<std::uint32_t>(std::uint64_t{i} * plain.size() / n);
  c.Time("100 M of 10 bits", "random get ns", indices.size(), Gets(packed, indices), {{"vector<u32> of equal bytes", Gets(plain, plain_indices)}});
}

void RunPackedVector(Comparison& c) {
  RunBeyondCaches(c);
  const std::size_t n = c.Size(10'000'000, 100'000);
  const std::vector<std::uint32_t> indices = RandomIndices(n, c.Size(400'000, 100'000));
  for (const std::uint64_t max : {std::uint64_t{1}, std::uint64_t{1000}, LowBits(17), LowBits(27), LowBits(40), LowBits(63)}) {
    const std::vector<std::uint64_t> values = UniformValues(n, max);
    const PackedVector packed = PackedVector::From(values);
    const std::string name = "uniform, " + std::to_string(packed.width()) + " bits";
    // As many bytes as the packed ones have, so that both miss cache alike.
    const std::vector<std::uint32_t> plain(packed.image().size() / 4);
    std::vector<std::uint32_t> plain_indices(indices);
    for (std::uint32_t& i : plain_indices) i = static_cast<std::uint32_t>(std::uint64_t{i} * plain.size() / n);
    Comparison::Peers get_peers = {{"vector<u32> of equal bytes", Gets(plain, plain_indices)}};
    Comparison::Peers decode_peers = {{"vector<u64> iteration", Iterates(values, n)}};
#if THIMBLE_HAS_SDSL
    sdsl::int_vector<> sdsl_values(n, 0, static_cast<std::uint8_t>(packed.width()));
    std::copy(values.begin(), values.end(), sdsl_values.begin());
    c.Exact(name, "bits/value", static_cast<double>(packed.image().size()) * 8 / static_cast<double>(n), "sdsl int_vector",
            static_cast<double>(sdsl::size_in_bytes(sdsl_values)) * 8 / static_cast<double>(n));
    get_peers.emplace_back("sdsl int_vector", Gets(sdsl_values, indices));
    decode_peers.emplace_back("sdsl int_vector iteration", Iterates(sdsl_values, n));
#endif
    c.Time(name, "random get ns", indices.size(), Gets(packed, indices), get_peers);
    if (packed.width() <= 32) c.Time(name, "decode to u32 ns", n, Decodes<std::uint32_t>(packed), decode_peers);
    c.Time(name, "decode to u64 ns", n, Decodes<std::uint64_t>(packed), decode_peers);
    c.Time(name, "ForEach ns", n, [&packed] {
      std::uint64_t sum = 0;
      packed.ForEach([&](std::uint64_t value) { sum += value; });
      Keep(sum);
    }, decode_peers);
  }
}

const Family packed_vector_family{"packed_vector", "integers of one width: get and decode", RunPackedVector};

}  // namespace
}  // namespace thimble::bench
