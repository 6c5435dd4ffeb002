#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include "thimble/buffer.h"
#include "thimble/owner.h"
#include "thimble/sparse_array_view.h"
#include "thimble/sparse_tree.h"
#include "thimble/sparse_value.h"

namespace thimble {

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
  static absl::StatusOr<Buffer> Rebuild(const SparsePairsView& view, bool packed, Buffer into);
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
// A B+-tree of coded leaves (see sparse_tree.h): the low bits of an index lie beside its value. The packed form is another one
// or, where indices are spread so evenly that it is at most 1/32 larger, a table (see sparse_table.h).
//
// Space    n (value bits + log2(u / n) + 3.5) bits, and 6 to 10 % more; packed about 1 % more
// Error    exact
// Time     as SparseSet: O(log n) page visits, and a shift within a page to set; GetMany in a third of the time of one by one.
//          A table gets in O(1), in half of a tree's time; GetMany halves that again
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
    if (absl::Status made = SparseArrayStore::WriteEmpty(options.page_bytes, options.value_bits, SparseExtendedBits(options.default_value), buffer); !made.ok()) return made;
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
    if (SparseSame(value, this->default_value())) return Erase(index).status();
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
      const bool unsets = SparseSame(value, array_.default_value());
      if (!unsets && !SparseValueFits(value, array_.value_bits())) return absl::OutOfRangeError("sparse array: the value does not fit");
      pairs_.push_back({index, SparseBits(unsets ? array_.default_value() : value)});
      return pairs_.size() < most_ ? absl::OkStatus() : Flush();
    }
    absl::StatusOr<SparseArray> Finish() && {
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
