#include "thimble/frame_vector.h"

#include <optional>
#include <vector>

#include "structure.h"

namespace thimble::footprint {
namespace {

class FrameVectorCandidate final : public Candidate {
 public:
  absl::Status Build(const Column& column) override {
    std::vector<std::int64_t> values;
    for (std::uint64_t i = 0; i < column.size(); ++i) values.push_back(column.integer(i));
    values_.emplace(FrameVector::From(values));
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
  std::optional<FrameVector> values_;
};

const Registered frame_vector({.name = "FrameVector", .family = Family::kThimble, .fits = kInteger | kDate, .jobs = kIdToValue},
                              Make<FrameVectorCandidate>);

}  // namespace
}  // namespace thimble::footprint
