#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>

#include "thimble/hash.h"

namespace thimble {

// What the filters take as a key: integers, strings, byte spans. They keep a 64-bit hash of it and never the key.
template <class Key>
concept HashableKey = requires(const Key& key) {
  { Hash64(key, std::uint64_t{}) } -> std::same_as<std::uint64_t>;
};

// What every filter can say, so that code can be written once over all of them: no false negatives, and a known rate of
// false positives.
//
// Space    none: a concept. What each filter takes stands in its header, and side by side in docs/choosing.md
template <class F>
concept Filter = requires(const F& filter, std::uint64_t key, std::uint64_t hash) {
  { filter.Contains(key) } -> std::same_as<bool>;
  { filter.ContainsHash(hash) } -> std::same_as<bool>;
  { filter.FalsePositiveRate() } -> std::same_as<double>;
  { filter.capacity() } -> std::same_as<std::uint64_t>;
  { filter.bits_per_key() } -> std::same_as<double>;
};

// Calls function(hashes) for runs of up to 256 keys, so that their cache misses can overlap.
template <class Keys, class Function>
void ForHashBatches(const Keys& keys, std::uint64_t seed, Function function) {
  std::array<std::uint64_t, 256> hashes;
  std::size_t n = 0;
  for (const auto& key : keys) {
    hashes[n++] = Hash64(key, seed);
    if (n == hashes.size()) {
      function(std::span<const std::uint64_t>(hashes));
      n = 0;
    }
  }
  if (n > 0) function(std::span<const std::uint64_t>(hashes.data(), n));
}

}  // namespace thimble
