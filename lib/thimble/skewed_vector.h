#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "thimble/bit_vector.h"
#include "thimble/bits.h"
#include "thimble/image.h"
#include "thimble/indexed_iterator.h"
#include "thimble/owner.h"

namespace thimble {

// The read side of a SkewedVector.
class SkewedVectorView {
 public:
  static constexpr Kind kKind = Kind::kSkewedVector;
  static constexpr unsigned kMaxLevels = 4;
  using value_type = std::uint64_t;

  // Holds nothing: to be assigned to.
  SkewedVectorView() = default;
  static absl::StatusOr<SkewedVectorView> Open(std::span<const std::byte> image);
  // Returns kDataLoss if the marks' index is wrong.
  absl::Status Verify() const;
  std::span<const std::byte> image() const { return image_; }

  std::uint64_t size() const { return levels_[0].size; }
  bool empty() const { return size() == 0; }
  unsigned levels() const { return level_count_; }
  // Bits that level `level` holds of each value that reaches it. Requires: level < levels().
  unsigned width(unsigned level) const { return levels_[level % kMaxLevels].width; }

  // Requires: i < size().
  std::uint64_t operator[](std::uint64_t i) const;

  // Copies out.size() values from index `first` on. Requires: first + out.size() <= size(); what lies behind is left.
  void Decode(std::uint64_t first, std::span<std::uint64_t> out) const;

  IndexedIterator<SkewedVectorView> begin() const { return {*this, 0}; }
  IndexedIterator<SkewedVectorView> end() const { return {*this, size()}; }

 private:
  struct Level {
    const std::byte* parts = nullptr;
    std::size_t part_bytes = 0;  // slack included
    BitVectorView more;          // which values have a part in the next level, too; empty in the last level
    const std::byte* marks = nullptr;   // the bits of `more`, and their counts
    const std::byte* counts = nullptr;
    std::uint64_t size = 0;
    std::uint64_t last = 0;  // index of the last part, or 0
    unsigned width = 1;
  };
  void DecodeLevel(unsigned level, std::uint64_t first, std::span<std::uint64_t> out) const;

  std::span<const std::byte> image_;
  unsigned level_count_ = 1;
  std::array<Level, kMaxLevels> levels_;
};

// Integers that are mostly small: each value is cut into parts, the first parts of all values form level 0, the second parts
// of those that have one level 1, and so on up to 4 levels. A bit a value says whether it goes on, and a rank finds where.
//
//   const SkewedVector ids = SkewedVector::From(values);
//   ids[7];
//
// Space    the level widths are those, of all, that make the image smallest; 1.035 bits a value and level for the marks.
//          A level more, which makes get slower, is taken only if it saves 5 %
// Time     get O(1): the first level is one load, each further one a rank and a load; Decode some ns a value
// Threads  const methods are safe together
// Paper    Brisaboa, Ladra, Navarro 2013 (directly addressable codes)
class SkewedVector : public Owner<SkewedVectorView> {
 public:
  static SkewedVector From(std::span<const std::uint64_t> values);
  // In place. Returns kInvalidArgument if the buffer is too small.
  static absl::StatusOr<SkewedVector> Make(std::span<const std::uint64_t> values, Buffer buffer);
  static absl::StatusOr<SkewedVector> Open(Buffer buffer);
  static std::uint64_t ImageBytes(std::span<const std::uint64_t> values);

  Stats stats() const { return {.live_bytes = image().size(), .peak_bytes = buffer().size()}; }

 private:
  SkewedVector(SkewedVectorView view, Buffer buffer) : Owner(view, std::move(buffer)) {}
};

}  // namespace thimble
