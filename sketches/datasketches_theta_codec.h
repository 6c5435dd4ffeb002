#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <absl/status/statusor.h>

namespace thimble {

// What a compact Theta sketch of Apache DataSketches says, whatever its serial version.
struct ThetaFields {
  static constexpr std::uint64_t kMaxTheta = (std::uint64_t{1} << 63) - 1;

  bool empty = true;                   // nothing was ever added; with sampling, a sketch may hold no hash and not be empty
  std::uint64_t theta = kMaxTheta;     // every hash is below it
  std::vector<std::uint64_t> hashes;   // ascending, distinct, above 0
};

// Reads serial versions 1 to 4. Refuses a sketch of another seed (kInvalidArgument), and whatever is no such sketch: wrong
// length, hashes out of range, out of order or twice (kDataLoss).
absl::StatusOr<ThetaFields> ParseTheta(std::span<const std::byte> bytes, std::uint16_t seed_hash);

// Writes serial version 3, or 4 (compressed) where that version has a form for the sketch. Requires: hashes ascending.
std::vector<std::byte> SerializeTheta(const ThetaFields& sketch, std::uint16_t seed_hash, bool compressed);

}  // namespace thimble
