#include "thimble/sparse_set.h"

#include <optional>

#include "status_macros.h"
#include "structure.h"

namespace thimble::footprint {
namespace {

// The distinct values, each of which has a number: its rank. Negative ones are 2^64 more, as C++ converts them, and so stand
// behind the others.
class SparseSetCandidate : public Candidate {
 public:
  absl::Status Build(const Column& column) override {
    set_.emplace();
    for (std::uint64_t i = 0; i < column.size(); ++i) THIMBLE_RETURN_IF_ERROR(set_->Add(static_cast<std::uint64_t>(column.integer(i))).status());
    return absl::OkStatus();
  }
  std::uint64_t stored() const override { return view().size(); }
  std::uint64_t LookUp(const Probes& probes) const override {
    std::uint64_t sum = 0;
    for (const std::int64_t value : probes.integers) sum += view().Rank(static_cast<std::uint64_t>(value));
    return sum;
  }
  std::span<const std::byte> image() const override { return view().image(); }

 protected:
  virtual SparseSetView view() const { return set_->view(); }
  std::optional<SparseSet> set_;
};

class PackedSparseSetCandidate final : public SparseSetCandidate {
 public:
  absl::Status Build(const Column& column) override {
    THIMBLE_RETURN_IF_ERROR(SparseSetCandidate::Build(column));
    packed_.emplace(set_->Packed());
    set_.reset();
    return absl::OkStatus();
  }

 private:
  SparseSetView view() const override { return packed_->view(); }
  std::optional<PackedSparseSet> packed_;
};

const Registered mutable_set({.name = "SparseSet", .family = Family::kThimble, .fits = kInteger | kDate, .jobs = kKeyToId | kMembership},
                             Make<SparseSetCandidate>);
const Registered packed_set({.name = "SparseSet, packed", .family = Family::kThimble, .fits = kInteger | kDate, .jobs = kKeyToId | kMembership},
                            Make<PackedSparseSetCandidate>);

}  // namespace
}  // namespace thimble::footprint
