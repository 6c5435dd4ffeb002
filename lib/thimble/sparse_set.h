#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include "thimble/buffer.h"
#include "thimble/image.h"
#include "thimble/owner.h"
#include "thimble/sparse_tree.h"

namespace thimble {

// Reads a SparseSet, mutable or packed.
class SparseSetView : public SparseTreeView {
 public:
  static constexpr Kind kKind = Kind::kSparseSet;

  // Returns kDataLoss, kFailedPrecondition, kUnimplemented or kInvalidArgument as ImageHeader::Read does.
  static absl::StatusOr<SparseSetView> Open(std::span<const std::byte> image);
  absl::Status Verify() const { return VerifyTree(); }

  bool Contains(std::uint64_t key) const { return HasKey(key); }
  // How many elements are below the key.
  std::uint64_t Rank(std::uint64_t key) const { return Find(key).rank; }
  // The i-th smallest element, from 0. Requires: i < size().
  std::uint64_t Select(std::uint64_t i) const { return At(i).key; }
  // The smallest element that is not below the key.
  std::optional<std::uint64_t> Next(std::uint64_t key) const;
  // The largest element that is not above the key.
  std::optional<std::uint64_t> Previous(std::uint64_t key) const;

  // Ascends over the elements, from a rank on: for (std::uint64_t element : set).
  class Iterator {
   public:
    using iterator_category = std::input_iterator_tag;
    using value_type = std::uint64_t;
    using difference_type = std::ptrdiff_t;
    using pointer = const std::uint64_t*;
    using reference = std::uint64_t;

    Iterator() = default;
    std::uint64_t operator*() const { return keys_[at_]; }
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
    friend class SparseSetView;
    Iterator(const SparseTreeView& view, std::uint64_t rank) : view_(view), rank_(rank) { Fill(); }
    void Fill();

    SparseTreeView view_;
    std::uint64_t rank_ = 0;
    std::uint32_t at_ = 0, filled_ = 0;
    std::array<std::uint64_t, 62> keys_;
  };
  Iterator begin() const { return IteratorAt(0); }
  Iterator end() const { return IteratorAt(size()); }
  // Requires: rank <= size().
  Iterator IteratorAt(std::uint64_t rank) const { return Iterator(*this, rank); }

 private:
  friend class SparseSet;
};

// What SparseSet::Packed makes: as small as the set gets, and read only.
class PackedSparseSet : public Owner<SparseSetView> {
 public:
  // Takes over an image, through Verify.
  static absl::StatusOr<PackedSparseSet> Open(Buffer buffer);
  Stats stats() const { return {.live_bytes = image().size(), .peak_bytes = image().size()}; }

 private:
  friend class SparseSet;
  PackedSparseSet(const SparseSetView& view, Buffer buffer) : Owner(view, std::move(buffer)) {}
};

// A set of 64-bit numbers, near the information-theoretic limit wherever they cluster, and as fast to rank as to look up.
//
//   SparseSet visited;
//   visited.Add(page);                      // any order; the bytes stay tight without compaction
//   visited.Contains(page);
//   visited.Rank(1 << 20);                  // how many below
//   visited.Select(visited.size() / 2);     // the median
//   PackedSparseSet small = visited.Packed();
//   SparseSet both = And(visited, other);
//
// A B+-tree (see sparse_tree.h) whose leaves of 2 KiB are coded in the smallest of four ways: Elias-Fano, bitmap, array, runs.
//
// Space    n log2(u / n) + 2n bits, or less in dense parts and runs, and 7 to 16 % more, most where few are set; packed about
//          1 % more. At least one page of 2 KiB when mutable. u = 2^28, bits an element at 0.01 %, 0.1 %, 1 %, 10 %, 50 %, runs of 64 at 1 %:
//          see docs/bounds.md
// Error    exact
// Time     Contains, Rank, Select, Next, Previous O(log n) page visits, then at most one page's words; Add and Remove the same
//          and a shift within the page; every few hundred Adds some pages are coded anew, 0.1 us an Add
// Merge    And, Or, AndNot, Xor in O(n), a word at a time where both are bitmaps
// Threads  const methods are safe together; writers need exclusion
// Errors   what grows borrowed or mapped bytes returns what Buffer::Grow returns, and changed nothing then
// Paper    Elias 1974; Fano 1971; partitions chosen by size: Ottaviano, Venturini, SIGIR 2014; Roaring: Lemire et al. 2016
class SparseSet : public Owner<SparseSetView> {
 public:
  struct Options {
    std::uint64_t page_bytes = 2048;  // a power of two, 512 to 65536: smaller changes faster, larger packs better
  };

