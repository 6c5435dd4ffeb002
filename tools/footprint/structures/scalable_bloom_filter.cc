#include "thimble/scalable_bloom_filter.h"

#include "filter.h"

#include "status_macros.h"

namespace thimble::footprint {
namespace {

// Not told how many values there are.
class ScalableBloomFilterCandidate final : public FilterCandidate<ScalableBloomFilter> {
 public:
  ScalableBloomFilterCandidate() : FilterCandidate(0.01) {}

 private:
  absl::StatusOr<ScalableBloomFilter> Fill(const Column& column) const override {
    THIMBLE_ASSIGN_OR_RETURN(ScalableBloomFilter filter, ScalableBloomFilter::Make({.false_positive_rate = 0.01}));
    THIMBLE_RETURN_IF_ERROR(AddAll(column, filter));
    return filter;
  }
};

const Registered scalable_bloom_filter({.name = "ScalableBloomFilter 1 %", .family = Family::kSketch, .exact = false, .fits = kAnyValue, .jobs = kMembership},
                                       Make<ScalableBloomFilterCandidate>);

}  // namespace
}  // namespace thimble::footprint
