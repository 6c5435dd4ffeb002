#include "thimble/bloom_filter.h"

#include <optional>

#include "keys.h"

namespace thimble::footprint {
namespace {

// At 1 %, made for as many keys as the column has.
class BloomFilterCandidate final : public Candidate {
 public:
  absl::Status Build(const Column& column) override {
    distinct_ = column.distinct();
    filter_.emplace(BloomFilter::Options{.capacity = std::max<std::uint64_t>(1, distinct_), .false_positive_rate = 0.01});
    ForEachKey(column, [this](auto key) { filter_->Add(key); });
    return absl::OkStatus();
  }
  std::uint64_t stored() const override { return distinct_; }
  std::uint64_t LookUp(const Probes& probes) const override {
    std::uint64_t found = 0;
    ForEachKey(probes, [&](auto key) { found += filter_->Contains(key); });
    return found;
  }
  std::optional<ErrorRate> error(const Column& column) const override {
    return ErrorRate{.promised = 0.01, .measured = FalsePositiveRate(column, [this](auto key) { return filter_->Contains(key); })};
  }
  std::span<const std::byte> image() const override { return filter_->image(); }

 private:
  std::optional<BloomFilter> filter_;
  std::uint64_t distinct_ = 0;
};

const Registered registered({.name = "BloomFilter 1 %", .family = Family::kSketch, .exact = false, .fits = kAnyValue, .jobs = kMembership},
                            Make<BloomFilterCandidate>);

}  // namespace
}  // namespace thimble::footprint
