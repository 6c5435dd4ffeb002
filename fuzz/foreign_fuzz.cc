// Reads the input as a foreign sketch. What is read must be written, and read again, as the same.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "thimble/datasketches.h"
#include "thimble/postgres_hll.h"
#include "thimble/redis_hll.h"

namespace {

using Bytes = std::span<const std::byte>;

void Require(bool condition) {
  if (!condition) __builtin_trap();
}

[[maybe_unused]] void TryHll(Bytes bytes) {
  const absl::StatusOr<thimble::DataSketchesHll> hll = thimble::ReadDataSketchesHll(bytes);
  if (!hll.ok()) return;
  Require(hll->sketch.Estimate() >= 0);
  const absl::StatusOr<thimble::DataSketchesHll> again = thimble::ReadDataSketchesHll(*thimble::WriteDataSketchesHll(hll->sketch, hll->form));
  Require(again.ok() && again->sketch.Registers() == hll->sketch.Registers() && again->sketch.Coupons().size() == hll->sketch.Coupons().size());
}

[[maybe_unused]] void TryTheta(Bytes bytes) {
  const absl::StatusOr<thimble::KmvSketch> theta = thimble::ReadDataSketchesTheta(bytes);
  if (!theta.ok()) return;
  Require(theta->Verify().ok());
  const absl::StatusOr<thimble::KmvSketch> again =
      thimble::ReadDataSketchesTheta(*thimble::WriteDataSketchesTheta(*theta, thimble::DataSketchesThetaForm::kCompressed));
  Require(again.ok() && again->theta() == theta->theta() && std::ranges::equal(again->hashes(), theta->hashes()));
}

[[maybe_unused]] void TryRedis(Bytes bytes) {
  const absl::StatusOr<thimble::HyperLogLog> sketch = thimble::ReadRedisHll(bytes);
  if (!sketch.ok()) return;
  const absl::StatusOr<thimble::HyperLogLog> again = thimble::ReadRedisHll(*thimble::WriteRedisHll(*sketch));
  Require(again.ok() && again->Registers() == sketch->Registers());
}

[[maybe_unused]] void TryPostgres(Bytes bytes) {
  const absl::StatusOr<thimble::HyperLogLog> sketch = thimble::ReadPostgresHll(bytes);
  if (!sketch.ok()) return;
  const absl::StatusOr<thimble::HyperLogLog> again = thimble::ReadPostgresHll(*thimble::WritePostgresHll(*sketch, {.register_bits = 8}));
  Require(again.ok() && again->Registers() == sketch->Registers());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  THIMBLE_FUZZ_READER(std::as_bytes(std::span(data, size)));
  return 0;
}
