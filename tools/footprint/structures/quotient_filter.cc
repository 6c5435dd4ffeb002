#include "thimble/quotient_filter.h"

#include "filter.h"

#include "status_macros.h"

namespace thimble::footprint {
namespace {

class QuotientFilterCandidate final : public FilterCandidate<QuotientFilter> {
 public:
  QuotientFilterCandidate() : FilterCandidate(0.0044) {}

 private:
  absl::StatusOr<QuotientFilter> Fill(const Column& column) const override {
    THIMBLE_ASSIGN_OR_RETURN(QuotientFilter filter, QuotientFilter::Make({.capacity = column.distinct(), .false_positive_rate = 0.0044}));
    THIMBLE_RETURN_IF_ERROR(AddAll(column, filter));
    return filter;
  }
};

const Registered quotient_filter({.name = "QuotientFilter 0.44 %", .family = Family::kSketch, .exact = false, .fits = kAnyValue, .jobs = kMembership},
                                 Make<QuotientFilterCandidate>);

}  // namespace
}  // namespace thimble::footprint
