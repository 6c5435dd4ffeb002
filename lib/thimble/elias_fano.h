#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <span>
#include <utility>

#include "thimble/bit_vector.h"
#include "thimble/bits.h"
#include "thimble/image.h"
#include "thimble/owner.h"

namespace thimble {

// The read side of an EliasFano.
class EliasFanoView {
 public:
  static constexpr Kind kKind = Kind::kEliasFano;
  using value_type = std::uint64_t;
  class Iterator;

  // Holds nothing: to be assigned to.
  EliasFanoView() = default;
  static absl::StatusOr<EliasFanoView> Open(std::span<const std::byte> image);
  // Returns kDataLoss if the values do not ascend, exceed max(), or lie about themselves.
  absl::Status Verify() const;
  std::span<const std::byte> image() const { return image_; }

  std::uint64_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  // The bound that it was made for: no value is larger.
  std::uint64_t max() const { return max_; }

  // Requires: i < size().
  std::uint64_t operator[](std::uint64_t i) const;
  // Values i and i + 1, for little more than one: where a string begins and ends. Requires: i + 1 < size().
  std::pair<std::uint64_t, std::uint64_t> Pair(std::uint64_t i) const;

  // Index of the first value that is not below x, or size(): how many values are below x.
  std::uint64_t LowerBound(std::uint64_t x) const;

  // Copies out.size() values from index `first` on. Requires: first + out.size() <= size(); what lies behind is left.
  void Decode(std::uint64_t first, std::span<std::uint64_t> out) const;

  Iterator begin() const;
  Iterator end() const;

 private:
  friend class EliasFano;
  std::uint64_t Low(std::uint64_t i) const { return ReadBits(low_.data(), i * low_width_, low_width_); }
  std::uint64_t Value(std::uint64_t i, std::uint64_t place) const { return (place - i) << low_width_ | Low(i); }

  std::span<const std::byte> image_;
  std::span<const std::byte> low_;  // low bits of every value
  unsigned low_width_ = 0;          // 0 to 63
  BitVectorView high_;              // value i puts a one at (value >> low_width) + i
  std::uint64_t size_ = 0;
  std::uint64_t max_ = 0;
};

// Values in order, each in a few instructions. It holds a copy of the view.
class EliasFanoView::Iterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = std::uint64_t;
  using difference_type = std::ptrdiff_t;
  using reference = value_type;
  using pointer = void;

  Iterator() = default;

  std::uint64_t operator*() const { return view_.Value(index_, place_); }
  std::uint64_t index() const { return index_; }
  Iterator& operator++() {
    if (++index_ < view_.size_) place_ = view_.high_.NextOne(place_ + 1);
    return *this;
  }
  Iterator operator++(int) {
    Iterator old = *this;
    ++*this;
    return old;
  }
  friend bool operator==(const Iterator& a, const Iterator& b) { return a.index_ == b.index_; }

 private:
  friend class EliasFanoView;
  Iterator(const EliasFanoView& view, std::uint64_t index, std::uint64_t place) : view_(view), index_(index), place_(place) {}

  EliasFanoView view_;
  std::uint64_t index_ = 0;
  std::uint64_t place_ = 0;  // of the value's one
};

inline EliasFanoView::Iterator EliasFanoView::begin() const { return {*this, 0, high_.NextOne(0)}; }
inline EliasFanoView::Iterator EliasFanoView::end() const { return {*this, size_, 0}; }

// An ascending sequence of n integers up to m, close to the log2 of how many such sequences there are.
//
//   EliasFano::Builder builder({.size = 2, .max = 1000});
//   builder.Add(17);
//   builder.Add(1000);
//   const EliasFano offsets = *std::move(builder).Finish();
//   offsets[1], offsets.LowerBound(18);
//
// Space    n (2 + log2(m / n)) bits at most, + 3.52 % of 2 to 3 n for select, + headers; equal values are allowed
// Time     get O(log n) at worst, one select as a rule; LowerBound O(log n); iteration and Decode O(1) a value
// Threads  const methods are safe together
// Paper    Elias 1974; Fano 1971; Vigna 2013, arXiv:1206.4300
class EliasFano : public Owner<EliasFanoView> {
 public:
  struct Options {
    std::uint64_t size = 0;  // values to be added
    std::uint64_t max = 0;   // none is larger
  };
  class Builder;

  // Returns kInvalidArgument if the values do not ascend.
  static absl::StatusOr<EliasFano> From(std::span<const std::uint64_t> values);
  static absl::StatusOr<EliasFano> Open(Buffer buffer);
  static std::uint64_t ImageBytes(const Options& options);

  Stats stats() const { return {.live_bytes = image().size(), .peak_bytes = buffer().size()}; }

 private:
  EliasFano(EliasFanoView view, Buffer buffer) : Owner(view, std::move(buffer)) {}
};

// Writes each value where it will stay.
class EliasFano::Builder {
 public:
  explicit Builder(const Options& options);
  // In place. Requires: `buffer` is zero, and holds ImageBytes(options).
  Builder(const Options& options, Buffer buffer);

  // Requires: at most options.size values, ascending, at most options.max.
  void Add(std::uint64_t value);
  // Returns kInvalidArgument if Add's or the constructor's requirements were broken, or values are missing.
  absl::StatusOr<EliasFano> Finish() &&;

 private:
  Options options_;
  Buffer buffer_;
  std::byte* low_ = nullptr;
  unsigned low_width_ = 0;
  BitVector::Builder high_;
  std::uint64_t count_ = 0;
  std::uint64_t previous_ = 0;
  bool broken_ = false;
};

}  // namespace thimble
