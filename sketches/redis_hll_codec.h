#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <absl/status/statusor.h>

namespace thimble {

inline constexpr unsigned kRedisPrecision = 14;
inline constexpr unsigned kRedisMaxRank = 64 - kRedisPrecision + 1;

// The 16,384 registers of the value of a Redis HyperLogLog key, dense or sparse. kDataLoss for anything that PFADD and
// PFMERGE do not write.
absl::StatusOr<std::vector<std::uint8_t>> ParseRedisHll(std::span<const std::byte> bytes);

// Writes the dense value, or the sparse one. The cached count is marked stale, so that the server computes its own.
// Requires: 16,384 registers; for the sparse form none above 32.
std::vector<std::byte> SerializeRedisHllDense(std::span<const std::uint8_t> registers);
std::vector<std::byte> SerializeRedisHllSparse(std::span<const std::uint8_t> registers);

}  // namespace thimble
