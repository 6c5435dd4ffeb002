#include "quotient_kernels.h"

#include <cpu.h>

#if THIMBLE_HAS_AVX2_KERNELS
#include <immintrin.h>
#endif

namespace thimble {

using namespace quotient;

unsigned QuotientKernels::Count(const View& view, const Page& page, const Place& place) {
  const BlockShape shape = ShapeOf(view, page);
  const std::uint64_t remainder = Remainder(view, page, place);
  const std::byte* block = page.at + kBlockBytes * place.block;
  unsigned count = CountEntries(block, shape, FindRun(block, place.bucket), remainder);
  const unsigned group = place.bucket % kGroups;
  if (HasGuests(block, group)) {
    const std::byte* other = page.at + kBlockBytes * GuestBlock(view, place.block, group);
    count += CountEntries(other, shape, FindRun(other, view.buckets_ + group), remainder);
  }
  return count;
}

namespace {

using View = QuotientKernels::View;
using Place = QuotientKernels::Place;
using Page = QuotientKernels::Page;
using Hashes = std::span<const std::uint64_t>;

bool ContainsPortable(const View& view, std::uint64_t hash) { return view.CountHash(hash) > 0; }

// How many keys ahead of its use a key's cache line is asked for.
constexpr std::size_t kAhead = 16;

template <class Contains>
inline __attribute__((always_inline)) std::size_t ContainsManyWith(const View& view, Hashes hashes, bool* found, Contains contains) {
  std::size_t hits = 0;
  for (std::size_t i = 0; i < hashes.size() + kAhead; ++i) {
    if (i < hashes.size()) {
      const Place place = QuotientKernels::PlaceOf(view, hashes[i]);
      Page page;
      if (QuotientKernels::PageOf(view, place, &page)) __builtin_prefetch(page.at + kBlockBytes * place.block);
    }
    if (i >= kAhead) hits += found[i - kAhead] = contains(view, hashes[i - kAhead]);
  }
  return hits;
}

std::size_t ContainsManyPortable(const View& view, Hashes hashes, bool* found) {
  return ContainsManyWith(view, hashes, found, ContainsPortable);
}

bool AddPortable(QuotientFilter&, std::uint64_t) { return false; }

}  // namespace

#if THIMBLE_HAS_AVX2_KERNELS

// Blocks whose entries are single bytes, about fifty of them: their buckets lie in the first two words, and no branch depends
// on what a block holds.
struct QuotientKernels::Bytes {
  struct Matches {
    std::uint64_t entries;  // a bit for each entry of the bucket that has the remainder, from the bucket's first
    unsigned position, first;
  };

