#include "bloom_kernels.h"

#include <algorithm>

#include <cpu.h>

#if THIMBLE_HAS_AVX2_KERNELS
#include <immintrin.h>
#endif

namespace thimble {
namespace {

using Shape = BloomKernels::Shape;
using Kernels = BloomKernels::Kernels;
using Hashes = std::span<const std::uint64_t>;

template <BloomLayout layout>
bool Contains(const std::byte* bits, Shape shape, std::uint64_t hash) {
  return BloomKernels::ForBits(layout, shape, hash, [bits](std::uint64_t at, std::uint8_t mask) {
    return (std::to_integer<std::uint8_t>(bits[at]) & mask) != 0;
  });
}

template <BloomLayout layout>
void Add(std::byte* bits, Shape shape, std::uint64_t hash) {
  BloomKernels::ForBits(layout, shape, hash, [bits](std::uint64_t at, std::uint8_t mask) {
    bits[at] |= std::byte{mask};
    return true;
  });
}

// How many keys ahead of its use a key's cache lines are asked for: enough to hide the latency of memory, few enough for the
// machine to keep them all under way.
constexpr std::size_t kAhead = 16;

// Asks for a key's cache lines. Blocked: those of the run's first and last byte.
template <BloomLayout layout, int kWrite>
inline __attribute__((always_inline)) void Prefetch(const std::byte* bits, Shape shape, std::uint64_t hash) {
  if constexpr (layout == BloomLayout::kBlocked) {
    __extension__ using Wide = unsigned __int128;
    const std::byte* at = bits + static_cast<std::uint64_t>(Wide{hash << shape.folds} * shape.positions >> 64);
    __builtin_prefetch(at, kWrite);
    __builtin_prefetch(at + BloomKernels::kBlockBytes - 1, kWrite);
  } else {
    BloomKernels::ForBits(layout, shape, hash, [bits](std::uint64_t at, std::uint8_t) {
      __builtin_prefetch(bits + at, kWrite);
      return true;
    });
  }
}

template <BloomLayout layout>
std::size_t ContainsMany(const std::byte* bits, Shape shape, Hashes hashes, bool* found) {
  const std::size_t n = hashes.size();
  for (std::size_t i = 0; i < std::min(n, kAhead); ++i) Prefetch<layout, 0>(bits, shape, hashes[i]);
  std::size_t hits = 0;
  for (std::size_t i = 0; i < n; ++i) {
    if (i + kAhead < n) Prefetch<layout, 0>(bits, shape, hashes[i + kAhead]);
    hits += found[i] = Contains<layout>(bits, shape, hashes[i]);
  }
  return hits;
}

template <BloomLayout layout>
void AddMany(std::byte* bits, Shape shape, Hashes hashes) {
  const std::size_t n = hashes.size();
  for (std::size_t i = 0; i < std::min(n, kAhead); ++i) Prefetch<layout, 1>(bits, shape, hashes[i]);
  for (std::size_t i = 0; i < n; ++i) {
    if (i + kAhead < n) Prefetch<layout, 1>(bits, shape, hashes[i + kAhead]);
    Add<layout>(bits, shape, hashes[i]);
  }
}

template <BloomLayout layout>
constexpr Kernels kPortable{Contains<layout>, Add<layout>, ContainsMany<layout>, AddMany<layout>};

#if THIMBLE_HAS_AVX2_KERNELS

// Eight lanes of ones; a load that begins 8 - k lanes in has ones in the first k only.
alignas(32) constexpr std::uint32_t kOnes[16] = {1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0};

struct Block {
  std::uint64_t start;
  __m256i mask;
};

THIMBLE_TARGET_AVX2 inline Block BlockOf(Shape shape, std::uint64_t hash) {
  __extension__ using Wide = unsigned __int128;
  const Wide product = Wide{hash << shape.folds} * shape.positions;
  const auto remainder = static_cast<int>(static_cast<std::uint64_t>(product) >> 32);
  const __m256i salts = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(BloomKernels::kLaneSalts));
  const __m256i ones = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(kOnes + 8 - shape.k));
  const __m256i bit = _mm256_srli_epi32(_mm256_mullo_epi32(_mm256_set1_epi32(remainder), salts), 27);
  return {static_cast<std::uint64_t>(product >> 64), _mm256_sllv_epi32(ones, bit)};
}

THIMBLE_TARGET_AVX2 bool ContainsAvx2(const std::byte* bits, Shape shape, std::uint64_t hash) {
  const Block block = BlockOf(shape, hash);
  return _mm256_testc_si256(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(bits + block.start)), block.mask) != 0;
}

THIMBLE_TARGET_AVX2 void AddAvx2(std::byte* bits, Shape shape, std::uint64_t hash) {
  const Block block = BlockOf(shape, hash);
  auto* at = reinterpret_cast<__m256i*>(bits + block.start);
  _mm256_storeu_si256(at, _mm256_or_si256(_mm256_loadu_si256(at), block.mask));
}

THIMBLE_TARGET_AVX2 std::size_t ContainsManyAvx2(const std::byte* bits, Shape shape, Hashes hashes, bool* found) {
  const std::size_t n = hashes.size();
  for (std::size_t i = 0; i < std::min(n, kAhead); ++i) Prefetch<BloomLayout::kBlocked, 0>(bits, shape, hashes[i]);
  std::size_t hits = 0;
  for (std::size_t i = 0; i < n; ++i) {
    if (i + kAhead < n) Prefetch<BloomLayout::kBlocked, 0>(bits, shape, hashes[i + kAhead]);
    hits += found[i] = ContainsAvx2(bits, shape, hashes[i]);
  }
  return hits;
}

THIMBLE_TARGET_AVX2 void AddManyAvx2(std::byte* bits, Shape shape, Hashes hashes) {
  const std::size_t n = hashes.size();
  for (std::size_t i = 0; i < std::min(n, kAhead); ++i) Prefetch<BloomLayout::kBlocked, 1>(bits, shape, hashes[i]);
  for (std::size_t i = 0; i < n; ++i) {
    if (i + kAhead < n) Prefetch<BloomLayout::kBlocked, 1>(bits, shape, hashes[i + kAhead]);
    AddAvx2(bits, shape, hashes[i]);
  }
}

constexpr Kernels kBlockedAvx2{ContainsAvx2, AddAvx2, ContainsManyAvx2, AddManyAvx2};

#endif

}  // namespace

const BloomKernels::Kernels* BloomKernels::For(BloomLayout layout) {
  if (layout == BloomLayout::kClassic) return &kPortable<BloomLayout::kClassic>;
#if THIMBLE_HAS_AVX2_KERNELS
  if (ActiveCpuLevel() == CpuLevel::kAvx2) return &kBlockedAvx2;
#endif
  return &kPortable<BloomLayout::kBlocked>;
}

}  // namespace thimble
