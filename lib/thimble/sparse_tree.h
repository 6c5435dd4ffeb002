#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include "thimble/image.h"
#include "thimble/owner.h"

namespace thimble {

// What SparseSet, SparseArray and SparseMatrix have in common: a B+-tree of 64-bit keys whose leaves are coded, and whose inner
// nodes count what lies below them. Read it through those classes; it is here because they inherit it.
//
// The image is a header of 128 bytes and pages of one size. A leaf is one page, so nothing has to be found room for: it
// takes keys in place until it is full; then its neighbours are coded anew together with it and share the room that they
// have, or one page more. An inner node holds `count` of at most `capacity` children in three arrays:
//
//   0 u16 count, u16 capacity, u32 0     16 u64 first key [capacity]     u64 keys up to and with child [capacity]
//   8 u64 slope                                                          u32 page [capacity]
//
// The slope is 2^64 (count - 7) / (last first key - first): a key so much above the first is likely to belong to one of the 8
// children from slope / 2^64 times that on.
//
// A page's number is its offset behind the header in units of a page. Unused pages are chained by their first four bytes.
//
// The packed form is the same without room: leaves and nodes use what they need, up to a page, and stand densely in units of
// 8 bytes, the root last.
class SparseTreeView {
 public:
  std::uint64_t size() const { return count_; }
  bool empty() const { return count_ == 0; }
  // Whether this is the packed form, which is read only.
  bool packed() const { return unit_bytes_ != page_bytes_; }
  std::span<const std::byte> image() const { return {data_, static_cast<std::size_t>(image_bytes_)}; }

  struct Place {
    std::uint64_t rank;  // keys below the one looked for
    bool found;
    std::uint64_t value;  // its value, 0 if it was not found or there are no values
  };
  struct Entry {
    std::uint64_t key, value;
  };

  struct Got {
    bool found;
    std::uint64_t value;
  };

  bool HasKey(std::uint64_t key) const;
  // A key's value. Requires: a tree with values.
  Got Get(std::uint64_t key) const;
  // The same of many keys, whose ways to memory overlap. Requires: room for as many.
  void GetMany(std::span<const std::uint64_t> keys, Got* out) const;
  Place Find(std::uint64_t key) const;
  // The rank-th entry in order. Requires: rank < size(); any other gives some entry.
  Entry At(std::uint64_t rank) const;
  // Copies the keys from rank on, and their values if `values` is not null; returns how many, at most one leaf's. 0 at the end.
  std::size_t Copy(std::uint64_t rank, std::span<std::uint64_t> keys, std::uint64_t* values = nullptr) const;

  unsigned value_bits() const { return value_bits_; }
  std::uint64_t page_bytes() const { return page_bytes_; }
  static constexpr std::uint64_t kPackedUnitBytes = 8;

  static constexpr std::size_t kHeaderBytes = 128;
  static constexpr unsigned kMaxHeight = 12;
  // Parameters in the header.
  enum Parameter { kPageBytes, kUnitBytes, kValueBits, kHeight, kRoot, kPages, kFirstFree, kFreePages, kDefaultValue };

  SparseTreeView() = default;  // empty

 protected:
  static absl::StatusOr<SparseTreeView> OpenTree(std::span<const std::byte> image, Kind kind);
  // Stands for the tree of an image that holds its keys otherwise, packed: knows how many there are, and finds none.
  static SparseTreeView NoTree(std::span<const std::byte> image, const ImageHeader& header);
  absl::Status VerifyTree() const;

 private:
  friend class SparseTreeEditor;
  friend class SparseTreeGet;
  friend class SparseTreeQueries;
  friend class SparseTreeWalk;

  // A leaf's page.
  struct LeafPage {
    const std::byte* page;
    std::size_t bytes;
    std::uint64_t rank;  // of its first key
  };

  struct Page {
    const std::byte* data;
    std::size_t bytes;
  };
  Page PageAt(std::uint64_t page) const;

  const std::byte* data_ = nullptr;
  std::uint64_t image_bytes_ = 0;
  std::uint64_t count_ = 0;
  std::uint64_t pages_ = 0;  // units
  std::uint64_t root_ = 0;
  std::uint32_t page_bytes_ = 0, unit_bytes_ = 0;
  std::uint8_t height_ = 0;  // levels of inner nodes
  std::uint8_t value_bits_ = 0;
  bool avx2_ = false;
};

}  // namespace thimble
