#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <absl/status/statusor.h>

namespace thimble {

// What an HLL sketch of Apache DataSketches says. It holds coupons while it is small and registers from then on. A coupon is
// value << 26 | address, where the register's slot is the low lg_k bits of the address.
struct HllFields {
  static constexpr unsigned kAddressBits = 26;
  static constexpr unsigned kMinLgK = 4, kMaxLgK = 21;
  static constexpr unsigned kMaxValue = 63;

  unsigned lg_k = 12;
  unsigned register_bits = 8;            // 4, 6 or 8: how the sketch stores, or would store, its registers
  bool compact = true;                   // without the free slots that an updatable sketch carries
  bool full_size = false;                // began with registers
  bool out_of_order = false;             // was merged: the stored estimate no longer holds
  double hip_estimate = 0;               // the stored estimate; registers only, and only if not out of order
  std::vector<std::uint32_t> coupons;    // distinct; empty when there are registers
  std::vector<std::uint8_t> registers;   // 2^lg_k values, or none
};

// Reads LIST, SET and HLL mode, compact and updatable. Refuses whatever is no such sketch: kFailedPrecondition for another
// family, kUnimplemented for a newer version, kDataLoss for anything damaged.
absl::StatusOr<HllFields> ParseHll(std::span<const std::byte> bytes);

// Requires: what ParseHll checks.
std::vector<std::byte> SerializeHll(const HllFields& sketch);

}  // namespace thimble
