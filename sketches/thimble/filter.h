#pragma once

#include <concepts>
#include <cstdint>

#include "thimble/hash.h"

namespace thimble {

// What the filters take as a key: integers, strings, byte spans. They keep a 64-bit hash of it and never the key.
template <class Key>
concept HashableKey = requires(const Key& key) {
  { Hash64(key, std::uint64_t{}) } -> std::same_as<std::uint64_t>;
};

}  // namespace thimble
