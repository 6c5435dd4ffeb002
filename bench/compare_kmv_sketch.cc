// KmvSketch beside the same sketch fed by MurmurHash3.

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <numeric>
#include <vector>

#include "compare.h"
#include "thimble/kmv_sketch.h"

namespace thimble::bench {
namespace {

void RunKmvSketch(Comparison& c) {
  const std::size_t n = c.Size(10'000'000, 20'000);
  std::vector<std::uint64_t> keys(n);
  std::iota(keys.begin(), keys.end(), 0);
  const auto murmur = [&] {
    KmvSketch sketch({.k = 4096});
    for (const std::uint64_t key : keys) sketch.AddHash(Murmur3Integer(key, 1).h1);
  };
  c.Time("k=4096", "add u64 ns", n, [&] {
    KmvSketch sketch({.k = 4096});
    for (const std::uint64_t key : keys) sketch.Add(key);
  }, {{"same loop, Murmur3", murmur}});
  c.Time("k=4096", "AddMany u64 ns", n, [&] {
    KmvSketch sketch({.k = 4096});
    sketch.AddMany(keys);
  }, {{"same loop, Murmur3", murmur}});
  KmvSketch a({.k = 4096}), b({.k = 4096});
  a.AddMany(std::span(keys).first(n / 2));
  b.AddMany(std::span(keys).last(n / 2));
  std::vector<std::uint64_t> merged;
  c.Time("k=4096", "merge ns", 1, [&] {
    KmvSketch copy = *KmvSketch::Open(Buffer::Copy(a.image()));
    Keep(copy.Merge(b));
  }, {{"std::set_union", [&] {
    merged.clear();
    std::set_union(a.hashes().begin(), a.hashes().end(), b.hashes().begin(), b.hashes().end(), std::back_inserter(merged));
    Keep(merged);
  }}});
  c.Exact("k=4096", "bytes live", static_cast<double>(a.image().size()), "8 k", 8 * 4096);
}

const Family kmv_sketch_family{"kmv_sketch", "KMV (Theta) updates and merges", RunKmvSketch};

}  // namespace
}  // namespace thimble::bench
