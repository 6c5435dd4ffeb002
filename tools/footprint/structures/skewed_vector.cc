#include "thimble/skewed_vector.h"

#include <optional>
#include <vector>

#include "structure.h"

namespace thimble::footprint {
namespace {

class SkewedVectorCandidate final : public Candidate {
 public:
  absl::Status Build(const Column& column) override {
    std::vector<std::uint64_t> values;
    for (std::uint64_t i = 0; i < column.size(); ++i) {
      if (column.integer(i) < 0) return absl::InvalidArgumentError("a value is negative");
      values.push_back(static_cast<std::uint64_t>(column.integer(i)));
    }
    values_.emplace(SkewedVector::From(values));
    return absl::OkStatus();
  }
  std::uint64_t stored() const override { return values_->size(); }
  std::uint64_t LookUp(const Probes& probes) const override {
    std::uint64_t sum = 0;
    for (const std::uint64_t id : probes.ids) sum += (*values_)[id];
    return sum;
  }
  std::span<const std::byte> image() const override { return values_->image(); }

 private:
  std::optional<SkewedVector> values_;
};

const Registered skewed_vector({.name = "SkewedVector", .family = Family::kThimble, .fits = kInteger, .jobs = kIdToValue},
                               Make<SkewedVectorCandidate>);

}  // namespace
}  // namespace thimble::footprint
