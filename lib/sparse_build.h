#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include "sparse_entries.h"
#include "sparse_node.h"
#include "thimble/buffer.h"
#include "thimble/image.h"
#include "thimble/sparse_tree.h"

namespace thimble {

// Writes a sparse tree from ascending keys, leaf by leaf, into a buffer that it grows. It remembers 24 bytes a leaf.
class SparseTreeBuilder {
 public:
  struct Form {
    std::uint64_t page_bytes;
    bool packed;
    double fill;  // how full leaves become
  };
  static constexpr Form kMutable{2048, false, 0.97};
  static constexpr Form kPacked{4096, true, 1.0};
  // Few leaves, so that what leads to a record stays in the cache: the records do not.
  static constexpr Form kPackedWithValues{32768, true, 1.0};

  static std::uint64_t Unit(const Form& form) { return form.packed ? SparseTreeView::kPackedUnitBytes : form.page_bytes; }

  SparseTreeBuilder(Kind kind, unsigned value_bits, std::uint64_t default_value, Form form, Buffer into = Buffer::Heap(1 << 14));

  // Keys first..first + more. Requires: first is above every key added so far. With values, AddValue follows for each key.
  void Add(std::uint64_t first, std::uint64_t more = 0);
  void AddValue(std::uint64_t value) { entries_.AddValue(value); }
  void Add(const sparse::Leaf& leaf);
  // The same of a leaf that stands in a page, which is copied as it is where that leaves no page half empty.
  void AddPage(const sparse::Leaf& leaf, std::span<const std::byte> page);
  // Runs of a set, as Entries::AddBounds has them.
  void AddBounds(std::span<const std::uint64_t> bounds);
  // The keys of a bitmap. Requires: base % 64 == 0, and as above; a set. The first word may be the last one of before.
  void AddWords(std::uint64_t base, std::span<const std::uint64_t> words);

  // The image; its buffer is larger than it only where it was given so, or is a mapping of pages never touched.
  absl::StatusOr<Buffer> Finish();

 private:
  using Child = sparse::Child;

  std::size_t page_bytes() const { return static_cast<std::size_t>(form_.page_bytes); }
  void FlushWords();
  bool WordsAreBestAsBitmap(std::uint64_t count) const;
  // Writes leaves of all runs, or of those that fill a leaf whatever follows.
  void Flush(bool full_only = false);
  // The same now and then: where that is likely to fill a leaf.
  void FlushFull();
  // Zeroed room for the next page, null after an error.
  std::byte* NewPage();
  // Keeps what was written there; returns its number.
  std::uint32_t KeepPage(std::size_t bytes);
  void WriteNodes();

  Kind kind_;
  unsigned value_bits_;
  std::uint64_t default_value_;
  Form form_;
  Buffer buffer_;
  absl::Status error_;
  sparse::Entries entries_;
  std::size_t flush_at_ = 0, full_leaves_ = 0;  // runs to flush at; leaves written since one was not full
  std::vector<Child> children_;
  std::uint64_t pages_ = 0, count_ = 0, height_ = 0;
  std::uint32_t root_ = 0;
  std::uint64_t separator_ = 0;  // of the next leaf, if it is not its first key
  std::vector<std::uint64_t> words_;  // of the bitmap leaf to come
  std::uint64_t words_base_ = 0;
};

}  // namespace thimble
