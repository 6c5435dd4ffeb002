#include "thimble/decimal_vector.h"

#include <optional>
#include <vector>

#include "structure.h"

namespace thimble::footprint {
namespace {

class DecimalVectorCandidate final : public Candidate {
 public:
  absl::Status Build(const Column& column) override {
    std::vector<double> values;
    for (std::uint64_t i = 0; i < column.size(); ++i) values.push_back(column.real(i));
    absl::StatusOr<DecimalVector> packed = DecimalVector::From(values);
    if (packed.ok()) values_.emplace(*std::move(packed));
    return packed.status();
  }
  std::uint64_t stored() const override { return values_->size(); }
  std::uint64_t LookUp(const Probes& probes) const override {
    double sum = 0;
    for (const std::uint64_t id : probes.ids) sum += (*values_)[id];
    return static_cast<std::uint64_t>(static_cast<std::int64_t>(sum / 1024));
  }
  std::span<const std::byte> image() const override { return values_->image(); }

 private:
  std::optional<DecimalVector> values_;
};

const Registered decimal_vector({.name = "DecimalVector", .family = Family::kThimble, .fits = kReal, .jobs = kIdToValue},
                                Make<DecimalVectorCandidate>);

}  // namespace
}  // namespace thimble::footprint
