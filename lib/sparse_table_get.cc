// Looking up values in a table: SparseTableView::Get, BitsAt and GetMany.
//
// As in a tree (sparse_get.cc), what matters is how many lookups overlap, so instructions count. No branch below depends on the
// key but in the few lookups in which a byte is that of another key, and a miss does not wait for a record.

#include <algorithm>
#include <array>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "cpu.h"
#include "inline.h"
#include "sparse_table.h"
#include "thimble/bits.h"

namespace thimble {

#if THIMBLE_HAS_AVX2_KERNELS

class SparseTableGet {
 public:
  using Got = SparseTableView::Got;

  THIMBLE_TARGET_AVX2 static Got Get(const SparseTableView& view, std::uint64_t key) { return GetFrom(view, BucketOf(view, key), key); }

  THIMBLE_TARGET_AVX2 static std::uint64_t BitsAt(const SparseTableView& view, std::uint64_t key) {
    return GetFrom(view, BucketOf(view, key), key).value;
  }

  // All buckets are asked for, then all are read.
  THIMBLE_TARGET_AVX2 static void GetMany(const SparseTableView& view, std::span<const std::uint64_t> keys, Got* out) {
    std::array<Bucket, kAtOnce> buckets;
    for (; !keys.empty(); keys = keys.subspan(std::min(kAtOnce, keys.size()))) {
      const std::size_t n = std::min(kAtOnce, keys.size());
      for (std::size_t i = 0; i < n; ++i) {
        buckets[i] = BucketOf(view, keys[i]);
        __builtin_prefetch(view.data_ + view.bytes_at_ + buckets[i].first);
      }
      for (std::size_t i = 0; i < n; ++i) *out++ = GetFrom(view, buckets[i], keys[i]);
    }
  }

 private:
  static constexpr std::size_t kAtOnce = 32;

  // Entries from first on, whose records begin at a bit of the image: fewer than kMany, or kMany if they must be looked for in
  // the plain way.
  struct Bucket {
    std::uint64_t first, bit;
    unsigned size;
  };

  [[gnu::noinline]] static Got Slowly(const SparseTableView& view, std::uint64_t key) {
    const SparseTableView::Place place = view.Find(key);
    return {place.found, place.found ? place.value : view.default_bits()};
  }
  // The value of a record that no load reaches whole.
  [[gnu::noinline]] static Got ReadWide(const SparseTableView& view, std::uint64_t at, bool found) {
    return {found, ReadBits(view.data_, at + view.rest_bits_, view.value_bits_)};
  }

  // Asks for the records too, most of which stand in one line.
  THIMBLE_INLINE THIMBLE_TARGET_AVX2 static Bucket BucketOf(const SparseTableView& view, std::uint64_t key) {
    const std::uint64_t bucket = (key - view.base_) >> view.low_bits_, cell = bucket / SparseTableView::kBuckets;
    if (cell >= view.cells_) [[unlikely]] return {0, 0, 0};
    const std::byte* at = view.Cell(cell);
    const auto counts = Load<std::uint64_t>(at + 4);
    const unsigned shift = bucket % SparseTableView::kBuckets * 4, size = counts >> shift & 15;
    const std::uint64_t first = Load<std::uint32_t>(at) + sparse::SumOfFields(_bzhi_u64(counts, shift));
    if (first + size > view.count_) [[unlikely]] return {0, 0, SparseTableView::kMany};
    const std::uint64_t bit = view.records_at_ * 8 + first * view.record_bits_;
    __builtin_prefetch(view.data_ + bit / 8);
    return {first, bit, size};
  }

  THIMBLE_INLINE THIMBLE_TARGET_AVX2 static Got GetFrom(const SparseTableView& view, Bucket bucket, std::uint64_t key) {
    if (bucket.size == SparseTableView::kMany) [[unlikely]] return Slowly(view, key);
    const std::uint64_t offset = key - view.base_;
    const __m128i wanted = _mm_set1_epi8(static_cast<char>(offset >> view.rest_bits_));
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(view.data_ + view.bytes_at_ + bucket.first));
    const unsigned candidates = _bzhi_u32(static_cast<unsigned>(_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, wanted))), bucket.size);
    // Where no byte is the key's, the default value in the header stands for the record: its line is always here. By a mask, as
    // compilers make a branch of a choice, which half of the keys would get wrong.
    const std::uint64_t none = SparseTableView::kDefaultBit - view.rest_bits_, any = 0 - static_cast<std::uint64_t>(candidates != 0);
    const std::uint64_t at = none + ((bucket.bit + _tzcnt_u32(candidates) * std::uint64_t{view.record_bits_} - none) & any);
    const std::uint64_t word = Load<std::uint64_t>(view.data_ + at / 8) >> (at % 8);
    if (_bzhi_u64(word ^ offset, view.rest_bits_) != 0 && candidates != 0) [[unlikely]] return Slowly(view, key);
    if (!view.one_load_) return ReadWide(view, at, candidates != 0);
    return {candidates != 0, _bzhi_u64(word >> view.rest_bits_, view.value_bits_)};
  }
};

#endif

SparseTableView::Got SparseTableView::Get(std::uint64_t key) const {
#if THIMBLE_HAS_AVX2_KERNELS
  if (avx2_) return SparseTableGet::Get(*this, key);
#endif
  const Place place = Find(key);
  return {place.found, place.value};
}

std::uint64_t SparseTableView::BitsAt(std::uint64_t key) const {
#if THIMBLE_HAS_AVX2_KERNELS
  if (avx2_) return SparseTableGet::BitsAt(*this, key);
#endif
  const Place place = Find(key);
  return place.found ? place.value : default_bits();
}

void SparseTableView::GetMany(std::span<const std::uint64_t> keys, Got* out) const {
#if THIMBLE_HAS_AVX2_KERNELS
  if (avx2_) return SparseTableGet::GetMany(*this, keys, out);
#endif
  for (const std::uint64_t key : keys) *out++ = Get(key);
}

}  // namespace thimble
