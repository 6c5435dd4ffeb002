#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <variant>

#include "thimble/elias_fano.h"
#include "thimble/frame_vector.h"
#include "thimble/indexed_iterator.h"
#include "thimble/owner.h"
#include "thimble/packed_vector.h"
#include "thimble/skewed_vector.h"

namespace thimble {

// Any vector of packed integers; which one, the image says.
class PackedIntegersView {
 public:
  using value_type = std::uint64_t;

  // Holds nothing: to be assigned to.
  PackedIntegersView() = default;
  // Returns kFailedPrecondition if the image is of another kind, else what the kind's own Open does.
  static absl::StatusOr<PackedIntegersView> Open(std::span<const std::byte> image);
  absl::Status Verify() const;
  std::span<const std::byte> image() const;

  Kind kind() const;
  std::uint64_t size() const;
  bool empty() const { return size() == 0; }

  // Requires: i < size().
  std::uint64_t operator[](std::uint64_t i) const {
    return std::visit([i](const auto& view) { return view[i]; }, view_);
  }
  // Copies out.size() values from index `first` on. Requires: first + out.size() <= size(); what lies behind is left.
  void Decode(std::uint64_t first, std::span<std::uint64_t> out) const;

  IndexedIterator<PackedIntegersView> begin() const { return {*this, 0}; }
  IndexedIterator<PackedIntegersView> end() const { return {*this, size()}; }

 private:
  using Any = std::variant<PackedVectorView, FrameVectorView, EliasFanoView, SkewedVectorView>;
  explicit PackedIntegersView(Any view) : view_(std::move(view)) {}

  Any view_;
};

// What Pack would do with some values: measured, nothing is built.
struct PackPlan {
  Kind kind = Kind::kPackedVector;
  std::uint64_t image_bytes = 0;
  std::string why;  // "EliasFano 8.66 bits a value; FrameVector 14.52, PackedVector 30.00, SkewedVector 30.00"
};

// Integers in the smallest of PackedVector, FrameVector, EliasFano (if they ascend) and SkewedVector.
//
//   const PackedIntegers column = PackedIntegers::Pack(values);      // spans of uint64_t or int64_t
//   column.plan().why;
//   column[7];
//
// Space    that of the kind chosen, known exactly before anything is built
// Time     measuring about 30 ns a value; get as the kind chosen, through one predicted branch
// Threads  const methods are safe together
class PackedIntegers : public Owner<PackedIntegersView> {
 public:
  // Signed values come back by static_cast<std::int64_t>; negative ones only FrameVector holds.
  static PackPlan Plan(std::span<const std::uint64_t> values);
  static PackPlan Plan(std::span<const std::int64_t> values);

  static PackedIntegers Pack(std::span<const std::uint64_t> values);
  static PackedIntegers Pack(std::span<const std::int64_t> values);
  // In place. Requires: `plan` is that of `values`. Returns kInvalidArgument if the buffer is too small.
  static absl::StatusOr<PackedIntegers> Make(std::span<const std::uint64_t> values, PackPlan plan, Buffer buffer);
  static absl::StatusOr<PackedIntegers> Make(std::span<const std::int64_t> values, PackPlan plan, Buffer buffer);
  static absl::StatusOr<PackedIntegers> Open(Buffer buffer);

  // Of the values that it was packed from; nothing but kind and size after Open.
  const PackPlan& plan() const { return plan_; }
  Stats stats() const { return {.live_bytes = image().size(), .peak_bytes = buffer().size()}; }

 private:
  PackedIntegers(PackedIntegersView view, Buffer buffer, PackPlan plan) : Owner(std::move(view), std::move(buffer)), plan_(std::move(plan)) {}

  PackPlan plan_;
};

}  // namespace thimble
