#include <algorithm>
#include <array>

#include <cpu.h>

#include "ribbon_hash.h"
#include "thimble/ribbon.h"

#if THIMBLE_HAS_AVX2_KERNELS
#include <immintrin.h>
#endif

namespace thimble {
namespace {

using Hashes = std::span<const std::uint64_t>;

// The equation of one key.
struct Probe {
  const std::byte* block = nullptr;  // where it begins; none: the key is in no layer, for it was never added
  std::uint64_t next = 0;            // bytes from there to the block behind, or 0 where it takes no slot of that one
  std::uint64_t low = 0, high = 0;   // its coefficients of both blocks' slots
  std::uint32_t width = 0;           // bits of the value
  bool roomy = false;                // the image has a line behind the blocks, so that columns can be loaded in groups of eight
};

// Looks a key up in the layer that begins at a word. False: it was bumped, and the next layer begins at the word; or the image
// ends before a line behind the blocks does, where one is asked for.
template <bool kWide, bool kRoomy>
inline __attribute__((always_inline)) bool FindInLayer(const Ribbon& ribbon, std::uint64_t hash, const std::byte* record, unsigned layer,
                                                       std::uint64_t fraction, std::uint64_t* word, Probe* probe) {
  const std::byte* image = ribbon.image.data();
  const std::uint64_t blocks = Load<std::uint32_t>(record + 8 + 4 * layer);
  if (blocks == 0) return !kRoomy;
  const std::uint64_t narrow = kWide ? ribbon::NarrowBlocks(blocks, ribbon.narrow_share) : blocks, blocks_at = *word + ribbon::ThresholdWords(blocks);
  const std::uint64_t start = ribbon::Start(fraction, blocks), block = start / 64, shift = start % 64;
  const std::uint64_t width = ribbon.bits + (kWide && block >= narrow ? 1 : 0), next = shift == 0 ? 0 : width;
  const std::uint64_t at = blocks_at + (kWide ? ribbon::BlockWord(block, narrow, ribbon.bits) : block * ribbon.bits), end = at + next + width;
  if (end + (kRoomy ? 8 : 0) > ribbon.words) return !kRoomy;
  const std::uint64_t bucket = start / ribbon::kBucketStarts;
  const unsigned threshold = std::to_integer<unsigned>(image[8 * *word + bucket / 4]) >> bucket % 4 * 2 & 3;
  if (start % ribbon::kBucketStarts < ribbon::kBumpedBefore[threshold]) {
    if (!kRoomy) *word = blocks_at + ribbon::BlockWord(blocks, narrow, ribbon.bits);
    return false;
  }
  const std::uint64_t coefficients = ribbon::Coefficients(hash, layer);
  *probe = {image + 8 * at, 8 * next, coefficients << shift, coefficients >> 1 >> (63 - shift), static_cast<std::uint32_t>(width), kRoomy};
  return true;
}

// Where a key is that the first layer does not settle, which is one of twenty, or that stands at the image's end.
[[gnu::noinline]] Probe FindSlowly(const Ribbon& ribbon, std::uint64_t hash) {
  const std::byte* record = ribbon.Record(ribbon::MultiplyHigh(hash, ribbon.shards));
  const auto first = Load<std::uint64_t>(record);
  std::uint64_t word = first & LowBits(Ribbon::kOffsetBits);
  Probe probe;
  for (unsigned layer = 0; layer < Ribbon::kLayers; ++layer) {
    const std::uint64_t fraction = ribbon::Fraction(hash, ribbon.shards, layer, first >> Ribbon::kOffsetBits);
    if (FindInLayer<true, false>(ribbon, hash, record, layer, fraction, &word, &probe)) break;
  }
  return probe;
}

// False: it takes FindSlowly.
template <bool kWide>
inline __attribute__((always_inline)) bool FindFirst(const Ribbon& ribbon, std::uint64_t hash, Probe* probe) {
  const std::byte* record = ribbon.Record(ribbon::MultiplyHigh(hash, ribbon.shards));
  std::uint64_t word = Load<std::uint64_t>(record) & LowBits(Ribbon::kOffsetBits);
  return FindInLayer<kWide, true>(ribbon, hash, record, 0, ribbon::Fraction(hash, ribbon.shards, 0, 0), &word, probe);
}

// Bit i is the parity of the coefficients' slots in column i of both blocks. 0 where there is no block.
std::uint64_t ExactValue(const Probe& probe) {
  std::uint64_t value = 0;
  for (std::uint32_t i = 0; i < probe.width; ++i) {
    const std::uint64_t low = Load<std::uint64_t>(probe.block + 8 * i), high = Load<std::uint64_t>(probe.block + probe.next + 8 * i);
    value |= static_cast<std::uint64_t>(__builtin_parityll((low & probe.low) ^ (high & probe.high))) << i;
  }
  return value;
}

// So many keys are found, and their cache lines asked for, before the first is looked at.
constexpr std::size_t kInBatch = 32;

// Calls use(i, probe) for each hash.
template <bool kWide, class Use>
inline __attribute__((always_inline)) void ForEachPrefetched(const Ribbon& ribbon, Hashes hashes, Use use) {
  std::array<Probe, kInBatch> probes;
  for (std::size_t first = 0; first < hashes.size(); first += kInBatch) {
    const std::size_t n = std::min(kInBatch, hashes.size() - first);
    for (std::size_t i = 0; i < n; ++i) {
      Probe& probe = probes[i];
      if (!FindFirst<kWide>(ribbon, hashes[first + i], &probe)) {
        probe = FindSlowly(ribbon, hashes[first + i]);
        if (probe.block == nullptr) continue;
      }
      const std::uint64_t bytes = probe.next + 8 * probe.width;
      __builtin_prefetch(probe.block);
      for (std::uint64_t at = 64; at < bytes; at += 64) __builtin_prefetch(probe.block + at);
      __builtin_prefetch(probe.block + bytes - 1);
    }
    for (std::size_t i = 0; i < n; ++i) use(first + i, probes[i]);
  }
}

bool HoldsExactly(const Probe& probe, std::uint64_t hash) {
  return probe.block != nullptr && ExactValue(probe) == (ribbon::Fingerprint(hash) & LowBits(probe.width));
}

struct Portable {
  [[gnu::noinline]] static bool Contains(const Ribbon& ribbon, std::uint64_t hash) { return HoldsExactly(FindSlowly(ribbon, hash), hash); }
  [[gnu::noinline]] static std::uint64_t Value(const Ribbon& ribbon, std::uint64_t hash) { return ExactValue(FindSlowly(ribbon, hash)); }
  static std::size_t ContainsMany(const Ribbon& ribbon, Hashes hashes, bool* found) {
    std::size_t hits = 0;
    ForEachPrefetched<true>(ribbon, hashes, [&](std::size_t i, const Probe& probe) { hits += found[i] = HoldsExactly(probe, hashes[i]); });
    return hits;
  }
  static void Values(const Ribbon& ribbon, Hashes hashes, std::uint64_t* values) {
    ForEachPrefetched<true>(ribbon, hashes, [&](std::size_t i, const Probe& probe) { values[i] = ExactValue(probe); });
  }
};

#if THIMBLE_HAS_AVX2_KERNELS

// Columns by groups of eight: so many of them, or 0: as many as the probe says. Those behind a value's last one are the
// neighbours' and mean nothing. Wide: some blocks are.
template <std::uint32_t kGroups, bool kWide>
struct Avx2 {
  // The parities of eight columns: two vectors of four are folded to eight lanes of 32 bits, those to their upper bytes, and
  // two halves of a byte have their parity from a table.
  THIMBLE_TARGET_AVX2 static inline __attribute__((always_inline)) unsigned EightColumns(const std::byte* block, const std::byte* next, __m256i low,
                                                                                         __m256i high) {
    const auto four = [&](int i) THIMBLE_TARGET_AVX2 {
      const __m256i here = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(block) + i);
      const __m256i behind = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(next) + i);
      return _mm256_castsi256_ps(_mm256_xor_si256(_mm256_and_si256(here, low), _mm256_and_si256(behind, high)));
    };
    const __m256 a = four(0), b = four(1);
    // The low halves of lanes 0 1 of a, 0 1 of b, 2 3 of a, 2 3 of b, and their high halves.
    __m256i x = _mm256_xor_si256(_mm256_castps_si256(_mm256_shuffle_ps(a, b, 0x88)), _mm256_castps_si256(_mm256_shuffle_ps(a, b, 0xDD)));
    x = _mm256_permute4x64_epi64(x, 0xD8);
    x = _mm256_xor_si256(x, _mm256_slli_epi32(x, 16));
    x = _mm256_xor_si256(x, _mm256_slli_epi32(x, 8));
    x = _mm256_and_si256(_mm256_xor_si256(x, _mm256_srli_epi32(x, 4)), _mm256_set1_epi8(15));
    const __m256i odd = _mm256_setr_epi8(0, -1, -1, 0, -1, 0, 0, -1, -1, 0, 0, -1, 0, -1, -1, 0, 0, -1, -1, 0, -1, 0, 0, -1, -1, 0, 0, -1, 0, -1, -1, 0);
    return static_cast<unsigned>(_mm256_movemask_ps(_mm256_castsi256_ps(_mm256_shuffle_epi8(odd, x))));
  }

