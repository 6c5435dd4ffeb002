// Foreign sketches: what is read must be written, and read again, as the same.

#include "targets.h"

#include <algorithm>

#include "thimble/datasketches.h"
#include "thimble/postgres_hll.h"
#include "thimble/redis_hll.h"

namespace thimble::fuzz {
namespace {

void Require(bool condition) {
  if (!condition) __builtin_trap();
}

}  // namespace

void FuzzHll(Bytes bytes) {
  const absl::StatusOr<DataSketchesHll> hll = ReadDataSketchesHll(bytes);
  if (!hll.ok()) return;
  Require(hll->sketch.Estimate() >= 0);
  const absl::StatusOr<DataSketchesHll> again = ReadDataSketchesHll(*WriteDataSketchesHll(hll->sketch, hll->form));
  Require(again.ok() && again->sketch.Registers() == hll->sketch.Registers() && again->sketch.Coupons().size() == hll->sketch.Coupons().size());
}

void FuzzTheta(Bytes bytes) {
  const absl::StatusOr<KmvSketch> theta = ReadDataSketchesTheta(bytes);
  if (!theta.ok()) return;
  Require(theta->Verify().ok());
  const absl::StatusOr<KmvSketch> again =
      ReadDataSketchesTheta(*WriteDataSketchesTheta(*theta, DataSketchesThetaForm::kCompressed));
  Require(again.ok() && again->theta() == theta->theta() && std::ranges::equal(again->hashes(), theta->hashes()));
}

void FuzzRedisHll(Bytes bytes) {
  const absl::StatusOr<HyperLogLog> sketch = ReadRedisHll(bytes);
  if (!sketch.ok()) return;
  const absl::StatusOr<HyperLogLog> again = ReadRedisHll(*WriteRedisHll(*sketch));
  Require(again.ok() && again->Registers() == sketch->Registers());
}

void FuzzPostgresHll(Bytes bytes) {
  const absl::StatusOr<HyperLogLog> sketch = ReadPostgresHll(bytes);
  if (!sketch.ok()) return;
  const absl::StatusOr<HyperLogLog> again = ReadPostgresHll(*WritePostgresHll(*sketch, {.register_bits = 8}));
  Require(again.ok() && again->Registers() == sketch->Registers());
}

}  // namespace thimble::fuzz
