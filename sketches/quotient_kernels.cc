#include "quotient_kernels.h"

#include <array>

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

// How many keys ahead of its use a key's cache line is asked for.
constexpr std::size_t kAhead = 16;

// Calls use(i, place) for each hash, its cache line asked for some time before.
template <int kWrite, class Use>
inline __attribute__((always_inline)) void ForEachPrefetched(const View& view, Hashes hashes, Use use) {
  std::array<Place, kAhead> places;
  for (std::size_t i = 0; i < hashes.size() + kAhead; ++i) {
    Place& place = places[i % kAhead];
    if (i >= kAhead) use(i - kAhead, place);
    if (i < hashes.size()) {
      place = QuotientKernels::PlaceOf(view, hashes[i]);
      Page page;
      if (QuotientKernels::PageOf(view, place, &page)) __builtin_prefetch(page.at + kBlockBytes * place.block, kWrite);
    }
  }
}

bool Holds(const View& view, const Place& place) {
  Page page;
  return QuotientKernels::PageOf(view, place, &page) && QuotientKernels::Count(view, page, place) > 0;
}

bool ContainsPortable(const View& view, std::uint64_t hash) { return Holds(view, QuotientKernels::PlaceOf(view, hash)); }

std::size_t ContainsManyPortable(const View& view, Hashes hashes, bool* found) {
  std::size_t hits = 0;
  ForEachPrefetched<0>(view, hashes, [&](std::size_t i, const Place& place) { hits += found[i] = Holds(view, place); });
  return hits;
}

}  // namespace

struct QuotientKernels::Portable {
  static absl::Status Add(QuotientFilter& filter, std::uint64_t hash) { return filter.AddSlowly(PlaceOf(filter, hash)); }

  static absl::Status AddMany(QuotientFilter& filter, Hashes hashes) {
    absl::Status status;
    ForEachPrefetched<1>(filter, hashes, [&](std::size_t, const Place& place) {
      if (status.ok()) status = filter.AddSlowly(place);
    });
    return status;
  }
};

#if THIMBLE_HAS_AVX2_KERNELS

// Blocks whose entries are single bytes, about fifty of them: their buckets lie in the first two words, and no branch depends
// on what a block holds.
struct QuotientKernels::Bytes {
  __extension__ using Wide = unsigned __int128;
  static constexpr std::uint64_t kOfGroup = 0x0101010101010101;  // the buckets of group 0, a bit each

  struct Matches {
    std::uint64_t entries;  // a bit for each entry of the bucket that has the remainder, from the bucket's first
    unsigned position, first;
  };

