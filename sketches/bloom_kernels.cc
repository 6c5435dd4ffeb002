#include "bloom_kernels.h"

#include <algorithm>
#include <utility>

#include <cpu.h>

#include "bloom_math.h"

#if THIMBLE_HAS_AVX2_KERNELS
#include <immintrin.h>
#endif

namespace thimble {
namespace {

using Shape = BloomKernels::Shape;
using Kernels = BloomKernels::Kernels;
using Hashes = std::span<const std::uint64_t>;

template <BloomLayout layout>
bool Contains(const std::byte* image, const Shape& shape, std::uint64_t hash) {
  return BloomKernels::ForBits(layout, shape, hash, [image](std::uint64_t at, std::uint8_t mask) {
    return (std::to_integer<std::uint8_t>(image[at]) & mask) != 0;
  });
}

template <BloomLayout layout>
void Add(std::byte* image, const Shape& shape, std::uint64_t hash) {
  BloomKernels::ForBits(layout, shape, hash, [image](std::uint64_t at, std::uint8_t mask) {
    image[at] |= std::byte{mask};
    return true;
  });
}

// How many keys ahead of its use a key's cache lines are asked for: enough to hide the latency of memory, few enough for the
// machine to keep them all under way.
constexpr std::size_t kAhead = 16;

// Asks for a key's cache lines. Blocked: those of the run's first and last byte.
template <BloomLayout layout, int kWrite>
inline __attribute__((always_inline)) void Prefetch(const std::byte* image, const Shape& shape, std::uint64_t hash) {
  if constexpr (layout == BloomLayout::kBlocked) {
    const std::byte* at = image + BloomKernels::kHeaderBytes + BloomKernels::Position(shape, hash);
    __builtin_prefetch(at, kWrite);
    __builtin_prefetch(at + BloomKernels::kBlockBytes - 1, kWrite);
  } else {
    BloomKernels::ForBits(layout, shape, hash, [image](std::uint64_t at, std::uint8_t) {
      __builtin_prefetch(image + at, kWrite);
      return true;
    });
  }
}

// Calls use(i) for each hash, its cache lines asked for some time before.
template <BloomLayout layout, int kWrite, class Use>
inline __attribute__((always_inline)) void ForEachPrefetched(const std::byte* image, const Shape& shape, Hashes hashes, Use use) {
  const std::size_t n = hashes.size();
  for (std::size_t i = 0; i < std::min(n, kAhead); ++i) Prefetch<layout, kWrite>(image, shape, hashes[i]);
  for (std::size_t i = 0; i < n; ++i) {
    if (i + kAhead < n) Prefetch<layout, kWrite>(image, shape, hashes[i + kAhead]);
    use(i);
  }
}

template <BloomLayout layout>
std::size_t ContainsMany(const std::byte* image, const Shape& shape, Hashes hashes, bool* found) {
  std::size_t hits = 0;
  ForEachPrefetched<layout, 0>(image, shape, hashes, [&](std::size_t i) { hits += found[i] = Contains<layout>(image, shape, hashes[i]); });
  return hits;
}

template <BloomLayout layout>
void AddMany(std::byte* image, const Shape& shape, Hashes hashes) {
  ForEachPrefetched<layout, 1>(image, shape, hashes, [&](std::size_t i) { Add<layout>(image, shape, hashes[i]); });
}

template <BloomLayout layout>
constexpr Kernels kPortable{Contains<layout>, Add<layout>, ContainsMany<layout>, AddMany<layout>};

#if THIMBLE_HAS_AVX2_KERNELS

alignas(32) constexpr std::uint32_t kSalts[8] = {BloomKernels::kLaneSalts[0], BloomKernels::kLaneSalts[1], BloomKernels::kLaneSalts[2],
                                                 BloomKernels::kLaneSalts[3], BloomKernels::kLaneSalts[4], BloomKernels::kLaneSalts[5],
                                                 BloomKernels::kLaneSalts[6], BloomKernels::kLaneSalts[7]};

// k ones, then zeros: what the lanes of a block have of a key.
alignas(32) constexpr std::uint32_t kOnes[16] = {1, 1, 1, 1, 1, 1, 1, 1};

struct Block {
  std::uint64_t start;
  __m256i mask;
};

template <std::size_t k, bool kFolded>
THIMBLE_TARGET_AVX2 inline __attribute__((always_inline)) Block BlockOf(const Shape& shape, std::uint64_t hash) {
  __extension__ using Wide = unsigned __int128;
  const std::uint64_t position = kFolded ? BloomKernels::Position(shape, hash) : static_cast<std::uint64_t>(Wide{hash} * shape.positions >> 64);
  const __m256i salts = _mm256_load_si256(reinterpret_cast<const __m256i*>(kSalts));
  const __m256i ones = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(kOnes + 8 - k));
  const __m256i bit = _mm256_srli_epi32(_mm256_mullo_epi32(_mm256_set1_epi32(static_cast<int>(hash)), salts), 27);
  return {BloomKernels::kHeaderBytes + position, _mm256_sllv_epi32(ones, bit)};
}

template <std::size_t k, bool kFolded>
THIMBLE_TARGET_AVX2 bool ContainsAvx2(const std::byte* image, const Shape& shape, std::uint64_t hash) {
  const Block block = BlockOf<k, kFolded>(shape, hash);
  return _mm256_testc_si256(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(image + block.start)), block.mask) != 0;
}

