#include "thimble/static_filter.h"

#include "filter.h"

namespace thimble::footprint {
namespace {

class StaticFilterCandidate final : public FilterCandidate<StaticFilter> {
 public:
  StaticFilterCandidate() : FilterCandidate(0.01) {}

 private:
  absl::StatusOr<StaticFilter> Fill(const Column& column) const override {
    StaticFilter::Builder builder({.false_positive_rate = 0.01});
    ForEachKey(column, [&](auto key) { builder.Add(key); });
    return std::move(builder).Finish();
  }
};

const Registered static_filter({.name = "StaticFilter 1 %", .family = Family::kSketch, .exact = false, .fits = kAnyValue, .jobs = kMembership},
                               Make<StaticFilterCandidate>);

}  // namespace
}  // namespace thimble::footprint