  THIMBLE_TARGET_AVX2 static inline __attribute__((always_inline)) Matches Find(const std::byte* block, unsigned slots, unsigned bucket,
                                                                                 std::uint64_t remainder) {
    constexpr std::uint64_t kFlag = std::uint64_t{1} << (kGroups - 1);
    const std::uint64_t ends = (~Word(block, 0) & ~LowBits(kGroups)) | kFlag;
    // Its end is in the first word; or the search there gives 64, and goes on in the second. Guests' buckets may have numbers
    // from 64 on, which the first word never reaches.
    const std::uint64_t before = static_cast<std::uint64_t>(_mm_popcnt_u64(ends)), one = 1, near = bucket < 64;
    const std::uint64_t in_first = _tzcnt_u64(_pdep_u64(near << bucket % 64, ends));
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

  THIMBLE_TARGET_AVX2 static inline __attribute__((always_inline)) bool ContainsPlace(const View& view, const Place& place) {
    Page page;
    if (!QuotientKernels::PageOf(view, place, &page)) return false;
    if (page.depth != view.byte_depth_) return QuotientKernels::Count(view, page, place) > 0;
    return Holds(view, page, place, Find(page.at + kBlockBytes * place.block, view.byte_slots_, place.bucket, place.remainder));
  }

  THIMBLE_TARGET_AVX2 static bool Contains(const View& view, std::uint64_t hash) {
    return ContainsPlace(view, QuotientKernels::PlaceOf(view, hash));
  }

  THIMBLE_TARGET_AVX2 static std::size_t ContainsMany(const View& view, Hashes hashes, bool* found) {
    std::size_t hits = 0;
    ForEachPrefetched<0>(view, hashes, [&](std::size_t i, const Place& place) THIMBLE_TARGET_AVX2 { hits += found[i] = ContainsPlace(view, place); });
    return hits;
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

  // Entries in a block.
  THIMBLE_TARGET_AVX2 static inline __attribute__((always_inline)) unsigned Entries(const std::byte* block, unsigned slots) {
    const std::uint64_t second = _bzhi_u64(Word(block, 1), kBlockBits - 8 * slots - 64);
    return static_cast<unsigned>(_mm_popcnt_u64(Word(block, 0) >> kGroups) + _mm_popcnt_u64(second));
  }

  // Writes what is before a block's entries, twelve to sixteen bytes.
  static inline __attribute__((always_inline)) void StoreUnary(std::byte* block, unsigned first_byte, Wide unary) {
    Store(block, static_cast<std::uint64_t>(unary));
    Store(block + 8, static_cast<std::uint32_t>(unary >> 64));
    Store(block + first_byte - 4, static_cast<std::uint32_t>(unary >> (8 * (first_byte - 4))));
  }

  // Puts the remainder before the entries that were found; false if the block is full.
  THIMBLE_TARGET_AVX2 static inline __attribute__((always_inline)) bool Insert(std::byte* block, unsigned slots, const Matches& matches,
                                                                                std::uint64_t value) {
    const unsigned first_byte = 64 - slots;
    const std::uint64_t words[2] = {Word(block, 0), _bzhi_u64(Word(block, 1), 8 * first_byte - 64)};
    if (Entries(block, slots) >= slots) return false;

    const __m256i at = _mm256_set1_epi8(static_cast<char>(first_byte + matches.first));
    const __m256i remainder = _mm256_set1_epi8(static_cast<char>(value));
    auto* halves = reinterpret_cast<__m256i*>(block);
    const __m256i low = _mm256_loadu_si256(halves), high = _mm256_loadu_si256(halves + 1);
    const __m256i before_low = _mm256_alignr_epi8(low, _mm256_permute2x128_si256(low, low, 0x08), 15);
    const __m256i before_high = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(block + 31));
    _mm256_storeu_si256(halves, Inserted(low, before_low, Numbers(0), at, remainder));
    _mm256_storeu_si256(halves + 1, Inserted(high, before_high, Numbers(32), at, remainder));
    // A one goes before the bucket's: what is behind moves up by one bit.
    const Wide unary = Wide{words[1]} << 64 | words[0], one = Wide{1} << matches.position;
    StoreUnary(block, first_byte, unary + (unary & ~(one - 1)) + one);
    return true;
  }

  // Takes away the entry of `matches` that is first in its bucket.
  THIMBLE_TARGET_AVX2 static inline __attribute__((always_inline)) void RemoveFirst(std::byte* block, unsigned slots, const Matches& matches) {
    const unsigned first_byte = 64 - slots;
    const Wide unary = Wide{_bzhi_u64(Word(block, 1), 8 * first_byte - 64)} << 64 | Word(block, 0), below = (Wide{1} << matches.position) - 1;
    const Wide shrunk = (unary & below) | (unary >> 1 & ~below);
    const __m256i at = _mm256_set1_epi8(static_cast<char>(first_byte + matches.first - 1));
    auto* halves = reinterpret_cast<__m256i*>(block);
    const __m256i low = _mm256_loadu_si256(halves), high = _mm256_loadu_si256(halves + 1);
    const __m256i behind_low = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(block + 1));
    const __m256i behind_high = _mm256_alignr_epi8(_mm256_permute2x128_si256(high, high, 0x81), high, 1);
    _mm256_storeu_si256(halves, _mm256_blendv_epi8(low, behind_low, _mm256_cmpgt_epi8(Numbers(0), at)));
    _mm256_storeu_si256(halves + 1, _mm256_blendv_epi8(high, behind_high, _mm256_cmpgt_epi8(Numbers(32), at)));
    StoreUnary(block, first_byte, shrunk);
  }

