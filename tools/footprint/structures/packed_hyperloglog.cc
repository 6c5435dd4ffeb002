#include "thimble/packed_hyperloglog.h"

#include "distinct.h"

namespace thimble::footprint {
namespace {

class PackedHyperLogLogCandidate final : public DistinctCandidate<HyperLogLog, PackedHyperLogLog> {
  HyperLogLog MakeSketch() const override { return HyperLogLog({.precision = 12}); }
  PackedHyperLogLog Keep(HyperLogLog sketch) const override { return sketch.Compressed(); }
};

const Registered packed_hyperloglog({.name = "HyperLogLog p = 12, compressed", .family = Family::kSketch, .exact = false, .fits = kAnyValue}, Make<PackedHyperLogLogCandidate>);

}  // namespace
}  // namespace thimble::footprint
