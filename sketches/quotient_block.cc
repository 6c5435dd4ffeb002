#include "quotient_block.h"

#include <bit>

#include <cpu.h>

#if THIMBLE_HAS_AVX2_KERNELS
#include <immintrin.h>
#endif

namespace thimble::quotient {
namespace {

// The bits of a word that end a bucket. The first word's flags are none, but the last of them stands for what ends before
// bucket 0.
inline std::uint64_t Ends(const std::byte* block, unsigned word) {
  const std::uint64_t zeros = ~Word(block, word);
  return word > 0 ? zeros : (zeros & ~LowBits(kGroups)) | std::uint64_t{1} << (kGroups - 1);
}

template <class Count, class Select>
inline __attribute__((always_inline)) Run FindRunWith(const std::byte* block, unsigned bucket, Count count, Select select) {
  unsigned rank = bucket, word = 0;
  std::uint64_t ends = Ends(block, 0);
  for (unsigned here; rank >= (here = count(ends)); ends = Ends(block, word)) {
    rank -= here;
    if (++word == kBlockBits / 64) return {kBlockBits, kBlockBits, 0};
  }
  const unsigned position = 64 * word + select(ends, rank) + 1;
  unsigned ones = 0;
  while (position + ones < kBlockBits) {
    const unsigned at = position + ones, left = 64 - at % 64;
    const auto run = std::min(static_cast<unsigned>(std::countr_one(Word(block, at / 64) >> at % 64)), left);
    ones += run;
    if (run < left) break;
  }
  return {position, position - kGroups - bucket, ones};
}

Run FindRunPortable(const std::byte* block, unsigned bucket) {
  return FindRunWith(
      block, bucket, [](std::uint64_t word) { return static_cast<unsigned>(std::popcount(word)); },
      [](std::uint64_t word, unsigned rank) {
        for (; rank > 0; --rank) word &= word - 1;
        return static_cast<unsigned>(std::countr_zero(word));
      });
}

// The ones of bits [kGroups, end).
template <class Count>
inline __attribute__((always_inline)) unsigned CountOnesWith(const std::byte* block, unsigned end, Count count) {
  unsigned ones = count(Word(block, 0) & ~LowBits(kGroups) & LowBits(std::min(end, 64u)));
  for (unsigned at = 64; at < end; at += 64) ones += count(Word(block, at / 64) & LowBits(std::min(end - at, 64u)));
  return ones;
}

unsigned CountOnesPortable(const std::byte* block, unsigned end) {
  return CountOnesWith(block, end, [](std::uint64_t word) { return static_cast<unsigned>(std::popcount(word)); });
}

#if THIMBLE_HAS_AVX2_KERNELS
THIMBLE_TARGET_AVX2 unsigned CountOnesAvx2(const std::byte* block, unsigned end) {
  return CountOnesWith(block, end, [](std::uint64_t word) THIMBLE_TARGET_AVX2 { return static_cast<unsigned>(_mm_popcnt_u64(word)); });
}

THIMBLE_TARGET_AVX2 Run FindRunAvx2(const std::byte* block, unsigned bucket) {
  return FindRunWith(
      block, bucket, [](std::uint64_t word) THIMBLE_TARGET_AVX2 { return static_cast<unsigned>(_mm_popcnt_u64(word)); },
      [](std::uint64_t word, unsigned rank) THIMBLE_TARGET_AVX2 {
        return static_cast<unsigned>(_tzcnt_u64(_pdep_u64(std::uint64_t{1} << rank, word)));
      });
}
#endif

struct Kernels {
  Run (*find_run)(const std::byte*, unsigned);
  unsigned (*count_ones)(const std::byte*, unsigned);
};

Kernels Choose() {
#if THIMBLE_HAS_AVX2_KERNELS
  if (ActiveCpuLevel() == CpuLevel::kAvx2) return {FindRunAvx2, CountOnesAvx2};
#endif
  return {FindRunPortable, CountOnesPortable};
}

const Kernels& Chosen() {
  static const Kernels kernels = Choose();
  return kernels;
}

// Moves the bits [at, end) up by `width`; those from end + width on stay. Requires: 0 < width < 64, end + width <= 512.
void MoveUp(std::byte* block, unsigned at, unsigned end, unsigned width) {
  const unsigned first = at / 64, last = (end + width - 1) / 64;
  const std::uint64_t below = LowBits(at % 64), moved = LowBits((end + width - 1) % 64 + 1);
  const std::uint64_t kept_first = Word(block, first) & below, kept_last = Word(block, last) & ~moved;
  // Bits below `at` may move along into the next word: they land where the new ones go.
  for (unsigned i = last; i > first; --i) Store(block + 8 * i, Word(block, i) << width | Word(block, i - 1) >> (64 - width));
  const std::uint64_t shifted = (Word(block, first) & ~below) << width;
  Store(block + 8 * first, shifted | kept_first);
  Store(block + 8 * last, (Word(block, last) & moved) | kept_last);
}

// Moves the bits [at + width, end) down by `width`; zeros follow them, and those from `end` on stay. Requires: 0 < width < 64,
// at + width <= end.
void MoveDown(std::byte* block, unsigned at, unsigned end, unsigned width) {
  const unsigned first = at / 64, last = (end - 1) / 64;
  const std::uint64_t below = LowBits(at % 64), moved = LowBits((end - 1) % 64 + 1);
  const std::uint64_t kept_first = Word(block, first) & below, kept_last = Word(block, last) & ~moved;
  Store(block + 8 * last, Word(block, last) & moved);
  for (unsigned i = first; i < last; ++i) Store(block + 8 * i, Word(block, i) >> width | Word(block, i + 1) << (64 - width));
  Store(block + 8 * last, Word(block, last) >> width | kept_last);
  Store(block + 8 * first, (Word(block, first) & ~below) | kept_first);
}

}  // namespace

Run FindRun(const std::byte* block, unsigned bucket) { return Chosen().find_run(block, bucket); }

unsigned EntriesIn(const std::byte* block, const BlockShape& shape) {
  return std::min(Chosen().count_ones(block, shape.EntryAt(0)), shape.slots);
}

void SetBits(std::byte* block, unsigned at, unsigned width, std::uint64_t bits) {
  const unsigned shift = at % 64;
  const std::uint64_t mask = LowBits(width);
  Store(block + 8 * (at / 64), (Word(block, at / 64) & ~(mask << shift)) | bits << shift);
  if (shift + width > 64) {
    const unsigned i = at / 64 + 1;
    Store(block + 8 * i, (Word(block, i) & ~(mask >> (64 - shift))) | bits >> (64 - shift));
  }
}

int FindEntry(const std::byte* block, const BlockShape& shape, const Run& run, std::uint64_t remainder) {
  for (unsigned i = run.first; i < std::min(run.first + run.ones, shape.slots); ++i) {
    if (GetEntry(block, shape, i) >> shape.epoch_bits == remainder) return static_cast<int>(i);
  }
  return -1;
}

unsigned CountEntries(const std::byte* block, const BlockShape& shape, const Run& run, std::uint64_t remainder) {
  unsigned count = 0;
  for (unsigned i = run.first; i < std::min(run.first + run.ones, shape.slots); ++i) {
    count += GetEntry(block, shape, i) >> shape.epoch_bits == remainder;
  }
  return count;
}

void InsertEntry(std::byte* block, const BlockShape& shape, unsigned bucket, std::uint64_t entry) {
  const unsigned entries = EntriesIn(block, shape);
  const Run run = FindRun(block, bucket);
  MoveUp(block, run.position, kGroups + shape.buckets + kGroups + entries, 1);
  SetBits(block, run.position, 1, 1);
  if (run.first < entries) MoveUp(block, shape.EntryAt(run.first), shape.EntryAt(entries), shape.entry_bits);
  SetEntry(block, shape, run.first, entry);
}

void RemoveEntry(std::byte* block, const BlockShape& shape, const Run& run, unsigned i) {
  const unsigned entries = EntriesIn(block, shape);
  MoveDown(block, run.position, kGroups + shape.buckets + kGroups + entries, 1);
  MoveDown(block, shape.EntryAt(i), shape.EntryAt(entries), shape.entry_bits);
}

}  // namespace thimble::quotient
