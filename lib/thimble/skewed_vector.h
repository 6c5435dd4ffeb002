#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "thimble/bits.h"
#include "thimble/image.h"
#include "thimble/indexed_iterator.h"
#include "thimble/owner.h"

namespace thimble {

// The read side of a SkewedVector.
class SkewedVectorView {
 public:
  static constexpr Kind kKind = Kind::kSkewedVector;
  static constexpr unsigned kMaxClasses = 4;
  using value_type = std::uint64_t;

  // Holds nothing: to be assigned to.
  SkewedVectorView() = default;
  static absl::StatusOr<SkewedVectorView> Open(std::span<const std::byte> image);
  // Returns kDataLoss if a block is not where its offset says.
  absl::Status Verify() const;
  std::span<const std::byte> image() const { return image_; }

  std::uint64_t size() const { return blocks_.size; }
  bool empty() const { return size() == 0; }
  unsigned classes() const { return 1u << blocks_.planes; }
  // Bits of a value of class `c`. Requires: c < classes().
  unsigned width(unsigned c) const { return static_cast<unsigned>(blocks_.widths[c % kMaxClasses]); }

  // Requires: i < size().
  std::uint64_t operator[](std::uint64_t i) const;

  // Copies out.size() values from index `first` on. Requires: first + out.size() <= size(); what lies behind is left.
  void Decode(std::uint64_t first, std::span<std::uint64_t> out) const;

  IndexedIterator<SkewedVectorView> begin() const { return {*this, 0}; }
  IndexedIterator<SkewedVectorView> end() const { return {*this, size()}; }

 private:
  struct Blocks {
    const std::byte *bases = nullptr, *offsets = nullptr, *data = nullptr;
    std::uint64_t size = 0, last = 0;  // last: index of the last value, or 0
    std::uint64_t last_planes = 0, last_load = 0;  // bytes of data that the last planes and values may begin at
    std::uint64_t longest = 0, mean = 0;           // longest width; mean bytes of 256 values
    std::array<std::uint64_t, kMaxClasses> widths{};
    std::array<std::uint64_t, kMaxClasses - 1> steps{};
    unsigned planes = 0;
  };

  std::span<const std::byte> image_;
  Blocks blocks_;
};

// Integers that are mostly small: each value belongs to one of up to four classes, and takes as many bits as its class has.
// Blocks of 64 values hold the classes in front, as one or two words of bits; counting those tells where a value lies, so that
// a get beyond the caches waits for one or two neighbouring lines, and never for a branch.
//
//   const SkewedVector ids = SkewedVector::From(values);
//   ids[7];
//
// Space    the widths are those, of all, that take the fewest bits; 0 to 2 bits a value for its class, 0.27 for the offsets
// Time     get O(1): an offset, three counts and a load; Decode some ns a value
// Threads  const methods are safe together
// Paper    after Brisaboa, Ladra, Navarro 2013 (directly addressable codes), with the parts of a value kept together
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