  THIMBLE_TARGET_AVX2 static inline __attribute__((always_inline)) Matches Find(const std::byte* block, unsigned slots, unsigned bucket,
                                                                                 std::uint64_t remainder) {
    constexpr std::uint64_t kFlag = std::uint64_t{1} << (kGroups - 1);
    const std::uint64_t ends = (~Word(block, 0) & ~LowBits(kGroups)) | kFlag;
    // Its end is in the first word; or the search there gives 64, and goes on in the second.
    const std::uint64_t before = static_cast<std::uint64_t>(_mm_popcnt_u64(ends)), one = 1;
    const std::uint64_t in_first = _tzcnt_u64(_pdep_u64(one << bucket % 64, ends));
    const std::uint64_t in_second = _tzcnt_u64(_pdep_u64(one << (bucket - before) % 64, ~Word(block, 1)));
    const auto position = static_cast<unsigned>(in_first + (in_second & -(in_first >> 6)) + 1);
    const auto ones = static_cast<unsigned>(_tzcnt_u64(~(Load<std::uint64_t>(block + position / 8) >> position % 8)));
    const unsigned first = position - kGroups - bucket;
    const __m256i wanted = _mm256_set1_epi8(static_cast<char>(remainder));
    const auto* at = reinterpret_cast<const __m256i*>(block);
    const auto low_half = static_cast<std::uint32_t>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(_mm256_loadu_si256(at), wanted)));
    const auto high_half = static_cast<std::uint32_t>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(_mm256_loadu_si256(at + 1), wanted)));
    const std::uint64_t equal = (std::uint64_t{high_half} << 32 | low_half) >> (64 - slots);
    return {_bzhi_u64(equal >> first % 64, ones), position, first};
  }

  // Those of a place's bucket, or of its guests.
  THIMBLE_TARGET_AVX2 static inline __attribute__((always_inline)) bool Holds(const View& view, const Page& page, const Place& place,
                                                                               const Matches& matches) {
    if (matches.entries != 0) return true;
    const unsigned group = place.bucket % kGroups;
    if (!HasGuests(page.at + kBlockBytes * place.block, group)) return false;
    const std::byte* other = page.at + kBlockBytes * QuotientKernels::GuestBlock(view, place.block, group);
    return Find(other, view.byte_slots_, view.buckets_ + group, place.remainder).entries != 0;
  }

  THIMBLE_TARGET_AVX2 static bool Contains(const View& view, std::uint64_t hash) {
    const Place place = QuotientKernels::PlaceOf(view, hash);
    Page page;
    if (!QuotientKernels::PageOf(view, place, &page)) return false;
    if (page.depth != view.byte_depth_) return view.CountHash(hash) > 0;
    return Holds(view, page, place, Find(page.at + kBlockBytes * place.block, view.byte_slots_, place.bucket, place.remainder));
  }

  THIMBLE_TARGET_AVX2 static std::size_t ContainsMany(const View& view, Hashes hashes, bool* found) {
    return ContainsManyWith(view, hashes, found, [](const View& v, std::uint64_t hash) THIMBLE_TARGET_AVX2 { return Contains(v, hash); });
  }

  // Bytes 0, 1, ... of a block.
  THIMBLE_TARGET_AVX2 static inline __attribute__((always_inline)) __m256i Numbers(int first) {
    const __m256i below = _mm256_setr_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27,
                                           28, 29, 30, 31);
    return _mm256_add_epi8(below, _mm256_set1_epi8(static_cast<char>(first)));
  }

  // Half a block, its bytes behind byte `at` replaced by those before them, and byte `at` by the remainder.
  THIMBLE_TARGET_AVX2 static inline __attribute__((always_inline)) __m256i Inserted(__m256i half, __m256i before, __m256i numbers, __m256i at,
                                                                                     __m256i remainder) {
    const __m256i moved = _mm256_blendv_epi8(half, before, _mm256_cmpgt_epi8(numbers, at));
    return _mm256_blendv_epi8(moved, remainder, _mm256_cmpeq_epi8(numbers, at));
  }

  // Puts the remainder before the entries that were found; false if the block is full.
  THIMBLE_TARGET_AVX2 static inline __attribute__((always_inline)) bool Insert(std::byte* block, unsigned slots, const Matches& matches,
                                                                                std::uint64_t value) {
    const unsigned first_byte = 64 - slots;
    const std::uint64_t words[2] = {Word(block, 0), _bzhi_u64(Word(block, 1), 8 * first_byte - 64)};
    if (static_cast<unsigned>(_mm_popcnt_u64(words[0] >> kGroups) + _mm_popcnt_u64(words[1])) >= slots) return false;

    const __m256i at = _mm256_set1_epi8(static_cast<char>(first_byte + matches.first));
    const __m256i remainder = _mm256_set1_epi8(static_cast<char>(value));
    auto* halves = reinterpret_cast<__m256i*>(block);
    const __m256i low = _mm256_loadu_si256(halves), high = _mm256_loadu_si256(halves + 1);
    const __m256i before_low = _mm256_alignr_epi8(low, _mm256_permute2x128_si256(low, low, 0x08), 15);
    const __m256i before_high = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(block + 31));
    _mm256_storeu_si256(halves, Inserted(low, before_low, Numbers(0), at, remainder));
    _mm256_storeu_si256(halves + 1, Inserted(high, before_high, Numbers(32), at, remainder));
    // A one goes before the bucket's: what is behind moves up by one bit.
    __extension__ using Wide = unsigned __int128;
    const Wide unary = Wide{words[1]} << 64 | words[0], one = Wide{1} << matches.position;
    const Wide grown = unary + (unary & ~(one - 1)) + one;
    Store(block, static_cast<std::uint64_t>(grown));
    Store(block + 8, static_cast<std::uint32_t>(grown >> 64));
    Store(block + first_byte - 4, static_cast<std::uint32_t>(grown >> (8 * (first_byte - 4))));
    return true;
  }

  // Adds to the bucket, or to its group's guests where it has some.
  THIMBLE_TARGET_AVX2 static bool Add(QuotientFilter& filter, std::uint64_t hash) {
    const View& view = filter;
    const Place place = QuotientKernels::PlaceOf(view, hash);
    Page page;
    if (!QuotientKernels::PageOf(view, place, &page) || page.depth != view.byte_depth_) return false;
    std::byte* blocks = filter.Writable(page);
    std::byte* block = blocks + kBlockBytes * place.block;
    const unsigned slots = view.byte_slots_, group = place.bucket % kGroups;
    const Matches matches = Find(block, slots, place.bucket, place.remainder);
    if (matches.entries != 0 && !view.counts_duplicates_) return true;
    if (!HasGuests(block, group)) {
      if (!Insert(block, slots, matches, place.remainder)) return false;
    } else {
      std::byte* other = blocks + kBlockBytes * QuotientKernels::GuestBlock(view, place.block, group);
      const Matches guests = Find(other, slots, view.buckets_ + group, place.remainder);
      if (guests.entries != 0 && !view.counts_duplicates_) return true;
      if (!Insert(block, slots, matches, place.remainder) && !Insert(other, slots, guests, place.remainder)) return false;
    }
    Store(filter.data() + 16, ++filter.size_);
    return true;
  }
};

#endif

const QuotientFilterView::Kernels* QuotientKernels::Chosen() {
  static constexpr View::Kernels kPortable{ContainsPortable, ContainsManyPortable, AddPortable};
#if THIMBLE_HAS_AVX2_KERNELS
  static constexpr View::Kernels kAvx2{Bytes::Contains, Bytes::ContainsMany, Bytes::Add};
  if (ActiveCpuLevel() == CpuLevel::kAvx2) return &kAvx2;
#endif
  return &kPortable;
}

}  // namespace thimble
