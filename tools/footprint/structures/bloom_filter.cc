#include "thimble/bloom_filter.h"

#include "filter.h"

namespace thimble::footprint {
namespace {

class BloomFilterCandidate final : public FilterCandidate<BloomFilter> {
 public:
  BloomFilterCandidate() : FilterCandidate(0.01) {}

 private:
  absl::StatusOr<BloomFilter> Fill(const Column& column) const override {
    absl::StatusOr<BloomFilter> filter = BloomFilter::Make({.capacity = column.distinct(), .false_positive_rate = 0.01});
    if (filter.ok()) ForEachKey(column, [&](auto key) { filter->Add(key); });
    return filter;
  }
};

const Registered bloom_filter({.name = "BloomFilter 1 %", .family = Family::kSketch, .exact = false, .fits = kAnyValue, .jobs = kMembership},
                              Make<BloomFilterCandidate>);

}  // namespace
}  // namespace thimble::footprint
