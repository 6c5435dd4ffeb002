#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "thimble/bits.h"
#include "thimble/image.h"
#include "thimble/indexed_iterator.h"
#include "thimble/owner.h"

namespace thimble {

// The read side of a PackedVector.
class PackedVectorView {
 public:
  static constexpr Kind kKind = Kind::kPackedVector;
  using value_type = std::uint64_t;

  // Holds nothing: to be assigned to.
  PackedVectorView() = default;
  static absl::StatusOr<PackedVectorView> Open(std::span<const std::byte> image);
  // Returns kDataLoss if bits behind the last value are set: every other bit is part of a value.
  absl::Status Verify() const;
  std::span<const std::byte> image() const { return image_; }

  std::uint64_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  unsigned width() const { return width_; }

  // Requires: i < size().
  std::uint64_t operator[](std::uint64_t i) const { return ReadBits(values_, std::min(i, last_) * width_, width_); }

  // Copies out.size() values from index `first` on: an order of magnitude faster than one by one. Values wider than the
  // output are cut. Requires: first + out.size() <= size(); what lies behind is left as it was.
  void Decode(std::uint64_t first, std::span<std::uint32_t> out) const;
  void Decode(std::uint64_t first, std::span<std::uint64_t> out) const;

  // Calls visit(value) for every value, in order: two to three times as fast as the iterators.
  template <class Visit>
  void ForEach(Visit visit) const {
    ForEachDecoded(size_, [this](std::uint64_t i, std::span<std::uint64_t> out) { Decode(i, out); }, visit);
  }

  IndexedIterator<PackedVectorView> begin() const { return {*this, 0}; }
  IndexedIterator<PackedVectorView> end() const { return {*this, size_}; }

 protected:
  static constexpr std::size_t kHeaderBytes = 64;

 private:
  friend class PackedVector;

  std::span<const std::byte> image_;
  const std::byte* values_ = nullptr;  // of an empty image its header, which is as safe to read
  std::uint64_t size_ = 0;
  std::uint64_t last_ = 0;  // index of the last value, or 0
  unsigned width_ = 1;
};

// Unsigned integers of one width, 1 to 64 bits, end to end.
//
//   PackedVector ages({.width = 7});
//   if (absl::Status status = ages.Append(42); !status.ok()) ...
//   ages[0];
//   ages.ForEach([&](std::uint64_t age) { sum += age; });
//
// Space    width bits a value + header; growing keeps at most 1/8 more
// Time     get and Set O(1), one unaligned load (two above 57 bits); Append amortized O(1); Decode and ForEach a fraction of a
//          ns a value
// Threads  const methods are safe together; writers need exclusion, Set also from neighbours (values share bytes)
// Errors   Append returns kOutOfRange for a value of more than width bits, and what the buffer's Grow does; the vector is as
//          it was then
//
// Append ends outstanding views and iterators; Set does not.
class PackedVector : public Owner<PackedVectorView> {
 public:
  struct Options {
    unsigned width = 64;         // bits a value, 1 to 64
    std::uint64_t size = 0;      // values at first, all 0
    std::uint64_t capacity = 0;  // values to make room for; at least `size`
  };

  // Requires: valid options.
  explicit PackedVector(const Options& options);
  // Returns kInvalidArgument for a width outside 1..64, a size beyond memory, or a buffer that is too small.
  static absl::StatusOr<PackedVector> Make(const Options& options);
  // In bytes that are zero.
  static absl::StatusOr<PackedVector> Make(const Options& options, Buffer buffer);
  static absl::StatusOr<PackedVector> Open(Buffer buffer);
  static std::uint64_t ImageBytes(const Options& options);

  // The values at the smallest width that holds them all.
  static PackedVector From(std::span<const std::uint64_t> values);
  static PackedVector From(std::span<const std::uint32_t> values);
  // In place. Returns kInvalidArgument if the buffer is too small.
  static absl::StatusOr<PackedVector> From(std::span<const std::uint64_t> values, Buffer buffer);

  // Requires: i < size(), value < 2^width().
  void Set(std::uint64_t i, std::uint64_t value);
  absl::Status Append(std::uint64_t value);

  // Ends the image behind the last value, so that image() holds no room to grow. The buffer keeps its bytes.
  void ShrinkToFit();

  Stats stats() const;

 private:
  PackedVector(PackedVectorView view, Buffer buffer) : Owner(view, std::move(buffer)) {}
  template <class T>
  void Fill(std::span<const T> values);
  absl::Status Reserve(std::uint64_t count);
  void WriteHeader(std::uint64_t image_bytes);
  std::uint64_t capacity() const { return (image().size() - kHeaderBytes - kImageSlack) * 8 / width(); }
};

}  // namespace thimble