  // Requires: probe.roomy.
  THIMBLE_TARGET_AVX2 static inline __attribute__((always_inline)) std::uint64_t Columns(const Probe& probe) {
    const __m256i low = _mm256_set1_epi64x(static_cast<long long>(probe.low)), high = _mm256_set1_epi64x(static_cast<long long>(probe.high));
    const std::uint32_t groups = kGroups > 0 ? kGroups : (probe.width + 7) / 8;
    std::uint64_t value = 0;
    for (std::uint32_t i = 0; i < groups; ++i) {
      const std::byte* block = probe.block + 64 * i;
      value |= std::uint64_t{EightColumns(block, block + probe.next, low, high)} << 8 * i;
    }
    return value;
  }

  THIMBLE_TARGET_AVX2 static inline __attribute__((always_inline)) bool Agrees(const Probe& probe, std::uint64_t hash) {
    return _bzhi_u64(Columns(probe) ^ ribbon::Fingerprint(hash), probe.width) == 0;
  }

  THIMBLE_TARGET_AVX2 static bool Contains(const Ribbon& ribbon, std::uint64_t hash) {
    Probe probe;
    if (FindFirst<kWide>(ribbon, hash, &probe)) return Agrees(probe, hash);
    return Portable::Contains(ribbon, hash);
  }
  THIMBLE_TARGET_AVX2 static std::uint64_t Value(const Ribbon& ribbon, std::uint64_t hash) {
    Probe probe;
    if (FindFirst<kWide>(ribbon, hash, &probe)) return _bzhi_u64(Columns(probe), probe.width);
    return Portable::Value(ribbon, hash);
  }
  THIMBLE_TARGET_AVX2 static std::size_t ContainsMany(const Ribbon& ribbon, Hashes hashes, bool* found) {
    std::size_t hits = 0;
    ForEachPrefetched<kWide>(ribbon, hashes, [&](std::size_t i, const Probe& probe) THIMBLE_TARGET_AVX2 {
      hits += found[i] = probe.roomy ? Agrees(probe, hashes[i]) : HoldsExactly(probe, hashes[i]);
    });
    return hits;
  }
  THIMBLE_TARGET_AVX2 static void Values(const Ribbon& ribbon, Hashes hashes, std::uint64_t* values) {
    ForEachPrefetched<kWide>(ribbon, hashes, [&](std::size_t i, const Probe& probe) THIMBLE_TARGET_AVX2 {
      values[i] = probe.roomy ? _bzhi_u64(Columns(probe), probe.width) : ExactValue(probe);
    });
  }
};

#endif

template <class Set>
constexpr Ribbon::Kernels kKernels{Set::Value, Set::Contains, Set::Values, Set::ContainsMany};

}  // namespace

Ribbon::Kernels Ribbon::KernelsFor([[maybe_unused]] std::uint32_t bits, [[maybe_unused]] bool wide) {
#if THIMBLE_HAS_AVX2_KERNELS
  if (ActiveCpuLevel() == CpuLevel::kAvx2) {
    if (wide) return bits < 8 ? kKernels<Avx2<1, true>> : bits < 16 ? kKernels<Avx2<2, true>> : kKernels<Avx2<0, true>>;
    return bits <= 8 ? kKernels<Avx2<1, false>> : bits <= 16 ? kKernels<Avx2<2, false>> : kKernels<Avx2<0, false>>;
  }
#endif
  return kKernels<Portable>;
}

}  // namespace thimble
