#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <string_view>

#include "thimble/hyperloglog.h"

namespace thimble::internal {

constexpr bool RuleFits(RegisterRule rule, HashScheme scheme) {
  switch (rule) {
    case RegisterRule::kThimble: return scheme == HashScheme::kThimble || scheme == HashScheme::kXxh64;
    case RegisterRule::kDataSketches: return scheme == HashScheme::kMurmur3;
    case RegisterRule::kTrailing: return scheme == HashScheme::kMurmur64A || scheme == HashScheme::kMurmur3;
  }
  return false;
}

// DataSketches takes every integer for a signed one, and skips empty strings.
constexpr std::uint64_t Widen(RegisterRule rule, std::uint64_t key, unsigned unused_bits) {
  if (rule != RegisterRule::kDataSketches) return key;
  return static_cast<std::uint64_t>(static_cast<std::int64_t>(key << unused_bits) >> unused_bits);
}

constexpr bool Ignored(RegisterRule rule, std::string_view key) { return rule == RegisterRule::kDataSketches && key.empty(); }

// What a key does to a sketch: the register that it touches, and the rank that the register becomes if it was lower.
struct Touch {
  std::uint32_t index = 0;
  std::uint8_t rank = 0;
};

inline Touch Place(RegisterRule rule, unsigned p, Hash128 hash) {
  const std::uint64_t guard = std::uint64_t{1} << (64 - p);
  const auto low = static_cast<std::uint32_t>(hash.h1 & LowBits(p));
  switch (rule) {
    case RegisterRule::kDataSketches: return {low, static_cast<std::uint8_t>(std::min(std::countl_zero(hash.h2), 62) + 1)};
    case RegisterRule::kTrailing: return {low, static_cast<std::uint8_t>(std::countr_zero((hash.h1 >> p) | guard) + 1)};
    case RegisterRule::kThimble: break;
  }
  return {static_cast<std::uint32_t>(hash.h1 >> (64 - p)), static_cast<std::uint8_t>(std::countr_zero(hash.h1 | guard) + 1)};
}

// What the same key does to a sketch of lower precision: exactly what Place says there, since the bits that the rank lacks
// stand in the index. An empty register (rank 0) stays empty.
inline Touch Fold(RegisterRule rule, unsigned from, unsigned to, Touch touch) {
  const unsigned dropped = from - to;
  const std::uint32_t guard = std::uint32_t{1} << dropped;
  switch (rule) {
    case RegisterRule::kDataSketches: return {touch.index & static_cast<std::uint32_t>(LowBits(to)), touch.rank};
    case RegisterRule::kTrailing: {
      const std::uint32_t rest = touch.index >> to;
      const unsigned rank = rest != 0 ? std::countr_zero(rest) + 1 : touch.rank + dropped;
      return {touch.index & static_cast<std::uint32_t>(LowBits(to)), static_cast<std::uint8_t>(touch.rank == 0 ? 0 : rank)};
    }
    case RegisterRule::kThimble: break;
  }
  // A rank of 65 - from saw zeros only, down to the index.
  const unsigned more = touch.rank == 65 - from ? std::countr_zero(touch.index | guard) : 0;
  return {touch.index >> dropped, static_cast<std::uint8_t>(touch.rank + more)};
}

// A coupon is what a key does to a sketch of the finest precision: rank << 26 | index.
inline constexpr unsigned kCouponPrecision = 26;

// Whether some key has this coupon.
constexpr bool IsCoupon(RegisterRule rule, std::uint32_t coupon) {
  const std::uint32_t rank = coupon >> kCouponPrecision;
  return rank > 0 && (rule == RegisterRule::kDataSketches || rank <= 65 - kCouponPrecision);
}

inline std::uint32_t CouponOf(RegisterRule rule, Hash128 hash) {
  const Touch touch = Place(rule, kCouponPrecision, hash);
  return static_cast<std::uint32_t>(touch.rank) << kCouponPrecision | touch.index;
}

inline Touch FoldCoupon(RegisterRule rule, unsigned to, std::uint32_t coupon) {
  const auto index = static_cast<std::uint32_t>(coupon & LowBits(kCouponPrecision));
  return Fold(rule, kCouponPrecision, to, {index, static_cast<std::uint8_t>(coupon >> kCouponPrecision)});
}

}  // namespace thimble::internal