  SparseSet() : SparseSet(Options{}) {}
  explicit SparseSet(const Options& options);
  static absl::StatusOr<SparseSet> Make(const Options& options);
  // Builds in place. Requires: buffer.size() >= ImageBytes(options), zeroed.
  static absl::StatusOr<SparseSet> Make(const Options& options, Buffer buffer);
  // Bytes of an empty set.
  static std::uint64_t ImageBytes(const Options& options);
  // Takes over an image, through Verify. A packed one is copied into the mutable form.
  static absl::StatusOr<SparseSet> Open(Buffer buffer);
  // A mutable copy of either form.
  static SparseSet Copy(const SparseSetView& from);

  // Adds an element; returns whether it is new. Views of this set end here.
  absl::StatusOr<bool> Add(std::uint64_t key);
  // Adds many, fastest when they ascend.
  absl::Status AddMany(std::span<const std::uint64_t> keys);
  // Returns whether the element was there. Views of this set end here.
  absl::StatusOr<bool> Remove(std::uint64_t key);

  PackedSparseSet Packed() const { return *Pack(*this, Buffer::Heap(1 << 14)); }
  // The packed form of a set in a buffer that may have to grow.
  static absl::StatusOr<PackedSparseSet> Pack(const SparseSetView& from, Buffer into);

  // Builds a set from ascending elements, without the work of adding each.
  class Builder;
  Stats stats() const;

 private:
  friend SparseSet And(const SparseSetView& a, const SparseSetView& b);
  friend SparseSet Or(const SparseSetView& a, const SparseSetView& b);
  friend SparseSet AndNot(const SparseSetView& a, const SparseSetView& b);
  friend SparseSet Xor(const SparseSetView& a, const SparseSetView& b);

  // Takes over an image that was just built.
  static SparseSet Adopt(Buffer buffer);
  SparseSet(const SparseSetView& view, Buffer buffer) : Owner(view, std::move(buffer)) {}
};

class SparseTreeBuilder;

// Takes ascending elements, and runs of them.
class SparseSet::Builder {
 public:
  Builder();
  ~Builder();
  Builder(Builder&&) noexcept;

  // Returns kInvalidArgument if the element is not above the one before.
  absl::Status Add(std::uint64_t key) { return AddRange(key, key); }
  // Adds first..last, both included, and at most 2^48.
  absl::Status AddRange(std::uint64_t first, std::uint64_t last);
  // The keys of a bitmap: bit b of words[w] is base + 64 w + b. Returns kInvalidArgument also if base is no multiple of 64.
  absl::Status AddBitmap(std::uint64_t base, std::span<const std::uint64_t> words);
  absl::StatusOr<SparseSet> Finish() &&;

 private:
  std::unique_ptr<SparseTreeBuilder> tree_;
  std::uint64_t next_ = 0;  // the smallest that may come
  bool full_ = false;       // 2^64 - 1 was added
};

SparseSet And(const SparseSetView& a, const SparseSetView& b);
SparseSet Or(const SparseSetView& a, const SparseSetView& b);
SparseSet AndNot(const SparseSetView& a, const SparseSetView& b);  // in a, and not in b
SparseSet Xor(const SparseSetView& a, const SparseSetView& b);
// Sizes of the above, without making them.
std::uint64_t AndSize(const SparseSetView& a, const SparseSetView& b);
std::uint64_t OrSize(const SparseSetView& a, const SparseSetView& b);
std::uint64_t AndNotSize(const SparseSetView& a, const SparseSetView& b);
std::uint64_t XorSize(const SparseSetView& a, const SparseSetView& b);

}  // namespace thimble
