#include "thimble/pcsa.h"

#include "distinct.h"

namespace thimble::footprint {
namespace {

class PcsaCandidate final : public DistinctCandidate<Pcsa, CompressedPcsa> {
  Pcsa MakeSketch() const override { return Pcsa({.precision = 12}); }
  CompressedPcsa Keep(Pcsa sketch) const override { return sketch.Compressed(); }
};

const Registered pcsa({.name = "Pcsa p = 12, compressed", .family = Family::kSketch, .exact = false, .fits = kAnyValue}, Make<PcsaCandidate>);

}  // namespace
}  // namespace thimble::footprint
