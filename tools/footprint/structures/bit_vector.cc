#include "thimble/bit_vector.h"

#include <optional>

#include "structure.h"

namespace thimble::footprint {
namespace {

class BitVectorCandidate final : public Candidate {
 public:
  absl::Status Build(const Column& column) override {
    BitVector::Builder builder(column.size());
    for (std::uint64_t i = 0; i < column.size(); ++i) {
      if (column.integer(i) != 0) builder.Set(i);
    }
    absl::StatusOr<BitVector> built = std::move(builder).Finish();
    if (built.ok()) bits_.emplace(*std::move(built));
    return built.status();
  }
  std::uint64_t stored() const override { return bits_->size(); }
  std::uint64_t LookUp(const Probes& probes) const override {
    std::uint64_t sum = 0;
    for (const std::uint64_t id : probes.ids) sum += (*bits_)[id];
    return sum;
  }
  std::span<const std::byte> image() const override { return bits_->image(); }

 private:
  std::optional<BitVector> bits_;
};

const Registered bit_vector({.name = "BitVector", .family = Family::kThimble, .fits = kBoolean, .jobs = kIdToValue}, Make<BitVectorCandidate>);

}  // namespace
}  // namespace thimble::footprint
