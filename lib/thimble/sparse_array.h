#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <span>
#include <utility>
#include <vector>

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include "thimble/buffer.h"
#include "thimble/image.h"
#include "thimble/owner.h"
#include "thimble/sparse_tree.h"
#include "thimble/sparse_value.h"

namespace thimble {

// Reads a SparseArray, mutable or packed.
template <SparseValue T>
class SparseArrayView : public SparseTreeView {
 public:
  static constexpr Kind kKind = Kind::kSparseArray;

  // Returns kInvalidArgument if its values are wider than a T; else as ImageHeader::Read does.
  static absl::StatusOr<SparseArrayView> Open(std::span<const std::byte> image) {
    const absl::StatusOr<SparseTreeView> tree = OpenTree(image, kKind);
    if (!tree.ok()) return tree.status();
    if (tree->value_bits() == 0) return absl::DataLossError("sparse array: it holds no values");
    if (tree->value_bits() > 8 * sizeof(T)) return absl::InvalidArgumentError("sparse array: its values are wider than the type");
    SparseArrayView view;
    static_cast<SparseTreeView&>(view) = *tree;
    view.default_ = view.FromBits(Load<std::uint64_t>(image.data() + 48 + kDefaultValue * std::size_t{8}));
    return view;
  }
  absl::Status Verify() const { return VerifyTree(); }

  // The value at an index: the default value where none was set.
  T operator[](std::uint64_t index) const {
    const Got got = Get(index);
    return got.found ? FromBits(got.value) : default_;
  }
  // The values at many indices, in less time than one by one. Requires: room for as many.
  void GetMany(std::span<const std::uint64_t> indices, std::span<T> values) const {
    std::array<Got, 64> got;
    for (std::size_t from = 0; from < indices.size(); from += got.size()) {
      const auto some = indices.subspan(from, std::min(got.size(), indices.size() - from));
      SparseTreeView::GetMany(some, got.data());
      for (std::size_t i = 0; i < some.size(); ++i) values[from + i] = got[i].found ? FromBits(got[i].value) : default_;
    }
  }
  T default_value() const { return default_; }
  bool Contains(std::uint64_t index) const { return HasKey(index); }
  // How many values are set below the index.
  std::uint64_t Rank(std::uint64_t index) const { return Find(index).rank; }

  struct Element {
    std::uint64_t index;
    T value;
  };
  // The i-th element that is set, in order of indices. Requires: i < size().
  Element Select(std::uint64_t i) const {
    const Entry entry = At(i);
    return {entry.key, FromBits(entry.value)};
  }

  // Ascends over the elements that are set.
  class Iterator {
   public:
    using iterator_category = std::input_iterator_tag;
    using value_type = Element;
    using difference_type = std::ptrdiff_t;
    using pointer = const Element*;
    using reference = Element;

    Element operator*() const { return {keys_[at_], view_.FromBits(values_[at_])}; }
    Iterator& operator++() {
      ++rank_;
      if (++at_ == filled_) Fill();
      return *this;
    }
    bool operator==(const Iterator& other) const { return rank_ == other.rank_; }

   private:
    friend class SparseArrayView;
    Iterator(const SparseArrayView& view, std::uint64_t rank) : view_(view), rank_(rank) { Fill(); }
    void Fill() {
      at_ = 0;
      filled_ = view_.Copy(rank_, keys_, values_.data());
      if (filled_ == 0) rank_ = view_.size();
    }

    SparseArrayView view_;
    std::uint64_t rank_;
    std::size_t at_ = 0, filled_ = 0;
    std::array<std::uint64_t, 32> keys_, values_;
  };
  Iterator begin() const { return Iterator(*this, 0); }
  Iterator end() const { return Iterator(*this, size()); }

  // The value that stored bits stand for.
  T FromBits(std::uint64_t bits) const { return SparseValueOf<T>(bits, value_bits()); }

