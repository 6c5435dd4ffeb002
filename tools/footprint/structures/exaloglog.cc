#include "thimble/exaloglog.h"

#include "distinct.h"

namespace thimble::footprint {
namespace {

class ExaLogLogCandidate final : public DistinctCandidate<ExaLogLog> {
  ExaLogLog MakeSketch() const override { return ExaLogLog({.precision = 10}); }
  ExaLogLog Keep(ExaLogLog sketch) const override { return sketch; }
};

const Registered exaloglog({.name = "ExaLogLog(2,20) p = 10", .family = Family::kSketch, .exact = false, .fits = kAnyValue}, Make<ExaLogLogCandidate>);

}  // namespace
}  // namespace thimble::footprint
