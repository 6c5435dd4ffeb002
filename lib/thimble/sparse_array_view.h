#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <span>

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include "thimble/image.h"
#include "thimble/sparse_table.h"
#include "thimble/sparse_tree.h"
#include "thimble/sparse_value.h"

namespace thimble {

// Keys with values: a tree, or packed perhaps a table. What SparseArrayView reads, whatever the type of its values.
class SparsePairsView : public SparseTreeView {
 public:
  bool HasKey(std::uint64_t key) const { return table_ ? table_.Get(key).found : SparseTreeView::HasKey(key); }
  Got Get(std::uint64_t key) const { return table_ ? table_.Get(key) : SparseTreeView::Get(key); }
  void GetMany(std::span<const std::uint64_t> keys, Got* out) const { table_ ? table_.GetMany(keys, out) : SparseTreeView::GetMany(keys, out); }
  Place Find(std::uint64_t key) const { return table_ ? table_.Find(key) : SparseTreeView::Find(key); }
  Entry At(std::uint64_t rank) const { return table_ ? table_.At(rank) : SparseTreeView::At(rank); }
  std::size_t Copy(std::uint64_t rank, std::span<std::uint64_t> keys, std::uint64_t* values = nullptr) const {
    return table_ ? table_.Copy(rank, keys, values) : SparseTreeView::Copy(rank, keys, values);
  }
  // Whether it is a table.
  bool is_table() const { return static_cast<bool>(table_); }
  // What stands where nothing was set, as bits.
  std::uint64_t default_bits() const { return Load<std::uint64_t>(image().data() + 48 + kDefaultValue * std::size_t{8}); }

 protected:
  static absl::StatusOr<SparsePairsView> OpenPairs(std::span<const std::byte> image);
  absl::Status VerifyPairs() const { return table_ ? table_.Verify() : VerifyTree(); }
  const SparseTableView& table() const { return table_; }

 private:
  SparseTableView table_;
};

// Reads a SparseArray, mutable or packed.
template <SparseValue T>
class SparseArrayView : public SparsePairsView {
 public:
  static constexpr Kind kKind = Kind::kSparseArray;

  // Returns kInvalidArgument if its values are wider than a T; else as ImageHeader::Read does.
  static absl::StatusOr<SparseArrayView> Open(std::span<const std::byte> image) {
    const absl::StatusOr<SparsePairsView> pairs = OpenPairs(image);
    if (!pairs.ok()) return pairs.status();
    if (pairs->value_bits() == 0) return absl::DataLossError("sparse array: it holds no values");
    if (pairs->value_bits() > 8 * sizeof(T)) return absl::InvalidArgumentError("sparse array: its values are wider than the type");
    SparseArrayView view;
    static_cast<SparsePairsView&>(view) = *pairs;
    view.default_ = SparseValueOf<T>(view.default_bits(), 8 * sizeof(T));  // which need not be as narrow as the values are
    view.from_table_ = view.is_table() && SparseValueFits(view.default_, view.value_bits());
    return view;
  }
  absl::Status Verify() const { return VerifyPairs(); }

  // The value at an index: the default value where none was set.
  T operator[](std::uint64_t index) const {
    if (from_table_) return FromBits(table().BitsAt(index));
    const Got got = Get(index);
    return got.found ? FromBits(got.value) : default_;
  }
  // The values at many indices, in less time than one by one. Requires: room for as many.
  void GetMany(std::span<const std::uint64_t> indices, std::span<T> values) const {
    std::array<Got, 64> got;
    for (std::size_t from = 0; from < indices.size(); from += got.size()) {
      const auto some = indices.subspan(from, std::min(got.size(), indices.size() - from));
      SparsePairsView::GetMany(some, got.data());
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

    Iterator() = default;
    Element operator*() const { return {keys_[at_], view_.FromBits(values_[at_])}; }
    Iterator& operator++() {
      ++rank_;
      if (++at_ == filled_) Fill();
      return *this;
    }
    Iterator operator++(int) {
      Iterator before = *this;
      ++*this;
      return before;
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
    std::uint64_t rank_ = 0;
    std::size_t at_ = 0, filled_ = 0;
    std::array<std::uint64_t, 32> keys_, values_;
  };
  Iterator begin() const { return Iterator(*this, 0); }
  Iterator end() const { return Iterator(*this, size()); }

  // The value that stored bits stand for.
  T FromBits(std::uint64_t bits) const { return SparseValueOf<T>(bits, value_bits()); }

 private:
  T default_{};
  bool from_table_ = false;  // where a value of so many bits is the default value too
};

}  // namespace thimble