 private:
  T default_{};
};

// What does not depend on the type of the values.
class SparseArrayStore {
 public:
  struct Pair {
    std::uint64_t index, bits;
  };
  static std::uint64_t ImageBytes(std::uint64_t page_bytes);
  static absl::Status WriteEmpty(std::uint64_t page_bytes, unsigned value_bits, std::uint64_t default_bits, Buffer& buffer);
  static absl::StatusOr<bool> Set(SparseTreeView& view, Buffer& buffer, std::uint64_t index, std::uint64_t bits);
  static absl::StatusOr<bool> Erase(SparseTreeView& view, Buffer& buffer, std::uint64_t index);
  static absl::StatusOr<Buffer> Rebuild(const SparseTreeView& view, bool packed, Buffer into);
  // Sorts the pairs and sets them; of those with one index the last counts.
  static absl::Status SetAll(SparseTreeView& view, Buffer& buffer, std::vector<Pair>& pairs, std::uint64_t default_bits);
  static Stats StatsOf(const SparseTreeView& view, const Buffer& buffer);
};

// What SparseArray::Packed makes: as small as the array gets, and read only.
template <SparseValue T>
class PackedSparseArray : public Owner<SparseArrayView<T>> {
 public:
  // Takes over an image, through Verify.
  static absl::StatusOr<PackedSparseArray> Open(Buffer buffer) {
    const absl::StatusOr<SparseArrayView<T>> view = SparseArrayView<T>::Open(buffer.bytes());
    if (!view.ok()) return view.status();
    if (!view->packed()) return absl::FailedPreconditionError("sparse array: the image is of the mutable form");
    if (absl::Status right = view->Verify(); !right.ok()) return right;
    return PackedSparseArray(*view, std::move(buffer));
  }
  Stats stats() const { return {.live_bytes = this->image().size(), .peak_bytes = this->image().size()}; }

 private:
  template <SparseValue U>
  friend class SparseArray;
  PackedSparseArray(const SparseArrayView<T>& view, Buffer buffer) : Owner<SparseArrayView<T>>(view, std::move(buffer)) {}
};

// An array over all 64-bit indices of which few are set: an index costs what an element of a SparseSet costs, a value its bits.
//
//   SparseArray<std::uint32_t> degree({.value_bits = 20});
//   degree.Set(page, 17);
//   degree[page];                            // 17; 0 where nothing was set
//   for (const auto [index, value] : degree) ...
//
// A B+-tree of coded leaves (see sparse_tree.h): the low bits of an index lie beside its value.
//
// Space    n (value bits + log2(u / n) + 3.5) bits, and 6 to 10 % more; packed less than 1 % more
// Error    exact
// Time     as SparseSet: O(log n) page visits, and a shift within a page to set; GetMany in a third of the time of one by one
// Threads  const methods are safe together; writers need exclusion
// Errors   Set returns kOutOfRange if a value does not fit in value_bits, and what Buffer::Grow returns; nothing changed then
// Paper    as SparseSet
template <SparseValue T>
class SparseArray : public Owner<SparseArrayView<T>> {
  using View = SparseArrayView<T>;
  using Base = Owner<View>;

 public:
  struct Options {
    unsigned value_bits = 8 * sizeof(T);  // 1 to 8 * sizeof(T); fewer for integers that fit
    T default_value{};
    std::uint64_t page_bytes = 2048;  // a power of two, 512 to 65536
  };

