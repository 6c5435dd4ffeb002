#include "thimble/split_block_bloom_filter.h"

#include "filter.h"

namespace thimble::footprint {
namespace {

class SplitBlockBloomFilterCandidate final : public FilterCandidate<SplitBlockBloomFilter> {
 public:
  SplitBlockBloomFilterCandidate() : FilterCandidate(0.01) {}

 private:
  absl::StatusOr<SplitBlockBloomFilter> Fill(const Column& column) const override {
    absl::StatusOr<SplitBlockBloomFilter> filter = SplitBlockBloomFilter::Make({.capacity = column.distinct(), .false_positive_rate = 0.01});
    if (filter.ok()) ForEachKey(column, [&](auto key) { filter->Add(key); });
    return filter;
  }
};

const Registered split_block_bloom_filter({.name = "SplitBlockBloomFilter 1 %", .family = Family::kSketch, .exact = false, .fits = kAnyValue, .jobs = kMembership},
                                          Make<SplitBlockBloomFilterCandidate>);

}  // namespace
}  // namespace thimble::footprint
