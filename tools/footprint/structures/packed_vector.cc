#include "thimble/packed_vector.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "structure.h"

namespace thimble::footprint {
namespace {

// Signed columns come as zigzag: 0, -1, 1, -2, ... are 0, 1, 2, 3, ...
class PackedVectorCandidate final : public Candidate {
 public:
  absl::Status Build(const Column& column) override {
    for (std::uint64_t i = 0; i < column.size(); ++i) signed_ |= column.integer(i) < 0;
    std::uint64_t most = 0;
    for (std::uint64_t i = 0; i < column.size(); ++i) most = std::max(most, Encode(column.integer(i)));
    const unsigned width = std::max(1u, static_cast<unsigned>(std::bit_width(most)));
    values_.emplace(PackedVector::Options{.width = width, .size = column.size()});
    for (std::uint64_t i = 0; i < column.size(); ++i) values_->Set(i, Encode(column.integer(i)));
    return absl::OkStatus();
  }
  std::uint64_t stored() const override { return values_->size(); }
  std::uint64_t LookUp(const Probes& probes) const override {
    std::uint64_t sum = 0;
    for (const std::uint64_t id : probes.ids) sum += Decode((*values_)[id]);
    return sum;
  }
  std::span<const std::byte> image() const override { return values_->image(); }

 private:
  std::uint64_t Encode(std::int64_t value) const {
    const auto bits = static_cast<std::uint64_t>(value);
    return signed_ ? (bits << 1) ^ static_cast<std::uint64_t>(value >> 63) : bits;
  }
  std::uint64_t Decode(std::uint64_t bits) const { return signed_ ? (bits >> 1) ^ (~(bits & 1) + 1) : bits; }

  bool signed_ = false;
  std::optional<PackedVector> values_;
};

const Registered registered({.name = "PackedVector", .family = Family::kThimble, .fits = kInteger | kBoolean | kDate, .jobs = kIdToValue},
                            Make<PackedVectorCandidate>);

}  // namespace
}  // namespace thimble::footprint
