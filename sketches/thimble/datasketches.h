#pragma once

#include <cstddef>
#include <cstdint>
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
// The same items give the same bytes here and there, for the same seed, but for the order of an HLL sketch's coupons and of a
// 4-bit one's exceptions; and of Theta sketches as long as all hashes are kept (beyond k, DataSketches keeps up to twice as
// many until it trims), and not for a sampled one without keys, which is written as one that may have missed some. HLL sketches
// do not say their seed, so a foreign one must be named; Theta sketches do, and a wrong one is refused.
//
// Space    HLL compact: 8 + 4 bytes a coupon, then 40 + 2^p * (8, 6 or 4) bits; Theta: 8 bytes a hash + 24, compressed a quarter less
// Errors   kFailedPrecondition for another family of sketch, kUnimplemented for an unknown serial version, kInvalidArgument for
// another seed, scheme or rule, kDataLoss for whatever the original does not write. Nothing is read past the span.

inline constexpr std::uint64_t kDataSketchesSeed = 9001;

// How an HLL sketch stores its registers.
enum class DataSketchesHllType : std::uint8_t { kHll4 = 4, kHll6 = 6, kHll8 = 8 };

// How a file holds a sketch.
struct DataSketchesHllForm {
  DataSketchesHllType type = DataSketchesHllType::kHll8;
  bool compact = true;     // without the free places that an updatable sketch carries
  bool full_size = false;  // marked as one that began with registers
};

// An HLL sketch, and how its file holds it. As there, a small one has Coupons(), and one that was never merged has Hip().
struct DataSketchesHll {
  HyperLogLog sketch;
  DataSketchesHllForm form;
};

// Reads LIST, SET and HLL mode, HLL_4, HLL_6 and HLL_8, compact and updatable.
absl::StatusOr<DataSketchesHll> ReadDataSketchesHll(std::span<const std::byte> bytes, std::uint64_t seed = kDataSketchesSeed);

// Writes the coupons of a sparse sketch, the registers of another: with the HIP estimate where there is one, or else marked as
// merged, so that other readers estimate from the registers.
absl::StatusOr<std::vector<std::byte>> WriteDataSketchesHll(const HyperLogLogView& sketch, const DataSketchesHllForm& form = {});

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
