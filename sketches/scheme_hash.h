#pragma once

#include <cstdint>
#include <string_view>

#include <absl/status/status.h>

#include "thimble/foreign_hash.h"
#include "thimble/hash.h"

namespace thimble::internal {

// The hash of a key under any scheme. A scheme of 64 bits gives h1, and h2 = 0.
Hash128 SchemeHash(HashScheme scheme, std::uint64_t seed, std::string_view key);

// Of an integer's 8 bytes.
Hash128 SchemeHash(HashScheme scheme, std::uint64_t seed, std::uint64_t key);

// Returns kInvalidArgument, with the reason, unless both sketches hash alike: same scheme and seed.
template <class View>
absl::Status CheckSameHash(const View& a, const View& b) {
  if (a.hash_scheme() != b.hash_scheme()) return absl::InvalidArgumentError("the sketches hash by different schemes");
  if (a.seed() != b.seed()) return absl::InvalidArgumentError("the sketches hash with different seeds");
  return absl::OkStatus();
}

}  // namespace thimble::internal
