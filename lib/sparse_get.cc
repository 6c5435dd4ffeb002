// Looking up values: SparseTreeView::Get and GetMany.
//
// A lookup in an array that is larger than the cache waits for memory, and the machine hides that only by starting the next
// lookups meanwhile: it can as long as no branch was guessed wrongly, and as few instructions wait as its queues hold. So the
// kernel below decides nothing by the key in nearly all lookups, and leaves everything unusual to the plain way.

#include <algorithm>
#include <array>
#include <cstdint>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "cpu.h"
#include "sparse_leaf.h"
#include "sparse_node.h"
#include "thimble/sparse_tree.h"

namespace thimble {

#if THIMBLE_HAS_AVX2_KERNELS

class SparseTreeGet {
 public:
  using Got = SparseTreeView::Got;

  THIMBLE_TARGET_AVX2 static Got Get(const SparseTreeView& view, std::uint64_t key) {
    return GetFrom(view, GroupOf(Descend(view, key), view.value_bits_, key), key);
  }

  // All leaves that are needed are asked for, then all lines in them, then all values are read.
  THIMBLE_TARGET_AVX2 static void GetMany(const SparseTreeView& view, std::span<const std::uint64_t> keys, Got* out) {
    std::array<Spot, kAtOnce> spots;
    std::array<Group, kAtOnce> groups;
    for (; !keys.empty(); keys = keys.subspan(std::min(kAtOnce, keys.size()))) {
      const std::size_t n = std::min(kAtOnce, keys.size());
      for (std::size_t i = 0; i < n; ++i) {
        spots[i] = Descend(view, keys[i]);
        for (std::size_t line = 0; line < 192; line += 64) __builtin_prefetch(spots[i].leaf + line);
      }
      for (std::size_t i = 0; i < n; ++i) groups[i] = GroupOf(spots[i], view.value_bits_, keys[i]);
      for (std::size_t i = 0; i < n; ++i) *out++ = GetFrom(view, groups[i], keys[i]);
    }
  }

 private:
  static constexpr std::size_t kAtOnce = 32;

  // A leaf, and the bytes from there to the image's slack: at least 16, or 0 if the leaf must be looked for in the plain way.
  struct Spot {
    const std::byte* leaf;
    std::uint64_t limit;
  };

  [[gnu::noinline]] static Got Slowly(const SparseTreeView& view, std::uint64_t key) {
    const SparseTreeView::Place place = view.Find(key);
    return {place.found, place.value};
  }
  // Requires: the node was read to have so many children, which is at least one.
  [[gnu::noinline]] static std::uint64_t ChildSlowly(const std::byte* page, std::uint64_t count, std::uint64_t bytes, std::uint64_t key) {
    const sparse::Node node(page, static_cast<std::size_t>(bytes));
    return node.count() == 0 ? 0 : std::min<std::uint64_t>(node.ChildOf(key), count - 1);
  }

  // Which of four numbers without a sign are above another: they are compared as numbers with one.
  THIMBLE_INLINE THIMBLE_TARGET_AVX2 static __m256i Above(const std::byte* numbers, __m256i than) {
    const __m256i sign = _mm256_set1_epi64x(INT64_MIN), four = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(numbers));
    return _mm256_cmpgt_epi64(_mm256_xor_si256(four, sign), _mm256_xor_si256(than, sign));
  }

  // Node::ChildOf with vector instructions, where that need not search. Requires: the node was read to have so many children,
  // and at least one.
  THIMBLE_INLINE THIMBLE_TARGET_AVX2 static std::uint64_t ChildOf(const std::byte* page, std::uint64_t count, std::uint64_t bytes, std::uint64_t key) {
    if (count < sparse::kNearChildren) [[unlikely]] return ChildSlowly(page, count, bytes, key);
    const std::byte* keys = page + sparse::kNodeHeaderBytes;
    const auto guess = static_cast<std::uint64_t>(sparse::Wide{key - Load<std::uint64_t>(keys)} * Load<std::uint64_t>(page + 8) >> 64);
    const std::uint64_t from = std::min<std::uint64_t>(guess, count - sparse::kNearChildren);
    const __m256i wanted = _mm256_set1_epi64x(static_cast<std::int64_t>(key));
    const __m256i above = _mm256_packs_epi32(Above(keys + from * 8, wanted), Above(keys + from * 8 + 32, wanted));
    const auto passed = 8 - static_cast<unsigned>(_mm_popcnt_u32(static_cast<unsigned>(_mm256_movemask_epi8(above)))) / 4;
    if (passed - 1 < sparse::kNearChildren - 1 || (passed == sparse::kNearChildren && from + passed == count)) [[likely]] return from + passed - 1;
    return ChildSlowly(page, count, bytes, key);
  }

  THIMBLE_INLINE THIMBLE_TARGET_AVX2 static Spot Descend(const SparseTreeView& view, std::uint64_t key) {
    const std::byte* pages = view.data_ + SparseTreeView::kHeaderBytes;
    const std::uint64_t all = view.image_bytes_ - kImageSlack - SparseTreeView::kHeaderBytes;
    std::uint64_t at = view.root_ * view.unit_bytes_;
    for (unsigned level = view.height_; level > 0; --level) {
      const std::byte* page = pages + at;
      const auto counts = Load<std::uint32_t>(page);
      const std::uint64_t count = counts & 0xFFFF, capacity = counts >> 16;
      if (count == 0) [[unlikely]] return {pages, 0};
      if (count > capacity || sparse::kNodeHeaderBytes + capacity * sparse::kChildBytes > all - at) [[unlikely]] return {pages, 0};
      const std::uint64_t next = Load<std::uint32_t>(page + sparse::kNodeHeaderBytes + capacity * 16 + ChildOf(page, count, all - at, key) * 4);
      if (next >= view.pages_) [[unlikely]] return {pages, 0};
      at = next * view.unit_bytes_;
    }
    return {pages + at, all - at >= sparse::kLeafHeaderBytes ? all - at : 0};
  }

