// BitVector beside sdsl's bit_vector with its rank and select supports.

#include <cstdint>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "compare.h"
#include "integers.h"
#include "thimble/bit_vector.h"

#if THIMBLE_HAS_SDSL
#include <sdsl/bit_vectors.hpp>
#include <sdsl/rank_support_v.hpp>
#include <sdsl/rank_support_v5.hpp>
#include <sdsl/select_support_mcl.hpp>
#endif

namespace thimble::bench {
namespace {

template <class Function>
std::function<void()> Asks(const std::vector<std::uint32_t>& queries, Function function) {
  return [&queries, function] {
    std::uint64_t sum = 0;
    for (const std::uint32_t query : queries) sum += function(query);
    Keep(sum);
  };
}

void Measure(Comparison& c, std::size_t n, std::uint64_t density_percent) {
  std::mt19937_64 random(density_percent);
  BitVector::Builder builder(n);
  const std::uint64_t limit = density_percent * (~std::uint64_t{0} / 100);
  for (std::size_t i = 0; i < n; ++i) {
    if (random() < limit) builder.Set(i);
  }
  const BitVector bits = std::move(builder).Finish().value();
  const std::string name = std::to_string(n >> 20) + " Mbit, " + std::to_string(density_percent) + " % ones";
  const std::size_t asks = c.Size(500'000, 10'000);
  const std::vector<std::uint32_t> places = RandomIndices(n, asks);
  const std::vector<std::uint32_t> ranks = RandomIndices(bits.ones(), asks);
  const std::vector<std::uint32_t> zero_ranks = RandomIndices(bits.zeros(), asks);
  const double index_percent = (static_cast<double>(bits.image().size()) * 8 / static_cast<double>(n) - 1) * 100;
  Comparison::Peers rank_peers, select_peers, select0_peers;
#if THIMBLE_HAS_SDSL
  sdsl::bit_vector peer(n, 0);
  for (std::size_t i = 0; i < n; i += 64) peer.set_int(i, bits.Word(i / 64), 64);
  const sdsl::rank_support_v<1> rank_v(&peer);
  const sdsl::rank_support_v5<1> rank_v5(&peer);
  const sdsl::select_support_mcl<1> select(&peer);
  const sdsl::select_support_mcl<0> select0(&peer);
  const double peer_bytes = static_cast<double>(sdsl::size_in_bytes(rank_v5) + sdsl::size_in_bytes(select) + sdsl::size_in_bytes(select0));
  c.Exact(name, "index %", index_percent, "sdsl rank_v5 + 2 select_mcl", peer_bytes * 800 / static_cast<double>(n));
  rank_peers = {{"sdsl rank_support_v5 (6 %)", Asks(places, [&rank_v5](std::uint32_t i) { return rank_v5(i); })},
                {"sdsl rank_support_v (25 %)", Asks(places, [&rank_v](std::uint32_t i) { return rank_v(i); })}};
  select_peers = {{"sdsl select_support_mcl<1>", Asks(ranks, [&select](std::uint32_t k) { return select(k + 1); })}};
  select0_peers = {{"sdsl select_support_mcl<0>", Asks(zero_ranks, [&select0](std::uint32_t k) { return select0(k + 1); })}};
#else
  c.Exact(name, "index %", index_percent, "promised", 3.6);
#endif
  c.Time(name, "rank ns", asks, Asks(places, [&bits](std::uint32_t i) { return bits.Rank1(i); }), rank_peers);
  c.Time(name, "select1 ns", asks, Asks(ranks, [&bits](std::uint32_t k) { return bits.Select1(k); }), select_peers);
  c.Time(name, "select0 ns", asks, Asks(zero_ranks, [&bits](std::uint32_t k) { return bits.Select0(k); }), select0_peers);
}

void RunBitVector(Comparison& c) {
  Measure(c, c.Size(std::size_t{1} << 22, std::size_t{1} << 20), 50);
  for (const std::uint64_t density : {5, 50}) Measure(c, c.Size(std::size_t{1} << 28, std::size_t{1} << 20), density);
}

const Family bit_vector_family{"bit_vector", "rank and select", RunBitVector};

}  // namespace
}  // namespace thimble::bench
