#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "thimble/bytes.h"

namespace thimble::quotient {

// The blocks of a quotient filter, a cache line each: where a bucket stands in one, and how entries are put in and taken out.
//
//   bits 0..7: group g has guests elsewhere | from bit 8 the buckets in unary: a one for each entry, then a zero | entries, to the end
//
// Behind a block's own buckets come kGroups buckets of guests, each from one other block.

// Parameters of the header.
enum { kRoots, kPages, kBlocks, kBuckets, kRemainderBits, kFlags, kDirectoryDepth, kCapacity, kEpoch };

inline constexpr unsigned kBlockBytes = 64, kBlockBits = 512;
inline constexpr unsigned kGroups = 8;  // of a block's buckets: those of a number modulo it
inline constexpr unsigned kMaxEpochBits = 8;

// Where the guests of a block's groups live: so many blocks behind it, around the page.
inline constexpr unsigned kGuestDistance[kGroups] = {1, 2, 4, 7, 11, 16, 22, 29};

// How a block's bits are shared out.
struct BlockShape {
  unsigned buckets;  // its own
  unsigned slots, entry_bits, epoch_bits;

  static constexpr unsigned SlotsFor(unsigned buckets, unsigned entry_bits) { return (kBlockBits - 2 * kGroups - buckets) / (entry_bits + 1); }
  unsigned EntryAt(unsigned i) const { return kBlockBits - (slots - i) * entry_bits; }
};

// The entries of a bucket: [first, first + ones). In a damaged block they may be anything, but position <= 512.
struct Run {
  unsigned position;  // of its first one in unary, or of its zero
  unsigned first, ones;
};
Run FindRun(const std::byte* block, unsigned bucket);

// Entries in a block, and those of its own buckets.
unsigned EntriesIn(const std::byte* block, const BlockShape& shape);
inline unsigned NativesIn(const std::byte* block, const BlockShape& shape) {
  return std::min(FindRun(block, shape.buckets).first, shape.slots);
}

inline std::uint64_t Word(const std::byte* words, std::uint64_t i) { return Load<std::uint64_t>(words + 8 * i); }

// Requires: 0 < width <= 64 and the bits lie in the block.
inline std::uint64_t GetBits(const std::byte* block, unsigned at, unsigned width) {
  const unsigned shift = at % 64;
  std::uint64_t bits = Word(block, at / 64) >> shift;
  if (shift + width > 64) bits |= Word(block, at / 64 + 1) << (64 - shift);
  return bits & LowBits(width);
}
void SetBits(std::byte* block, unsigned at, unsigned width, std::uint64_t bits);

inline std::uint64_t GetEntry(const std::byte* block, const BlockShape& shape, unsigned i) {
  return GetBits(block, shape.EntryAt(i), shape.entry_bits);
}
inline void SetEntry(std::byte* block, const BlockShape& shape, unsigned i, std::uint64_t entry) {
  SetBits(block, shape.EntryAt(i), shape.entry_bits, entry);
}

// The first entry of a run with a remainder, or -1.
int FindEntry(const std::byte* block, const BlockShape& shape, const Run& run, std::uint64_t remainder);
unsigned CountEntries(const std::byte* block, const BlockShape& shape, const Run& run, std::uint64_t remainder);

// Puts an entry first in a bucket. Requires: the block has a free slot.
void InsertEntry(std::byte* block, const BlockShape& shape, unsigned bucket, std::uint64_t entry);
// Takes entry i of a run away.
void RemoveEntry(std::byte* block, const BlockShape& shape, const Run& run, unsigned i);

inline bool HasGuests(const std::byte* block, unsigned group) { return (std::to_integer<unsigned>(block[0]) >> group & 1) != 0; }
inline void SetHasGuests(std::byte* block, unsigned group, bool value) {
  block[0] = (block[0] & ~(std::byte{1} << group)) | std::byte{value} << group;
}

// Calls visit(bucket, entry) for the entries of a block, in order.
template <class Visit>
void ForEntriesOf(const std::byte* block, const BlockShape& shape, Visit visit) {
  unsigned bucket = 0, entry = 0;
  for (unsigned bit = kGroups; bit < shape.EntryAt(0) && bucket < shape.buckets + kGroups && entry < shape.slots; ++bit) {
    if (GetBits(block, bit, 1) == 0) {
      ++bucket;
    } else {
      visit(bucket, GetEntry(block, shape, entry++));
    }
  }
}

// Writes a block, which is all zeros, by its entries in order.
class BlockWriter {
 public:
  BlockWriter(std::byte* block, const BlockShape& shape) : block_(block), shape_(shape) {}

  void Append(unsigned bucket, std::uint64_t entry) {
    SetBits(block_, kGroups + bucket + entries_, 1, 1);
    SetEntry(block_, shape_, entries_++, entry);
  }
  unsigned entries() const { return entries_; }

 private:
  std::byte* block_;
  const BlockShape& shape_;
  unsigned entries_ = 0;
};

}  // namespace thimble::quotient
