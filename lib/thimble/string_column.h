#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "thimble/packed_vector.h"
#include "thimble/string_dictionary.h"
#include "thimble/string_pool.h"
#include "thimble/string_store.h"

namespace thimble {

// The read side of a StringColumn.
class StringColumnView {
 public:
  static constexpr Kind kKind = Kind::kStringColumn;

  // Holds nothing: to be assigned to.
  StringColumnView() = default;
  static absl::StatusOr<StringColumnView> Open(std::span<const std::byte> image);
  // Returns kDataLoss if a row has no string, or the parts are damaged.
  absl::Status Verify() const;
  std::span<const std::byte> image() const { return image_; }

  std::uint64_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  // True if rows are codes, the ranks of their strings; false if each row keeps its own.
  bool coded() const { return coded_; }

  // The string of row i, in a buffer that may be reused. Requires: i < size().
  std::string_view Get(std::uint64_t i, std::string& buffer) const {
    return coded_ ? strings_.Get(codes_[i], buffer) : rows_.Get(i, buffer);
  }
  std::string operator[](std::uint64_t i) const;

  // The different strings, the rank of a row's, and that of a string: rows with equal strings have equal codes, and codes
  // compare as their strings do. Requires: coded().
  const StringDictionaryView& strings() const { return strings_; }
  const PackedVectorView& codes() const { return codes_; }
  std::optional<std::uint64_t> CodeOf(std::string_view string) const { return strings_.Find(string); }

 private:
  std::span<const std::byte> image_;
  std::uint64_t size_ = 0;
  bool coded_ = false;
  PackedVectorView codes_;
  StringDictionaryView strings_;
  StringStoreView rows_;
};

// A column of a table: strings by row, of which many are equal.
//
//   StringColumn::Builder builder;
//   for (std::string_view origin : flights) {
//     if (absl::Status added = builder.Add(origin); !added.ok()) return added;
//   }
//   const StringColumn column = *std::move(builder).Finish();
//   column.coded() && column.codes()[7] == column.CodeOf("SFO");
//
// Each row is the rank of its string among the different ones, in as few bits as that takes; or, where that is not
// smaller, a column is a StringStore. Both are tried, unless it is plain which is smaller.
//
// Space    log2(different strings) bits a row, rounded up, + a StringDictionary of them      224 airports: 1 B a row
// Time     Get one cache miss more than StringDictionary's; a code 2 ns
// Threads  const methods are safe together
class StringColumn : public Owner<StringColumnView> {
 public:
  class Builder;

  static absl::StatusOr<StringColumn> Open(Buffer buffer);

  Stats stats() const { return {.live_bytes = image().size(), .peak_bytes = buffer().size()}; }

 private:
  StringColumn(StringColumnView view, Buffer buffer) : Owner(view, std::move(buffer)) {}
};

// Holds each different string once, and 4 bytes a row.
class StringColumn::Builder {
 public:
  Builder();

  // Returns kInvalidArgument for a string above 16 MiB, kResourceExhausted from 2^32 different strings on.
  absl::Status Add(std::string_view string);
  std::uint64_t size() const { return rows_.size(); }

  absl::StatusOr<StringColumn> Finish() &&;
  absl::StatusOr<StringColumn> Finish(Buffer buffer) &&;

 private:
  StringPool pool_;
  PackedVector rows_;  // ids in the pool
};

}  // namespace thimble
