#include "thimble/kmv_sketch.h"

#include "distinct.h"

namespace thimble::footprint {
namespace {

class KmvSketchCandidate final : public DistinctCandidate<KmvSketch> {
  KmvSketch MakeSketch() const override { return KmvSketch({.k = 4096}); }
  KmvSketch Keep(KmvSketch sketch) const override { return sketch; }
};

const Registered kmv_sketch({.name = "KmvSketch k = 4096", .family = Family::kSketch, .exact = false, .fits = kAnyValue}, Make<KmvSketchCandidate>);

}  // namespace
}  // namespace thimble::footprint