template <std::size_t k, bool kFolded>
THIMBLE_TARGET_AVX2 void AddAvx2(std::byte* image, const Shape& shape, std::uint64_t hash) {
  const Block block = BlockOf<k, kFolded>(shape, hash);
  auto* at = reinterpret_cast<__m256i*>(image + block.start);
  _mm256_storeu_si256(at, _mm256_or_si256(_mm256_loadu_si256(at), block.mask));
}

template <std::size_t k, bool kFolded>
THIMBLE_TARGET_AVX2 std::size_t ContainsManyAvx2(const std::byte* image, const Shape& shape, Hashes hashes, bool* found) {
  std::size_t hits = 0;
  ForEachPrefetched<BloomLayout::kBlocked, 0>(image, shape, hashes, [&](std::size_t i) THIMBLE_TARGET_AVX2 {
    hits += found[i] = ContainsAvx2<k, kFolded>(image, shape, hashes[i]);
  });
  return hits;
}

template <std::size_t k, bool kFolded>
THIMBLE_TARGET_AVX2 void AddManyAvx2(std::byte* image, const Shape& shape, Hashes hashes) {
  ForEachPrefetched<BloomLayout::kBlocked, 1>(image, shape, hashes,
                                              [&](std::size_t i) THIMBLE_TARGET_AVX2 { AddAvx2<k, kFolded>(image, shape, hashes[i]); });
}

template <std::size_t k, bool kFolded>
constexpr Kernels kBlockedAvx2{ContainsAvx2<k, kFolded>, AddAvx2<k, kFolded>, ContainsManyAvx2<k, kFolded>, AddManyAvx2<k, kFolded>};

// One set for each k from 1 to 8: a single call has no other parameter to load than the number of positions.
template <bool kFolded, std::size_t... i>
Kernels BlockedAvx2(unsigned k, std::index_sequence<i...>) {
  static constexpr Kernels kByProbes[] = {kBlockedAvx2<i + 1, kFolded>...};
  return kByProbes[k - 1];
}

#endif

}  // namespace

BloomKernels::Kernels BloomKernels::For(BloomLayout layout, const Shape& shape) {
  if (layout == BloomLayout::kClassic) return kPortable<BloomLayout::kClassic>;
#if THIMBLE_HAS_AVX2_KERNELS
  constexpr std::make_index_sequence<kMaxBlockedProbes> kProbes;
  if (ActiveCpuLevel() == CpuLevel::kAvx2) return shape.folds == 0 ? BlockedAvx2<false>(shape.k, kProbes) : BlockedAvx2<true>(shape.k, kProbes);
#else
  static_cast<void>(shape);
#endif
  return kPortable<BloomLayout::kBlocked>;
}

}  // namespace thimble
