#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include "thimble/image.h"
#include "thimble/sparse_tree.h"

namespace thimble {

// The packed form of a SparseArray whose indices are spread evenly: a value is found by arithmetic, without a tree. Read it
// through that class; it is here because views hold it.
//
// What a key lies above the first one is the number of a bucket and `low_bits` low bits, chosen so that a bucket holds 2.5 to 5
// keys. The entries of all buckets stand in order: a byte of each (the upper 8 of its low bits), then a record of each (its
// other low bits, then the value). 16 buckets are a cell of 12 bytes:
//
//   0 u32 entries in front of it      4 u64 entries in each bucket, 4 bits each, the first one's lowest
//
// A cell with a bucket of 15 or more is crowded: it says 15 of every bucket, and is listed:
//
//   0 u32 cell                        4 u16 start[16]: entries of the cell in front of each bucket
//
// The image is a header of 128 bytes, the cells, the crowded ones, the bytes and 8 more, the records; each begins at a multiple
// of 8. A lookup waits for the cell, which the cache is likely to have, and then for byte and record at once.
//
// Space    n (low bits + value bits + 6 / k) bits with k keys a bucket: 2.5 to 5 are log2(u / n) + 2.5 to 3.9 for the indices
// Time     Get, Find O(1); At a search from where the rank is guessed to be
class SparseTableView {
 public:
  using Entry = SparseTreeView::Entry;
  using Got = SparseTreeView::Got;
  using Place = SparseTreeView::Place;

  SparseTableView() = default;
  // Whether the image of a SparseArray holds a table. Requires: it has a header of 128 bytes.
  static bool IsIn(const ImageHeader& header) { return header.parameters[kLowBits] != 0; }
  static absl::StatusOr<SparseTableView> Open(std::span<const std::byte> image, const ImageHeader& header);
  absl::Status Verify() const;

  // Whether there is a table.
  explicit operator bool() const { return cells_ > 0; }

  // As those of SparseTreeView.
  Got Get(std::uint64_t key) const;
  void GetMany(std::span<const std::uint64_t> keys, Got* out) const;
  // A key's value, or the bits of the default value that as many hold.
  std::uint64_t BitsAt(std::uint64_t key) const;
  Place Find(std::uint64_t key) const;
  Entry At(std::uint64_t rank) const;
  std::size_t Copy(std::uint64_t rank, std::span<std::uint64_t> keys, std::uint64_t* values = nullptr) const;

  // Parameters in the header; the bits of a value and the default value stand where a tree has them.
  enum Parameter { kBase = 4, kCells = 5, kCrowded = 6, kLowBits = 9 };

  static constexpr std::uint64_t kBuckets = 16;  // in a cell
  static constexpr std::uint64_t kCellBytes = 12, kCrowdedBytes = 36;
  static constexpr std::uint64_t kMany = 15;  // entries in one bucket make its cell crowded
  static constexpr unsigned kByteBits = 8;    // of the low bits, in the byte
  static constexpr std::uint64_t kDefaultBit = (48 + SparseTreeView::kDefaultValue * 8) * 8;  // where that value stands in the image

  // Where the parts lie. Requires: low_bits >= kByteBits.
  struct Parts {
    Parts(std::uint64_t count, std::uint64_t cells, std::uint64_t crowded, unsigned low_bits, unsigned value_bits)
        : layout(SparseTreeView::kHeaderBytes),
          cells_at(layout.Add(cells, kCellBytes * 8)),
          crowded_at(layout.Add(crowded, kCrowdedBytes * 8)),
          // The bytes of a bucket are read 16 at a time.
          bytes_at(layout.Add(count + 8, 8)),
          records_at(layout.Add(count, low_bits - kByteBits + value_bits)) {}
    ImageLayout layout;
    std::uint64_t cells_at, crowded_at, bytes_at, records_at;
  };

 private:
  friend class SparseTableGet;

  // Entries [first, end).
  struct Bucket {
    std::uint64_t first, end;
  };

  const std::byte* Cell(std::uint64_t cell) const { return data_ + SparseTreeView::kHeaderBytes + cell * kCellBytes; }
  const std::byte* CrowdedCell(std::uint64_t cell) const;
  // Where the buckets of a cell begin, and the last one ends: ascending, at most count_.
  std::array<std::uint64_t, kBuckets + 1> StartsOf(std::uint64_t cell) const;
  Bucket BucketOf(std::uint64_t offset) const;
  std::uint64_t CellAt(std::uint64_t rank) const;
  std::size_t CopyCell(std::uint64_t cell, std::uint64_t from, std::span<std::uint64_t> keys, std::uint64_t* values) const;
  std::uint64_t LowBitsAt(std::uint64_t entry) const;
  std::uint64_t KeyAt(std::uint64_t bucket, std::uint64_t entry) const { return base_ + (bucket << low_bits_ | LowBitsAt(entry)); }
  std::uint64_t ValueAt(std::uint64_t entry) const;
  std::uint64_t default_bits() const { return Load<std::uint64_t>(data_ + kDefaultBit / 8) & LowBits(value_bits_); }

  const std::byte* data_ = nullptr;
  std::uint64_t count_ = 0, base_ = 0, cells_ = 0, crowded_ = 0;
  std::uint64_t crowded_at_ = 0, bytes_at_ = 0, records_at_ = 0;
  unsigned low_bits_ = kByteBits, rest_bits_ = 0, value_bits_ = 0, record_bits_ = 0;
  bool one_load_ = false, avx2_ = false;  // whether a load reaches a record whole
};

}  // namespace thimble
