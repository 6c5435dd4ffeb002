#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "thimble/bytes.h"
#include "thimble/hyperloglog.h"

namespace thimble::internal {

// The image of a HyperLogLog:
//
//   0   header: count = coupons of a sparse sketch; parameters[0] = precision | rule << 8 | form << 16 | keeps HIP << 24,
//       parameters[1] = NibbleParameters of the 4-bit and compressed forms; of sparse ones how many coupons, at the end, stand
//       as they came
//   64  f64 HIP estimate (NaN once it was dropped), f64 sum of 2^-register    where HIP is kept
//   ..  what the form holds
//
inline constexpr std::size_t kHllHeaderBytes = 64;
inline constexpr std::size_t kHipBytes = 16;
inline constexpr std::uint64_t kCouponStep = 16;  // a sparse image has room for a multiple of this many coupons

// A sparse sketch becomes dense when it would hold more coupons: that many are no smaller than the registers, or take long to
// keep in order. DataSketches has a list of up to 7, and then a hash table, up to three quarters of 2^(p - 3) places.
constexpr std::uint64_t MaxCoupons(RegisterRule rule, unsigned precision) {
  const std::uint64_t m = std::uint64_t{1} << precision;
  if (rule == RegisterRule::kDataSketches) return precision < 8 ? 7 : m / 32 * 3;
  return std::min<std::uint64_t>(m / 4, 4096);
}

// Coupons stand in order, so that the image does not depend on the order of keys. One that keeps HIP does anyway: there the last
// coupons wait unsorted, and many take their places with one move.
inline constexpr std::uint64_t kMaxUnsorted = 64;

// Sizes of all forms but the compressed one. `entries` counts coupons, or exceptions.
constexpr std::uint64_t HllImageBytes(HyperLogLogForm form, unsigned precision, bool hip, std::uint64_t entries) {
  const std::uint64_t m = std::uint64_t{1} << precision;
  ImageLayout layout(kHllHeaderBytes);
  layout.Add(hip ? kHipBytes : 0, 8);
  switch (form) {
    case HyperLogLogForm::kDense: layout.Add(m, 8); break;
    case HyperLogLogForm::kSparse: layout.Add(RoundUp(entries, kCouponStep), 32); break;
    case HyperLogLogForm::kPacked6: layout.Add(m, 6); break;
    case HyperLogLogForm::kPacked4: layout.Add(m * 4 + entries * 32, 1); break;
    case HyperLogLogForm::kCompressed: layout.Add(entries, 32); break;
  }
  return layout.image_bytes();
}

inline void WriteHllHeader(std::span<std::byte> image, HashScheme scheme, RegisterRule rule, std::uint64_t seed, unsigned precision,
                           bool hip, HyperLogLogForm form, std::uint64_t image_bytes, std::uint64_t parameter = 0) {
  ImageHeader{.kind = Kind::kHyperLogLog,
              .hash_scheme = scheme,
              .image_bytes = image_bytes,
              .used_bytes = image_bytes,
              .seed = seed,
              .parameters = {precision | static_cast<std::uint64_t>(rule) << 8 | static_cast<std::uint64_t>(form) << 16 |
                                 std::uint64_t{hip} << 24,
                             parameter}}
      .Write(image);
}

inline void WriteEmptyHll(const HyperLogLog::Options& options, std::span<std::byte> image) {
  WriteHllHeader(image, options.hash_scheme, options.rule, options.seed, options.precision, options.hip,
                 options.sparse ? HyperLogLogForm::kSparse : HyperLogLogForm::kDense, HyperLogLog::ImageBytes(options));
  if (options.hip) Store(image.data() + kHllHeaderBytes + 8, std::ldexp(1.0, static_cast<int>(options.precision)));
}

// Of a sparse image.
inline void StoreHllSize(std::byte* image, std::uint64_t count, std::uint64_t unsorted, std::uint64_t image_bytes) {
  Store(image + 8, image_bytes);
  Store(image + 16, count);
  Store(image + 24, image_bytes);
  Store(image + 56, unsorted);
}

absl::Status CheckHllOptions(const HyperLogLog::Options& options);

// Returns kInvalidArgument unless `from` can be merged into `to`.
absl::Status CheckHllMerge(const HyperLogLogView& to, const HyperLogLogView& from);

}  // namespace thimble::internal
