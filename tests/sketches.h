#pragma once

// What the tests of sketches share.

#include <algorithm>
#include <cstdint>
#include <random>
#include <vector>

#include "testing.h"

namespace thimble::testing {

// A sketch of the integers from `from` up to `to`.
template <class Sketch>
Sketch SketchOf(const typename Sketch::Options& options, std::uint64_t from, std::uint64_t to) {
  Sketch sketch(options);
  for (std::uint64_t i = from; i < to; ++i) sketch.Add(i);
  return sketch;
}

template <class A, class B>
bool SameImage(const A& a, const B& b) {
  return std::ranges::equal(a.image(), b.image());
}

// However integers are dealt out to sketches, merging these gives the image that one sketch of all has.
template <class Sketch>
void CheckAnyPartition(const typename Sketch::Options& options, std::uint64_t keys) {
  std::mt19937_64 random(keys);
  const Sketch whole = SketchOf<Sketch>(options, 0, keys);
  for (int round = 0; round < 1000; ++round) {
    std::vector<Sketch> parts;
    for (std::size_t i = 1 + random() % 8; i > 0; --i) parts.emplace_back(options);
    for (std::uint64_t key = 0; key < keys; ++key) parts[random() % parts.size()].Add(key);
    Sketch merged(options);
    for (const Sketch& part : parts) REQUIRE_OK(merged.Merge(part));
    BOOST_REQUIRE(SameImage(merged, whole));
  }
}

}  // namespace thimble::testing
