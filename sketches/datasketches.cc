#include "thimble/datasketches.h"

#include <algorithm>
#include <utility>

#include "datasketches_hll_codec.h"
#include "datasketches_theta_codec.h"
#include "status_macros.h"

namespace thimble {
namespace {

// The two bytes by which a Theta sketch knows its seed.
std::uint16_t SeedHash(std::uint64_t seed) { return static_cast<std::uint16_t>(Murmur3Integer(seed, 0).h1); }

}  // namespace

absl::StatusOr<DataSketchesHll> ReadDataSketchesHll(std::span<const std::byte> bytes, std::uint64_t seed) {
  THIMBLE_ASSIGN_OR_RETURN(const HllFields fields, ParseHll(bytes));
  auto options = HyperLogLog::Options::DataSketches(fields.lg_k, seed);
  options.hip = !fields.out_of_order;
  THIMBLE_ASSIGN_OR_RETURN(HyperLogLog sketch, fields.registers.empty()
                                                   ? HyperLogLog::FromCoupons(options, fields.coupons)
                                                   : HyperLogLog::FromRegisters(options, fields.registers, fields.hip_estimate));
  return DataSketchesHll{.sketch = std::move(sketch),
                         .form = {.type = static_cast<DataSketchesHllType>(fields.register_bits),
                                  .compact = fields.compact,
                                  .full_size = fields.full_size}};
}

absl::StatusOr<std::vector<std::byte>> WriteDataSketchesHll(const HyperLogLogView& sketch, const DataSketchesHllForm& form) {
  if (sketch.hash_scheme() != HashScheme::kMurmur3 || sketch.rule() != RegisterRule::kDataSketches) {
    return absl::InvalidArgumentError("only a HyperLogLog made with Options::DataSketches() holds what DataSketches would");
  }
  HllFields fields;
  fields.lg_k = sketch.precision();
  fields.register_bits = static_cast<unsigned>(form.type);
  fields.compact = form.compact;
  fields.full_size = form.full_size;
  if (sketch.form() == HyperLogLogForm::kSparse) {
    fields.coupons.assign(sketch.Coupons().begin(), sketch.Coupons().end());
    return SerializeHll(fields);
  }
  fields.registers = sketch.Registers();
  const bool empty = std::all_of(fields.registers.begin(), fields.registers.end(), [](std::uint8_t value) { return value == 0; });
  if (empty && !form.full_size) {
    fields.registers.clear();
  } else {
    fields.out_of_order = !sketch.Hip().has_value();
    fields.hip_estimate = sketch.Hip().value_or(0);
  }
  return SerializeHll(fields);
}

absl::StatusOr<KmvSketch> ReadDataSketchesTheta(std::span<const std::byte> bytes, const DataSketchesThetaOptions& options) {
  THIMBLE_ASSIGN_OR_RETURN(const ThetaFields fields, ParseTheta(bytes, SeedHash(options.seed)));
  const std::uint64_t k = std::max<std::uint64_t>(options.k, fields.hashes.size());
  return KmvSketch::FromHashes(KmvSketch::Options::DataSketches(k, options.seed), fields.theta, fields.hashes);
}

absl::StatusOr<std::vector<std::byte>> WriteDataSketchesTheta(const KmvSketchView& sketch, DataSketchesThetaForm form) {
  if (sketch.hash_scheme() != HashScheme::kMurmur3) {
    return absl::InvalidArgumentError("only a KmvSketch made with Options::DataSketches() holds what DataSketches would");
  }
  ThetaFields fields;
  fields.theta = sketch.theta();
  fields.hashes.assign(sketch.hashes().begin(), sketch.hashes().end());
  fields.empty = sketch.exact() && fields.hashes.empty();
  return SerializeTheta(fields, SeedHash(sketch.seed()), form == DataSketchesThetaForm::kCompressed);
}

}  // namespace thimble
