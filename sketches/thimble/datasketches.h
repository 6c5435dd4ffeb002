#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include <absl/status/statusor.h>

#include "thimble/hyperloglog.h"
#include "thimble/kmv_sketch.h"

namespace thimble {

// Sketches of Apache DataSketches, which Spark, Druid, BigQuery, Snowflake, Trino, Hive, Pinot and PostgreSQL read and merge.
//
//   HyperLogLog users(HyperLogLog::Options::DataSketches(12));
//   for (std::string_view name : names) users.Add(name);
//   WriteDataSketchesHll(users)                       // hll_union_agg there
//
//   KmvSketch visits(KmvSketch::Options::DataSketches(4096));
//   WriteDataSketchesTheta(visits)                    // theta_union_agg there
//
// The same items give the same registers and hashes here and there, for the same seed. HLL sketches do not say their seed,
// so a foreign one must be named; Theta sketches do, and a wrong one is refused.
//
// Errors: kFailedPrecondition for another family of sketch, kUnimplemented for an unknown serial version, kInvalidArgument for
// another seed, scheme or rule, kDataLoss for whatever the original does not write. Nothing is read past the span.

inline constexpr std::uint64_t kDataSketchesSeed = 9001;

// How an HLL sketch stores its registers.
enum class DataSketchesHllType : std::uint8_t { kHll4 = 4, kHll6 = 6, kHll8 = 8 };

// An HLL sketch with what its file says beyond the registers.
struct DataSketchesHll {
  HyperLogLog sketch;
  // While a sketch is small it keeps each key's coupon, value << 26 | address, and counts almost exactly. Empty once it keeps
  // registers.
  std::vector<std::uint32_t> coupons;
  // The original's running estimate (historic inverse probability), which a sketch has until it is merged. Its standard
  // error is 0.83 / sqrt(2^p), less than what registers alone allow.
  std::optional<double> hip_estimate;
  DataSketchesHllType type = DataSketchesHllType::kHll8;
  bool compact = true;  // without the free places that an updatable sketch carries

  // The best that the file allows: from the coupons, else the running estimate, else sketch.Estimate().
  double Estimate() const;
};

// Reads LIST, SET and HLL mode, HLL_4, HLL_6 and HLL_8, compact and updatable.
absl::StatusOr<DataSketchesHll> ReadDataSketchesHll(std::span<const std::byte> bytes, std::uint64_t seed = kDataSketchesSeed);

// Writes a sketch as it was read.
std::vector<std::byte> WriteDataSketchesHll(const DataSketchesHll& hll);
// Writes registers, compact and marked as merged: other readers then estimate from the registers alone.
absl::StatusOr<std::vector<std::byte>> WriteDataSketchesHll(const HyperLogLogView& sketch, DataSketchesHllType type = DataSketchesHllType::kHll8);

struct DataSketchesThetaOptions {
  std::uint64_t k = 4096;  // of the sketch returned, or as many as the file holds: compact sketches do not say theirs
  std::uint64_t seed = kDataSketchesSeed;
};

// Reads compact Theta sketches, serial versions 1 to 4. Adding goes on where the stored sketch stopped.
absl::StatusOr<KmvSketch> ReadDataSketchesTheta(std::span<const std::byte> bytes, const DataSketchesThetaOptions& options = {});

// Serial version 3 is what everybody reads; 4 is a quarter smaller.
enum class DataSketchesThetaForm : std::uint8_t { kPlain = 3, kCompressed = 4 };

// Writes a compact, ordered Theta sketch.
absl::StatusOr<std::vector<std::byte>> WriteDataSketchesTheta(const KmvSketchView& sketch,
                                                              DataSketchesThetaForm form = DataSketchesThetaForm::kPlain);

}  // namespace thimble
