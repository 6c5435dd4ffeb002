#include "thimble/hyperloglog.h"

#include "distinct.h"

namespace thimble::footprint {
namespace {

class HyperLogLogCandidate final : public DistinctCandidate<HyperLogLog> {
  HyperLogLog MakeSketch() const override { return HyperLogLog({.precision = 12}); }
  HyperLogLog Keep(HyperLogLog sketch) const override { return sketch; }
};

const Registered hyperloglog({.name = "HyperLogLog p = 12", .family = Family::kSketch, .exact = false, .fits = kAnyValue}, Make<HyperLogLogCandidate>);

}  // namespace
}  // namespace thimble::footprint
