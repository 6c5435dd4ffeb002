#include "quotient_page.h"

#include <algorithm>
#include <bit>

#include <cpu.h>

#if THIMBLE_HAS_AVX2_KERNELS
#include <immintrin.h>
#endif

namespace thimble::quotient {
namespace {

template <class SelectZero>
inline __attribute__((always_inline)) Bucket FindBucketWith(const std::byte* unary, unsigned words, unsigned bucket, SelectZero select) {
  std::uint64_t position = 0;
  if (bucket > 0) {
    unsigned zeros = bucket;
    unsigned i = 0;
    for (; i < words; ++i) {
      const auto here = static_cast<unsigned>(__builtin_popcountll(~Word(unary, i)));
      if (here >= zeros) break;
      zeros -= here;
    }
    if (i == words) return {std::uint64_t{64} * words, 0};
    position = 64 * i + select(~Word(unary, i), zeros - 1) + 1;
  }
  std::uint64_t ones = 0;
  while (position + ones < std::uint64_t{64} * words) {
    const std::uint64_t at = position + ones;
    const auto run = static_cast<std::uint64_t>(std::countr_one(Word(unary, static_cast<unsigned>(at / 64)) >> at % 64));
    const std::uint64_t taken = std::min<std::uint64_t>(run, 64 - at % 64);
    ones += taken;
    if (taken < 64 - at % 64) break;
  }
  return {position, ones};
}

Bucket FindBucketPortable(const std::byte* unary, unsigned words, unsigned bucket) {
  return FindBucketWith(unary, words, bucket, [](std::uint64_t word, unsigned rank) {
    for (; rank > 0; --rank) word &= word - 1;
    return static_cast<unsigned>(std::countr_zero(word));
  });
}

// Moves the words (first, last] up by `width` bits; bits of `first` go along into the one behind it.
void ShiftUpPortable(std::byte* words, std::uint64_t first, std::uint64_t last, unsigned width) {
  for (std::uint64_t i = last; i > first; --i) Store(words + 8 * i, Word(words, i) << width | Word(words, i - 1) >> (64 - width));
}

#if THIMBLE_HAS_AVX2_KERNELS
// Four words a step, from the last.
THIMBLE_TARGET_AVX2 void ShiftUpAvx2(std::byte* words, std::uint64_t first, std::uint64_t last, unsigned width) {
  const __m128i left = _mm_cvtsi32_si128(static_cast<int>(width)), right = _mm_cvtsi32_si128(static_cast<int>(64 - width));
  std::uint64_t i = last;
  for (; i >= first + 4; i -= 4) {
    auto* at = reinterpret_cast<__m256i*>(words + 8 * (i - 3));
    const __m256i here = _mm256_loadu_si256(at), below = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(words + 8 * (i - 4)));
    _mm256_storeu_si256(at, _mm256_or_si256(_mm256_sll_epi64(here, left), _mm256_srl_epi64(below, right)));
  }
  for (; i > first; --i) Store(words + 8 * i, Word(words, i) << width | Word(words, i - 1) >> (64 - width));
}

THIMBLE_TARGET_AVX2 Bucket FindBucketAvx2(const std::byte* unary, unsigned words, unsigned bucket) {
  std::uint64_t position = 0;
  unsigned zeros = bucket, i = 0;
  if (bucket > 0) {
    for (; i < words; ++i) {
      const auto here = static_cast<unsigned>(_mm_popcnt_u64(~Word(unary, i)));
      if (here >= zeros) break;
      zeros -= here;
    }
    if (i == words) return {std::uint64_t{64} * words, 0};
    position = 64 * i + _tzcnt_u64(_pdep_u64(std::uint64_t{1} << (zeros - 1), ~Word(unary, i))) + 1;
  }
  std::uint64_t ones = 0;
  while (position + ones < std::uint64_t{64} * words) {
    const std::uint64_t at = position + ones;
    const std::uint64_t taken = std::min<std::uint64_t>(_tzcnt_u64(~(Word(unary, at / 64) >> at % 64)), 64 - at % 64);
    ones += taken;
    if (taken < 64 - at % 64) break;
  }
  return {position, ones};
}
#endif

struct Kernels {
  Bucket (*find_bucket)(const std::byte*, unsigned, unsigned);
  void (*shift_up)(std::byte*, std::uint64_t, std::uint64_t, unsigned);
};

Kernels Choose() {
#if THIMBLE_HAS_AVX2_KERNELS
  if (ActiveCpuLevel() == CpuLevel::kAvx2) return {FindBucketAvx2, ShiftUpAvx2};
#endif
  return {FindBucketPortable, ShiftUpPortable};
}

const Kernels& Chosen() {
  static const Kernels kernels = Choose();
  return kernels;
}

}  // namespace

unsigned SlotsFor(std::uint64_t page_bytes, unsigned entry_bits) {
  const std::uint64_t bits = 8 * (page_bytes - kPageHeaderBytes);
  auto slots = static_cast<unsigned>((bits - kBuckets) / (entry_bits + 1));
  while (64 * UnaryWords(slots) + slots * entry_bits > bits) --slots;
  return slots;
}

Bucket FindBucket(const std::byte* unary, unsigned words, unsigned bucket) { return Chosen().find_bucket(unary, words, bucket); }

void InsertBits(std::byte* words, std::uint64_t at, std::uint64_t end, unsigned width, std::uint64_t bits) {
  const std::uint64_t first = at / 64, below = LowBits(at % 64);
  Chosen().shift_up(words, first, (end + width - 1) / 64, width);
  // Bits below `at` that moved along into the second word lie where the new ones go.
  const std::uint64_t word = Word(words, first);
  Store(words + 8 * first, (word & below) | (word & ~below) << width);
  SetBits(words, at, width, bits);
}

}  // namespace thimble::quotient
