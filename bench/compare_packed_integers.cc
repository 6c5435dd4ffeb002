// The columns that PackedIntegers chooses a structure for, beside sdsl's structure for each: int_vector, enc_vector, dac_vector.

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "access.h"
#include "compare.h"
#include "integers.h"
#include "thimble/packed_integers.h"

#if THIMBLE_HAS_SDSL
#include <sdsl/dac_vector.hpp>
#include <sdsl/enc_vector.hpp>
#include <sdsl/int_vector.hpp>
#endif

namespace thimble::bench {
namespace {

template <class View>
std::function<void()> Decodes(const View& view, std::size_t count) {
  return [&view, count] {
    std::array<std::uint64_t, 1024> block;
    for (std::size_t i = 0; i < count; i += block.size()) {
      view.Decode(i, std::span(block).first(std::min(block.size(), count - i)));
      Keep(block);
    }
  };
}

// Measures what Pack made of the values, as the structure that it is, beside Peer.
template <class View, class Peer>
void Measure(Comparison& c, const std::string& name, const std::vector<std::uint64_t>& values, const PackedIntegers& packed,
             const std::string& peer_name, const Peer* peer, double peer_bytes) {
  const auto n = static_cast<double>(values.size());
  const View view = View::Open(packed.image()).value();
  const std::string title = name + ": " + std::string(KindName(packed.kind()));
  const std::vector<std::uint32_t> indices = RandomIndices(values.size(), c.Size(300'000, 10'000));
  const std::size_t scanned = std::min(values.size(), c.Size(300'000, 10'000));  // sdsl takes up to a microsecond for each
  c.Exact(title, "bits/value", static_cast<double>(packed.image().size()) * 8 / n, peer_name, peer_bytes * 8 / n);
  Comparison::Peers get_peers = {{"vector<u64>", Gets(values, indices)}};
  Comparison::Peers decode_peers = {{"vector<u64>", Iterates(values, scanned)}};
  if (peer != nullptr) {
    get_peers.emplace_back(peer_name, Gets(*peer, indices));
    decode_peers.emplace_back(peer_name, Iterates(*peer, scanned));
  }
  c.Time(title, "get ns", indices.size(), Gets(view, indices), get_peers);
  c.Time(title, "decode ns", scanned, Decodes(view, scanned), decode_peers);
  c.Time(title + ", any kind", "get ns", indices.size(), Gets(packed, indices), get_peers);
}

#if THIMBLE_HAS_SDSL
sdsl::int_vector<> IntVector(const std::vector<std::uint64_t>& values) {
  sdsl::int_vector<> packed(values.size());
  std::copy(values.begin(), values.end(), packed.begin());
  sdsl::util::bit_compress(packed);
  return packed;
}
#endif

template <class View, class Make>
void Case(Comparison& c, const std::string& name, const std::vector<std::uint64_t>& values, const std::string& peer_name, Make make) {
  const PackedIntegers packed = PackedIntegers::Pack(values);
  if (packed.kind() != View::kKind) return c.Exact(name + ": " + packed.plan().why, "chosen", 0, "expected", 1);
#if THIMBLE_HAS_SDSL
  const auto peer = make(values);
  Measure<View>(c, name, values, packed, peer_name, &peer, static_cast<double>(sdsl::size_in_bytes(peer)));
#else
  static_cast<void>(make);
  static_cast<void>(peer_name);
  Measure<View, std::vector<std::uint64_t>>(c, name, values, packed, "vector<u64>", nullptr, static_cast<double>(values.size()) * 8);
#endif
}

void RunPackedIntegers(Comparison& c) {
  const std::size_t n = c.Size(10'000'000, 100'000);
  const auto none = [](const std::vector<std::uint64_t>&) { return 0; };
#if THIMBLE_HAS_SDSL
  const auto enc = [](const std::vector<std::uint64_t>& values) { return sdsl::enc_vector<>(values); };
  const auto dac = [](const std::vector<std::uint64_t>& values) { return sdsl::dac_vector<>(values); };
  const auto ints = IntVector;
#else
  const auto enc = none, dac = none, ints = none;
#endif
  static_cast<void>(none);
  Case<PackedVectorView>(c, "uniform 0..1000", UniformValues(n, 1000), "sdsl int_vector", ints);
  Case<EliasFanoView>(c, "timestamps, gap 100", Timestamps(n, 100), "sdsl enc_vector", enc);
  Case<SkewedVectorView>(c, "zipf(1.1), 1 M ids", ZipfValues(n, 1'000'000, 1.1), "sdsl dac_vector", dac);
  std::vector<std::uint64_t> drifting = Timestamps(n, 100);  // falls back a little now and then: no ascending sequence
  const std::vector<std::uint64_t> noise = UniformValues(n, 300, 5);
  for (std::size_t i = 0; i < n; ++i) drifting[i] += noise[i];
  Case<FrameVectorView>(c, "timestamps out of order", drifting, "sdsl int_vector", ints);
}

const Family packed_integers_family{"packed_integers", "columns of integers, each in the structure that Pack chooses", RunPackedIntegers};

}  // namespace
}  // namespace thimble::bench
