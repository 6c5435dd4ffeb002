#include "thimble/packed_vector.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "structure.h"

namespace thimble::footprint {
namespace {

class PackedVectorCandidate final : public Candidate {
 public:
  absl::Status Build(const Column& column) override {
    std::uint64_t most = 0;
    for (std::uint64_t i = 0; i < column.size(); ++i) {
      if (column.integer(i) < 0) return absl::InvalidArgumentError("a value is negative");
      most = std::max(most, static_cast<std::uint64_t>(column.integer(i)));
    }
    const unsigned width = std::max(1u, static_cast<unsigned>(std::bit_width(most)));
    values_.emplace(PackedVector::Options{.width = width, .size = column.size()});
    for (std::uint64_t i = 0; i < column.size(); ++i) values_->Set(i, static_cast<std::uint64_t>(column.integer(i)));
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
  std::optional<PackedVector> values_;
};

const Registered packed_vector({.name = "PackedVector", .family = Family::kThimble, .fits = kInteger | kBoolean | kDate, .jobs = kIdToValue},
                               Make<PackedVectorCandidate>);

}  // namespace
}  // namespace thimble::footprint
