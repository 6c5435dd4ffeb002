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

// The read side of a FrameVector.
class FrameVectorView {
 public:
  static constexpr Kind kKind = Kind::kFrameVector;
  using value_type = std::uint64_t;

  // Holds nothing: to be assigned to.
  FrameVectorView() = default;
  static absl::StatusOr<FrameVectorView> Open(std::span<const std::byte> image);
  // Returns kDataLoss if a block does not begin where the one in front ends, or is wider than 64 bits.
  absl::Status Verify() const;
  std::span<const std::byte> image() const { return image_; }

  std::uint64_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  // Values that share a frame; a power of two.
  std::uint64_t block_size() const { return std::uint64_t{1} << block_shift_; }

  // Requires: i < size().
  std::uint64_t operator[](std::uint64_t i) const {
    i = std::min(i, last_);
    const Frame frame = FrameOf(i >> block_shift_);
    const std::uint64_t at = frame.start + (i & (block_size() - 1)) * frame.width;
    return frame.base + ReadBits(values_, std::min(at, value_bits_), frame.width);
  }

  // Copies out.size() values from index `first` on. Requires: first + out.size() <= size(); what lies behind is left.
  void Decode(std::uint64_t first, std::span<std::uint64_t> out) const;

  IndexedIterator<FrameVectorView> begin() const { return {*this, 0}; }
  IndexedIterator<FrameVectorView> end() const { return {*this, size_}; }

 private:
  friend class FrameVector;
  // Base: what is added to every value of the block. Start: its first bit. All three are what the image says, so a start is
  // clamped before it is used.
  struct Frame {
    std::uint64_t base, start;
    unsigned width;
  };
  Frame FrameOf(std::uint64_t block) const {
    const std::uint64_t at = block * (base_width_ + start_width_ + kWidthBits);
    return {least_ + ReadBits(frames_, at, base_width_), ReadBits(frames_, at + base_width_, start_width_) << block_shift_,
            std::min(StoredWidth(block), 64u)};
  }
  unsigned StoredWidth(std::uint64_t block) const {
    const std::uint64_t bits = base_width_ + start_width_ + kWidthBits;
    return static_cast<unsigned>(ReadBits(frames_, (block + 1) * bits - kWidthBits, kWidthBits));
  }
  static constexpr unsigned kWidthBits = 7;

  std::span<const std::byte> image_;
  const std::byte* frames_ = nullptr;  // a block: base - least, sum of the widths in front, width
  const std::byte* values_ = nullptr;
  std::uint64_t size_ = 0;
  std::uint64_t last_ = 0;  // index of the last value, or 0
  std::uint64_t least_ = 0;
  std::uint64_t value_bits_ = 0;
  unsigned block_shift_ = 0;
  unsigned base_width_ = 0;
  unsigned start_width_ = 0;
};

// Integers in blocks, each block at the width of its own range: for values that change slowly, and for those that are far
// from 0 or negative.
//
//   const FrameVector heights = FrameVector::From(values);     // std::span<const std::int64_t>
//   static_cast<std::int64_t>(heights[7]);
//
// Space    for every block its range's bits a value, and about 40 bits; the block size, 32 values to all, that makes this
//          smallest is found by trying. One block for all: width of the range + header
// Time     get O(1), one cache line more than PackedVector; Decode a fraction of a ns a value
// Threads  const methods are safe together
// Paper    Goldstein, Ramakrishnan, Shaft 1998 (frame of reference)
class FrameVector : public Owner<FrameVectorView> {
 public:
  static FrameVector From(std::span<const std::uint64_t> values);
  // Read back with static_cast<std::int64_t>.
  static FrameVector From(std::span<const std::int64_t> values);
  // In place. Returns kInvalidArgument if the buffer is too small.
  static absl::StatusOr<FrameVector> Make(std::span<const std::uint64_t> values, Buffer buffer);
  static absl::StatusOr<FrameVector> Make(std::span<const std::int64_t> values, Buffer buffer);
  static absl::StatusOr<FrameVector> Open(Buffer buffer);
  static std::uint64_t ImageBytes(std::span<const std::uint64_t> values);
  static std::uint64_t ImageBytes(std::span<const std::int64_t> values);

  Stats stats() const { return {.live_bytes = image().size(), .peak_bytes = buffer().size()}; }

 private:
  FrameVector(FrameVectorView view, Buffer buffer) : Owner(view, std::move(buffer)) {}
};

}  // namespace thimble
