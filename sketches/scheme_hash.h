#pragma once

#include <cstdint>
#include <string_view>

#include "thimble/foreign_hash.h"
#include "thimble/hash.h"

namespace thimble::internal {

// The hash of a key under any scheme. A scheme of 64 bits gives h1, and h2 = 0.
Hash128 SchemeHash(HashScheme scheme, std::uint64_t seed, std::string_view key);

// Of an integer's 8 bytes.
Hash128 SchemeHash(HashScheme scheme, std::uint64_t seed, std::uint64_t key);

}  // namespace thimble::internal