  // QuotientFilter::MakeRoom where one move does it; false if none does.
  THIMBLE_TARGET_AVX2 static bool MakeRoom(const View& view, std::byte* blocks, unsigned home) {
    const unsigned slots = view.byte_slots_;
    std::byte* from = blocks + kBlockBytes * home;
    // A bit for each bucket that has entries: those whose end follows a one.
    const std::uint64_t words[2] = {Word(from, 0) & ~LowBits(kGroups), Word(from, 1)};
    const std::uint64_t ends = ~Word(from, 0) & ~LowBits(kGroups);
    const std::uint64_t taken = _pext_u64(words[0] << 1, ends) |
                                _pext_u64(words[1] << 1 | words[0] >> 63, ~words[1]) << static_cast<unsigned>(_mm_popcnt_u64(ends)) % 64;
    unsigned fewest = 2 * slots, group = kGroups;
    for (unsigned g = 0; g < kGroups; ++g) {
      const unsigned entries = Entries(blocks + kBlockBytes * QuotientKernels::GuestBlock(view, home, g), slots);
      const unsigned cost = HasGuests(from, g) ? entries : slots + g;  // as there: the emptiest of those flagged, or the first
      const bool possible = entries < slots && (_bzhi_u64(taken, view.buckets_) >> g & kOfGroup) != 0;
      const bool better = possible && cost < fewest;
      fewest = better ? cost : fewest;
      group = better ? g : group;
    }
    if (group == kGroups) return false;
    const auto bucket = group + static_cast<unsigned>(_tzcnt_u64(taken >> group & kOfGroup));
    const Matches matches = Find(from, slots, bucket, 0);
    const auto remainder = std::to_integer<std::uint64_t>(from[64 - slots + matches.first]);
    RemoveFirst(from, slots, matches);
    SetHasGuests(from, group, true);
    std::byte* other = blocks + kBlockBytes * QuotientKernels::GuestBlock(view, home, group);
    return Insert(other, slots, Find(other, slots, view.buckets_ + group, remainder), remainder);
  }

  // Adds to the bucket, or to its group's guests where it has some. False: it takes AddSlowly.
  THIMBLE_TARGET_AVX2 static inline __attribute__((always_inline)) bool AddPlace(QuotientFilter& filter, const Place& place) {
    const View& view = filter;
    Page page;
    if (!QuotientKernels::PageOf(view, place, &page) || page.depth != view.byte_depth_) return false;
    std::byte* blocks = filter.Writable(page);
    std::byte* block = blocks + kBlockBytes * place.block;
    const unsigned slots = view.byte_slots_, group = place.bucket % kGroups;
    const Matches matches = Find(block, slots, place.bucket, place.remainder);
    if (matches.entries != 0 && !view.counts_duplicates_) return true;
    bool added;
    if (!HasGuests(block, group)) {
      added = Insert(block, slots, matches, place.remainder);
    } else {
      std::byte* other = blocks + kBlockBytes * QuotientKernels::GuestBlock(view, place.block, group);
      const Matches guests = Find(other, slots, view.buckets_ + group, place.remainder);
      if (guests.entries != 0 && !view.counts_duplicates_) return true;
      added = Insert(block, slots, matches, place.remainder) || Insert(other, slots, guests, place.remainder);
    }
    if (!added) {
      if (!MakeRoom(view, blocks, place.block)) return false;
      Insert(block, slots, Find(block, slots, place.bucket, place.remainder), place.remainder);
    }
    Store(filter.data() + 16, ++filter.size_);
    return true;
  }

  THIMBLE_TARGET_AVX2 static absl::Status Add(QuotientFilter& filter, std::uint64_t hash) {
    const Place place = QuotientKernels::PlaceOf(filter, hash);
    return AddPlace(filter, place) ? absl::OkStatus() : filter.AddSlowly(place);
  }

  THIMBLE_TARGET_AVX2 static absl::Status AddMany(QuotientFilter& filter, Hashes hashes) {
    absl::Status status;
    ForEachPrefetched<1>(filter, hashes, [&](std::size_t, const Place& place) THIMBLE_TARGET_AVX2 {
      if (status.ok() && !AddPlace(filter, place)) status = filter.AddSlowly(place);
    });
    return status;
  }
};

#endif

const QuotientFilterView::Kernels* QuotientKernels::Chosen() {
  static constexpr View::Kernels kPortable{ContainsPortable, ContainsManyPortable, Portable::Add, Portable::AddMany};
#if THIMBLE_HAS_AVX2_KERNELS
  static constexpr View::Kernels kAvx2{Bytes::Contains, Bytes::ContainsMany, Bytes::Add, Bytes::AddMany};
  if (ActiveCpuLevel() == CpuLevel::kAvx2) return &kAvx2;
#endif
  return &kPortable;
}

}  // namespace thimble
