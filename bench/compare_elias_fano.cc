// EliasFano beside sdsl's sd_vector (the same code) and enc_vector, and a plain sorted vector.

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "access.h"
#include "compare.h"
#include "integers.h"
#include "thimble/elias_fano.h"

#if THIMBLE_HAS_SDSL
#include <sdsl/enc_vector.hpp>
#include <sdsl/sd_vector.hpp>
#endif

namespace thimble::bench {
namespace {

template <class Query, class Function>
std::function<void()> Asks(const std::vector<Query>& queries, Function function) {
  return [&queries, function] {
    std::uint64_t sum = 0;
    for (const Query query : queries) sum += function(query);
    Keep(sum);
  };
}

double BitsPerValue(std::uint64_t bytes, std::size_t n) { return static_cast<double>(bytes) * 8 / static_cast<double>(n); }

void RunEliasFano(Comparison& c) {
  const std::size_t n = c.Size(10'000'000, 100'000);
  const std::size_t asks = c.Size(500'000, 10'000);
  const std::size_t scanned = c.Size(500'000, 10'000);  // few, since enc_vector takes most of a microsecond for each
  for (const double gap : {3.0, 100.0, 10000.0}) {
    const std::vector<std::uint64_t> values = Timestamps(n, gap);
    const EliasFano ours = EliasFano::From(values).value();
    const std::string name = "sorted, mean gap " + std::to_string(static_cast<int>(gap));
    const std::vector<std::uint32_t> indices = RandomIndices(n, asks);
    const std::vector<std::uint64_t> keys = UniformValues(asks, values.back());
    const auto lower_bound = [&values](std::uint64_t x) { return std::lower_bound(values.begin(), values.end(), x) - values.begin(); };
    Comparison::Peers get_peers;
    Comparison::Peers bound_peers = {{"std::lower_bound", Asks(keys, lower_bound)}};
    Comparison::Peers decode_peers = {{"vector<u64> iteration", Iterates(values, scanned)}};
#if THIMBLE_HAS_SDSL
    const sdsl::sd_vector<> sd(values.begin(), values.end());
    const sdsl::sd_vector<>::select_1_type sd_select(&sd);
    const sdsl::sd_vector<>::rank_1_type sd_rank(&sd);
    const sdsl::enc_vector<> enc(values);
    // sd_vector is a set: it cannot hold a value twice, so its answers differ where the gap is small, its cost does not.
    c.Exact(name, "bits/value", BitsPerValue(ours.image().size(), n), "sdsl sd_vector", BitsPerValue(sdsl::size_in_bytes(sd), n));
    c.Exact(name, "bits/value", BitsPerValue(ours.image().size(), n), "sdsl enc_vector", BitsPerValue(sdsl::size_in_bytes(enc), n));
    get_peers.emplace_back("sdsl sd_vector select", Asks(indices, [&](std::uint32_t i) { return sd_select(i + 1); }));
    get_peers.emplace_back("sdsl enc_vector", Asks(indices, [&](std::uint32_t i) { return enc[i]; }));
    bound_peers.emplace_back("sdsl sd_vector rank", Asks(keys, [&](std::uint64_t x) { return sd_rank(x); }));
    decode_peers.emplace_back("sdsl enc_vector iteration", Iterates(enc, scanned));
#else
    c.Exact(name, "bits/value", BitsPerValue(ours.image().size(), n), "vector<u64>", 64);
#endif
    c.Time(name, "get ns", asks, Asks(indices, [&ours](std::uint32_t i) { return ours[i]; }), get_peers);
    c.Time(name, "lower_bound ns", asks, Asks(keys, [&ours](std::uint64_t x) { return ours.LowerBound(x); }), bound_peers);
    c.Time(name, "iterate ns", scanned, Iterates(ours, scanned), decode_peers);
    c.Time(name, "decode ns", scanned, [&ours, scanned] {
      std::array<std::uint64_t, 1024> block;
      for (std::size_t i = 0; i < scanned; i += block.size()) {
        ours.Decode(i, std::span(block).first(std::min(block.size(), scanned - i)));
        Keep(block);
      }
    }, decode_peers);
  }
}

const Family elias_fano_family{"elias_fano", "ascending integers: get, lower_bound, decode", RunEliasFano};

}  // namespace
}  // namespace thimble::bench