  // An Elias-Fano leaf, read as far as its guide: where the words and the records of a key's group begin. What is none or
  // contradicts itself has no group.
  struct Group {
    bool any;
    unsigned width, record_bits;
    std::uint64_t count, offset, below;  // keys of the leaf; the key less its base; keys before the group
    std::uint64_t bit;                   // of the words
    const std::byte* words;
    const std::byte* records;
    std::uint64_t room;  // bytes from the records to the image's slack
  };
  // Brings the words and the records of the group too, of which there are about half as many as high parts.
  THIMBLE_INLINE THIMBLE_TARGET_AVX2 static Group GroupOf(Spot spot, unsigned value_bits, std::uint64_t key) {
    Group group;
    group.any = false;
    if (spot.limit == 0) [[unlikely]] return group;
    const auto head = Load<std::uint64_t>(spot.leaf + 8);
    const std::uint64_t groups = Load<std::uint16_t>(spot.leaf + sparse::kLeafHeaderBytes), unary = (head >> 48) * 8;
    group.count = head & 0xFFFFFFFF;
    group.width = head >> 40 & 0xFF;
    group.record_bits = group.width + value_bits;
    const std::uint64_t words = sparse::kLeafHeaderBytes + sparse::GuideBytes(groups), records = words + unary;
    group.offset = key - Load<std::uint64_t>(spot.leaf);
    const std::uint64_t index = (group.offset >> (group.width & 63)) / sparse::kGroup;
    if ((head >> 32 & 0xFF) != sparse::kEliasFano) [[unlikely]] return group;
    if (group.width > kOneLoadBits) [[unlikely]] return group;
    if (index >= groups || records > spot.limit) [[unlikely]] return group;
    group.below = Load<std::uint16_t>(spot.leaf + sparse::kLeafHeaderBytes + 2 + index * 2);
    group.bit = index * sparse::kGroup + group.below;
    group.any = group.bit < unary * 8;
    group.words = spot.leaf + words;
    group.records = spot.leaf + records;
    group.room = spot.limit - records;
    __builtin_prefetch(group.words + group.bit / 8);
    const std::byte* first = group.records + group.below * group.record_bits / 8;
    __builtin_prefetch(first);
    __builtin_prefetch(first + sparse::kGroup / 2 * group.record_bits / 8);
    return group;
  }

  THIMBLE_INLINE THIMBLE_TARGET_AVX2 static Got GetFrom(const SparseTreeView& view, const Group& group, std::uint64_t key) {
    if (!group.any) [[unlikely]] return Slowly(view, key);
    // The bucket's keys are the ones in front of its zero; what is shifted in looks like zeros.
    const std::uint64_t zeros = ~(Load<std::uint64_t>(group.words + group.bit / 8) >> (group.bit % 8));
    const unsigned before = (group.offset >> group.width) % sparse::kGroup;
    const std::uint64_t zero = _pdep_u64(std::uint64_t{1} << before, zeros);
    const auto end = static_cast<unsigned>(_tzcnt_u64(zero)), start = 64 - static_cast<unsigned>(_lzcnt_u64(zeros & (zero - 1)));
    const std::uint64_t index = group.below + start - before;
    // Three keys are looked at, whether they are there or not, and the value of a fourth stands for none.
    const std::uint64_t first = index * group.record_bits, second = first + group.record_bits, third = second + group.record_bits;
    if (end >= 56 || index >= group.count || (third + 2 * group.record_bits) / 8 >= group.room) [[unlikely]] return Slowly(view, key);
    const unsigned is_a = IsOf(group, first), is_b = IsOf(group, second), is_c = IsOf(group, third), n = end - start;
    const unsigned found = _bzhi_u32(is_a + is_b * 2 + is_c * 4, n);
    if (n > 3 && found == 0) [[unlikely]] return Slowly(view, key);
    return {found != 0, ReadBits(group.records, first + _tzcnt_u32(found | 8) * group.record_bits + group.width, view.value_bits_)};
  }
  // Whether the record at a bit is the key's.
  THIMBLE_INLINE THIMBLE_TARGET_AVX2 static unsigned IsOf(const Group& group, std::uint64_t at) {
    return static_cast<unsigned>(_bzhi_u64(Load<std::uint64_t>(group.records + at / 8) >> (at % 8) ^ group.offset, group.width) == 0);
  }
};

SparseTreeView::Got SparseTreeView::Get(std::uint64_t key) const {
  if (avx2_) return SparseTreeGet::Get(*this, key);
  const Place place = Find(key);
  return {place.found, place.value};
}

void SparseTreeView::GetMany(std::span<const std::uint64_t> keys, Got* out) const {
  if (avx2_) return SparseTreeGet::GetMany(*this, keys, out);
  for (const std::uint64_t key : keys) *out++ = Get(key);
}

#else

SparseTreeView::Got SparseTreeView::Get(std::uint64_t key) const {
  const Place place = Find(key);
  return {place.found, place.value};
}

void SparseTreeView::GetMany(std::span<const std::uint64_t> keys, Got* out) const {
  for (const std::uint64_t key : keys) *out++ = Get(key);
}

#endif

}  // namespace thimble
