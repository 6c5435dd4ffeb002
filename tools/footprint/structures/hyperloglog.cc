#include "thimble/hyperloglog.h"

#include <cmath>
#include <optional>

#include "keys.h"

namespace thimble::footprint {
namespace {

// How many distinct values the column has, and nothing else.
class HyperLogLogCandidate final : public Candidate {
 public:
  absl::Status Build(const Column& column) override {
    distinct_ = column.distinct();
    sketch_.emplace(HyperLogLog::Options{.precision = 12});
    ForEachKey(column, [this](auto key) { sketch_->Add(key); });
    return absl::OkStatus();
  }
  std::uint64_t stored() const override { return distinct_; }
  std::optional<ErrorRate> error(const Column& column) const override {
    const auto distinct = static_cast<double>(column.distinct());
    return ErrorRate{.promised = sketch_->StandardError(),
                     .measured = distinct == 0 ? 0 : std::fabs(sketch_->Estimate() - distinct) / distinct};
  }
  std::span<const std::byte> image() const override { return sketch_->image(); }

 private:
  std::optional<HyperLogLog> sketch_;
  std::uint64_t distinct_ = 0;
};

const Registered registered({.name = "HyperLogLog p = 12", .family = Family::kSketch, .exact = false, .fits = kAnyValue}, Make<HyperLogLogCandidate>);

}  // namespace
}  // namespace thimble::footprint
