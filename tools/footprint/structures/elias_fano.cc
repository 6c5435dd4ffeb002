#include "thimble/elias_fano.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "structure.h"

namespace thimble::footprint {
namespace {

// For columns that ascend, as times and identifiers often do.
class EliasFanoCandidate final : public Candidate {
 public:
  absl::Status Build(const Column& column) override {
    std::int64_t previous = 0;
    for (std::uint64_t i = 0; i < column.size(); ++i) {
      if (column.integer(i) < previous) return absl::InvalidArgumentError("values do not ascend from 0");
      previous = column.integer(i);
    }
    EliasFano::Builder builder({.size = column.size(), .max = static_cast<std::uint64_t>(previous)});
    for (std::uint64_t i = 0; i < column.size(); ++i) builder.Add(static_cast<std::uint64_t>(column.integer(i)));
    absl::StatusOr<EliasFano> built = std::move(builder).Finish();
    if (built.ok()) values_.emplace(*std::move(built));
    return built.status();
  }
  std::uint64_t stored() const override { return values_->size(); }
  std::uint64_t LookUp(const Probes& probes) const override {
    std::uint64_t sum = 0;
    for (const std::uint64_t id : probes.ids) sum += (*values_)[id];
    return sum;
  }
  std::span<const std::byte> image() const override { return values_->image(); }

 private:
  std::optional<EliasFano> values_;
};

const Registered elias_fano({.name = "EliasFano", .family = Family::kThimble, .fits = kInteger | kDate, .jobs = kIdToValue | kMembership},
                            Make<EliasFanoCandidate>);

}  // namespace
}  // namespace thimble::footprint