  SparseArray() : SparseArray(Options{}) {}
  explicit SparseArray(const Options& options) : SparseArray(*Make(options)) {}
  static absl::StatusOr<SparseArray> Make(const Options& options) { return Make(options, Buffer::Heap(ImageBytes(options))); }
  // Builds in place. Requires: the buffer is zeroed.
  static absl::StatusOr<SparseArray> Make(const Options& options, Buffer buffer) {
    if (options.value_bits < 1 || options.value_bits > 8 * sizeof(T)) return absl::InvalidArgumentError("sparse array: bad value_bits");
    if (absl::Status made = SparseArrayStore::WriteEmpty(options.page_bytes, options.value_bits, SparseBits(options.default_value), buffer); !made.ok()) return made;
    return Adopt(std::move(buffer));
  }
  static std::uint64_t ImageBytes(const Options& options) { return SparseArrayStore::ImageBytes(options.page_bytes); }
  // Takes over an image, through Verify. A packed one is copied into the mutable form.
  static absl::StatusOr<SparseArray> Open(Buffer buffer) {
    const absl::StatusOr<View> view = View::Open(buffer.bytes());
    if (!view.ok()) return view.status();
    if (absl::Status right = view->Verify(); !right.ok()) return right;
    if (view->packed()) return Copy(*view);
    return SparseArray(*view, std::move(buffer));
  }
  // A mutable copy of either form.
  static absl::StatusOr<SparseArray> Copy(const View& from) {
    absl::StatusOr<Buffer> buffer = SparseArrayStore::Rebuild(from, false, Buffer::Heap(1 << 14));
    if (!buffer.ok()) return buffer.status();
    return Adopt(*std::move(buffer));
  }

  // Sets a value; the default value unsets it. Views of this array end here.
  absl::Status Set(std::uint64_t index, const T& value) {
    if (value == this->default_value()) return Erase(index).status();
    if (!SparseValueFits(value, this->value_bits())) return absl::OutOfRangeError("sparse array: the value does not fit");
    return SparseArrayStore::Set(*this, this->buffer(), index, SparseBits(value)).status();
  }
  // Unsets a value; returns whether it was set. Views of this array end here.
  absl::StatusOr<bool> Erase(std::uint64_t index) { return SparseArrayStore::Erase(*this, this->buffer(), index); }

  PackedSparseArray<T> Packed() const { return *Pack(*this, Buffer::Heap(1 << 14)); }
  // The packed form of an array in a buffer that may have to grow.
  static absl::StatusOr<PackedSparseArray<T>> Pack(const View& from, Buffer into) {
    absl::StatusOr<Buffer> buffer = SparseArrayStore::Rebuild(from, true, std::move(into));
    if (!buffer.ok()) return buffer.status();
    const absl::StatusOr<View> view = View::Open(buffer->bytes());
    if (!view.ok()) return view.status();
    return PackedSparseArray<T>(*view, *std::move(buffer));
  }
  Stats stats() const { return SparseArrayStore::StatsOf(*this, this->buffer()); }

  // Builds an array from pairs in any order, of which it keeps `memory_bytes` at a time beside the array. Of the values
  // given to one index the last counts.
  class Builder {
   public:
    explicit Builder(const Options& options, std::size_t memory_bytes = std::size_t{16} << 20)
        : array_(options), most_(memory_bytes / sizeof(SparseArrayStore::Pair) + 1) {}

    // Returns kOutOfRange if the value does not fit, and what Set returns.
    absl::Status Add(std::uint64_t index, const T& value) {
      if (!SparseValueFits(value, array_.value_bits())) return absl::OutOfRangeError("sparse array: the value does not fit");
      pairs_.push_back({index, SparseBits(value)});
      return pairs_.size() < most_ ? absl::OkStatus() : Flush();
    }
    absl::StatusOr<SparseArray> Finish() {
      if (absl::Status done = Flush(); !done.ok()) return done;
      return std::move(array_);
    }

   private:
    absl::Status Flush() {
      absl::Status done = SparseArrayStore::SetAll(array_, array_.buffer(), pairs_, SparseBits(array_.default_value()));
      pairs_.clear();
      return done;
    }

    SparseArray array_;
    std::size_t most_;
    std::vector<SparseArrayStore::Pair> pairs_;
  };

 private:
  SparseArray(const View& view, Buffer buffer) : Base(view, std::move(buffer)) {}
  static absl::StatusOr<SparseArray> Adopt(Buffer buffer) {
    const absl::StatusOr<View> view = View::Open(buffer.bytes());
    if (!view.ok()) return view.status();
    return SparseArray(*view, std::move(buffer));
  }
};

}  // namespace thimble
