#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "thimble/indexed_iterator.h"
#include "thimble/owner.h"
#include "thimble/packed_integers.h"

namespace thimble {

// The read side of a DecimalVector.
class DecimalVectorView {
 public:
  static constexpr Kind kKind = Kind::kDecimalVector;
  static constexpr unsigned kMaxDigits = 22;  // the largest power of ten that a double holds exactly
  using value_type = double;

  // Holds nothing: to be assigned to.
  DecimalVectorView() = default;
  static absl::StatusOr<DecimalVectorView> Open(std::span<const std::byte> image);
  absl::Status Verify() const;
  std::span<const std::byte> image() const { return image_; }

  std::uint64_t size() const { return scaled_.size(); }
  bool empty() const { return size() == 0; }
  // Digits behind the point.
  unsigned digits() const { return digits_; }
  // The values times 10^digits(), as static_cast<std::int64_t> reads them.
  const PackedIntegersView& scaled() const { return scaled_; }

  // Requires: i < size().
  double operator[](std::uint64_t i) const { return Unscaled(scaled_[i]); }
  // Copies out.size() values from index `first` on. Requires: first + out.size() <= size(); what lies behind is left.
  void Decode(std::uint64_t first, std::span<double> out) const;

  IndexedIterator<DecimalVectorView> begin() const { return {*this, 0}; }
  IndexedIterator<DecimalVectorView> end() const { return {*this, size()}; }

 private:
  double Unscaled(std::uint64_t scaled) const { return static_cast<double>(static_cast<std::int64_t>(scaled)) / power_; }

  std::span<const std::byte> image_;
  PackedIntegersView scaled_;
  unsigned digits_ = 0;
  double power_ = 1;  // 10^digits
};

// Floating-point numbers that were decimals before they were read: prices, coordinates, percentages. They are kept as
// integers, and every double comes back bit for bit, or the vector is not made.
//
//   absl::StatusOr<DecimalVector> prices = DecimalVector::From(values);
//   (*prices)[7];
//
// Space    that of PackedIntegers, + header
// Time     get as PackedIntegers, and one division
// Threads  const methods are safe together
// Errors   From returns kInvalidArgument for values that no common power of ten makes integers (pi, -0.0, NaN)
class DecimalVector : public Owner<DecimalVectorView> {
 public:
  static absl::StatusOr<DecimalVector> From(std::span<const double> values);
  static absl::StatusOr<DecimalVector> Open(Buffer buffer);

  Stats stats() const { return {.live_bytes = image().size(), .peak_bytes = buffer().size()}; }

 private:
  DecimalVector(DecimalVectorView view, Buffer buffer) : Owner(std::move(view), std::move(buffer)) {}
};

// 10^digits, exactly. Requires: digits <= DecimalVectorView::kMaxDigits.
double PowerOfTen(unsigned digits);

// The integer whose division by 10^digits gives exactly `value`, in *scaled; false if there is none.
bool ScaleExactly(double value, unsigned digits, std::int64_t* scaled);

}  // namespace thimble
