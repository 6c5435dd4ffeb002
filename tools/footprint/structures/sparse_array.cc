#include "thimble/sparse_array.h"

#include <algorithm>
#include <bit>
#include <optional>

#include "status_macros.h"
#include "structure.h"

namespace thimble::footprint {
namespace {

// For columns in which one value stands almost everywhere: the rows that have another one.
class SparseArrayCandidate : public Candidate {
 public:
  absl::Status Build(const Column& column) override {
    // Of a value that more than half of the rows have, more votes are cast for than against it.
    std::int64_t most = 0;
    std::uint64_t votes = 0, such = 0;
    unsigned bits = 1;
    for (std::uint64_t i = 0; i < column.size(); ++i) {
      const std::int64_t value = column.integer(i);
      if (votes == 0) most = value;
      value == most ? ++votes : --votes;
      bits = std::max(bits, 1 + static_cast<unsigned>(std::bit_width(static_cast<std::uint64_t>(value < 0 ? ~value : value))));
    }
    for (std::uint64_t i = 0; i < column.size(); ++i) such += column.integer(i) == most ? 1 : 0;
    if (such <= column.size() / 2) return absl::InvalidArgumentError("no value stands in more than half of the rows");
    size_ = column.size();
    SparseArray<std::int64_t>::Builder builder({.value_bits = bits, .default_value = most});
    for (std::uint64_t i = 0; i < column.size(); ++i) {
      if (column.integer(i) != most) THIMBLE_RETURN_IF_ERROR(builder.Add(i, column.integer(i)));
    }
    THIMBLE_ASSIGN_OR_RETURN(SparseArray<std::int64_t> built, std::move(builder).Finish());
    array_.emplace(std::move(built));
    return absl::OkStatus();
  }
  std::uint64_t stored() const override { return size_; }
  std::uint64_t LookUp(const Probes& probes) const override {
    std::uint64_t sum = 0;
    for (const std::uint64_t id : probes.ids) sum += static_cast<std::uint64_t>(view()[id]);
    return sum;
  }
  std::span<const std::byte> image() const override { return view().image(); }

 protected:
  virtual SparseArrayView<std::int64_t> view() const { return array_->view(); }
  std::optional<SparseArray<std::int64_t>> array_;

 private:
  std::uint64_t size_ = 0;
};

class PackedSparseArrayCandidate final : public SparseArrayCandidate {
 public:
  absl::Status Build(const Column& column) override {
    THIMBLE_RETURN_IF_ERROR(SparseArrayCandidate::Build(column));
    packed_.emplace(array_->Packed());
    array_.reset();
    return absl::OkStatus();
  }

 private:
  SparseArrayView<std::int64_t> view() const override { return packed_->view(); }
  std::optional<PackedSparseArray<std::int64_t>> packed_;
};

const Registered mutable_array({.name = "SparseArray<int64_t>", .family = Family::kThimble, .fits = kInteger | kDate, .jobs = kIdToValue},
                               Make<SparseArrayCandidate>);
const Registered packed_array({.name = "SparseArray<int64_t>, packed", .family = Family::kThimble, .fits = kInteger | kDate, .jobs = kIdToValue},
                              Make<PackedSparseArrayCandidate>);

}  // namespace
}  // namespace thimble::footprint
