#include "thimble/datasketches.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "datasketches_hll_codec.h"
#include "datasketches_theta_codec.h"
#include "status_macros.h"

namespace thimble {
namespace {

// The two bytes by which a Theta sketch knows its seed.
std::uint16_t SeedHash(std::uint64_t seed) { return static_cast<std::uint16_t>(Murmur3Integer(seed, 0).h1); }

// How many keys make this many distinct coupons, on average: c = sum over v of 2^26 (1 - (1 - 2^(-26 - v))^n), solved for n.
// Two keys share a coupon with probability 2^-26 / 3, so that the first step is almost there.
double KeysOfCoupons(double coupons) {
  constexpr double kPlaces = 1 << HllFields::kAddressBits;
  double keys = coupons;
  for (int step = 0; step < 20; ++step) {
    double expected = 0, slope = 0;
    for (int value = 1; value <= 40; ++value) {
      const double rate = std::ldexp(1.0, -value) / kPlaces;
      expected -= kPlaces * std::expm1(-keys * rate);
      slope += std::ldexp(std::exp(-keys * rate), -value);
    }
    const double change = (coupons - expected) / slope;
    keys += change;
    if (std::abs(change) <= 1e-12 * keys) break;
  }
  return keys;
}

std::vector<std::uint8_t> RegistersOf(const std::vector<std::uint32_t>& coupons, unsigned lg_k) {
  std::vector<std::uint8_t> registers(std::size_t{1} << lg_k);
  for (std::uint32_t coupon : coupons) {
    std::uint8_t& value = registers[coupon & LowBits(lg_k)];
    value = std::max(value, static_cast<std::uint8_t>(coupon >> HllFields::kAddressBits));
  }
  return registers;
}

}  // namespace

double DataSketchesHll::Estimate() const {
  if (!coupons.empty()) return KeysOfCoupons(static_cast<double>(coupons.size()));
  return hip_estimate ? *hip_estimate : sketch.Estimate();
}

absl::StatusOr<DataSketchesHll> ReadDataSketchesHll(std::span<const std::byte> bytes, std::uint64_t seed) {
  THIMBLE_ASSIGN_OR_RETURN(HllFields fields, ParseHll(bytes));
  const bool small = fields.registers.empty();
  THIMBLE_ASSIGN_OR_RETURN(HyperLogLog sketch,
                           HyperLogLog::FromRegisters(HyperLogLog::Options::DataSketches(fields.lg_k, seed),
                                                      small ? RegistersOf(fields.coupons, fields.lg_k) : fields.registers));
  DataSketchesHll hll{.sketch = std::move(sketch),
                      .coupons = std::move(fields.coupons),
                      .hip_estimate = {},
                      .type = static_cast<DataSketchesHllType>(fields.register_bits),
                      .compact = fields.compact};
  if (!small && !fields.out_of_order) hll.hip_estimate = fields.hip_estimate;
  return hll;
}

std::vector<std::byte> WriteDataSketchesHll(const DataSketchesHll& hll) {
  HllFields fields;
  fields.lg_k = hll.sketch.precision();
  fields.register_bits = static_cast<unsigned>(hll.type);
  fields.compact = hll.compact;
  fields.registers = hll.sketch.Registers();
  const bool empty = std::all_of(fields.registers.begin(), fields.registers.end(), [](std::uint8_t value) { return value == 0; });
  if (!hll.coupons.empty() || empty) {
    fields.coupons = hll.coupons;
    fields.registers.clear();
  } else {
    fields.out_of_order = !hll.hip_estimate.has_value();
    fields.hip_estimate = hll.hip_estimate.value_or(0);
  }
  return SerializeHll(fields);
}

absl::StatusOr<std::vector<std::byte>> WriteDataSketchesHll(const HyperLogLogView& sketch, DataSketchesHllType type) {
  if (sketch.hash_scheme() != HashScheme::kMurmur3 || sketch.rule() != RegisterRule::kDataSketches) {
    return absl::InvalidArgumentError("only a HyperLogLog made with Options::DataSketches() holds what DataSketches would");
  }
  HllFields fields;
  fields.lg_k = sketch.precision();
  fields.register_bits = static_cast<unsigned>(type);
  fields.out_of_order = true;
  fields.registers = sketch.Registers();
  if (std::all_of(fields.registers.begin(), fields.registers.end(), [](std::uint8_t value) { return value == 0; })) {
    fields.registers.clear();
    fields.out_of_order = false;
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
