#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "thimble/image.h"
#include "thimble/owner.h"

namespace thimble {

// The read side of a BitVector.
class BitVectorView {
 public:
  static constexpr Kind kKind = Kind::kBitVector;

  // Holds nothing: to be assigned to.
  BitVectorView() = default;
  static absl::StatusOr<BitVectorView> Open(std::span<const std::byte> image);
  // Returns kDataLoss if an index entry, the number of ones, or the padding is not what the bits say.
  absl::Status Verify() const;
  std::span<const std::byte> image() const { return image_; }

  std::uint64_t size() const { return size_; }
  std::uint64_t ones() const { return ones_; }
  std::uint64_t zeros() const { return size_ - ones_; }

  // Requires: i < size().
  bool operator[](std::uint64_t i) const {
    i = std::min(i, size_);
    return (Load<std::uint8_t>(bits_ + i / 8) >> (i % 8) & 1) != 0;
  }

  // Ones (zeros) in front of bit i. Requires: i <= size().
  std::uint64_t Rank1(std::uint64_t i) const;
  std::uint64_t Rank0(std::uint64_t i) const { return std::min(i, size_) - Rank1(i); }

  // Place of the one (zero) that has k ones (zeros) in front. Requires: k < ones() (zeros()); otherwise some place.
  std::uint64_t Select1(std::uint64_t k) const;
  std::uint64_t Select0(std::uint64_t k) const;

  // First place from `i` on that holds a one, or size().
  std::uint64_t NextOne(std::uint64_t i) const;

  // Bits 64 i to 64 i + 63; those behind the last bit are 0. Requires: i <= size() / 64.
  std::uint64_t Word(std::uint64_t i) const { return Load<std::uint64_t>(bits_ + std::min(i, size_ / 64) * 8); }

 private:
  friend class BitVector;
  template <bool kOne>
  std::uint64_t Select(std::uint64_t k) const;

  std::span<const std::byte> image_;
  const std::byte* bits_ = nullptr;     // lines of 512 bits
  const std::byte* counts_ = nullptr;   // an entry of 128 bits a block of 8 lines
  const std::byte* samples_ = nullptr;  // u32: block of every 8192nd one, then of every 8192nd zero
  std::uint64_t size_ = 0;
  std::uint64_t ones_ = 0;
};

// Bits that count themselves: how many ones stand in front of a place, and where the k-th one stands.
//
//   BitVector::Builder builder(1000);
//   builder.Set(17);
//   const BitVector bits = *std::move(builder).Finish();
//   bits.Rank1(500), bits.Select1(0);
//
// Space    1 bit a bit + 3.52 % for both indexes (0.125 bits of counts and sub-counts a block of 4096, 32 bits a 8192 ones and
//          a 8192 zeros) + header; up to 2^44 bits
// Time     Rank O(1): one cache line of counts beside the line of the bit; Select O(log n) at worst, two lines more as a rule
// Threads  const methods are safe together
// Paper    Zhou, Andersen, Kaminsky 2013 (cs-poppy); Kurpicz 2022 (flat layout of the counts)
class BitVector : public Owner<BitVectorView> {
 public:
  class Builder;

  static absl::StatusOr<BitVector> Open(Buffer buffer);
  // Of a vector of `size` bits. Returns ImageLayout::kTooLarge beyond 2^44.
  static std::uint64_t ImageBytes(std::uint64_t size);

  Stats stats() const { return {.live_bytes = image().size(), .peak_bytes = buffer().size()}; }

 private:
  BitVector(BitVectorView view, Buffer buffer) : Owner(view, std::move(buffer)) {}
};

// Collects the bits, all zero at first, where they will stay; Finish counts them.
class BitVector::Builder {
 public:
  Builder() = default;
  // Requires: size <= 2^44.
  explicit Builder(std::uint64_t size);
  // In place. Requires: `buffer` holds ImageBytes(size) zero bytes.
  Builder(std::uint64_t size, Buffer buffer);

  // Requires: i < size.
  void Set(std::uint64_t i) {
    if (i >= size_) return;
    std::byte* at = bits_ + i / 8;
    *at |= std::byte{1} << (i % 8);
  }

  // Returns kInvalidArgument if there are too many bits or the buffer is too small.
  absl::StatusOr<BitVector> Finish() &&;

 private:
  Buffer buffer_;
  std::uint64_t size_ = 0;
  std::byte* bits_ = nullptr;
};

}  // namespace thimble
